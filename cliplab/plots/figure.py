"""A matplotlib figure that carries its own words and numbers into the page.

`Figure` is a `matplotlib.figure.Figure`: `savefig` and the artists work as usual. In a notebook
it shows itself as HTML: an inline SVG that reads in light and dark, a caption, and a folded table
of the numbers that were drawn.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import matplotlib
import matplotlib.figure
import numpy as np

from .data import printable
from .svg import inline_svg
from .theme import RC

ROWS_SHOWN = 20


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


class Figure(matplotlib.figure.Figure):
    """A figure `width` × `height` points large, with `.alt`, `.table`, `.title` and `.source`."""

    def __init__(self, width, height):
        super().__init__(figsize=(width / 72, height / 72), dpi=72)
        self.width, self.height = width, height
        self.alt, self.table, self.title, self.source = "", None, None, None

    def panel(self, x, y, width, height):
        """Axes for a chart, placed in points from the top left corner."""
        return self.add_axes(
            (
                x / self.width,
                1 - (y + height) / self.height,
                width / self.width,
                height / self.height,
            )
        )

    def sheet(self):
        """Bare axes over the whole figure in points, y growing downwards."""
        ax = self.panel(0, 0, self.width, self.height)
        ax.set(xlim=(0, self.width), ylim=(self.height, 0))
        ax.axis("off")
        return ax

    def described(self, alt, table, title=None, source=None):
        """Give the finished drawing its words and numbers; returns the figure."""
        self.alt, self.table, self.title, self.source = printable(alt), table, title, source
        for artist in self.findobj():
            artist.set_clip_on(False)  # nothing is drawn past its axes, and clips would need ids
        return self

    def savefig(self, fname, **options):
        """As matplotlib's, with this package's fonts and hatching."""
        with matplotlib.rc_context(RC):
            super().savefig(fname, **options)

    def svg(self):
        """The drawing alone, as an `<svg>` element for a page."""
        return inline_svg(self, self.alt)

    def html(self):
        """The drawing, its caption and its folded table, as one `<figure>` element."""
        title = f"<strong>{escape(printable(self.title))}</strong>" if self.title else ""
        source = escape(printable(f"Source: {self.source}.")) if self.source else ""
        words = ". ".join(part for part in (title, source) if part)
        caption = f'<figcaption style="margin:.4em 0">{words}</figcaption>' if words else ""
        # Wide drawings and tables scroll in boxes of their own, reachable with the keyboard.
        scrolls = 'tabindex="0" role="group" style="overflow-x:auto"'
        return (
            '<figure class="cliplab-figure" style="margin:1em 0">'
            f'<div class="cliplab-scroll" {scrolls} aria-label="Figure">{self.svg()}</div>'
            f'{caption}<details class="cliplab-data"><summary>Data table</summary>'
            f'<div {scrolls} aria-label="Data table">{self.table.html()}</div>'
            "</details></figure>"
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
