"""Latents to train on, made as the run goes: no scene comes back once it has left the pool.

Block b holds the scenes 64 b to 64 b + 63. A pool holds some consecutive blocks; every few steps
the oldest makes room for a new one. Which ones are there depends on the step alone, so a run that
was stopped goes on with the latents that it had.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from cliplab.training.data.scenes import Scene

from .vae import latents

BLOCK = 64  # scenes that are encoded at once


class Pool:
    """scene(i): scene number i. blocks: how many are held. renew: steps until one is replaced."""

    def __init__(self, vae, scene: Callable[[int], Scene], blocks: int, renew: int):
        self.vae, self.scene, self.blocks, self.renew = vae, scene, blocks, renew
        self.scenes: list[Scene] = [None] * (blocks * BLOCK)
        self.z, self.made = None, -1  # latents [blocks · 64, C, h, w]; the last block that is there
        self.boxes = torch.zeros(blocks * BLOCK, 2, 4)

    def at(self, n: int) -> Pool:
        """The pool as step n finds it."""
        first = n // self.renew
        for b in range(max(first, self.made + 1), first + self.blocks):
            self.make(b)
        return self

    def make(self, b: int) -> None:
        scenes = [self.scene(b * BLOCK + i) for i in range(BLOCK)]
        z = latents(self.vae, scenes, seed=b)
        if self.z is None:
            self.z = z.new_zeros(len(self.scenes), *z.shape[1:])
        here = slice(b % self.blocks * BLOCK, (b % self.blocks + 1) * BLOCK)
        self.scenes[here], self.z[here], self.boxes[here] = scenes, z, boxes(scenes)
        self.made = b


def boxes(scenes: list[Scene]) -> Tensor:
    """Around each thing: left, top, right, bottom in sides of the picture, [N, 2, 4].

    Where there is no second thing its box is empty.
    """
    found = torch.zeros(len(scenes), 2, 4)
    for i, scene in enumerate(scenes):
        for n, t in enumerate(scene.things):
            r = t.radius
            found[i, n] = torch.tensor([t.x - r, t.y - r, t.x + r, t.y + r])
    return found


def inside(boxes: Tensor, side: int) -> Tensor:
    """Which of side × side places a box touches: [..., 4] → bool [..., side, side]."""
    center = (torch.arange(side) + 0.5) / side
    left, top, right, bottom = (edge[..., None] for edge in boxes.unbind(-1))
    half = 0.5 / side
    across = (center > left - half) & (center < right + half) & (right > left)
    down = (center > top - half) & (center < bottom + half)
    return down[..., :, None] & across[..., None, :]
