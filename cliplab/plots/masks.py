"""Pictures of masks: which keys each row of attention may see."""

import numpy as np
from matplotlib import rc_context

from .data import array, names_of, spans
from .draw import frame, hatched, label, line, pixels, rectangles
from .figure import Figure, Table
from .theme import BLUE, RC, WIDEST

SEEN = (*(int(BLUE[i : i + 2], 16) for i in (1, 3, 5)), 255)
FEW = 12  # up to here every cell has an outline and every token its name
GUTTER = 62  # room for the names at the left
LEANING = 22  # room at the right, into which the name of the last key leans
LEGEND = 232  # width of the legend
PANEL = 136  # side of a mask of which three stand beside each other on a page


@rc_context(RC)
def mask_heatmap(mask, tokens=None, title=None):
    """A mask as cells: filled = may be seen, hatched = blocked; row i asks, column j answers.

    mask bool [L] or [L, L]; tokens: L strings, named along the axes when L ≤ 12.
    Lecture eqs 10, 55–57.
    """
    grid, tokens = _checked(mask, tokens)
    length = grid.shape[1]
    side = min(26 * max(length, 5), WIDEST - GUTTER - LEANING)
    height = side if len(grid) > 1 else 26
    top = room_above(tokens, length)
    fig = Figure(WIDEST, top + height + 34)
    ax = fig.sheet()
    left = (WIDEST + GUTTER - LEANING - side) / 2
    draw_mask(ax, grid, left, top, side, tokens)
    _legend(ax, (WIDEST - LEGEND) / 2, fig.height - 12)
    return fig.described(_mask_alt(grid), _mask_table(grid), title)


@rc_context(RC)
def mask_product(causal, pad, product, tokens=None):
    """Causal mask ⊙ PAD mask = what attention may see, part by part. Lecture eq. 57.

    All three bool [L, L]; a PAD mask [L] is repeated for every row, as Lecture eq. 56 does.
    """
    causal, pad, product = (array(m).astype(bool) for m in (causal, pad, product))
    if pad.ndim == 1:
        pad = np.broadcast_to(pad, causal.shape)
    grids = [_checked(m, tokens)[0] for m in (causal, pad, product)]
    tokens = None if tokens is None else list(tokens)
    length = grids[0].shape[1]
    if any(g.shape != grids[0].shape for g in grids):
        raise ValueError(
            "The three masks must have one shape; got "
            + ", ".join(str(list(g.shape)) for g in grids)
            + "."
        )
    top = room_above(tokens, length)
    size = (GUTTER + PANEL + LEANING, top + PANEL + 24)
    fig = Figure.wrapping([size] * 3, [(LEGEND, 20)])
    names = ("causal mask", "⊙  PAD mask", "=  product M")
    for part, grid, name in zip(fig.parts, grids, names, strict=False):
        ax = part.sheet()
        draw_mask(ax, grid, GUTTER, top, PANEL, tokens)
        label(ax, GUTTER + PANEL / 2, top + PANEL + 14, name, size=12, weight="bold")
    _legend(fig.parts[-1].sheet(), 0, 10)
    same = np.array_equal(grids[0] & grids[1], grids[2])
    alt = (
        f"Three {length} by {length} masks: the causal mask with "
        f"{grids[0].sum():,} seen cells, the PAD mask with {grids[1].sum():,}, and "
        f"{'their product' if same else 'a third mask that is not their product'} with "
        f"{grids[2].sum():,}. In the PAD mask: {_columns_sentence(grids[1])}"
    )
    table = Table(
        ("query i", "keys seen, causal", "keys seen, PAD", "keys seen, product"),
        [(i, *(spans(np.flatnonzero(g[i])) for g in grids)) for i in range(length)],
        "Which keys each query row may see",
    )
    return fig.described(alt, table, "Causal mask ⊙ PAD mask = product")


def draw_mask(ax, grid, x, y, side, tokens=None):
    """One mask [R, L] with its axes, top left corner at (x, y)."""
    count, length = grid.shape
    cell = side / length
    height = cell * count if count > 1 else 26
    hatched(ax, (x, y, side, height))
    colors = np.zeros((count, length, 4), np.uint8)
    colors[grid] = SEEN
    pixels(ax, colors, x, y, side, height)
    frame(ax, x, y, side, height)
    if length <= FEW:
        for n in range(1, length):
            line(ax, (x + n * cell, y), (x + n * cell, y + height), linewidth=0.8)
        for n in range(1, count):
            line(ax, (x, y + n * cell), (x + side, y + n * cell), linewidth=0.8)
    draw_ticks(ax, length, x, y, side, tokens, rows=count > 1)
    if count == 1:
        label(ax, x - 6, y - 10, "slot", ha="right", faint=True)


def draw_ticks(ax, length, x, y, side, tokens=None, rows=True):
    """Numbers (and names, for few tokens) of the keys along the top and the queries at the left."""
    cell = side / length
    step = 10 if side > 200 else 20
    ticks = range(length) if length <= FEW else [*range(0, length - step // 2, step), length - 1]
    named = is_named(tokens, length)
    names = names_of(tokens) if named else range(length)
    for n in ticks:
        middle = (n + 0.5) * cell
        if named:
            label(ax, x + middle, y - 5, names[n], ha="left", va="baseline", rotation=70)
        else:
            label(ax, x + middle, y - 9, n)
        if rows:
            label(ax, x - 6, y + middle, names[n], ha="right")
    if rows:
        label(ax, x - 6, y - 24, "key j →", ha="right", faint=True)
        label(ax, x - 6, y - 10, "query i ↓", ha="right", faint=True)


def is_named(tokens, length):
    """Whether the axes carry the tokens' names rather than numbers."""
    return tokens is not None and length <= FEW


def room_above(tokens, length):
    """How much the names or numbers of the keys need above a grid."""
    return 64 if is_named(tokens, length) else 36


def _checked(mask, tokens):
    grid = np.atleast_2d(array(mask).astype(bool))
    if grid.ndim != 2 or len(grid) not in (1, grid.shape[1]):
        raise ValueError(
            f"A mask has the shape [L] or [L, L]; this one is {list(grid.shape)}. "
            "Pick one prompt of the batch first."
        )
    if tokens is not None and len(tokens) != grid.shape[1]:
        raise ValueError(f"The mask covers {grid.shape[1]} slots but `tokens` has {len(tokens)}.")
    return grid, None if tokens is None else list(tokens)


def _legend(ax, x, y):
    rectangles(ax, [(x, y - 6, 12, 12)], BLUE, fill=1)
    label(ax, x + 18, y, "may be seen (1)", ha="left")
    hatched(ax, (x + 134, y - 6, 12, 12))
    frame(ax, x + 134, y - 6, 12, 12)
    label(ax, x + 152, y, "blocked (0)", ha="left")


def _columns_sentence(grid):
    blocked = np.flatnonzero(~grid.any(axis=0))
    if not len(blocked):
        return "Every key is seen by some row."
    return f"No row sees {spans(blocked, 'key')}."


def _mask_alt(grid):
    count, length = grid.shape
    if count == 1:
        hidden = np.flatnonzero(~grid[0])
        return (
            f"A mask over {length} slots: {spans(np.flatnonzero(grid[0]), 'slot')} may be "
            f"seen ({grid.sum()}), {spans(hidden, 'slot')} blocked ({len(hidden)})."
        )
    empty = np.flatnonzero(~grid.any(axis=1))
    rows = (
        f"No key at all is seen by {spans(empty, 'row')}."
        if len(empty)
        else f"Row 0 sees {spans(np.flatnonzero(grid[0]), 'key')}; row {length - 1} sees "
        f"{spans(np.flatnonzero(grid[-1]), 'key')}."
    )
    causal = "No row sees a later key. " if not np.triu(grid, 1).any() else ""
    return (
        f"A {length} by {length} mask with {grid.sum():,} of {grid.size:,} cells seen and the "
        f"others hatched. {causal}{rows} {_columns_sentence(grid)}"
    )


def _mask_table(grid):
    if len(grid) == 1:
        return Table(
            ("slot", "may be seen"),
            [(i, bool(seen)) for i, seen in enumerate(grid[0])],
            "The mask, slot by slot",
        )
    return Table(
        ("query i", "keys seen", "how many"),
        [(i, spans(np.flatnonzero(row)), int(row.sum())) for i, row in enumerate(grid)],
        "Which keys each query row may see",
    )
