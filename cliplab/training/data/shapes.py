"""Pictures of colored shapes with true captions: any number, the same on every machine."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from PIL import Image

from ...checks import one_of, whole_number
from .pair import Pair, Pairs
from .scenes import BACKGROUNDS, HELD_OUT, PALETTE, RELATIONS, SHAPES, Scene, Thing, place

# The right half of each outline from top to bottom, in the square from -1 to 1, y down; the left is
# its mirror image. Written out, not computed, so that no machine's sine differs in the last digit.
OUTLINES = {
    "square": ((0, -0.8), (0.8, -0.8), (0.8, 0.8), (0, 0.8)),
    "triangle": ((0, -0.95), (1, 0.78), (0, 0.78)),
    "star": ((0, -1), (0.27, -0.3), (1, -0.26), (0.43, 0.2), (0.62, 0.93), (0, 0.52)),
    "cross": (
        (0, -0.95), (0.32, -0.95), (0.32, -0.32), (0.95, -0.32),
        (0.95, 0.32), (0.32, 0.32), (0.32, 0.95), (0, 0.95),
    ),
}  # fmt: skip
T = TypeVar("T")
DISC, RING = 0.92, (0.48, 0.98)  # radii: of the circle; of the ring, inside and outside


def sdf(shape: str, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The signed distance from points to a shape's edge: negative inside, positive outside.

    x, y: arrays of one shape, in radii from the center, y down. Returns an array of that shape.
    Raises ValueError for a shape that there is not.
    """
    if shape == "circle":
        return np.sqrt(x * x + y * y) - DISC
    if shape == "ring":
        inner, outer = RING
        return abs(np.sqrt(x * x + y * y) - (inner + outer) / 2) - (outer - inner) / 2
    one_of("shape", shape, SHAPES)
    corners = np.array(OUTLINES[shape]).T.reshape(2, -1, *[1] * np.ndim(x))  # [2, corners, 1, …]
    (ax, ay), (bx, by) = corners[:, :-1], corners[:, 1:]  # an edge leads from a to b
    ex, ey = bx - ax, by - ay
    wx, wy = abs(x) - ax, y - ay  # [edges, …] from each corner to the point
    t = np.clip((wx * ex + wy * ey) / (ex * ex + ey * ey), 0, 1)  # the nearest place on the edge
    dx, dy = wx - t * ex, wy - t * ey
    distance = np.sqrt((dx * dx + dy * dy).min(axis=0))
    # Inside, a ray to the right meets an odd number of edges.
    meets = ((ay > y) != (by > y)) & ((wx * ey < ex * wy) == (ey > 0))
    return np.where(np.logical_xor.reduce(meets, axis=0), -distance, distance)


def render(scene: Scene, size: int = 64) -> np.ndarray:
    """A picture of a scene: uint8 [S, S, 3], edges smoothed over one pixel."""
    picture = ground(scene.background, size)
    for thing in scene.things:
        stamp(picture, thing)
    return (picture + 0.5).astype(np.uint8)


def ground(name: str, size: int) -> np.ndarray:
    picture = np.empty((size, size, 3))
    picture[:] = BACKGROUNDS[name]
    return picture


def stamp(picture: np.ndarray, thing: Thing) -> None:
    """Draw a shape over a picture [S, S, 3] of numbers from 0 to 255."""
    size = len(picture)
    reach = thing.radius + 1 / size  # only the window around the thing is drawn
    left, right, top, bottom = (
        min(max(round((center + side * reach) * size), 0), size)
        for center in (thing.x, thing.y)
        for side in (-1, 1)
    )
    x = ((np.arange(left, right) + 0.5) / size - thing.x) / thing.radius
    y = ((np.arange(top, bottom) + 0.5) / size - thing.y) / thing.radius
    x, y = np.broadcast_arrays(x, y[:, None])
    covered = np.clip(0.5 - sdf(thing.shape, x, y) * thing.radius * size, 0, 1)[..., None]
    window = picture[top:bottom, left:right]
    color = (1 - thing.pale) * np.array(PALETTE[thing.color]) + thing.pale * 255
    window += covered * (color - window)


@dataclass(frozen=True)
class ShapePair(Pair):
    """A drawn scene, its caption, and the scene."""

    scene: Scene


@dataclass(eq=False, repr=False)
class ShapePairs(Pairs):
    """n pairs of a drawn scene and its caption.

    seed     item i depends on the seed, the split and i alone, never on n
    split    "train": no thing is one of HELD_OUT, the eight pairs of a color and a shape;
             "held_out": at least one thing of every scene is
    size     S, the side of the pictures in pixels
    objects  1 or 2 things in every scene; None: half of the scenes have one, half have two
    jitter   from 0, everything in the middle, to 1, anywhere in the picture
    Two things of one scene differ in color. Raises ValueError for anything else.
    """

    n: int
    seed: int = 0
    split: str = "train"
    size: int = 64
    objects: int | None = None
    jitter: float = 1.0

    def __post_init__(self) -> None:
        for name, least in (("n", 1), ("size", 8)):
            setattr(self, name, whole_number(name, getattr(self, name), least))
        if not isinstance(self.seed, int) or isinstance(self.seed, bool):
            raise ValueError(f"seed is a whole number; not {self.seed!r}.")
        one_of("split", self.split, ("train", "held_out"))
        if self.objects not in (None, 1, 2):
            raise ValueError(f"objects is 1, 2 or None (half and half); not {self.objects!r}.")
        if not 0 <= self.jitter <= 1:
            raise ValueError(f"jitter is a number from 0 to 1; not {self.jitter!r}.")

    def __len__(self) -> int:
        return self.n

    def __repr__(self) -> str:
        return f'ShapePairs("{self.split}"): {self.n:,} scenes'

    def pair(self, index: int) -> ShapePair:
        scene = self.scene(index)
        picture = Image.fromarray(render(scene, self.size))
        return ShapePair(picture, scene.caption, scene, name=f"{self.split} {index}")

    def captions(self) -> list[str]:
        """The captions of the first 20,000 pairs, undrawn: enough for all words of the grammar."""
        return [self.scene(i).caption for i in range(min(self.n, 20_000))]

    def scene(self, index: int) -> Scene:
        """The scene of one number, not drawn."""
        # Of Python's generator only random() is promised to stay the same in later versions.
        draw = random.Random(f"{self.seed} {self.split} {index}").random

        def choose(options: Sequence[T]) -> T:
            return options[int(draw() * len(options))]

        count = self.objects or (1 if draw() < 0.5 else 2)
        special = int(draw() * count) if self.split == "held_out" else None
        things: list[Thing] = []
        while len(things) < count:
            size = choose(("", "", "small", "large"))
            if len(things) == special:
                color, shape = choose(_HELD_OUT)
            else:
                color, shape = choose(_TRAINED if special is None else _ALL)
            if color not in {t.color for t in things}:
                things.append(Thing(size, color, shape))
        relation = choose(RELATIONS) if count == 2 else ""
        background = choose(("white",) * 5 + ("black", "gray"))
        articles = draw() >= 0.3
        placed = place(tuple(things), relation, draw, self.jitter)
        return Scene(placed, relation, background, articles)


_ALL = tuple((color, shape) for color in PALETTE for shape in SHAPES)
_HELD_OUT = tuple(pair for pair in _ALL if pair in HELD_OUT)
_TRAINED = tuple(pair for pair in _ALL if pair not in HELD_OUT)
