"""A picture and the scene that was asked for → what is right on it, and what is not.

    ground     the outermost pixels have the color of the ground that was asked for
    number     as many connected regions differ from the ground as there are things asked for
    shape      the best of six templates, or of all names, is the one that was asked for
    color      within ΔE 15 of a mixture of the asked color with white, up to one half:
               of a shape the mean of the inside; of a thing with a name the median, channel by
               channel, since its shades run from black over that color to white
    relation   the centers differ by more in the asked direction than across, and by at least half
               the side of the smaller thing; "and" holds anywhere

Sizes are not judged. Of two things, each region is taken for the one that gives fewer faults.
"""

from dataclasses import dataclass
from itertools import permutations

import numpy as np

from cliplab.training.data.scenes import BACKGROUNDS, SHAPES, STEPS, Scene, Thing

from .colors import NEAR, delta_e, distance, lab
from .names import ranking
from .outlines import overlaps
from .regions import Region, ground_of, joined, regions

KINDS = ("ground", "number", "shape", "color", "relation")
OFF = 25  # ΔE from which on a ground is not the one that was asked for


@dataclass(frozen=True)
class Fault:
    """kind: one of KINDS. said: what is wrong, in words."""

    kind: str
    said: str


@dataclass(frozen=True)
class Verdict:
    """What is wrong, and two measures of each thing that was asked for.

    distances: ΔE to its color; None where no color was asked. If there are too many or too few
    things, that of the nearest one; infinite if there are none.
    ranks: the place of its name among all names, 1 for the best; None for a shape, and if there are
    too many or too few things.
    """

    faults: tuple[Fault, ...]
    distances: tuple[float | None, ...]
    ranks: tuple[int | None, ...]

    @property
    def right(self) -> bool:
        return not self.faults

    @property
    def things_right(self) -> bool:
        """Right but for the relation."""
        return all(fault.kind == "relation" for fault in self.faults)

    @property
    def reason(self) -> str:
        return "; ".join(fault.said for fault in self.faults) or "right"


def judge(picture: np.ndarray, scene: Scene) -> Verdict:
    """A picture uint8 [S, S, 3] against a scene: its words, never its places or sizes."""
    asked, found = scene.things, regions(picture)
    if any(thing.shape not in SHAPES for thing in asked):
        found = joined(found, len(asked))
    faults = ground_faults(picture, scene.background)
    if len(found) != len(asked):
        faults.append(Fault("number", f"there are {len(found)} things, not {len(asked)}"))
        distances = tuple(nearest(found, thing) for thing in asked)
        return Verdict(tuple(faults), distances, ranks=(None,) * len(asked))
    best = min(
        (compare(order, scene) for order in permutations(found)),
        key=lambda one: (len(one.faults), sum(filter(None, one.distances))),
    )
    return Verdict((*faults, *best.faults), best.distances, best.ranks)


def ground_faults(picture: np.ndarray, asked: str) -> list[Fault]:
    off = float(delta_e(lab(ground_of(picture)), lab(np.array(BACKGROUNDS[asked]))))
    return [Fault("ground", f"the ground is ΔE {off:.0f} from {asked}")] if off > OFF else []


def nearest(found: list[Region], thing: Thing) -> float | None:
    if not thing.color:
        return None
    return min((color_distance(region, thing) for region in found), default=float("inf"))


def compare(found: tuple[Region, ...], scene: Scene) -> Verdict:
    """Each region against the thing of the same place in the scene; then their relation."""
    faults, distances, ranks = [], [], []
    for region, thing in zip(found, scene.things, strict=True):
        best = shapes_of(region, thing)
        if best[0] != thing.shape:
            faults.append(Fault("shape", f"the {thing.words} looks like: {best[0]}"))
        ranks.append(None if thing.shape in SHAPES else 1 + best.index(thing.shape))
        distances.append(color_distance(region, thing) if thing.color else None)
        if distances[-1] is not None and distances[-1] > NEAR:
            off = f"is ΔE {distances[-1]:.0f} from {thing.color}"
            faults.append(Fault("color", f"the {thing.words} {off}"))
    if scene.relation in STEPS and not holds(scene.relation, *found):
        first, second = (thing.words for thing in scene.things)
        faults.append(Fault("relation", f"the {first} is not {scene.relation} the {second}"))
    return Verdict(tuple(faults), tuple(distances), tuple(ranks))


def shapes_of(region: Region, thing: Thing) -> list[str]:
    """The six shapes if one was asked for, else all names: the one that fits best comes first."""
    if thing.shape not in SHAPES:
        return ranking(region, tinted=bool(thing.color))
    fits = overlaps(region.outline)
    return sorted(fits, key=fits.__getitem__, reverse=True)


def color_distance(region: Region, thing: Thing) -> float:
    if thing.shape in SHAPES:
        color = region.inside(region.outline).mean(axis=0)
    else:
        color = np.median(region.inside(region.filled), axis=0)
    return distance(color, thing.color)


def holds(relation: str, first: Region, second: Region) -> bool:
    """Whether two regions stand as a relation other than "and" says."""
    step = np.array(STEPS[relation])
    apart = second.center - first.center
    along, across = apart @ step, abs(apart @ step[::-1])
    return bool(along > across and along >= min(first.side, second.side) / 2)
