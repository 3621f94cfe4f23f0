"""Scaling a row, and moving it from the empty prompt's row, in the plane that holds both."""

import numpy as np
from matplotlib import rc_context
from matplotlib.patches import Arc

from .data import array, number
from .draw import arrow, label
from .figure import Figure, Table
from .theme import BLUE, INK, ORANGE, RC, WIDEST

ROOM = (262, 250)  # the most that the drawing may take, in points


@rc_context(RC)
def weight_geometry(c, e, weights=(0, 0.5, 1, 1.5, 2), title=None, source=None):
    """Where a weight takes a row: along the ray from 0 (w c), or from e through c (e + w (c − e)).

    c, e: a row of a context and the same row of the empty prompt's, both [D]. What is drawn is the
    plane through 0, e and c, with c along the horizontal; lengths and the angle are true.
    ValueError when the shapes differ, when a row is 0, or when both are the same row.
    Lecture eq. 14, erratum E11.
    """
    c, e = array(c).astype(float), array(e).astype(float)
    if c.ndim != 1 or c.shape != e.shape:
        raise ValueError(
            f"c and e are two rows of one length [D]; these are {list(c.shape)} and "
            f"{list(e.shape)}. Pick one row of each context."
        )
    length, other, apart = (float(np.linalg.norm(v)) for v in (c, e, c - e))
    if not np.isfinite(length + other) or not length or not other:
        raise ValueError("c and e must be finite and not 0: they span the plane that is drawn.")
    if not apart:
        raise ValueError(
            "c and e are the same row, so there is no line through both. Pick a row of a word: "
            "BOS has the same row in every prompt."
        )
    w = np.array(weights, dtype=float)
    cosine = float(np.clip(c @ e / (length * other), -1, 1))
    angle = float(np.degrees(np.arccos(cosine)))
    # In the plane: c lies along the x axis, e below it.
    flat_c = np.array([length, 0.0])
    flat_e = other * np.array([cosine, -np.sqrt(1 - cosine**2)])
    scaled, moved = w[:, None] * flat_c, flat_e + w[:, None] * (flat_c - flat_e)

    corners = np.vstack([scaled, moved, flat_c, flat_e, [0, 0]])
    low, high = corners.min(axis=0), corners.max(axis=0)
    scale = min(ROOM / np.maximum(high - low, 1e-9))
    size = (high - low) * scale
    left, top = (WIDEST - size[0]) / 2, 42
    fig = Figure(WIDEST, size[1] + 2 * top + 102)
    ax = fig.sheet()

    def at(point):
        return left + (point[0] - low[0]) * scale, top + (high[1] - point[1]) * scale

    def name(point, text, away, distance=15, **style):
        x, y = at(point)
        distance += 6 * abs(away[0])  # words are wider than high
        label(ax, x + distance * away[0], y - distance * away[1], text, **style)

    along, across = _directions(flat_c - flat_e)
    _path(ax, at, scaled, np.zeros(2), BLUE, "-")
    _path(ax, at, moved, flat_e, ORANGE, (0, (6, 2.5)))
    arrow(ax, at((0, 0)), at(flat_e), linewidth=1.1, mutation_scale=11, alpha=0.75)
    if angle > 20:
        _angle(ax, at, angle, min(46, 0.45 * scale * min(length, other)))
    up = np.array([0.0, 1.0])
    for points, color, marker, out in ((scaled, BLUE, "o", -up), (moved, ORANGE, "s", across)):
        for weight, point in zip(w, points, strict=True):
            ax.plot(*at(point), marker, color=color, markersize=7, zorder=4)
            if weight != 1:  # the two lines cross at c: their numbers stand on the outer sides
                name(point, number(weight), out if weight > 1 else -out, weight="bold")
    ax.plot(*at(flat_c), "o", color="none", markeredgecolor=INK, markersize=12, zorder=5)
    free = up + across if abs(across[1]) > 0.7 else np.array([1 if along[0] < 0 else -1, 1.0])
    name(flat_c, "c", free / np.linalg.norm(free), 20, size=14, weight="bold")
    name(flat_e, "e", -along, 20, size=14, weight="bold")
    name((0, 0), "origin", (-0.75, -0.75), 20, faint=True, style="italic")

    y = fig.height - 96
    ax.plot(14, y, "o", color=BLUE, markersize=7)
    ax.plot(14, y + 32, "s", color=ORANGE, markersize=7)
    legend = (
        "scaling: w c,",
        "on the ray from the origin through c",
        "moving from empty: e + w (c − e),",
        "on the line from e through c",
        f"|c| = {length:.3g}, |e| = {other:.3g},",
        f"|c − e| = {apart:.3g}, angle {angle:.3g}°",
    )
    for row, text in enumerate(legend):
        label(ax, 26, y + 16 * row + 5 * (row > 3), text, ha="left")

    gaps = np.linalg.norm(scaled - moved, axis=1)
    table = Table(
        ("w", "length of w c", "length of e + w (c − e)", "distance between the two"),
        [
            (float(weight), *(float(np.linalg.norm(p)) for p in pair), float(gap))
            for weight, *pair, gap in zip(w, scaled, moved, gaps, strict=True)
        ],
        "Both results at each weight",
    )
    alt = (
        f"The plane through 0, e and c. c has length {length:.3g}, e has length {other:.3g}; the "
        f"angle between them is {angle:.3g} degrees, their distance {apart:.3g}. Dots at the "
        f"weights {', '.join(map(number, w))}: scaling walks along the ray from 0 through c, "
        "moving from empty along the line from e through c. The two meet at weight 1, in c; at "
        f"weight 2 they would be {other:.3g} apart, at 0 as well."
    )
    return fig.described(alt, table, title, source)


def _path(ax, at, points, start, color, style):
    """The line on which the points lie, from its start or from the first point."""
    ends = np.vstack([points, start])
    order = np.argsort((ends - start) @ (ends[np.abs(ends - start).sum(axis=1).argmax()] - start))
    xs, ys = zip(*(at(p) for p in ends[order[[0, -1]]]), strict=True)
    ax.plot(xs, ys, color=color, linestyle=style, linewidth=2, zorder=2)


def _directions(v):
    """The direction of v, and the one across it that points up (of a vertical v: to the left)."""
    along = v / np.linalg.norm(v)
    across = np.array([-along[1], along[0]])
    return along, across if across[1] >= 0 else -across


def _angle(ax, at, angle, radius):
    """An arc from c to e around the origin, with the angle in degrees."""
    x, y = at((0, 0))
    arc = Arc((x, y), 2 * radius, 2 * radius, theta1=0, theta2=angle, color=INK, linewidth=0.9)
    ax.add_patch(arc)
    half, reach = np.radians(angle / 2), radius + 24
    label(ax, x + reach * np.cos(half), y + reach * np.sin(half), f"{angle:.3g}°", size=11)
