"""The few shapes that every figure is drawn with.

All drawing is in points, with y growing downwards: one unit here is one CSS pixel on the page.
"""

import math

from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, PathPatch, Rectangle
from matplotlib.path import Path

from .data import printable
from .theme import INK, color_alpha


def label(ax, x, y, text, size=11, ha="center", va="center", faint=False, mono=False, **more):
    """One line of text; `faint` for what is second in rank."""
    family = {"family": "DejaVu Sans Mono"} if mono else {}
    more = {"alpha": 0.75} | more if faint else more
    more = {"rotation_mode": "anchor"} | more if "rotation" in more else more
    return ax.text(
        x, y, printable(text), fontsize=size, ha=ha, va=va, parse_math=False, **family, **more
    )


def box(ax, x, y, width, height, color=INK, fill=0.1, radius=5, **more):
    """A rounded box: outline in the color, inside a thin wash of it."""
    style = {"linewidth": 1.1} | more
    return ax.add_patch(
        FancyBboxPatch(
            (x, y),
            width,
            height,
            boxstyle=f"round,pad=0,rounding_size={radius}",
            facecolor=color_alpha(color, fill),
            edgecolor=color,
            **style,
        )
    )


def rectangles(ax, corners, color, fill=0.16, **more):
    """Many rectangles (x, y, width, height) as one path, so that they cost little in the page."""
    if not corners:
        return None
    parts = [
        Path([(x, y), (x + w, y), (x + w, y + h), (x, y + h), (x, y)], closed=True)
        for x, y, w, h in corners
    ]
    style = {"edgecolor": color, "linewidth": 1} | more
    return ax.add_patch(
        PathPatch(Path.make_compound_path(*parts), facecolor=color_alpha(color, fill), **style)
    )


def hatched(ax, *corners):
    """Diagonal lines over rectangles (x, y, width, height): the sign for "not seen"."""
    return rectangles(
        ax, corners, INK, fill=0, edgecolor=color_alpha(INK, 0.4), linewidth=0, hatch="///"
    )


def arrow(ax, *points, color=INK, **more):
    """An arrow along the points; its head is at the last."""
    style = {"linewidth": 1.2, "arrowstyle": "-|>", "mutation_scale": 9} | more
    return ax.add_patch(FancyArrowPatch(path=Path(points), color=color, **style))


def line(ax, *points, color=INK, **more):
    """A line through the points."""
    style = {"linewidth": 1, "zorder": 2.5} | more
    return ax.add_patch(PathPatch(Path(points), facecolor="none", edgecolor=color, **style))


def pixels(ax, rgba, x, y, width, height, smooth=False):
    """A picture of one pixel per cell, uint8 [rows, columns, 4]: squares, or `smooth` on a page."""
    limits = ax.get_xlim(), ax.get_ylim()
    ax.imshow(
        rgba,
        extent=(x, x + width, y + height, y),
        interpolation="none",
        aspect="auto",
        zorder=2,  # above the hatching of the cells that it leaves empty
        gid="smooth" if smooth else None,
    )
    ax.set(xlim=limits[0], ylim=limits[1])


def frame(ax, x, y, width, height):
    """A thin outline."""
    return ax.add_patch(
        Rectangle((x, y), width, height, facecolor="none", edgecolor=INK, linewidth=0.8, zorder=2.5)
    )


def names_below(ax, gap):
    """The names of the lines under their chart, one a line, the first `gap` points below it."""
    below = {"loc": "upper left", "bbox_to_anchor": (0, -gap / ax.bbox.height)}
    bare = {"frameon": False, "borderpad": 0, "borderaxespad": 0}
    ax.legend(fontsize=11, handlelength=3, labelspacing=0.4, **below, **bare)


def end_labels(fig, ax, ends, x):
    """Names at the ends of the lines, pushed apart where they would meet."""
    to_figure = ax.transData + fig.transFigure.inverted()
    spots = sorted(
        (fig.height * to_figure.transform((x, value))[1], text, color)
        for value, text, color in ends
    )
    right = fig.width * ax.get_position().x1
    heights, height = [], -math.inf
    for y, *_ in spots:
        heights.append(height := max(y, height + 14))
    top = fig.height - 10
    for i in reversed(range(len(heights))):  # what was pushed out at the top comes down again
        heights[i] = min(heights[i], top)
        top = heights[i] - 14
    for (y, text, color), height in zip(spots, heights, strict=True):
        ax.annotate(
            text,
            (0, 0),
            xytext=(right + 16, height),
            textcoords="figure points",
            fontsize=11,
            va="center",
            annotation_clip=False,
            parse_math=False,
        )
        ax.annotate(
            "",
            (right + 2, y),
            xytext=(right + 14, height),
            xycoords="figure points",
            textcoords="figure points",
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": color,
                "linewidth": 1.2,
                "shrinkA": 0,
                "shrinkB": 0,
            },
        )
