"""Similarity matrices: which picture each caption is closest to."""

import numpy as np
from matplotlib import rc_context
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from .data import array, number, printable, shorten
from .draw import frame, label, pixels, rectangles
from .figure import Figure, Table
from .theme import BLUE, INK, ORANGE, RC, color_alpha

MOST = 4  # matrices side by side
NAMED = 3  # mistakes that the alt text tells by name
GAP = 22
PICTURE, PALETTE = 26, 14  # side in pixels and colors of a small picture


@rc_context(RC)
def similarity_heatmap(matrices, names=None, pictures=None, title=None, source=None):
    """Similarities of captions (rows) and pictures (columns): the larger the square, the closer.

    matrices: one [N, N], or {its name: [N, N], …}, at most 4; values as of cosines, from −1 to 1.
    A crossed square is a picture that is as close to the caption as its own, or closer.
    names: N captions. pictures: N PIL pictures, shown small over their columns. ValueError for
    other shapes and for values that are not finite or beyond ±1. Source: Lecture figure 3.
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
    left = gutter(names)
    side = min(26 * count, (716 - left - GAP * (len(grids) - 1)) / len(grids))
    width = max(len(grids) * (side + GAP), sum(map(legend_step, legend_words(grids))))
    fig = Figure(max(left + width, 480), room_above(side, count) + side + 62)
    ax = fig.sheet()
    draw_matrices(ax, grids, names, pictures, left, 0, side)
    alt = f"{len(grids)} similarity matrices" if len(grids) > 1 else "A similarity matrix"
    alt += f" of {count} captions, in rows, and their {count} pictures, in columns. "
    alt += sentences(grids, names)
    return fig.described(alt, _table(grids, names), title, source)


def gutter(names):
    """How much the captions need at the left."""
    return 12 + 6.2 * min(max(map(len, names)), 18)


def room_above(side, count):
    """How much the title and the pictures need over a matrix."""
    return 34 + min(side / count, 26)


def draw_matrices(ax, grids, names, pictures, left, top, side):
    """The matrices in a row below `top`, with captions at the left, and a legend at the foot."""
    count = len(names)
    cell = side / count
    y = top + room_above(side, count)
    for n, (name, S) in enumerate(grids.items()):
        x = left + n * (side + GAP)
        label(ax, x + side / 2, top + 10, name, size=12, weight="bold")
        draw_squares(ax, S, x, y, side)
        for j, picture in enumerate(pictures or []):
            pixels(ax, _small(picture), x + j * cell + 1, y - cell - 1, cell - 2, cell - 2)
        if not pictures:
            label(ax, x + side / 2, y - 10, "pictures →", size=10, faint=True)
        won = f"{wins(S).sum()} of {count} find their own"
        label(ax, x + side / 2, y + side + 13, won, size=10)
    for i, name in enumerate(names):
        middle = y + (i + 0.5) * cell
        label(ax, left - 7, middle, shorten(name, 18), size=min(10, cell + 0.5), ha="right")
    _legend(ax, left, y + side + 40, legend_words(grids))


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


def _small(picture):
    """A PIL picture as uint8 [P, P, 4] of few colors, so that it costs little in the page."""
    small = picture.convert("RGBA").resize((PICTURE, PICTURE))
    return np.asarray(small.quantize(PALETTE, method=2).convert("RGBA"))


def legend_words(grids):
    """What the squares of these matrices mean."""
    below_zero = any((S < 0).any() for S in grids.values())
    return ("its own picture", "another", "another, ahead of its own", "below 0")[: 3 + below_zero]


def legend_step(text):
    """How far the next entry of the legend stands from this one."""
    return 38 + 5.5 * len(text)


def _legend(ax, x, y, words):
    for n, (text, color, fill) in enumerate(
        zip(words, (BLUE, INK, ORANGE, INK), (1, 0.4, 0.85, 0), strict=False)
    ):
        width = 0.8 if fill == 0 else 0
        rectangles(ax, [(x, y - 5, 10, 10)], color, fill, linewidth=width)
        if n == 2:
            _crosses(ax, [(x, y - 5, 10, 10)])
        label(ax, x + 15, y, text, size=10, ha="left")
        x += legend_step(text)
