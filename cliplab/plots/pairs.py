"""Pictures of a number for each pair of places: what position adds, what a token reaches."""

import numpy as np
from matplotlib import rc_context

from .data import array, number
from .draw import frame, hatched, label, pixels
from .encoder import colored, levels
from .figure import Figure, Table
from .theme import RC, WIDEST

LEFT, TOP, RIGHT = 28, 38, 10
SIDES = {1: 280, 2: 126, 3: 126}  # of a panel, by their number: a telephone has two in a line


@rc_context(RC)
def pair_tables(tables, what, rows, columns, title=None, source=None):
    """A number for each pair of places, a panel for each table, each on a color scale of its own.

    tables: {name: [L, L]}, one to three; a cell that is exactly 0 is hatched. what: the numbers, as
    a sentence begins; rows, columns: what they stand for, as "query i" and "key j".
    ValueError for another number of panels and for other shapes.
    """
    grids = {name: array(table).astype(float) for name, table in tables.items()}
    shapes = {grid.shape for grid in grids.values()}
    shape = shapes.pop() if len(shapes) == 1 else ()
    if len(grids) not in SIDES or len(shape) != 2 or shape[0] != shape[1] or shape[0] < 2:
        raise ValueError("This draws one to three tables [L, L] of one size, L at least 2.")
    length, side = shape[0], SIDES[len(grids)]
    fig = Figure.wrapping([(LEFT + side + RIGHT, TOP + side + 44)] * len(grids), [(WIDEST, 22)])
    for part, (name, grid) in zip(fig.parts, grids.items(), strict=False):
        ax = part.sheet()
        label(ax, LEFT + side / 2, 10, name, size=12, weight="bold")
        _panel(ax, grid, LEFT, TOP, side)
        _scale(ax, grid, LEFT, TOP + side + 12, side)
    zeros = any((grid == 0).any() for grid in grids.values())
    axes = f"down: {rows}, across: {columns}"
    foot = axes + "; hatched: exactly 0" * zeros
    label(fig.parts[-1].sheet(), WIDEST / 2, 11, foot, faint=True)

    alt = f"{what}, for {length} by {length} pairs; {axes}. "
    alt += " ".join(_sentence(name, grid) for name, grid in grids.items())
    middle = length // 2
    table = Table(
        (columns, *grids),
        [(j, *(float(grid[middle, j]) for grid in grids.values())) for j in range(length)],
        f"The line of {rows} = {middle}",
    )
    return fig.described(alt, table, title, source)


def _panel(ax, grid, x, y, side):
    """One table, its places numbered above and beside it."""
    colors = colored(grid, grid.min(), grid.max())
    if (grid == 0).any():
        hatched(ax, (x, y, side, side))
        colors[grid == 0] = 0  # nothing drawn: the hatching shows through
    pixels(ax, colors, x, y, side, side)
    frame(ax, x, y, side, side)
    for place, end, ha in ((0, 0, "left"), (len(grid) - 1, side, "right")):
        label(ax, x + end, y - 10, place, ha=ha)
        label(ax, x - 5, y + (place + 0.5) * side / len(grid), place, ha="right")


def _scale(ax, grid, x, y, side):
    """The steps of the color scale, with the numbers at its ends."""
    pixels(ax, levels()[None], x, y, side, 10)
    frame(ax, x, y, side, 10)
    label(ax, x, y + 22, number(grid.min()), ha="left")
    label(ax, x + side, y + 22, number(grid.max()), ha="right")


def _sentence(name, grid):
    """From where to where it goes, where it is 0, and whether the distance alone decides."""
    lines = [grid.diagonal(k) for k in range(1 - len(grid), len(grid))]
    said = f"{name}: from {number(grid.min())} to {number(grid.max())}"
    if zeros := (grid == 0).sum():
        said += f", exactly 0 in {zeros} of {grid.size} cells"
        said += ", all those above the diagonal among them" * (not np.triu(grid, 1).any())
    if max(np.ptp(line) for line in lines) <= 1e-4 * np.ptp(grid):
        said += ", equal for all pairs of one distance"
    return said + "."
