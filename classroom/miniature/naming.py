"""Says which named things are on a picture: the miniature CLIP chooses among all names.

A picture is cut into what stands apart on its ground. Each part is shown to the CLIP alone, as
large as the emoji were that it learned from, and nothing tells it what was asked for.

name    of all of THINGS, the one whose text is nearest
color   of all of TINTS, the one between whose shades (from black over it to white) the pixels lie
tinted  of all of THINGS, the one whose drawings in that color are nearest. The CLIP knows its
        emoji in their own colors; a blue pear it calls by what else is blue
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from cliplab.training.data.scenes import BACKGROUNDS, Scene

from .judge import GROUNDS, connected, connected_window, grown, judge
from .scenes import Drawn, render
from .things import BRIGHT, THINGS, TINTS, styles

OFF = 40  # how far from the ground's color, of 441, the pixels of a part are
LEAST = 0.005  # of the picture's pixels: fewer are a speck
SIDE, SHOWN = 64, 46  # pixels of the pictures that the CLIP learned from, and of the thing on them


@dataclass(frozen=True)
class Part:
    """What stands apart on a picture. x, y: the middle of its box, in sides of the picture."""

    name: str
    color: str
    tinted: str
    x: float
    y: float
    area: float
    alone: np.ndarray  # the picture without the other parts, uint8 [S, S, 3]


def look(pictures: np.ndarray) -> list[tuple[str, list[Part]]]:
    """For each picture, uint8 [N, S, S, 3], its ground, and its parts, the largest first."""
    grounds, cuts = [], []
    for number, picture in enumerate(pictures):
        ground, parts = apart(picture)
        grounds.append(ground)
        cuts += [(number, part) for part in parts]
    found: list[list[Part]] = [[] for _ in pictures]
    if cuts:
        colors = [tint(pictures[number][part]) for number, part in cuts]
        seen = namer()[0].encode_image([shown(pictures[number], part) for number, part in cuts])
        called = nearest(seen, namer()[1].expand(len(seen), -1, -1))
        tinted = nearest(seen, torch.stack([drawings(color) for color in colors]))
        for (number, part), *words in zip(cuts, called, colors, tinted, strict=True):
            rows, columns = connected_window(part)
            x, y = ((s.start + s.stop) / 2 / len(part) for s in (columns, rows))
            rest = alone(pictures[number], part)
            found[number].append(Part(*words, x, y, float(part.sum()), rest))
    return list(zip(grounds, found, strict=True))


def apart(picture: np.ndarray) -> tuple[str, list[np.ndarray]]:
    """The ground's name, and a mask [S, S] of each part; gaps of two pixels do not part."""
    x = np.asarray(picture, dtype=float)
    ground = ground_of(x)
    off = np.linalg.norm(x - ground, axis=-1) > OFF
    parts = [whole(part) & (off | ~grown(off)) for part in connected(grown(off))]
    parts = [part for part in parts if part.sum() >= LEAST * off.size]
    distances = [np.linalg.norm(ground - BACKGROUNDS[name]) for name in GROUNDS]
    return GROUNDS[int(np.argmin(distances))], sorted(parts, key=lambda part: -part.sum())


def whole(part: np.ndarray) -> np.ndarray:
    """A mask with its holes filled: on black a dark eye is not off the ground."""
    around = np.pad(~part, 1, constant_values=True)
    outside = next(area for area in connected(around) if area[0, 0])
    return ~outside[1:-1, 1:-1]


def ground_of(x: np.ndarray) -> np.ndarray:
    """The median of the frame's pixels."""
    return np.median(np.concatenate([x[0], x[-1], x[:, 0], x[:, -1]]), axis=0)


def alone(picture: np.ndarray, part: np.ndarray) -> np.ndarray:
    """The picture with one part only."""
    rest = picture.copy()
    rest[~grown(part)] = ground_of(picture.astype(float)).round()
    return rest


def shown(picture: np.ndarray, part: np.ndarray) -> Image.Image:
    """A part as the CLIP is shown it: alone on white, as large as the emoji that it knows."""
    rest = picture.copy()
    rest[~part] = 255
    rows, columns = np.flatnonzero(part.any(1)), np.flatnonzero(part.any(0))
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    half = max(bottom - top, right - left) * SIDE / SHOWN / 2
    pad = len(rest)
    wide = np.pad(rest, ((pad, pad), (pad, pad), (0, 0)), constant_values=255)
    y, x = (top + bottom) / 2 + pad, (left + right) / 2 + pad
    box = (x - half, y - half, x + half, y + half)
    return Image.fromarray(wide).resize((SIDE, SIDE), Image.Resampling.BICUBIC, box=box)


@functools.cache
def namer():
    """The miniature CLIP, and the texts of all names, [names, E]."""
    import cliplab

    clip = cliplab.load_clip("mini")
    return clip, clip.encode_text(list(THINGS))


@functools.cache
def drawings(color: str) -> torch.Tensor:
    """For each name the mean of its drawings in a color, as the CLIP sees them, [names, E]."""
    means = []
    for name in THINGS:
        things = [Drawn("", color, name, radius=0.3, style=style) for style in styles(name)]
        painted = [render(Scene((thing,), background="gray")) for thing in things]
        cut = [shown(picture, apart(picture)[1][0]) for picture in painted]
        means.append(namer()[0].encode_image(cut).mean(0))
    return torch.nn.functional.normalize(torch.stack(means), dim=-1)


def nearest(seen: torch.Tensor, names: torch.Tensor) -> list[str]:
    """Of names [N, names, E] the one that each picture [N, E] is nearest to."""
    likeness = (names @ seen[..., None]).squeeze(-1)
    return [tuple(THINGS)[i] for i in likeness.argmax(-1)]


@functools.cache
def shades() -> np.ndarray:
    """Of each of TINTS 16 shades, as `things.tinted` makes them, [tints, 16, 3]."""
    share = np.linspace(0, 1, 9)[:, None]
    return np.stack(
        [
            np.concatenate([share * c, (c + BRIGHT * share * (255 - c))[1:-1]])
            for c in map(np.array, TINTS.values())
        ]
    )


def tint(pixels: np.ndarray) -> str:
    """The color between whose shades pixels [n, 3] lie, in the mean of their distances."""
    away = pixels[None, :, None].astype(float) - shades()[:, None]  # [tints, n, 16, 3]
    distance = np.linalg.norm(away, axis=-1).min(-1).mean(-1)
    return tuple(TINTS)[int(distance.argmin())]


def shape_of(part: Part) -> tuple[str, str]:
    """The color and the shape of a part, by `judge`."""
    things = judge(part.alone).things
    return (things[0].color, things[0].shape) if things else ("", "")
