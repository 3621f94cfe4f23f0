"""The ladder of merges: how byte-pair encoding puts one word together."""

from matplotlib import rc_context

from .data import END_OF_WORD, printable
from .draw import arrow, label, rectangles
from .figure import Figure, Table
from .theme import BLUE, ORANGE, RC


@rc_context(RC)
def merge_ladder(steps, word):
    """How byte-pair encoding joins one word's symbols, a row for each merge.

    steps: objects with `.pair` (two strings), `.rank` (int; the lower, the earlier it was
    learned) and `.result` (the symbols after the step), as from `tokenizer.merge_steps(word)`;
    none when the word is one symbol from the start.
    """
    rows = [_first_symbols(steps, word), *(list(step.result) for step in steps)]
    letters = [len(s.removesuffix(END_OF_WORD)) for s in rows[0]]
    total = max(sum(letters), 1)
    cell = max(12, min(34, 460 / total))
    left, step_height, chip = 66, 34, 24
    fig = Figure(max(left + cell * total + 220, 420), len(rows) * step_height + 34)
    ax = fig.sheet()
    joined, others, ends = [], [], [(left + 1, fig.height - 18, 3.5, 12)]
    for number, symbols in enumerate(rows):
        y = 8 + number * step_height
        label(
            ax,
            left - 12,
            y + chip / 2,
            f"step {number}" if number else "start",
            size=10,
            ha="right",
            faint=True,
        )
        made = "".join(steps[number - 1].pair) if number else None
        x = left
        for symbol in symbols:
            text = symbol.removesuffix(END_OF_WORD)
            wide = cell * max(len(text), 1)
            new = symbol == made
            (joined if new else others).append((x + 1, y, wide - 3, chip))
            if symbol.endswith(END_OF_WORD):
                ends.append((x + wide - 6, y + 5, 3.5, chip - 10))
            label(
                ax,
                x + wide / 2 - 1,
                y + chip / 2,
                text,
                size=min(13, cell * 0.8),
                mono=True,
                **({"weight": "bold"} if new else {}),
            )
            x += wide
        if number:
            step = steps[number - 1]
            a, b = (_shown(s) for s in step.pair)
            end = left + cell * total
            arrow(ax, (end + 22, y + chip / 2), (end + 6, y + chip / 2), color=ORANGE)
            label(ax, end + 28, y + chip / 2, f"{a} + {b}", size=11, ha="left", mono=True)
            label(
                ax,
                end + 28 + 7 * (len(a) + len(b) + 3) + 10,
                y + chip / 2,
                f"rank {step.rank:,}",
                size=10,
                ha="left",
                faint=True,
            )
    rectangles(ax, others, BLUE, fill=0.1)
    rectangles(ax, joined, ORANGE, fill=0.26, linewidth=1.8)
    rectangles(ax, ends, BLUE, fill=1, linewidth=0)
    label(ax, left + 10, fig.height - 12, "end of the word (</w>)", size=10, ha="left")

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


def _shown(symbol):
    return symbol.removesuffix(END_OF_WORD) + ("·" if symbol.endswith(END_OF_WORD) else "")


def _first_symbols(steps, word):
    """The symbols before the first merge: its result with the merged pair taken apart again."""
    if not steps:
        return [word + END_OF_WORD]
    a, b = steps[0].pair
    return [s for symbol in steps[0].result for s in ((a, b) if symbol == a + b else (symbol,))]
