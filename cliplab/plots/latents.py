"""Pictures, their latents, what comes back, and how a halving convolution counts."""

from itertools import chain

import numpy as np
from matplotlib import rc_context
from PIL import Image

from .data import array, number, printable, shorten
from .draw import box, frame, hatched, label, line, pixels
from .figure import Figure, Table
from .pictures import CELL, SIDE, caption_size, draw_lines, lines_of
from .theme import BLUE, INK, ORANGE, RC, WIDEST

GRAYS, COLORS = 32, 64
FULL = 64  # of 255: a difference that is drawn white


@rc_context(RC)
def latent_channels(images, latents, decoded=None, names=None, title=None, source=None):
    """Pictures, the channels of their latents as gray pictures, and what they decode to.

    images: N PIL pictures; latents [N, C, h, w], all shown on one scale, from −m (black) to m
    (white), with m the largest size of any number; decoded: N PIL pictures, or None; names: a few
    words for each picture. ValueError when the numbers do not fit together.
    """
    images, z = list(images), array(latents).astype(float)
    decoded = None if decoded is None else list(decoded)
    names = [str(name) for name in names] if names else [f"picture {n + 1}" for n in range(len(z))]
    if z.ndim != 4 or not len(z) or not len(images) == len(z) == len(names):
        raise ValueError(
            f"Give one latent [C, h, w] and one name for each picture; there are {len(images)} "
            f"pictures, {len(names)} names, and latents {list(z.shape)}."
        )
    if decoded is not None and len(decoded) != len(images):
        raise ValueError(f"There are {len(images)} pictures and {len(decoded)} decoded ones.")
    N, C, h, w = z.shape
    most = abs(z).max() or 1.0
    shown = [
        [(small(image), name), *((gray(m / most), f"channel {c}") for c, m in enumerate(each, 1))]
        for image, name, each in zip(images, names, z, strict=True)
    ]
    for row, image in zip(shown, decoded or [], strict=False):
        row.append((small(image), "decoded"))
    groups = [[caption_size(words) for _, words in row] for row in shown]
    fig = Figure.wrapping(*groups, [(WIDEST, 22)])
    for part, (drawn, words) in zip(fig.parts, chain.from_iterable(shown), strict=False):
        ax = part.sheet()
        show(ax, drawn, (CELL - SIDE) / 2, 1, SIDE, SIDE)
        draw_lines(ax, CELL / 2, SIDE + 12, lines_of(words, 4))
    scale = f"channels: black −{most:.1f}, gray 0, white {most:.1f}"
    label(fig.parts[-1].sheet(), WIDEST / 2, 10, scale, faint=True)

    rows = [
        (
            names[n],
            c + 1,
            *(f"{v:.2f}".replace("-", "−") for v in (m.mean(), m.std(), m.min(), m.max())),
        )
        for n in range(N)
        for c, m in enumerate(z[n])
    ]
    table = Table(("picture", "channel", "mean", "std", "least", "greatest"), rows, "The channels")
    end = ", and the picture that it decodes to" if decoded else ""
    alt = (
        f"{', '.join(names)}: each as a picture, as {C} small gray pictures of {h} by {w}, its "
        f"latent{end}. Black is −{most:.1f} and white {most:.1f}."
    )
    return fig.described(alt[:1].upper() + alt[1:], table, title, source)


@rc_context(RC)
def reconstructions(images, decoded, captions, title=None, source=None):
    """Pictures, what comes back from their latents, and the difference, side by side.

    images, decoded: PIL pictures, pairwise of one size; captions: a few words for each pair. The
    difference is the largest of the three colors', black where there is none and white from 64 of
    255 on. ValueError when the numbers or the sizes do not fit together.
    """
    images, decoded, captions = list(images), list(decoded), [str(c) for c in captions]
    if not images or not len(images) == len(decoded) == len(captions):
        raise ValueError(
            f"Give one decoded picture and one caption for each picture; there are {len(images)} "
            f"pictures, {len(decoded)} decoded ones and {len(captions)} captions."
        )
    for a, b in zip(images, decoded, strict=True):
        if a.size != b.size:
            raise ValueError(
                f"A picture of {a.size} came back as {b.size}, width × height: crop it first."
            )
    names = ("picture", "decoded", "difference")
    fig, rows = Figure.wrapping([(3 * CELL + 16, SIDE + 44)] * len(images)), []
    for part, a, b, caption in zip(fig.parts, images, decoded, captions, strict=True):
        ax, words, apart = part.sheet(), " ".join(caption.split()), difference(a, b)
        label(ax, part.width / 2, 12, shorten(words, 40), size=12, weight="bold")
        drawn = small(a), small(b), gray(2 * np.minimum(apart / FULL, 1) - 1)
        for n, (pixels_of, name) in enumerate(zip(drawn, names, strict=True)):
            x = 4 + n * (CELL + 8)
            show(ax, pixels_of, x, 24, SIDE, SIDE)
            label(ax, x + SIDE / 2, SIDE + 36, name)
        worst = f"{apart.max():.0f}"
        rows.append((words, f"{apart.mean():.1f}", worst, f"{(apart >= FULL).mean():.1%}"))
    table = Table(
        ("picture", "mean difference", "largest", f"pixels from {FULL} on"),
        rows,
        "Differences, of 255; in each pixel the largest of red, green and blue",
    )
    told = "; ".join(f"{r[0]}, on average {r[1]}, at most {r[2]} of 255" for r in rows)
    alt = f"Pictures, what comes back, and how far the two are apart in each pixel: {told}."
    return fig.described(printable(alt), table, title, source)


@rc_context(RC)
def stride_windows(sides=(6, 5), kernel=3, stride=2):
    """Which pixels a halving convolution reads, padded on the right only and on both sides.

    sides: how many pixels a row has, one group of two lanes for each. The first lane is a VAE's,
    the second what padding=1 would do.
    """
    lanes = [(side, before) for side in sides for before in (0, 1)]
    tall, wide = 106, min((WIDEST - 16) / (max(sides) + 2), 36)  # of a lane, of a pixel
    fig = Figure(WIDEST, len(lanes) * tall)
    ax, rows = fig.sheet(), []
    for n, (side, before) in enumerate(lanes):
        y, start = 28 + n * tall, 8 + wide * (1 - before)
        for i in range(side + before + 1):
            x, inside = start + i * wide, before <= i < before + side
            box(ax, x + 1, y, wide - 2, 26, INK, fill=0.08 if inside else 0, radius=2)
            if inside:
                label(ax, x + wide / 2, y + 12, i - before + 1, size=12)
            else:
                hatched(ax, (x + 1, y, wide - 2, 26))
        count = (side + before + 1 - kernel) // stride + 1
        for k in range(count):  # neighbors share a pixel, so every other bracket is lower
            a, low = start + k * stride * wide, y + 31 + 15 * (k % 2)
            b, color = a + kernel * wide, ORANGE if k % 2 else BLUE
            ends = ((a + 3, low), (a + 3, low + 6), (b - 3, low + 6), (b - 3, low))
            line(ax, *ends, color=color, linewidth=1.6)
            label(ax, (a + b) / 2, low + 14, k + 1, weight="bold")
        where = "on both sides" if before else "on the right"
        label(ax, 8, y - 13, f"{side} pixels, padded {where}:", ha="left")
        label(ax, WIDEST - 8, y - 13, f"{count} windows", ha="right", weight="bold")
        rows.append((side, where, count))
    told = "; ".join(f"{side} pixels padded {where} give {count}" for side, where, count in rows)
    alt = f"Windows of {kernel} pixels, one every {stride}, over short rows: {told}."
    table = Table(("pixels", "padded", "windows"), rows, "How many windows fit")
    return fig.described(
        alt, table, f"A convolution of kernel {kernel} and stride {number(stride)}"
    )


def show(ax, rgba, x, y, width, height):
    """A small picture, its pixels as squares, in a thin frame."""
    pixels(ax, rgba, x, y, width, height)
    frame(ax, x, y, width, height)


def small(image):
    """A PIL picture as uint8 [H, W, 4], in at most 64 colors, at its own size."""
    few = image.convert("RGB").quantize(COLORS, dither=Image.Dither.NONE)
    return np.asarray(few.convert("RGBA"))


def gray(values):
    """Numbers from −1 (black) to 1 (white) as uint8 [H, W, 4]."""
    level = np.round((np.clip(values, -1, 1) + 1) / 2 * (GRAYS - 1)) / (GRAYS - 1)
    rgba = np.full((*level.shape, 4), 255, np.uint8)
    rgba[..., :3] = np.round(255 * level)[..., None]
    return rgba


def difference(image, other):
    """How far two pictures are apart in each pixel: the largest of the three colors', [H, W]."""
    a, b = (np.asarray(each.convert("RGB")).astype(int) for each in (image, other))
    return abs(a - b).max(axis=2)
