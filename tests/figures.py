"""What tests of figures ask of any of them."""

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text


def outside(figure):
    """The words that are not wholly inside their part of the figure."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw_without_rendering()
    found = []
    for ax in figure.axes:
        part = figure.parts[int(ax.get_gid().removeprefix("part "))]
        boxes = {text.get_text(): box for text, box in _words(ax, renderer)}
        if ax.axison:  # ticks that lie beyond an axis exist, but are not drawn
            boxes["x axis"] = ax.xaxis.get_tightbbox(renderer)
            boxes["y axis"] = ax.yaxis.get_tightbbox(renderer)
        low = figure.height - part.y - part.height
        for name, box in boxes.items():
            beside = part.x - 1 <= box.x0 and box.x1 <= part.x + part.width + 1
            if not beside or not low - 1 <= box.y0 <= box.y1 <= low + part.height + 1:
                found.append(name)
    return found


def _words(ax, renderer):
    """Each text that is no tick, with the box of its words, without a leader to a dot."""
    axes = {text for axis in (ax.xaxis, ax.yaxis) for text in axis.findobj(Text)}
    for text in ax.findobj(Text):
        if text not in axes and text.get_visible() and text.get_text():
            yield text, Text.get_window_extent(text, renderer)
