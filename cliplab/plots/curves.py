"""Lines over one variable."""

import numpy as np
from matplotlib import rc_context
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from .data import array, number, printable, shorten
from .draw import label, names_below
from .figure import Figure, Table
from .theme import BLUE, GREEN, INK, ORANGE, RC, VIOLET, WIDEST

DASHES = ("-", (0, (6, 2.5)), (0, (1, 1.6)), (0, (7, 2, 1, 2)), (0, (3, 1.2)))
COLORS = (BLUE, ORANGE, GREEN, VIOLET, INK)
IN_TABLE = 17  # places along the lines that the table tells
LEFT, TOP, WIDE, TALL = 50, 26, 276, 180  # of the axes, in points


@rc_context(RC)
def curves(x, lines, xlabel, ylabel, marks=None, logy=False, ylim=None, title=None, source=None):
    """Lines over x, each with a dash of its own, and their names below.

    x [n] growing; lines: {name: y [n]}, at most 5; where y is not finite, or outside `ylim`, the
    line has a gap. marks: [(x, y, text), …], dots with a few words. ValueError for lines of other
    lengths, for x that does not grow, and for y ≤ 0 on a logarithmic axis.
    """
    x = array(x).astype(float)
    values = {name: array(y).astype(float) for name, y in lines.items()}
    _require_lines(x, values, logy)
    marks = marks or []
    fig = Figure(WIDEST, TOP + TALL + 46 + 18 * len(values))
    ax = fig.panel(LEFT, TOP, WIDE, TALL)
    drawn = {name: _visible(y, ylim) for name, y in values.items()}
    for n, (name, y) in enumerate(drawn.items()):
        named = {"label": shorten(printable(name), 40)}
        ax.plot(x, y, color=COLORS[n], linestyle=DASHES[n], linewidth=2, **named)
    if logy:
        ax.set_yscale("log")
        ax.yaxis.set_major_locator(LogLocator(numticks=7))
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        ax.yaxis.set_minor_locator(NullLocator())
    ax.set_xlim(x[0], x[-1])
    if ylim is not None:
        ax.set_ylim(ylim)
    ax.grid(color=INK, alpha=0.15, linewidth=0.6)
    ax.set_xlabel(shorten(printable(xlabel), 44), fontsize=11, parse_math=False)
    label(fig.sheet(), 8, 11, shorten(ylabel, 52), ha="left")
    for at, height, text in marks:
        _mark(ax, x, drawn, at, height, printable(text))
    names_below(ax, 42)

    told = np.unique(np.linspace(0, len(x) - 1, min(len(x), IN_TABLE)).round().astype(int))
    some = f" at {len(told)} of {len(x)} places" if len(told) < len(x) else ""
    table = Table(
        (xlabel, *values),
        [(float(x[i]), *(float(y[i]) for y in values.values())) for i in told],
        f"{ylabel[:1].upper()}{ylabel[1:]}{some}",
    )
    alt = (
        f"{ylabel[:1].upper()}{ylabel[1:]} over {xlabel}, from {number(x[0])} to {number(x[-1])}. "
    )
    alt += " ".join(_sentence(x, name, y) for name, y in drawn.items())
    if any(np.isfinite(values[name][np.isnan(y)]).any() for name, y in drawn.items()):
        alt += f" What lies outside {number(ylim[0])} to {number(ylim[1])} is not drawn."
    if marks:
        told = (f"{text} at ({number(at)}, {number(height)})" for at, height, text in marks)
        alt += f" Marked: {'; '.join(told)}."
    return fig.described(alt, table, title, source)


def _visible(y, ylim):
    """y with gaps where it is not finite or outside the limits."""
    low, high = ylim or (-np.inf, np.inf)
    return np.where(np.isfinite(y) & (y >= low) & (y <= high), y, np.nan)


def _mark(ax, x, drawn, at, height, text):
    """A dot with a few words, beside it where they cover least of the lines, or further off."""
    ax.plot(at, height, "o", color=INK, markersize=6, zorder=4)
    dot = ax.transData.transform((at, height))
    curve = np.vstack([np.column_stack([x, y]) for y in drawn.values()])
    curve = ax.transData.transform(curve[np.isfinite(curve[:, 1])])
    edges = ax.transAxes.transform([(0, 0), (1, 1)])
    size = np.array([6.6 * len(text), 14])

    def covered(place):
        low = dot + place - size * (np.sign(-place) + 1) / 2
        outside = (low < edges[0]).any() or (low + size > edges[1]).any()
        inside = ((curve > low - 3) & (curve < low + size + 3)).all(axis=1)
        return inside.sum() + 1e6 * outside

    places = [(9, 7), (-9, 7), (9, -7), (-9, -7), (0, 38), (0, -38), (0, 76), (0, -76)]
    right, up = place = min(np.array(places), key=covered)
    leader = {} if right else {"arrowprops": {"arrowstyle": "-", "color": INK, "linewidth": 0.8}}
    ax.annotate(text, (at, height), xytext=place, textcoords="offset points", fontsize=11,
                ha={9: "left", -9: "right", 0: "center"}[right], va="bottom" if up > 0 else "top",
                parse_math=False, **leader)  # fmt: skip


def _require_lines(x, values, logy):
    if x.ndim != 1 or len(x) < 2 or not (np.diff(x) > 0).all():
        raise ValueError("x must be a row of at least two numbers, each larger than the last.")
    if not 1 <= len(values) <= len(DASHES):
        raise ValueError(f"This draws 1 to {len(DASHES)} lines; there are {len(values)}.")
    for name, y in values.items():
        if y.shape != x.shape:
            raise ValueError(f"The line “{name}” is {list(y.shape)}, but x is {list(x.shape)}.")
        if logy and (y[np.isfinite(y)] <= 0).any():
            raise ValueError(
                f"The line “{name}” reaches 0 or below: a logarithm has no place there."
            )


def _sentence(x, name, y):
    known = np.flatnonzero(np.isfinite(y))
    if not len(known):
        return f"{name} is nowhere finite."
    first, last = known[0], known[-1]
    extremes = {"lowest": known[y[known].argmin()], "highest": known[y[known].argmax()]}
    inner = (
        f", {word} {number(y[i])} at {number(x[i])}"
        for word, i in extremes.items()
        if i not in (first, last)
    )
    start = f"{name} goes from {number(y[first])} at {number(x[first])}"
    return f"{start} to {number(y[last])} at {number(x[last])}{''.join(inner)}."
