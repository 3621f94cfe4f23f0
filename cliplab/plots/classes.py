"""What a classifier says: of single pictures as bars, of many as a table of mistakes."""

import numpy as np
from matplotlib import rc_context

from .data import array, shorten
from .draw import frame, label, pixels, rectangles
from .figure import Figure, Table
from .pictures import LINE, SIDE, counted, draw_picture, lines_of
from .theme import BLUE, GREEN, HALF, INK, RC, WIDEST, color_alpha

BAR, ROOM = 18, 130  # height of a bar with its gap; width of a probability of 1
LEFT = 160  # where bars begin
LONG = 18  # characters of a class beside a table
SHADES = 8


@rc_context(RC)
def class_bars(images, captions, labels, probabilities, right=None, title=None, source=None):
    """How probable each class is for each picture, as bars; the right class has a check mark.

    images, captions: as in `picture_grid`; labels: the C classes; probabilities [N, C]; right: the
    number of each picture's class, or None. ValueError when the numbers do not fit together.
    """
    images, captions, labels = list(images), list(map(str, captions)), list(labels)
    p = array(probabilities).astype(float)
    _require_classes(images, captions, labels, p)
    right = [None] * len(images) if right is None else [int(c) for c in array(right)]
    fig = Figure.wrapping([(HALF, SIDE + 16 + len(labels) * BAR)] * len(images))
    for n, part in enumerate(fig.parts):
        ax = part.sheet()
        draw_picture(ax, images[n], LEFT - SIDE, 2)
        lines = lines_of(captions[n], 4)
        for k, text in enumerate(lines):
            y = 2 + SIDE / 2 + LINE * (k - (len(lines) - 1) / 2)
            label(ax, LEFT + 10, y, text, ha="left")
        for c, name in enumerate(labels):
            _bar(ax, SIDE + 10 + c * BAR, name, p[n, c], c == right[n])

    told = []
    for n, caption in enumerate(captions):
        order = np.argsort(-p[n], kind="stable")[:3]
        best = ", ".join(f"{labels[c]} {_percent(p[n, c])}" for c in order)
        truth = "" if right[n] is None else f"; right is {labels[right[n]]}"
        told.append(f"{caption}: {best}{truth}.")
    what = f"{counted(len(images))} and the most probable of {len(labels)} classes."
    rows = [(c, *(_percent(value) for value in row)) for c, row in zip(captions, p, strict=True)]
    table = Table(("picture", *labels), rows, "Probability of each class")
    return fig.described(f"{what} {' '.join(told)}", table, title, source)


@rc_context(RC)
def confusion(right, said, labels, title=None, source=None):
    """A table of right classes (rows) and said ones (columns): how often, in the cells.

    right, said: class numbers [N]; labels: the C classes. A cell is shaded by its share of the row.
    ValueError for unequal lengths and for numbers that are no class.
    """
    right, said, labels = array(right).astype(int), array(said).astype(int), list(labels)
    C = len(labels)
    if right.ndim != 1 or right.shape != said.shape or not len(right):
        raise ValueError(
            f"Give one said class for each right one: two rows of one length, not {right.shape} "
            f"and {said.shape}."
        )
    if min(right.min(), said.min()) < 0 or max(right.max(), said.max()) >= C:
        raise ValueError(f"Classes are numbered 0 to {C - 1}, as there are {C} labels.")
    counts = np.zeros((C, C), int)
    np.add.at(counts, (right, said), 1)

    left = 14 + max(6.6 * len(shorten(name, LONG)) for name in labels)
    cell = min((WIDEST - 4 - left) / C, 34)
    top, side = left, cell * C
    fig = Figure(max(left + side, 140) + 4, top + side + 4)
    ax = fig.sheet()
    share = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    colors = np.zeros((C, C, 4), np.uint8)
    colors[..., :3] = (255 * np.array(color_alpha(BLUE, 1)[:3])).round()
    colors[..., 3] = np.ceil(share * SHADES) / SHADES * 150
    pixels(ax, colors, left, top, side, side)
    frame(ax, left, top, side, side)
    diagonal = [(left + n * cell, top + n * cell, cell, cell) for n in range(C)]
    rectangles(ax, diagonal, INK, fill=0, linewidth=1)
    for n, name in enumerate(labels):
        middle = (n + 0.5) * cell
        label(ax, left - 6, top + middle, shorten(name, LONG), ha="right")
        label(ax, left + middle, top - 6, shorten(name, LONG), ha="left", rotation=90)
    for n, text in enumerate(("said →", "right ↓")):
        label(ax, left - 6, top - 22 + LINE * n, text, ha="right", faint=True)
    for i, j in np.argwhere(counts):
        weight = {"weight": "bold"} if i == j else {}
        label(ax, left + (j + 0.5) * cell, top + (i + 0.5) * cell, counts[i, j], **weight)

    table = Table(
        ("right", *(f"said {name}" for name in labels)),
        [(name, *map(int, row)) for name, row in zip(labels, counts, strict=True)],
        "How often a picture of each class was given each class",
    )
    return fig.described(_confusion_alt(counts, labels), table, title, source)


def _bar(ax, y, name, share, hit):
    said = shorten(f"✓ {name}" if hit else name, 20)
    weight = {"weight": "bold"} if hit else {}
    label(ax, LEFT - 8, y + BAR / 2, said, ha="right", **weight)
    bar = [(LEFT, y + 3, max(ROOM * share, 0.5), BAR - 6)]
    rectangles(ax, bar, GREEN if hit else BLUE, fill=0.75 if hit else 0.35)
    label(ax, LEFT + ROOM * share + 6, y + BAR / 2, _percent(share), ha="left")


def _require_classes(images, captions, labels, p):
    if not images or not labels or p.shape != (len(images), len(labels)):
        raise ValueError(
            f"Probabilities are [pictures, classes], here [{len(images)}, {len(labels)}]; got "
            f"{list(p.shape)}."
        )
    if len(captions) != len(images):
        raise ValueError(f"There are {len(images)} pictures and {len(captions)} captions.")
    if not ((p >= 0) & (p <= 1 + 1e-6)).all():
        raise ValueError("Probabilities are numbers from 0 to 1; take the softmax first.")


def _percent(share):
    return f"{100 * share:.0f} %"


def _confusion_alt(counts, labels):
    off = counts - np.diag(counts.diagonal())
    worst = [np.unravel_index(i, off.shape) for i in np.argsort(-off, axis=None, kind="stable")[:3]]
    told = [
        f"{labels[i]} called {labels[j]} ({off[i, j]} of {counts[i].sum()})"
        for i, j in worst
        if off[i, j]
    ]
    most = f" Most often mistaken: {'; '.join(told)}." if told else ""
    return (
        f"A table of {len(labels)} right and said classes over {counted(int(counts.sum()))}, "
        f"{counts.trace()} of them on the diagonal, where both agree.{most}"
    )
