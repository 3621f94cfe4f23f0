"""A picture → the connected regions that differ from its ground: the things on it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch.nn.functional import max_pool2d

from .colors import delta_e, lab

DIFFERS = 15  # ΔE from which on a pixel is not the ground
SPECK = 12  # pixels: what is smaller is no thing
CLOSE = 4  # pixels: how far the parts of one drawing are apart at most
PART = 0.5  # how large a part is at most, beside what it belongs to


@dataclass(frozen=True, eq=False)
class Region:
    """What may be a thing. picture [S, S, 3] from 0 to 255, ground RGB [3], mask [S, S] bool."""

    picture: np.ndarray
    ground: np.ndarray
    mask: np.ndarray

    @property
    def size(self) -> int:
        """Its pixels."""
        return int(self.mask.sum())

    @cached_property
    def center(self) -> np.ndarray:
        """x and y of the middle of its box, in pixels."""
        left, top, right, bottom = box(self.mask)
        return np.array([left + right, top + bottom]) / 2

    @cached_property
    def side(self) -> int:
        """The longer side of its box, in pixels."""
        left, top, right, bottom = box(self.mask)
        return max(right - left, bottom - top)

    @cached_property
    def outline(self) -> np.ndarray:
        """Where more of a thing of one color is seen than of the ground, bool [S, S].

        The edge of a picture runs over a pixel or two: there, thing and ground are mixed.
        """
        apart = np.linalg.norm(self.picture - self.ground, axis=-1)
        far = self.mask & (apart >= np.median(apart[self.mask]))
        step = self.picture[far].mean(axis=0) - self.ground
        return self.mask & ((self.picture - self.ground) @ step >= 0.5 * step @ step)

    @cached_property
    def filled(self) -> np.ndarray:
        """The region with its holes, bool [S, S]: a drawing may have the ground's color inside."""
        around = connected(np.pad(~self.mask, 1, constant_values=True))
        return (around != around[0, 0])[1:-1, 1:-1]

    def __add__(self, other: "Region") -> "Region":
        return Region(self.picture, self.ground, self.mask | other.mask)

    def inside(self, part: np.ndarray) -> np.ndarray:
        """The CIELAB colors [pixels, 3] of a part of it, a pixel away from the part's edge."""
        core = ~grown(~part)
        return lab(self.picture[core if core.any() else part])


def box(mask: np.ndarray) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of what is True, in pixels; right and bottom are outside."""
    columns, rows = (np.flatnonzero(mask.any(axis=axis)) for axis in (0, 1))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def ground_of(picture: np.ndarray) -> np.ndarray:
    """The median color [3] of the outermost pixels of a picture [S, S, 3]."""
    edge = np.ones(picture.shape[:2], dtype=bool)
    edge[1:-1, 1:-1] = False
    return np.median(picture[edge], axis=0)


def regions(picture: np.ndarray) -> list[Region]:
    """The regions on a picture uint8 [S, S, 3], the largest first; specks are left out."""
    picture = picture.astype(float)
    ground = ground_of(picture)
    labels = connected(delta_e(lab(picture), lab(ground)) > DIFFERS)
    found = [Region(picture, ground, labels == n) for n in np.unique(labels) if n]
    return sorted((r for r in found if r.size >= SPECK), key=lambda r: -r.size)


def joined(found: list[Region], count: int) -> list[Region]:
    """Regions, the nearest part put to its whole until there are no more than `count`.

    A sun's rays and a bell's clapper stand apart from the rest. What is as large as its neighbors
    stays by itself, and what is far from them.
    """
    found = list(found)
    while len(found) > count:
        near = [
            (gap(part, whole), i, j)
            for i, part in enumerate(found)
            for j, whole in enumerate(found)
            if part.size <= PART * whole.size
        ]
        distance, i, j = min(near, default=(np.inf, 0, 0))
        if distance > CLOSE:
            break
        found[j] += found[i]
        del found[i]
    return found


def gap(one: Region, other: Region) -> float:
    """The distance between the nearest pixels of two regions, in pixels."""
    a, b = (np.argwhere(region.mask) for region in (one, other))
    return float(np.sqrt(((a[:, None] - b) ** 2).sum(-1).min()))


def connected(mask: np.ndarray) -> np.ndarray:
    """The connected parts of a mask [H, W], corners included: a number for each, 0 where False.

    Each pixel starts with a number of its own; the greatest of a part spreads over all of it.
    """
    inside = torch.from_numpy(mask)[None].float()
    labels = inside * torch.arange(1, mask.size + 1).view(1, *mask.shape)
    while True:
        spread = max_pool2d(labels, 3, stride=1, padding=1) * inside
        if torch.equal(spread, labels):
            return labels[0].int().numpy()
        labels = spread


def grown(mask: np.ndarray) -> np.ndarray:
    """A mask [H, W] and all pixels that touch it, corners included."""
    return max_pool2d(torch.from_numpy(mask)[None].float(), 3, stride=1, padding=1)[0].numpy() > 0
