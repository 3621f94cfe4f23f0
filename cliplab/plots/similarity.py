"""Similarity matrices: which picture each caption is closest to."""

import math

import numpy as np
from matplotlib import rc_context
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from .data import array, number, printable, shorten
from .draw import frame, label, rectangles
from .figure import Figure, Table
from .pictures import caption_size, draw_captioned
from .theme import BLUE, HALF, INK, ORANGE, RC, color_alpha

MOST = 4  # matrices in one figure
NAMED = 3  # mistakes that the alt text tells by name
TOP, LINE = 40, 14  # of a matrix; as close as two lines of words may be
LEGEND = (HALF, 38)  # size of the part that says what the squares mean


@rc_context(RC)
def similarity_heatmap(matrices, names=None, pictures=None, title=None, source=None):
    """Similarities of captions (rows) and pictures (columns): the larger the square, the closer.

    matrices: one [N, N], or {its name: [N, N], …}, at most 4; values as of cosines, from −1 to 1.
    A crossed square is a picture that is as close to the caption as its own, or closer.
    names: N captions. pictures: N PIL pictures, shown below with the numbers of their columns.
    ValueError for other shapes and for values that are not finite or beyond ±1. Source: Lecture
    figure 3.
    """
    if not isinstance(matrices, dict):
        matrices = {"": matrices}
    grids = {str(name): checked(S) for name, S in matrices.items()}
    if not 1 <= len(grids) <= MOST:
        raise ValueError(f"This draws 1 to {MOST} matrices; there are {len(grids)}.")
    count = len(next(iter(grids.values())))
    for what, given in (("names", names), ("pictures", pictures)):
        if given is not None and len(given) != count:
            raise ValueError(f"There are {count} captions but {len(given)} `{what}`.")
    if any(len(S) != count for S in grids.values()):
        raise ValueError("The matrices must be of one size to stand side by side.")
    names = [printable(name) for name in (names or range(count))]
    numbered = [f"{n} {name}" for n, name in enumerate(names, start=1)] if pictures else names
    shown = [[caption_size(name) for name in numbered]] if pictures else []
    fig = Figure.wrapping(matrix_sizes(grids, numbered), [LEGEND], *shown)
    draw_matrices(fig.parts, grids, numbered, range(1, count + 1) if pictures else ())
    below = zip(fig.parts[len(grids) + 1 :], pictures or (), numbered, strict=False)
    for part, picture, name in below:
        draw_captioned(part, picture, name)
    alt = f"{len(grids)} similarity matrices" if len(grids) > 1 else "A similarity matrix"
    alt += f" of {count} captions, in rows, and their {count} pictures, in columns. "
    alt += sentences(grids, names)
    return fig.described(alt, _table(grids, names), title, source)


def _gutter(names):
    """How much the captions need at the left."""
    return 12 + 6.6 * min(max(map(len, names)), 18)


def _side(names):
    """How large a matrix of these captions is drawn."""
    return min(26 * len(names), HALF - 4 - _gutter(names))


def matrix_sizes(grids, names):
    """The width and height that each matrix needs as a part of a figure."""
    side = _side(names)
    words = max(142, 7.6 * max(map(len, grids)))
    width = min(_gutter(names) + max(side, words) + 4, HALF)
    return [(width, TOP + side + 24)] * len(grids)


def draw_matrices(parts, grids, names, numbers=()):
    """A matrix in each of the parts, with its captions at the left, and a legend in the next."""
    left, side, count = _gutter(names), _side(names), len(names)
    cell = side / count
    step = math.ceil(LINE / cell)  # every so many captions are named where they stand close
    for part, (name, S) in zip(parts, grids.items(), strict=False):
        ax = part.sheet()
        label(ax, left, 11, name, size=12, ha="left", weight="bold")
        draw_squares(ax, S, left, TOP, side)
        for j in numbers[::step]:
            label(ax, left + (j - 0.5) * cell, TOP - 9, j, faint=True)
        if not numbers:
            label(ax, left, TOP - 10, "pictures →", ha="left", faint=True)
        for i, caption in list(enumerate(names))[::step]:
            label(ax, left - 7, TOP + (i + 0.5) * cell, shorten(caption, 18), ha="right")
        won = f"{wins(S).sum()} of {count} find their own"
        label(ax, left, TOP + side + 13, won, ha="left")
    _legend(parts[len(grids)].sheet(), grids)


def draw_squares(ax, S, x, y, side):
    """One matrix [N, N]: a square in each cell, its area the value, hollow below 0."""
    cell = side / len(S)
    own = np.eye(len(S), dtype=bool)
    ahead = ~own & (S.diagonal()[:, None] <= S)  # as close to the caption as its own picture
    frame(ax, x, y, side, side)
    edges = [(x + i * cell, y + i * cell, cell, cell) for i in range(len(S))]
    rectangles(ax, edges, BLUE, fill=0.08, edgecolor=color_alpha(BLUE, 0.5), linewidth=0.6)
    for cells, color, fill in ((own, BLUE, 1), (~own & ~ahead, INK, 0.4), (ahead, ORANGE, 0.85)):
        rectangles(ax, _squares(S, cells & (S > 0), x, y, cell), color, fill, linewidth=0)
        rectangles(ax, _squares(S, cells & (S < 0), x, y, cell), color, 0, linewidth=0.8)
    _crosses(ax, _squares(S, ahead, x, y, cell))


def wins(S):
    """For each caption, whether no other picture is as close as its own. [N]"""
    others = np.where(np.eye(len(S), dtype=bool), -np.inf, S)
    return S.diagonal() > others.max(axis=1)


def checked(S):
    S = array(S).astype(float)
    if S.ndim != 2 or S.shape[0] != S.shape[1] or len(S) < 2:
        raise ValueError(f"A similarity matrix is [N, N], from N = 2 on; this is {list(S.shape)}.")
    if not (np.abs(S) <= 1.0001).all():  # False for NaN as well
        raise ValueError(
            "Squares are drawn for finite values from −1 to 1, as cosines and shares are. Draw the "
            "similarities before they are divided by τ, or a softmax of them."
        )
    return S


def sentences(grids, names):
    """What the matrices show, in words; a few mistakes of the last one by name."""
    said = []
    for name, S in grids.items():
        own, others = S.diagonal(), S[~np.eye(len(S), dtype=bool)]
        said.append(
            f"{name + ': the' if name else 'The'} diagonal is {_range(own)}, the rest "
            f"{_range(others)}, on average {number(others.mean())}; {wins(S).sum()} of {len(S)} "
            "captions find their own picture."
        )
    wrong = np.flatnonzero(~wins(S))
    if 0 < len(wrong) <= NAMED:
        pairs = (f"“{names[i]}” is nearer to “{names[_other(S, i)]}”" for i in wrong)
        said.append(f"{'; '.join(pairs)}.")
    return " ".join(said)


def _range(values):
    low, high = number(values.min()), number(values.max())
    return low if low == high else f"from {low} to {high}"


def _other(S, i):
    """The picture of another pair that is closest to caption i."""
    row = S[i].copy()
    row[i] = -np.inf
    return int(row.argmax())


def _table(grids, names):
    rows = [
        (name, names[i], float(S[i, i]), names[_other(S, i)], float(S[i, _other(S, i)]))
        for name, S in grids.items()
        for i in range(len(S))
    ]
    columns = ("matrix", "caption", "its own picture", "closest other picture", "that one")
    start = 0 if len(grids) > 1 else 1
    return Table(columns[start:], [row[start:] for row in rows], "Similarity of each caption")


def _squares(S, cells, x, y, cell):
    """Rectangles centered in the cells that are True, of area |S|; too small ones left out."""
    found = []
    for i, j in np.argwhere(cells):
        width = 0.9 * cell * min(abs(S[i, j]), 1) ** 0.5
        if width >= 1:
            at = (cell - width) / 2
            found.append((x + j * cell + at, y + i * cell + at, width, width))
    return found


def _crosses(ax, squares):
    """Both diagonals of each square, as one path."""
    if squares:
        points = [
            (x + a * width, y + b * width)
            for x, y, width, _ in squares
            for a, b in ((0, 0), (1, 1), (1, 0), (0, 1))
        ]
        path = Path(points, [Path.MOVETO, Path.LINETO] * (2 * len(squares)))
        ax.add_patch(PathPatch(path, facecolor="none", edgecolor=INK, linewidth=1, zorder=2.5))


def _legend(ax, grids):
    """What the squares of these matrices mean."""
    below_zero = any((S < 0).any() for S in grids.values())
    entries = [
        (8, 10, "its own picture", BLUE, 1),
        (134, 10, "another", INK, 0.4),
        (8, 28, "another, ahead of its own", ORANGE, 0.85),
    ] + [(224, 10, "below 0", INK, 0)] * below_zero
    for x, y, text, color, fill in entries:
        square = (x, y - 5, 10, 10)
        rectangles(ax, [square], color, fill, linewidth=0 if fill else 0.8)
        if color == ORANGE:
            _crosses(ax, [square])
        label(ax, x + 15, y, text, ha="left")
