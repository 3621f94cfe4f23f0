"""How a pipeline reads a prompt: encoders, the states that are taken, how they are joined."""

from matplotlib import rc_context

from .draw import arrow, box, hatched, label
from .figure import Figure, Table
from .readings import READINGS
from .theme import BLUE, GREEN, INK, ORANGE, RC, VIOLET, WIDEST

EDGE = 8  # margin, in points
CONTEXT = 244  # where the context ends, if a pooled row stands beside it
ASIDE = 316  # along which a pooled row goes down
ENCODER, GAP = 34, 62  # heights: of an encoder, and from there to the context
CELL, NOTE, DROPPED = 28, 20, 24
COLORS = {"CLIP-bigG": VIOLET, "T5-XXL": GREEN}  # one in all diagrams; others are blue


@rc_context(RC)
def reading_diagram(name):
    """A pipeline's way from prompt to denoiser, from top to bottom.

    name: one of READINGS. A state stands beside its arrow, and whether the final norm has been
    applied to it. A dashed arrow is a pooled row's; a dashed outline is of rows that nobody reads,
    and rows of zeros are hatched. Raises ValueError for another name.
    """
    if name not in READINGS:
        raise ValueError(f"There is no pipeline {name!r}; there are {', '.join(READINGS)}.")
    reading = READINGS[name]
    pooled = sum(encoder.pooled for encoder in reading.encoders)
    right = CONTEXT if pooled else WIDEST - EDGE
    foot = 29 + 16 * len(reading.frame)  # of the prompt's box
    top = foot + 24 + ENCODER + GAP  # of the context
    heights = [
        CELL + NOTE + DROPPED * bool(r.before) + DROPPED * bool(r.after) for r in reading.context
    ]
    end = top + sum(heights)
    fig = Figure(WIDEST, end + 84)
    ax = fig.sheet()
    box(ax, EDGE, 6, WIDEST - 2 * EDGE, foot - 6, INK, fill=0.04)
    label(ax, WIDEST / 2, 18, "prompt", size=12, weight="bold")
    for n, text in enumerate(reading.frame):
        label(ax, WIDEST / 2, 35 + 16 * n, text)
    spans = _encoders(ax, reading, foot)
    for n, rows in enumerate(reading.context):
        y = top + sum(heights[:n])
        cells = _rows(ax, reading, rows, y, right)
        _states(ax, reading, rows, cells, spans, (foot + 24 + ENCODER, y), right, first=n == 0)
    arrow(ax, ((EDGE + right) / 2, end), ((EDGE + right) / 2, end + 26), linewidth=2)
    if pooled:
        _pooled(ax, reading, spans, foot + 24 + ENCODER, top, pooled, end)
    box(ax, EDGE, end + 28, WIDEST - 2 * EDGE, 48, ORANGE, fill=0.13)
    label(ax, WIDEST / 2, end + 43, reading.denoiser[0], size=12, weight="bold")
    label(ax, WIDEST / 2, end + 61, reading.denoiser[1])
    return fig.described(_alt(reading), _table(reading), f"How {reading.title} reads a prompt")


def _color(encoder):
    return COLORS.get(encoder.name, BLUE)


def _encoders(ax, reading, foot):
    """Their boxes, side by side; returns from where to where each goes."""
    n = len(reading.encoders)
    width = (WIDEST - EDGE * (n + 1)) / n
    spans = []
    for k, encoder in enumerate(reading.encoders):
        x = EDGE + k * (width + EDGE)
        arrow(ax, (x + width / 2, foot), (x + width / 2, foot + 22))
        box(ax, x, foot + 24, width, ENCODER, _color(encoder), fill=0.2)
        label(ax, x + width / 2, foot + 24 + ENCODER / 2, encoder.name, size=12, weight="bold")
        spans.append((x, x + width))
    return spans


def _rows(ax, reading, rows, y, right):
    """Rows of one kind, with what is said of them below; returns the ends of their cells."""
    if rows.before:
        _dropped(ax, y, right, rows.before)
        y += DROPPED
    widths = [reading.encoders[cell[0]].width if cell else 0 for cell in rows.cells]
    widths = [width or reading.width - sum(widths) for width in widths]
    x, ends = EDGE, []
    for cell, width in zip(rows.cells, widths, strict=True):
        wide = (right - EDGE) * width / reading.width
        if cell:
            box(ax, x, y, wide, CELL, _color(reading.encoders[cell[0]]), fill=0.2, radius=0)
            label(ax, x + wide / 2, y + CELL / 2, width, weight="bold")
        else:
            box(ax, x, y, wide, CELL, INK, fill=0, radius=0)
            hatched(ax, (x, y, wide / 2 - 22, CELL), (x + wide / 2 + 22, y, wide / 2 - 22, CELL))
            label(ax, x + wide / 2, y + CELL / 2, "zeros")
        ends.append((x, x + wide))
        x += wide
    y += CELL
    if rows.after:
        _dropped(ax, y, right, rows.after)
        y += DROPPED
    label(ax, EDGE, y + 11, f"{rows.count}, {reading.width} numbers in each", ha="left")
    return ends


def _dropped(ax, y, right, text):
    box(ax, EDGE, y, right - EDGE, DROPPED, INK, fill=0, radius=0, linestyle=(0, (3, 2)))
    label(ax, (EDGE + right) / 2, y + DROPPED / 2, text)


def _states(ax, reading, rows, cells, spans, between, right, first):
    """An arrow for each state, from its encoder to its cell; past rows that stand above."""
    start, end = between
    for cell, (left_end, right_end) in zip(rows.cells, cells, strict=True):
        if cell is None:
            continue
        encoder, (left, stop) = reading.encoders[cell[0]], spans[cell[0]]
        x = min(max((left_end + right_end) / 2, left + 5), stop - 5)
        if first:
            arrow(ax, (x, start), (x, end), color=_color(encoder), linewidth=2)
        else:
            x = right + EDGE
            way = ((x, start), (x, end + CELL / 2), (right, end + CELL / 2))
            arrow(ax, *way, color=_color(encoder), linewidth=2)
        label(ax, x + 5, start + 34, encoder.states[cell[1]], size=12, ha="left", weight="bold")
        label(ax, x + 5, start + 49, "normed" if encoder.normed else "no norm", ha="left")


def _pooled(ax, reading, spans, start, top, width, end):
    """The pooled row beside the context, and dashed its way from the encoders to the denoiser."""
    style = {"color": ORANGE, "linestyle": (0, (4, 2))}
    for encoder, (left, right) in zip(reading.encoders, spans, strict=True):
        if encoder.pooled and right > ASIDE:
            arrow(ax, (ASIDE, start), (ASIDE, top), **style)
        elif encoder.pooled:
            x = right - 10 if encoder.states else (left + right) / 2
            arrow(ax, (x, start), (x, start + 18), (ASIDE, start + 18), (ASIDE, top), **style)
    x = CONTEXT + 2.5 * EDGE
    box(ax, x, top, WIDEST - EDGE - x, CELL, ORANGE, fill=0.2, radius=0)
    label(ax, (x + WIDEST - EDGE) / 2, top + CELL / 2, width, weight="bold")
    label(ax, (x + WIDEST - EDGE) / 2, top + CELL + 11, "pooled row")
    arrow(ax, (ASIDE, top + CELL + 20), (ASIDE, end + 26), **style)


def _alt(reading):
    said = [f"{reading.title}, from top to bottom. Read: {' '.join(reading.frame)}."]
    for encoder in reading.encoders:
        norm = "after the final norm" if encoder.normed else "without the final norm"
        took = [f"{', '.join(encoder.states)} {norm}"] if encoder.states else []
        took += [f"the pooled row of {encoder.pooled}"] if encoder.pooled else []
        said.append(f"Taken of {encoder.name}, {encoder.width} wide: {'; '.join(took)}.")
    for rows in reading.context:
        names = [reading.encoders[cell[0]].name if cell else "zeros" for cell in rows.cells]
        dropped = "".join(f"; {text}" for text in (rows.before, rows.after) if text)
        said.append(f"The context has {rows.count} of {' | '.join(names)}{dropped}.")
    said.append(f"The {reading.denoiser[0]} {reading.denoiser[1]}.")
    return " ".join(said)


def _table(reading):
    rows = [
        (
            encoder.name, state, "yes" if encoder.normed else "no", encoder.width,
            ", ".join(r.count for r in reading.context if (k, n) in r.cells) or "none",
            encoder.pooled or "none",
        )
        for k, encoder in enumerate(reading.encoders)
        for n, state in enumerate(encoder.states or ("none",))
    ]  # fmt: skip
    columns = ("encoder", "state", "final norm", "width", "rows of the context", "pooled row")
    return Table(columns, rows, f"What {reading.title} takes from its encoders")
