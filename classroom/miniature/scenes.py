"""What the miniature learns to paint: scenes in balance, and their pictures.

caption = thing [relation thing] ["on a" background "background"]
thing   = ["a"] [size] color shape  or  ["a"] [size] [color] name
"""

import random
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from cliplab.training.data.scenes import (
    BACKGROUNDS,
    HELD_OUT,
    PALETTE,
    RELATIONS,
    SHAPES,
    Scene,
    Thing,
    arrange,
)
from cliplab.training.data.shapes import ground, stamp

from .things import THINGS, TINTS, stamp_drawing, styles

S = 64  # pixels a side
PALE = 0.25  # most white in a shape's color: the word leaves room for more and for less of it
JITTER = 0.25  # how far from the middle: a single shape of medium size moves by 5 pixels
SIZES = {
    # as in `data.scenes`, but small shapes are larger
    "small": (0.115, 0.125),
    "": (0.155, 0.170),
    "large": (0.200, 0.220),
}
# Things with names have more to show: a face, wheels. With one of them alone there is room for it.
ALONE = {"small": (0.170, 0.185), "": (0.260, 0.285), "large": (0.360, 0.400)}
BESIDE = {"small": (0.140, 0.150), "": (0.185, 0.200), "large": (0.220, 0.227)}
TINTED = 0.4  # share of the things with names whose color is told
GROUNDS = ("white", "white", "black", "gray")
PAIRS = tuple((c, s) for c in PALETTE for s in SHAPES if (c, s) not in HELD_OUT)


@dataclass(frozen=True)
class Drawn(Thing):
    """A thing with a name: `shape` is its name, `color` may be "", `style` is whose drawing."""

    style: str = ""


def draw_scene(key: str, objects: int, jitter: float = JITTER, named: int | None = 0) -> Scene:
    """A scene of one or two things: the same for the same key, on every machine.

    named: how many of them are things with names, the others are shapes; None: each with
    probability 1/2. Unlike in `ShapePairs`, all sizes are equally frequent and half of the scenes
    are on black or gray: small things and dark grounds are what a small autoencoder loses first.
    No shape is one of HELD_OUT, no color and no name is there twice.
    """
    draw = random.Random(key).random  # the one function of `random` that stays the same

    def choose(options):
        return options[int(draw() * len(options))]

    if named == 0:
        kinds = [False] * objects
    elif named is None:
        kinds = [draw() < 0.5 for _ in range(objects)]
    else:
        first = draw() < 0.5  # where one of two has a name: whether it is the first
        kinds = [n < named for n in range(objects)][:: 1 if first else -1]
    things: list[Thing] = []
    while len(things) < objects:
        if kinds[len(things)]:
            size, name = choose(tuple(SIZES)), choose(tuple(THINGS))
            color = choose(tuple(TINTS)) if draw() < TINTED else ""
            thing: Thing = Drawn(size, color, name, style=choose(styles(name)))
        else:
            thing = Thing(choose(tuple(SIZES)), *choose(PAIRS))
        if not told(thing) & {word for other in things for word in told(other)}:
            things.append(thing)
    relation = choose(RELATIONS) if objects == 2 else ""
    background = choose(tuple(g for g in GROUNDS if g not in {thing.color for thing in things}))
    articles = draw() >= 0.3
    sized = [sized_by(thing, draw(), objects) for thing in things]
    placed = arrange(tuple(sized), relation, draw, jitter)
    placed = tuple(
        thing if isinstance(thing, Drawn) else replace(thing, pale=PALE * draw())
        for thing in placed
    )
    return Scene(placed, relation, background, articles)


def told(thing: Thing) -> set[str]:
    """The words by which a thing of a scene is told from the other: its color, its name."""
    return {thing.color, thing.shape if isinstance(thing, Drawn) else ""} - {""}


def sized_by(thing: Thing, share: float, objects: int) -> Thing:
    """A thing with a radius of its size, from the least (share 0) to the greatest (1)."""
    sizes = SIZES
    if isinstance(thing, Drawn):
        sizes = ALONE if objects == 1 else BESIDE
    low, high = sizes[thing.size]
    return replace(thing, radius=low + share * (high - low))


def render(scene: Scene) -> np.ndarray:
    """A picture of a scene of shapes and of things with names: uint8 [S, S, 3]."""
    picture = ground(scene.background, S)
    for thing in scene.things:
        if isinstance(thing, Drawn):
            stamp_drawing(picture, thing, thing.style)
        else:
            stamp(picture, thing)
    return (picture + 0.5).astype(np.uint8)


def pictures(scenes) -> Tensor:
    """N scenes → [N, 3, S, S], from −1 to 1, as a diffusers autoencoder wants them."""
    drawn = torch.from_numpy(np.stack([render(scene) for scene in scenes]))
    return drawn.permute(0, 3, 1, 2).float() / 127.5 - 1


def importance(x: Tensor, grounds: list[str], most: float = 4.0) -> Tensor:
    """How much each pixel counts, [N, 1, S, S]: 1 on the empty ground, `most` on and around things.

    A small shape covers 170 of the 4,096 pixels; a plain mean over all would hardly miss it.
    """
    ground = torch.tensor([BACKGROUNDS[name] for name in grounds]) / 127.5 - 1  # [N, 3]
    differs = ((x - ground[:, :, None, None]).abs().amax(1, keepdim=True) > 0.02).float()
    near = torch.nn.functional.max_pool2d(differs, 3, stride=1, padding=1)
    return 1 + (most - 1) * near
