"""A matplotlib figure that carries its own words and numbers into the page.

`Figure` is a `matplotlib.figure.Figure`: `savefig` and the artists work as usual. In a notebook
it shows itself as HTML: inline SVG that reads in light and dark, a caption, and a folded table of
the numbers that were drawn.

A figure has parts, each a chart, a diagram or a picture with its words, and none wider than a
telephone. A page shows each part as an `<svg>` of its own, and sets them beside each other as far
as there is room.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import count, islice

import matplotlib
import matplotlib.figure
import numpy as np
from matplotlib.text import Text

from .data import printable
from .svg import inline_svgs
from .theme import HALF, RC, SMALLEST, WIDEST

ROWS_SHOWN = 20
GAP = 12  # between parts, in points
PAGE = 2 * HALF + GAP  # how wide many parts get when they are saved
LARGER = 1.3  # as how much a part is shown that stands alone, where there is room
LOOK = (
    f"display:flex;flex-direction:column;gap:{GAP}px;margin:0 auto;fill:currentColor;"
    "stroke-linejoin:round;font-family:system-ui,sans-serif"
)


@dataclass(frozen=True)
class Table:
    """The numbers behind a figure: column names, rows of values, and one line that says what."""

    columns: Sequence[str]
    rows: Sequence[tuple]
    caption: str

    def html(self, limit=ROWS_SHOWN):
        """An HTML table of the first `limit` rows; the caption says when there are more."""
        cut = len(self.rows) > limit
        more = f" (first {limit} of {len(self.rows):,} rows; all with .table)" if cut else ""
        head = "".join(f'<th scope="col">{_cell(name)}</th>' for name in self.columns)
        body = "".join(
            f'<tr><th scope="row">{_cell(row[0])}</th>'
            + "".join(f"<td>{_cell(value)}</td>" for value in row[1:])
            + "</tr>"
            for row in self.rows[:limit]
        )
        return (
            '<table cellpadding="4" style="font-size:.85em">'
            f'<caption style="text-align:left">{_cell(self.caption + more)}</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )


@dataclass(frozen=True)
class Part:
    """A box of a figure, in points from the figure's top left corner."""

    figure: matplotlib.figure.Figure
    number: int
    x: float
    y: float
    width: float
    height: float

    def panel(self, x, y, width, height):
        """Axes for a chart, placed in points from the part's top left corner."""
        whole = self.figure
        low = whole.height - self.y - y - height
        place = (self.x + x) / whole.width, low / whole.height
        size = width / whole.width, height / whole.height
        with matplotlib.rc_context(RC):
            return whole.add_axes((*place, *size), gid=f"part {self.number}")

    def sheet(self):
        """Bare axes over the whole part in points, y growing downwards."""
        ax = self.panel(0, 0, self.width, self.height)
        ax.set(xlim=(0, self.width), ylim=(self.height, 0))
        ax.axis("off")
        return ax


class Figure(matplotlib.figure.Figure):
    """A figure `width` × `height` points large, with `.alt`, `.table`, `.title` and `.source`.

    It has one part, in which `panel` and `sheet` draw; `Figure.wrapping` makes one of many.
    """

    def __init__(self, width, height):
        super().__init__(figsize=(width / 72, height / 72), dpi=72)
        self.width, self.height = width, height
        self.groups = [[Part(self, 0, 0, 0, width, height)]]
        self.alt, self.table, self.title, self.source = "", None, None, None

    @classmethod
    def wrapping(cls, *groups):
        """A figure of `parts` that wrap as words do, in groups that begin lines of their own.

        groups: each a list of (width, height), in points, of its parts.
        """
        cells = [max(width for width, _ in group) + GAP for group in groups]
        columns = [max(int((PAGE + GAP) // cell), 1) for cell in cells]
        whole = max(
            min(n, len(group)) * cell - GAP
            for n, group, cell in zip(columns, groups, cells, strict=True)
        )
        boxes, y = [], 0
        for group, cell in zip(groups, cells, strict=True):
            n = int((whole + GAP) // cell)
            left = (whole + GAP - n * cell) / 2
            boxes.append([])
            for start in range(0, len(group), n):
                row = group[start : start + n]
                boxes[-1] += [(left + k * cell, y, *size) for k, size in enumerate(row)]
                y += max(height for _, height in row) + GAP
        fig, numbers = cls(whole, y - GAP), count()
        fig.groups = [[Part(fig, next(numbers), *box) for box in group] for group in boxes]
        return fig

    @property
    def parts(self):
        """The parts of all groups, in reading order."""
        return [part for group in self.groups for part in group]

    def panel(self, x, y, width, height):
        """Axes in the first part, as `Part.panel` makes them."""
        return self.parts[0].panel(x, y, width, height)

    def sheet(self):
        """Bare axes over the first part, as `Part.sheet` makes them."""
        return self.parts[0].sheet()

    def described(self, alt, table, title=None, source=None):
        """Give the finished drawing its words and numbers; returns the figure.

        ValueError for a part that is wider than a telephone, and for text too small to read there.
        """
        self._require_readable()
        self.alt, self.table, self.title, self.source = printable(alt), table, title, source
        for artist in self.findobj():
            artist.set_clip_on(False)  # nothing is drawn past its axes, and clips would need ids
        return self

    def _require_readable(self):
        for part in self.parts:
            if part.width > WIDEST:
                raise ValueError(
                    f"A part of this figure is {part.width:g} points wide, and a telephone shows "
                    f"{WIDEST}. Draw it narrower, or as several parts, with Figure.wrapping."
                )
        for text in self.findobj(Text):
            if text.get_fontsize() < SMALLEST:
                raise ValueError(
                    f"The text “{text.get_text() or '(numbers of an axis)'}” of this figure is "
                    f"{text.get_fontsize():g} points large. Draw it at {SMALLEST} or more: nothing "
                    "smaller is read with ease on a telephone."
                )

    def savefig(self, fname, **options):
        """As matplotlib's, with this package's fonts and hatching."""
        with matplotlib.rc_context(RC):
            super().savefig(fname, **options)

    def svg(self):
        """The drawing alone: an element for a page, with an `<svg>` for each part."""
        larger = LARGER if len(self.parts) == 1 else 1
        drawn = iter(inline_svgs(self, larger))
        groups = ""
        for group in self.groups:
            column = f"min(100%,{larger * max(part.width for part in group):.0f}px)"
            style = (
                f"display:grid;grid-template-columns:repeat(auto-fill,{column});gap:{GAP}px;"
                "justify-content:center;justify-items:center"
            )
            groups += f'<div style="{style}">{"".join(islice(drawn, len(group)))}</div>'
        return (
            f'<div class="cliplab-drawing" role="img" aria-label="{escape(self.alt)}" '
            f'style="{LOOK};max-width:{larger * self.width:.0f}px">{groups}</div>'
        )

    def html(self):
        """The drawing, its caption and its folded table, as one `<figure>` element."""
        title = f"<strong>{escape(printable(self.title))}</strong>" if self.title else ""
        source = escape(printable(f"Source: {self.source}.")) if self.source else ""
        words = ". ".join(part for part in (title, source) if part)
        caption = f'<figcaption style="margin:.4em 0">{words}</figcaption>' if words else ""
        # Wide tables scroll in boxes of their own, reachable with the keyboard.
        return (
            f'<figure class="cliplab-figure" style="margin:1em 0">{self.svg()}'
            f'{caption}<details class="cliplab-data"><summary>Data table</summary>'
            '<div class="cliplab-scroll" tabindex="0" role="group" style="overflow-x:auto" '
            f'aria-label="Data table">{self.table.html()}</div></details></figure>'
        )

    def _ipython_display_(self):
        # IPython asks for this before its formatters, so no PNG is added beside the HTML.
        from IPython.display import display

        display({"text/html": self.html(), "text/plain": self.alt}, raw=True)


def _cell(value):
    """A value as table text: whole numbers whole, other numbers to 4 digits, text escaped."""
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if isinstance(value, (int, np.integer)):
        return f"{value}" if abs(value) < 100_000 else f"{value:,}"
    if isinstance(value, (float, np.floating)):
        return f"{value:.4g}".replace("-", "−", 1) if value else "0"
    return escape(printable(value))
