"""A long prompt as the tools cut it into chunks."""

from itertools import pairwise

from matplotlib import rc_context

from .data import END_OF_WORD, chunks_of, kinds_of, shorten
from .draw import label, line, rectangles
from .figure import Figure, Table
from .theme import BLUE, INK, ORANGE, RC, VIOLET, WIDEST, color_alpha
from .weights import is_break

LEFT, WIDE, TALL = 10, 314, 26  # where lanes begin; the longest lane; the height of its bar
HEAD = 34  # room for a tool's name, and below it for the counts
SIDE, LETTER = 15, 6.4  # characters shown on each side of a cut, at most; width of one
EMPTY = 14  # width of an empty chunk


@rc_context(RC)
def chunk_lanes(cuts, title=None, source=None):
    """Where each tool cuts a long prompt: a lane of tokens for each, with the words at its cuts.

    cuts: {tool: its chunks}, each a list of token strings, without BOS, EOS and padding; a last
    string "BREAK" (no token of CLIP's has capitals) says that a BREAK ended the chunk. Or {tool:
    a Context}, with .tokens, .owner and .fragments. All lanes have one scale.
    """
    lanes = {
        tool: _chunks(cut) if hasattr(cut, "tokens") else [list(chunk) for chunk in cut]
        for tool, cut in cuts.items()
    }
    lanes = {
        tool: [([t for t in chunk if t != "BREAK"], "BREAK" in chunk[-1:]) for chunk in chunks]
        for tool, chunks in lanes.items()
    }
    if not lanes or not all(lanes.values()):
        raise ValueError("Every tool needs at least one chunk: a list of token strings.")
    longest = max(1, *(sum(len(tokens) for tokens, _ in chunks) for chunks in lanes.values()))
    step = _step(lanes.values(), longest)
    plans, height = {}, 6
    for tool, chunks in lanes.items():
        edges = _spread(chunks, step)
        notes = _notes(chunks, edges)
        top = height + HEAD + 12 * any(broken for *_, broken, _ in notes)
        plans[tool] = (height, top, edges, notes)
        height = top + TALL + 20 * (1 + max([0, *(row for *_, row in notes)])) + 16
    fig = Figure(WIDEST, height + 40)
    ax = fig.sheet()
    for tool, chunks in lanes.items():
        _draw_lane(ax, step, tool, chunks, *plans[tool])
    _ruler(ax, height, step, longest)

    table = Table(
        ("tool", "chunk", "tokens", "first words", "last words", "ended by BREAK"),
        [
            (tool, n, len(tokens), _words(tokens[:4]), _words(tokens[-4:]), broken)
            for tool, chunks in lanes.items()
            for n, (tokens, broken) in enumerate(chunks)
        ],
        "The chunks of each tool, numbered from 0",
    )
    return fig.described(_alt(lanes), table, title, source)


def _chunks(context):
    """The chunks of a context, in the form that `chunk_lanes` takes."""
    chunks, start, last = [], 0, -1
    breaks = [k for k, fragment in enumerate(context.fragments) if is_break(fragment)]
    for part in chunks_of(context.tokens):
        kinds = kinds_of(part)
        owners = [k for k in context.owner[start : start + len(part)] if k is not None]
        if chunks and any(last < k and (not owners or k < owners[0]) for k in breaks):
            chunks[-1].append("BREAK")
            breaks = breaks[1:]
        chunks.append([t for t, kind in zip(part, kinds, strict=True) if kind == "content"])
        last, start = max([last, *owners]), start + len(part)
    return chunks


def _words(tokens):
    """Tokens as text, the space after a whole word included."""
    return "".join(token.replace(END_OF_WORD, " ") for token in tokens).strip()


def _quoted(tokens):
    return f"“{_words(tokens)}”" if tokens else "nothing"


def _step(lanes, longest):
    """The width of a token: the longest lane fits, and so do the words after each last cut."""
    room = WIDE - EMPTY * max(sum(not tokens for tokens, _ in chunks) for chunks in lanes)
    step = room / longest
    for *before, (last, _) in lanes:
        rest = room - 8 - LETTER * min(SIDE, len(_words(last[:4])))
        step = min(step, rest / max(1, sum(len(tokens) for tokens, _ in before)))
    return step


def _spread(chunks, step):
    """Where the chunks begin and the last one ends; an empty one is wide enough to be seen."""
    edges = [LEFT]
    for tokens, _ in chunks:
        edges.append(edges[-1] + (len(tokens) * step or EMPTY))
    return edges


def _notes(chunks, edges):
    """For each cut: (its x, words before, words after, BREAK, the row where they have room)."""
    notes, ends = [], []
    for n, ((tokens, broken), (following, _)) in enumerate(pairwise(chunks), 1):
        x = edges[n]
        before, after = _words(tokens[-4:]), _words(following[:4])
        # Within the figure, and no further than to the next cut, whose line may pass here.
        last = edges[n + 1] if n + 2 < len(edges) else WIDEST
        left, right = (min(SIDE, int((gap - 8) / LETTER)) for gap in (x, last - x))
        while len(before) > left and " " in before:
            before = before.partition(" ")[2]
        while len(after) > right and " " in after:
            after = after.rpartition(" ")[0]
        before = shorten(before, left) if left > 1 else ""
        after = after if len(after) <= right else ""
        reach = (x - 8 - LETTER * len(before), x + 8 + LETTER * len(after))
        row = next((n for n, end in enumerate(ends) if end + 8 < reach[0]), len(ends))
        ends[row : row + 1] = [reach[1]]
        notes.append((x, before, after, broken, row))
    return notes


def _draw_lane(ax, step, tool, chunks, y, top, edges, notes):
    label(ax, LEFT, y + 8, shorten(tool, 36), size=12, ha="left", weight="bold")
    ticks = []
    for n, (tokens, _) in enumerate(chunks):
        x, width = edges[n], edges[n + 1] - edges[n]
        rectangles(ax, [(x, top, width, TALL)], BLUE, fill=0.3 if n % 2 else 0.14, linewidth=0.8)
        ticks += [(x + i * step, top + TALL - 5, 0, 5) for i in range(1, len(tokens))]
        count = f"{len(tokens)} tokens" if width > 66 else f"{len(tokens)}"
        if width > 5 * len(count):
            label(ax, x + width / 2, top - 9, count)
    rectangles(ax, ticks, INK, fill=0, edgecolor=color_alpha(INK, 0.5), linewidth=0.5)
    for x, before, after, broken, row in notes:
        foot = top + TALL + 14 + 20 * row
        color = VIOLET if broken else ORANGE
        style = {"linewidth": 4.5} if broken else {"linewidth": 2}
        line(ax, (x, top - 5), (x, foot + 7), color=color, zorder=3, **style)
        label(ax, x - 6, foot, before, ha="right")
        label(ax, x + 6, foot, after, ha="left")
        if broken:
            label(ax, max(x, 24), top - 21, "BREAK", weight="bold")


def _ruler(ax, y, step, longest):
    """Numbers of tokens along the foot."""
    every = next(n for n in (5, 25, 75, 150, 750, 1500, 10**6) if longest / n <= 8)
    for at in range(0, longest + 1, every):
        line(ax, (LEFT + at * step, y), (LEFT + at * step, y + 5), alpha=0.6)
        label(ax, LEFT + at * step, y + 14, at, faint=True)
    line(ax, (LEFT, y), (LEFT + longest * step, y), alpha=0.6)
    label(ax, LEFT + WIDE / 2, y + 30, "tokens", faint=True)


def _alt(lanes):
    parts = []
    for tool, chunks in lanes.items():
        counts = ", ".join(str(len(tokens)) for tokens, _ in chunks)
        if len(chunks) == 1:
            parts.append(f"{tool} keeps all {counts} tokens in one chunk.")
            continue
        cuts = [
            f"between {_quoted(a[-2:])} and {_quoted(b[:2])}" + " (BREAK)" * broken
            for (a, broken), (b, _) in pairwise(chunks)
        ]
        more = f", and {len(cuts) - 6} times more" if len(cuts) > 6 else ""
        parts.append(
            f"{tool} makes chunks of {counts} tokens: it cuts {', '.join(cuts[:6])}{more}."
        )
    return "A long prompt in chunks. " + " ".join(parts)
