"""Pictures of what a position adds to attention's scores."""

import numpy as np
from matplotlib import rc_context

from .data import array, number
from .draw import frame, label, pixels
from .encoder import LEVELS, levels
from .figure import Figure, Table
from .theme import RC

LEFT, TOP, GAP = 28, 38, 10
SIDES = {1: 260, 2: 150, 3: 98}  # of a panel, by their number: a telephone shows all of them


@rc_context(RC)
def position_terms(terms, title=None, source=None):
    """What position alone gives to the score of each pair, a panel for each way to tell positions.

    terms: {name: [L, L]}, one to three of them, row i the query, column j the key; each panel has
    a color scale of its own. ValueError for another number of panels and for other shapes.
    """
    grids = {name: array(term).astype(float) for name, term in terms.items()}
    shapes = {grid.shape for grid in grids.values()}
    shape = shapes.pop() if len(shapes) == 1 else ()
    if len(grids) not in SIDES or len(shape) != 2 or shape[0] != shape[1] or shape[0] < 2:
        raise ValueError("This draws one to three tables [L, L] of one size, L at least 2.")
    length, side = shape[0], SIDES[len(grids)]
    fig = Figure(LEFT + len(grids) * (side + GAP), TOP + side + 66)
    ax = fig.sheet()
    for n, (name, grid) in enumerate(grids.items()):
        x = LEFT + n * (side + GAP)
        label(ax, x + side / 2, 10, name, size=12, weight="bold")
        _panel(ax, grid, x, TOP, side, numbered=n == 0)
        _scale(ax, grid, x, TOP + side + 12, side)
    label(ax, LEFT, fig.height - 10, "row: query i, column: key j", ha="left", faint=True)

    alt = f"What position alone gives to the scores of {length} by {length} pairs. "
    alt += " ".join(_sentence(name, grid) for name, grid in grids.items())
    middle = length // 2
    table = Table(
        ("key j", "distance j − i", *grids),
        [(j, j - middle, *(float(g[middle, j]) for g in grids.values())) for j in range(length)],
        f"The row of query {middle}",
    )
    return fig.described(alt, table, title, source)


def _panel(ax, grid, x, y, side, numbered):
    """One table of scores, its places numbered above and, at the left end, beside it."""
    step = (grid - grid.min()) / (np.ptp(grid) or 1) * LEVELS
    pixels(ax, levels()[np.minimum(step.astype(int), LEVELS - 1)], x, y, side, side)
    frame(ax, x, y, side, side)
    last = len(grid) - 1
    for place in (0, last):
        middle = (place + 0.5) * side / len(grid)
        label(ax, x + middle, y - 10, place, ha="left" if place == 0 else "right")
        if numbered:
            label(ax, x - 5, y + middle, place, ha="right")


def _scale(ax, grid, x, y, side):
    """The steps of the color scale, with the numbers at its ends."""
    pixels(ax, levels()[None], x, y, side, 10)
    frame(ax, x, y, side, 10)
    label(ax, x, y + 22, number(grid.min()), ha="left")
    label(ax, x + side, y + 22, number(grid.max()), ha="right")


def _sentence(name, grid):
    """From where to where it goes, and whether the distance alone decides."""
    lines = [grid.diagonal(k) for k in range(1 - len(grid), len(grid))]
    differ = max(np.ptp(line) for line in lines)
    along = f"differ by up to {number(differ)}" if differ > 1e-4 * np.ptp(grid) else "are equal"
    return (
        f"{name}: from {number(grid.min())} to {number(grid.max())}; the values of one distance "
        f"{along}."
    )
