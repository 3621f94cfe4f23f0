"""The ladder of merges: how byte-pair encoding puts one word together."""

from matplotlib import rc_context

from .data import END_OF_WORD, printable, shorten
from .draw import label, rectangles
from .figure import Figure, Table
from .theme import BLUE, ORANGE, RC, WIDEST

LEFT, RIGHT = 8, WIDEST - 8
CHIP, LINE, HEAD = 24, 28, 24  # heights: of a symbol, of a line of them, of what stands above


@rc_context(RC)
def merge_ladder(steps, word):
    """How byte-pair encoding joins one word's symbols, a row for each merge.

    steps: objects with `.pair` (two strings), `.rank` (int; the lower, the earlier it was
    learned) and `.result` (the symbols after the step), as from `tokenizer.merge_steps(word)`;
    none when the word is one symbol from the start.
    """
    rows = [_first_symbols(steps, word), *(list(step.result) for step in steps)]
    letters = sum(len(s.removesuffix(END_OF_WORD)) for s in rows[0])
    cell = max(9, min(30, (RIGHT - LEFT) / max(letters, 1)))
    placed = [_placed(symbols, cell) for symbols in rows]
    heights = [HEAD + LINE * (1 + chips[-1][1]) for chips in placed]
    fig = Figure(WIDEST, sum(heights) + 38)
    ax = fig.sheet()
    joined, others, ends = [], [], [(LEFT, fig.height - 20, 3.5, 12)]
    for number, chips in enumerate(placed):
        y = 4 + sum(heights[:number])
        step = steps[number - 1] if number else None
        _head(ax, y + HEAD / 2, number, step)
        for x, line, symbol, wide in chips:
            top, new = y + HEAD + LINE * line, step and symbol == "".join(step.pair)
            (joined if new else others).append((x, top, wide - 3, CHIP))
            if symbol.endswith(END_OF_WORD):
                ends.append((x + wide - 7, top + 5, 3.5, CHIP - 10))
            text = shorten(symbol.removesuffix(END_OF_WORD), max(1, int(wide / 8)))
            style = {"weight": "bold"} if new else {}
            label(ax, x + wide / 2 - 2, top + CHIP / 2, text, size=13, mono=True, **style)
    rectangles(ax, others, BLUE, fill=0.1)
    rectangles(ax, joined, ORANGE, fill=0.26, linewidth=1.8)
    rectangles(ax, ends, BLUE, fill=1, linewidth=0)
    label(ax, LEFT + 9, fig.height - 14, "end of the word (</w>)", ha="left")

    table = Table(
        ("step", "merged pair", "rank", "symbols after it"),
        [
            (0, "none", "none", " ".join(rows[0])),
            *(
                (n, " + ".join(s.pair), int(s.rank), " ".join(s.result))
                for n, s in enumerate(steps, 1)
            ),
        ],
        f"The merges of “{printable(word)}”",
    )
    final = ", ".join(_shown(s) for s in rows[-1])
    first = f"No merge applies: {final}."
    if steps:
        merges = "1 merge" if len(steps) == 1 else f"{len(steps)} merges"
        first = (
            f"It starts as {len(rows[0])} symbols and ends after {merges} as "
            f"{len(rows[-1])}: {final}. The merges in order: "
            + "; ".join(" + ".join(map(_shown, step.pair)) for step in steps)
            + "."
        )
    return fig.described(f"The ladder of merges of the word “{word}”. {first}", table)


def _placed(symbols, cell):
    """Where the symbols stand: (x, line, symbol, width) of each, in as many lines as it takes."""
    x, line, chips = LEFT, 0, []
    for symbol in symbols:
        wide = min(cell * max(len(symbol.removesuffix(END_OF_WORD)), 1), RIGHT - LEFT)
        if x + wide > RIGHT + 1 and chips:
            x, line = LEFT, line + 1
        chips.append((x, line, symbol, wide))
        x += wide
    return chips


def _head(ax, y, number, step):
    """What a row shows: which step it is, the pair that was joined, and its rank."""
    if step is None:
        label(ax, LEFT, y, "start", ha="left", faint=True)
        return
    label(ax, LEFT, y, f"step {number}", ha="left", faint=True)
    pair = shorten(" + ".join(map(_shown, step.pair)), 26)
    label(ax, LEFT + 58, y, pair, ha="left", mono=True)
    label(ax, RIGHT, y, f"rank {step.rank:,}", ha="right", faint=True)


def _shown(symbol):
    return symbol.removesuffix(END_OF_WORD) + ("·" if symbol.endswith(END_OF_WORD) else "")


def _first_symbols(steps, word):
    """The symbols before the first merge: its result with the merged pair taken apart again."""
    if not steps:
        return [word + END_OF_WORD]
    a, b = steps[0].pair
    return [s for symbol in steps[0].result for s in ((a, b) if symbol == a + b else (symbol,))]
