"""Pictures with words below them: a grid of them, and what a search has found."""

import textwrap

import numpy as np
from matplotlib import rc_context
from PIL import Image

from .data import printable, shorten
from .draw import frame, label, rectangles
from .figure import Figure, Table
from .theme import GREEN, RC

SIDE = 48  # of every picture, in points: a page shows it pixel for pixel
COLORS = 32  # in a picture's palette, so that a notebook can hold dozens
CELL, LINE = 82, 13  # width of a picture's place; height of a line of words
EDGE = 4  # left and right of a grid: with it, five pictures fit on a telephone
CHARACTERS = 15  # that fit into such a line


@rc_context(RC)
def picture_grid(images, captions, columns=5, title=None, source=None):
    """Pictures in rows, each with its caption below it.

    images: PIL pictures or uint8 arrays [S, S, 3 or 4], shown on white at 48 × 48; captions: one
    for each, of at most four short lines. ValueError when there are none, or unequally many.
    """
    images, captions = list(images), [str(caption) for caption in captions]
    if not images or len(images) != len(captions):
        raise ValueError(
            f"Give one caption for each picture, and at least one picture; there are {len(images)} "
            f"pictures and {len(captions)} captions."
        )
    columns = min(columns, len(images))
    folded = [captions[i : i + columns] for i in range(0, len(captions), columns)]
    lines = [max(len(lines_of(caption, 4)) for caption in row) for row in folded]
    heights = [SIDE + 14 + LINE * n for n in lines]
    fig = Figure(columns * CELL + 2 * EDGE, 8 + sum(heights))
    ax, y = fig.sheet(), 8
    for r, height in enumerate(heights):
        for c, caption in enumerate(folded[r]):
            x = EDGE + c * CELL
            draw_picture(ax, images[r * columns + c], x + (CELL - SIDE) // 2, y)
            draw_lines(ax, x + CELL / 2, y + SIDE + 11, lines_of(caption, 4))
        y += height
    told = [" ".join(caption.split()) for caption in captions]
    alt = f"{counted(len(images))}, each with its caption: {'; '.join(told)}."
    table = Table(
        ("place", "caption"), list(enumerate(told, start=1)), "The pictures in reading order"
    )
    return fig.described(alt, table, title, source)


@rc_context(RC)
def search_results(found, right=None, title=None, source=None):
    """What a search has found: for each query a row of pictures, best first, with their scores.

    found: {query: [(picture, caption, score), …]}, pictures as in `picture_grid`. right: {query:
    captions that it asks for}; these get a check mark and a green frame. ValueError for a query
    that has found nothing, and for no query.
    """
    if not found or not all(found.values()):
        raise ValueError("Give at least one query, and for each query at least one picture.")
    right = {query: set(right.get(query, ())) for query in found} if right else {}
    columns = max(len(row) for row in found.values())
    lines = [max(len(lines_of(c, 3)) for _, c, _ in row) for row in found.values()]
    heights = [SIDE + 50 + LINE * n for n in lines]
    fig = Figure(max(columns * CELL, 280) + 2 * EDGE, sum(heights) + 2)
    ax, y = fig.sheet(), 0
    for (query, row), height in zip(found.items(), heights, strict=True):
        label(ax, 12, y + 13, f"“{shorten(query, 70)}”", size=12, ha="left", weight="bold")
        for n, (image, caption, score) in enumerate(row):
            x = EDGE + n * CELL
            left, hit = x + (CELL - SIDE) // 2, caption in right.get(query, ())
            if hit:
                edges = [(left - 2.5, y + 23.5, SIDE + 5, SIDE + 5)]
                rectangles(ax, edges, GREEN, fill=0, linewidth=2.5)
            draw_picture(ax, image, left, y + 26)
            rank = f"{n + 1} ✓" if hit else f"{n + 1}"
            weight = {"weight": "bold"} if hit else {}
            label(ax, left - 6, y + 33, rank, size=10, ha="right", **weight)
            label(ax, x + CELL / 2, y + SIDE + 36, _score(score), size=10, faint=True)
            draw_lines(ax, x + CELL / 2, y + SIDE + 49, lines_of(caption, 3))
        y += height

    rows = [
        (query, n, caption, _score(score), *([caption in right[query]] if right else []))
        for query, row in found.items()
        for n, (_, caption, score) in enumerate(row, start=1)
    ]
    columns = ("query", "rank", "picture", "score", *(["asked for"] if right else []))
    table = Table(columns, rows, "What each query has found")
    return fig.described(_found_alt(found, right), table, title, source)


def draw_picture(ax, image, x, y):
    """A picture on white, 48 × 48 with a thin outline, its top left corner at whole points."""
    limits = ax.get_xlim(), ax.get_ylim()
    # On the grid of the page "nearest" copies the pixels; they are not marked as a heat map's are.
    ax.imshow(
        tile(image),
        extent=(x, x + SIDE, y + SIDE, y),
        interpolation="nearest",
        aspect="auto",
        zorder=2,
    )
    ax.set(xlim=limits[0], ylim=limits[1])
    frame(ax, x, y, SIDE, SIDE)


def tile(image):
    """The picture as it is shown: uint8 [48, 48, 4] on white, in at most 32 colors."""
    if not isinstance(image, Image.Image):
        image = Image.fromarray(np.asarray(image))
    image = image.convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    flat = Image.alpha_composite(white, image).convert("RGB")
    if flat.size != (SIDE, SIDE):
        flat = flat.resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    return np.asarray(flat.quantize(COLORS, dither=Image.Dither.NONE).convert("RGBA"))


def draw_lines(ax, x, y, lines):
    for n, text in enumerate(lines):
        label(ax, x, y + n * LINE, text, size=10)


def lines_of(text, most):
    """The text in at most `most` lines that fit below a picture; a line break stays one."""
    parts = map(printable, text.splitlines())
    lines = [line for part in parts for line in textwrap.wrap(part, CHARACTERS)]
    if len(lines) > most:
        lines = [*lines[: most - 1], shorten(lines[most - 1] + "…" * CHARACTERS, CHARACTERS)]
    return lines or [""]


def counted(n):
    return "1 picture" if n == 1 else f"{n} pictures"


def _score(score):
    return f"{float(score):.2f}".replace("-", "−")


def _found_alt(found, right):
    rows = []
    for query, row in found.items():
        asked = right.get(query, ())
        told = [
            f"{caption} {_score(score)}" + " (asked for)" * (caption in asked)
            for _, caption, score in row
        ]
        rows.append(f"“{query}”: {', '.join(told)}.")
    queries = "1 query" if len(found) == 1 else f"{len(found)} queries"
    return f"What {queries} found among pictures, best first with scores. " + " ".join(rows)
