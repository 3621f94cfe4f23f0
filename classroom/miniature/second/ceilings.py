"""How many *real* pictures the second judge calls right: the ceiling of any model's score.

Shapes are rendered. Things with names are Twemoji's drawings, which neither the training nor this
judge has learned from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import count, islice
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from cliplab.training.data.scenes import STEPS, Scene

from ..scenes import Drawn, draw_scene, render
from .colors import NEAR
from .verdict import judge

if TYPE_CHECKING:
    from diffusers import AutoencoderKL

UNSEEN = "twemoji"


@dataclass(frozen=True)
class Kind:
    """Prompts with so many things, of which so many have names; all of these colored, or none.

    related: their relation says where the things are, which "and" does not.
    """

    things: int
    named: int
    colored: bool = False
    related: bool = False

    def holds(self, scene: Scene) -> bool:
        named = [thing for thing in scene.things if isinstance(thing, Drawn)]
        return all(bool(thing.color) == self.colored for thing in named) and (
            not self.related or scene.relation in STEPS
        )


KINDS = {
    "one shape": Kind(1, 0),
    "two shapes": Kind(2, 0),
    "two shapes, relation": Kind(2, 0, related=True),
    "one named": Kind(1, 1),
    "two named": Kind(2, 2),
    "named and shape": Kind(2, 1),
    "colored named": Kind(1, 1, colored=True),
}


@dataclass
class Tally:
    """Of n pictures: how many are right, or right but for the relation; how many have each fault.

    told, near: how many colors were asked for; how many of them are within ΔE 15.
    names: of each name the places that it had among all names, where the number of things is right.
    said: what is wrong, picture by picture.
    """

    n: int = 0
    right: int = 0
    things_right: int = 0
    told: int = 0
    near: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    names: dict[str, list[int]] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    def add(self, picture: np.ndarray, scene: Scene) -> None:
        verdict = judge(picture, scene)
        self.n += 1
        self.right += verdict.right
        self.things_right += verdict.things_right
        distances = [distance for distance in verdict.distances if distance is not None]
        self.told += len(distances)
        self.near += sum(distance <= NEAR for distance in distances)
        for thing, rank in zip(scene.things, verdict.ranks, strict=True):
            if rank is not None:
                self.names.setdefault(thing.shape, []).append(rank)
        self.faults.update({fault.kind for fault in verdict.faults})
        if not verdict.right:
            self.said.append(f"{scene.caption}: {verdict.reason}")

    def shares(self) -> dict[str, Any]:
        """As shares of the pictures, named as the first judge's: what is right, what is wrong.

        both: all but the relation. relation: all. color: of the colors asked for, within ΔE 15.
        """
        return {
            "both": round(self.things_right / self.n, 4),
            "relation": round(self.right / self.n, 4),
            "color": round(self.near / self.told, 4) if self.told else None,
            "faults": {kind: round(n / self.n, 4) for kind, n in self.faults.most_common()},
        }


def scenes(kind: str, n: int) -> list[Scene]:
    """The first n scenes of a kind, their things with names drawn by UNSEEN."""
    one = KINDS[kind]
    all_scenes = (
        draw_scene(f"second judge {kind} {i}", one.things, named=one.named) for i in count()
    )
    return [unseen(scene) for scene in islice(filter(one.holds, all_scenes), n)]


def unseen(scene: Scene) -> Scene:
    things = (
        replace(thing, style=UNSEEN) if isinstance(thing, Drawn) else thing
        for thing in scene.things
    )
    return replace(scene, things=tuple(things))


def validate(
    kind: str,
    n: int = 250,
    seen_through: Callable[[Sequence[np.ndarray]], Sequence[np.ndarray]] | None = None,
) -> Tally:
    """The judge's verdicts on n real pictures of a kind of prompts.

    seen_through: what the pictures [S, S, 3] pass first, an autoencoder for example.
    """
    asked = scenes(kind, n)
    pictures: Sequence[np.ndarray] = [render(scene) for scene in asked]
    if seen_through is not None:
        pictures = seen_through(pictures)
    return by_second(pictures, asked)


def by_second(pictures: Sequence[np.ndarray], asked: Sequence[Scene]) -> Tally:
    """The judge's verdicts on pictures [S, S, 3], each beside the scene that was asked for."""
    tally = Tally()
    for picture, scene in zip(pictures, asked, strict=True):
        tally.add(picture, scene)
    return tally


def through(vae: AutoencoderKL) -> Callable[[Sequence[np.ndarray]], list[np.ndarray]]:
    """Pictures uint8 [S, S, 3] → what an autoencoder gives back of them, one at a time."""

    @torch.inference_mode()
    def back(picture: np.ndarray) -> np.ndarray:
        x = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 127.5 - 1
        y = vae.decode(vae.encode(x).latent_dist.mode()).sample[0].clamp(-1, 1)
        return ((y.permute(1, 2, 0) + 1) * 127.5).round().byte().numpy()

    return lambda pictures: [back(picture) for picture in pictures]
