"""Pictures with words below them: a grid of them, and what a search has found."""

import textwrap

import numpy as np
from matplotlib import rc_context
from PIL import Image

from .data import printable
from .draw import frame, label, pixels, rectangles
from .figure import Figure, Table
from .theme import GREEN, RC, WIDEST

SIDE = 96  # of every picture, in points
COLORS = 32  # in a picture's palette, so that a notebook can hold dozens
CELL, LINE = 104, 14  # width of a picture's place, of which a telephone has three; a line of words
CHARACTERS, HEADING = 17, 44  # that fit into such a line, and into one that is wide and bold


@rc_context(RC)
def picture_grid(images, captions, columns=5, title=None, source=None):
    """Pictures in rows, each with its caption below it.

    images: PIL pictures or uint8 arrays [S, S, 3 or 4], shown on white at 96 × 96; captions: one
    for each, of at most four short lines; columns: pictures in a row, which goes on below where a
    page is narrower. ValueError when there are none, or unequally many.
    """
    images, captions = list(images), [str(caption) for caption in captions]
    if not images or len(images) != len(captions):
        raise ValueError(
            f"Give one caption for each picture, and at least one picture; there are {len(images)} "
            f"pictures and {len(captions)} captions."
        )
    sizes = [caption_size(caption) for caption in captions]
    fig = Figure.wrapping(*(sizes[i : i + columns] for i in range(0, len(sizes), columns)))
    for part, image, caption in zip(fig.parts, images, captions, strict=True):
        draw_captioned(part, image, caption)
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
    groups, drawn = [], []
    for query, row in found.items():
        asked = textwrap.wrap(f"“{printable(query)}”", HEADING)
        groups += [
            [(WIDEST, 8 + 16 * len(asked))],
            [(CELL, SIDE + 28 + LINE * len(lines_of(caption, 3))) for _, caption, _ in row],
        ]
        drawn += [asked, *((n, query, *result) for n, result in enumerate(row, start=1))]
    fig = Figure.wrapping(*groups)
    for part, what in zip(fig.parts, drawn, strict=True):
        if isinstance(what, list):
            draw_lines(part.sheet(), WIDEST / 2, 12, what, size=12, step=16, weight="bold")
        else:
            n, query, image, caption, score = what
            _result(part.sheet(), n, image, caption, score, caption in right.get(query, ()))

    rows = [
        (query, n, caption, _score(score), *([caption in right[query]] if right else []))
        for query, row in found.items()
        for n, (_, caption, score) in enumerate(row, start=1)
    ]
    columns = ("query", "rank", "picture", "score", *(["asked for"] if right else []))
    table = Table(columns, rows, "What each query has found")
    return fig.described(_found_alt(found, right), table, title, source)


def caption_size(caption):
    """Width and height of a part with a picture and its caption."""
    return CELL, SIDE + 8 + LINE * len(lines_of(caption, 4))


def draw_captioned(part, image, caption):
    """A picture with its caption below, in a part of `caption_size`."""
    ax = part.sheet()
    draw_picture(ax, image, (CELL - SIDE) / 2, 1)
    draw_lines(ax, CELL / 2, SIDE + 12, lines_of(caption, 4))


def _result(ax, n, image, caption, score, hit):
    """The n-th picture that a search found, framed where it was asked for."""
    left = (CELL - SIDE) / 2
    draw_picture(ax, image, left, 4)
    if hit:
        rectangles(ax, [(left - 2, 2, SIDE + 4, SIDE + 4)], GREEN, fill=0, linewidth=2.5)
    weight = {"weight": "bold"} if hit else {}
    label(ax, left, SIDE + 15, f"{n} ✓" if hit else n, ha="left", **weight)
    label(ax, left + SIDE, SIDE + 15, _score(score), ha="right", faint=True)
    draw_lines(ax, CELL / 2, SIDE + 30, lines_of(caption, 3))


def draw_picture(ax, image, x, y):
    """A picture on white, 96 × 96 with a thin outline, its top left corner at (x, y)."""
    pixels(ax, tile(image), x, y, SIDE, SIDE, smooth=True)
    frame(ax, x, y, SIDE, SIDE)


def tile(image):
    """The picture as it is stored: uint8 [S, S, 4] on white, S at most 96, in at most 32 colors."""
    if not isinstance(image, Image.Image):
        image = Image.fromarray(np.asarray(image))
    image = image.convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    flat = Image.alpha_composite(white, image).convert("RGB")
    if max(flat.size) > SIDE:
        flat = flat.resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    return np.asarray(flat.quantize(COLORS, dither=Image.Dither.NONE).convert("RGBA"))


def draw_lines(ax, x, y, lines, step=LINE, **more):
    for n, text in enumerate(lines):
        label(ax, x, y + n * step, text, **more)


def lines_of(text, most):
    """The text in at most `most` lines that fit below a picture; a line break stays one."""
    parts = map(printable, text.splitlines())
    lines = [line for part in parts for line in textwrap.wrap(part, CHARACTERS)]
    if len(lines) > most:
        lines = [*lines[: most - 1], lines[most - 1][: CHARACTERS - 1] + "…"]
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
