"""A long prompt as the tools cut it into chunks."""

from itertools import pairwise

from matplotlib import rc_context

from .data import END_OF_WORD, chunks_of, kinds_of, shorten
from .draw import label, line, rectangles
from .figure import Figure, Table
from .theme import BLUE, INK, ORANGE, RC, VIOLET, color_alpha
from .weights import is_break

WIDE, TALL = 590, 26  # the longest lane, and the height of its bar
SIDE = 15  # characters shown on each side of a cut
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
    left = 22 + 7.5 * max(6, *(len(shorten(tool, 18)) for tool in lanes))
    empty = max(sum(not tokens for tokens, _ in chunks) for chunks in lanes.values())
    step = (WIDE - EMPTY * empty) / longest
    plans, height = {}, 6
    for tool, chunks in lanes.items():
        edges = _spread(chunks, left, step)
        notes = _notes(chunks, edges)
        plans[tool] = (height, edges, notes)
        height += 30 + TALL + 20 * (1 + max([0, *(row for *_, row in notes)])) + 14
    ends = [x + 12 + 6.4 * len(after) for *_, notes in plans.values() for x, _, after, *_ in notes]
    fig = Figure(max([left + WIDE + 16, *ends]), height + 36)
    ax = fig.sheet()
    for tool, chunks in lanes.items():
        _draw_lane(ax, left, step, tool, chunks, *plans[tool])
    _ruler(ax, left, height, step, longest)

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


def _spread(chunks, left, step):
    """Where the chunks begin and the last one ends; an empty one is wide enough to be seen."""
    edges = [left]
    for tokens, _ in chunks:
        edges.append(edges[-1] + (len(tokens) * step or EMPTY))
    return edges


def _notes(chunks, edges):
    """For each cut: (its x, words before, words after, BREAK, the row where they have room)."""
    notes, ends = [], []
    for n, ((tokens, broken), (following, _)) in enumerate(pairwise(chunks), 1):
        x = edges[n]
        before, after = _words(tokens[-4:]), _words(following[:4])
        while len(before) > SIDE and " " in before:
            before = before.partition(" ")[2]
        # No further than to the next cut, whose line may pass here.
        room = min(SIDE, int((edges[n + 1] - x - 10) / 6.6)) if n + 2 < len(edges) else SIDE
        while len(after) > room and " " in after:
            after = after.rpartition(" ")[0]
        before, after = shorten(before, SIDE), after if len(after) <= room else ""
        reach = (x - 8 - 6.4 * len(before), x + 8 + 6.4 * len(after))
        row = next((n for n, end in enumerate(ends) if end < reach[0]), len(ends))
        ends[row : row + 1] = [reach[1]]
        notes.append((x, before, after, broken, row))
    return notes


def _draw_lane(ax, left, step, tool, chunks, y, edges, notes):
    top = y + 24
    label(ax, left - 12, top + TALL / 2, shorten(tool, 18), size=12, ha="right", weight="bold")
    ticks = []
    for n, (tokens, _) in enumerate(chunks):
        x, width = edges[n], edges[n + 1] - edges[n]
        rectangles(ax, [(x, top, width, TALL)], BLUE, fill=0.3 if n % 2 else 0.14, linewidth=0.8)
        ticks += [(x + i * step, top + TALL - 5, 0, 5) for i in range(1, len(tokens))]
        count = f"{len(tokens)} tokens" if width > 60 else f"{len(tokens)}"
        label(ax, x + width / 2, top - 9, count, size=10)
    rectangles(ax, ticks, INK, fill=0, edgecolor=color_alpha(INK, 0.5), linewidth=0.5)
    for x, before, after, broken, row in notes:
        foot = top + TALL + 14 + 20 * row
        color = VIOLET if broken else ORANGE
        style = {"linewidth": 4.5} if broken else {"linewidth": 2}
        line(ax, (x, top - 5), (x, foot + 7), color=color, zorder=3, **style)
        label(ax, x - 6, foot, before, size=11, ha="right")
        label(ax, x + 6, foot, after, size=11, ha="left")
        if broken:
            label(ax, x, top - 20, "BREAK", size=10, weight="bold")


def _ruler(ax, left, y, step, longest):
    """Numbers of tokens along the foot."""
    every = next(n for n in (5, 25, 75, 150, 750, 1500, 10**6) if longest / n <= 12)
    for at in range(0, longest + 1, every):
        line(ax, (left + at * step, y), (left + at * step, y + 5), alpha=0.6)
        label(ax, left + at * step, y + 14, at, size=9, faint=True)
    line(ax, (left, y), (left + longest * step, y), alpha=0.6)
    label(ax, left - 12, y + 14, "tokens", size=9, ha="right", faint=True)


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
