"""Says what is on a picture: plain geometry, nothing learned, so that it cannot be talked into it.

ground   the median of the frame's pixels, and the background nearest to it
things   connected pixels that lie off the ground in the direction of one color
color    of the eight, the one in whose direction they lie
shape    of the six, the one whose template overlaps best, over radii and places
"""

import functools
import itertools
from dataclasses import dataclass

import numpy as np

from cliplab.training.data.scenes import BACKGROUNDS, PALETTE, SHAPES
from cliplab.training.data.shapes import sdf

from .scenes import PALE, SIZES

COLORS, GROUNDS = tuple(PALETTE), tuple(BACKGROUNDS)
OFF = 55  # how far from the ground's color, of 441, the pixels of a thing are
LEAST = 5 / 32**2  # of the picture's pixels; fewer are a speck
BETWEEN = tuple(
    # radii that divide the sizes, in the order of `BY_SIZE`
    (SIZES[a][1] + SIZES[b][0]) / 2
    for a, b in (("small", ""), ("", "large"))
)
BY_SIZE = ("small", "", "large")
# Templates are tried a little larger and smaller, and half a pixel off, [27, 1, 1] each.
GROW, DOWN, RIGHT = (
    np.array(way)[:, None, None]
    for way in zip(*itertools.product((0.9, 1, 1.1), (-0.5, 0, 0.5), (-0.5, 0, 0.5)), strict=True)
)


@dataclass(frozen=True)
class Found:
    """One thing. x, y, radius in sides of the picture; overlap with its template from 0 to 1.

    area: pixels, those of the edge in part. excess: how far its color is from gray, (max − min) of
    red, green and blue, from 0 to 1.
    """

    color: str
    shape: str
    size: str
    x: float
    y: float
    radius: float
    overlap: float
    area: float
    excess: float


@dataclass(frozen=True)
class Seen:
    """A picture's ground, and its things, the largest first."""

    background: str
    things: tuple[Found, ...]


def judge(picture: np.ndarray) -> Seen:
    """What is on a picture, uint8 [S, S, 3]."""
    x = np.asarray(picture, dtype=float)
    ground = np.median(np.concatenate([x[0], x[-1], x[:, 0], x[:, -1]]), axis=0)
    distances = [np.linalg.norm(ground - BACKGROUNDS[name]) for name in GROUNDS]
    off = x - ground  # [S, S, 3]
    length = np.linalg.norm(off, axis=-1)
    likeness = off @ directions(tuple(ground)).reshape(-1, 3).T  # [S, S, colors · tints]
    nearest = likeness.reshape(*length.shape, len(COLORS), -1).max(-1).argmax(-1)  # [S, S]
    things = [
        describe(x, off, part, COLORS[number])
        for number in np.unique(nearest[length > OFF])
        for part in connected((length > OFF) & (nearest == number))
        if part.sum() >= LEAST * part.size
    ]
    things.sort(key=lambda thing: -thing.area)
    return Seen(GROUNDS[int(np.argmin(distances))], tuple(things))


@functools.lru_cache(64)
def directions(ground: tuple[float, ...]) -> np.ndarray:
    """Unit vectors from the ground toward each color, pure and in two paler tints, [8, 3, 3]."""
    pale = np.array([0, PALE / 2, PALE])[None, :, None]
    tints = (1 - pale) * np.array([PALETTE[c] for c in COLORS])[:, None] + pale * 255
    away = tints - np.array(ground)
    return away / np.linalg.norm(away, axis=-1, keepdims=True)


def connected(mask: np.ndarray):
    """The connected parts of a mask [S, S], each as a mask; corners connect."""
    labels = np.where(mask, np.arange(1, mask.size + 1).reshape(mask.shape), 0)
    while True:  # the highest number of a part spreads through it
        wide = np.pad(labels, 1)
        rows, columns = mask.shape
        around = [wide[i : i + rows, j : j + columns] for i in range(3) for j in range(3)]
        spread = np.where(mask, np.max(around, axis=0), 0)
        if (spread == labels).all():
            return [labels == number for number in np.unique(labels) if number]
        labels = spread


def describe(x: np.ndarray, off: np.ndarray, part: np.ndarray, color: str) -> Found:
    """The thing that a part of a picture is: its shape, size and place by the best template."""
    S = len(x)
    inside = off[part]  # [pixels, 3]
    length = np.linalg.norm(inside, axis=-1)
    body = length >= np.quantile(length, 0.7)  # the pixels that are the thing's alone
    axis = np.median(inside[body], axis=0)
    window = connected_window(part)
    covered = np.clip(off[window] @ axis / (axis @ axis), 0, 1)  # [h, w], each pixel's share
    covered = np.where(grown(part)[window], covered, 0)
    top, left = window[0].start, window[1].start
    rows, columns = np.indices(covered.shape) + 0.5
    area = covered.sum()
    cy, cx = (float((covered * i).sum() / area) for i in (rows, columns))
    best = (-1.0, "", 0.0, 0.0, 0.0)
    for shape in SHAPES:
        unit, middle = moments(shape)
        radius = GROW * (area / unit) ** 0.5  # [27, 1, 1], as all that follows
        y, x0 = cy - middle * radius + DOWN, cx + RIGHT
        distance = sdf(shape, *np.broadcast_arrays((columns - x0) / radius, (rows - y) / radius))
        template = np.clip(0.5 - distance * radius, 0, 1)  # [27, h, w]
        common, all_of = np.minimum(template, covered), np.maximum(template, covered)
        overlap = common.sum((1, 2)) / all_of.sum((1, 2))
        n = int(overlap.argmax())
        places = (radius[n].item(), y[n].item() + top, x0[n].item() + left)
        best = max(best, (float(overlap[n]), shape, *places))
    overlap, shape, radius, y, x0 = best
    size = BY_SIZE[int(np.searchsorted(BETWEEN, radius / S))]
    mean = x[part][body].mean(0)
    return Found(
        color, shape, size, x0 / S, y / S, radius / S, overlap, float(area),
        float(np.ptp(mean) / 255),
    )  # fmt: skip


def grown(part: np.ndarray) -> np.ndarray:
    """A mask and the pixels around it."""
    wide = np.pad(part, 1)
    rows, columns = part.shape
    return np.any([wide[i : i + rows, j : j + columns] for i in range(3) for j in range(3)], axis=0)


def connected_window(part: np.ndarray) -> tuple[slice, slice]:
    """The rows and columns of a part, two pixels around it included."""
    found = [np.flatnonzero(part.any(axis=a)) for a in (1, 0)]
    return tuple(
        slice(max(f[0] - 2, 0), min(f[-1] + 3, n)) for f, n in zip(found, part.shape, strict=True)
    )


@functools.cache
def moments(shape: str) -> tuple[float, float]:
    """A shape's area, and how far below its center its center of mass lies, at radius 1."""
    ticks = (np.arange(400) + 0.5) / 200 - 1
    x, y = np.meshgrid(ticks, ticks)
    inside = sdf(shape, x, y) < 0
    return float(inside.mean() * 4), float(y[inside].mean())
