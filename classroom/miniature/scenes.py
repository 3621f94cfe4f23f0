"""What the miniature learns to paint: scenes in balance, and their pictures."""

import random
from dataclasses import replace

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
    place,
)
from cliplab.training.data.shapes import render

S = 32  # pixels a side
PALE = 0.25  # most white in a color: a color word leaves room for more and for less of it
JITTER = 0.25  # how far from the middle: a single thing of medium size moves by 2.6 pixels
SIZES = {
    # as in `data.scenes`, but small things are larger: 7 pixels still show which shape it is
    "small": (0.115, 0.125),
    "": (0.155, 0.170),
    "large": (0.200, 0.220),
}
GROUNDS = ("white", "white", "black", "gray")
PAIRS = tuple((c, s) for c in PALETTE for s in SHAPES if (c, s) not in HELD_OUT)


def draw_scene(key: str, objects: int, jitter: float = JITTER) -> Scene:
    """A scene of one or two things: the same for the same key, on every machine.

    Unlike those of `ShapePairs`, all sizes are equally frequent and half of the scenes are on black
    or gray: small things and dark grounds are what a small autoencoder loses first. No thing is one
    of HELD_OUT.
    """
    draw = random.Random(key).random  # the one function of `random` that stays the same

    def choose(options):
        return options[int(draw() * len(options))]

    things: list[Thing] = []
    while len(things) < objects:
        size, (color, shape) = choose(tuple(SIZES)), choose(PAIRS)
        if color not in {thing.color for thing in things}:
            things.append(Thing(size, color, shape))
    relation = choose(RELATIONS) if objects == 2 else ""
    background, articles = choose(GROUNDS), draw() >= 0.3
    placed = place(tuple(things), relation, draw, jitter, SIZES)
    placed = tuple(replace(thing, pale=PALE * draw()) for thing in placed)
    return Scene(placed, relation, background, articles)


def pictures(scenes) -> Tensor:
    """N scenes → [N, 3, S, S], from −1 to 1, as a diffusers autoencoder wants them."""
    drawn = torch.from_numpy(np.stack([render(scene, S) for scene in scenes]))
    return drawn.permute(0, 3, 1, 2).float() / 127.5 - 1


def importance(x: Tensor, grounds: list[str], most: float = 4.0) -> Tensor:
    """How much each pixel counts, [N, 1, S, S]: 1 on the empty ground, `most` on and around things.

    A small thing covers 20 of the 1,024 pixels; a plain mean over all would hardly miss it.
    """
    ground = torch.tensor([BACKGROUNDS[name] for name in grounds]) / 127.5 - 1  # [N, 3]
    differs = ((x - ground[:, :, None, None]).abs().amax(1, keepdim=True) > 0.02).float()
    near = torch.nn.functional.max_pool2d(differs, 3, stride=1, padding=1)
    return 1 + (most - 1) * near
