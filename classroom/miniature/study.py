"""What the weight of a word does to the picture: counted, method by method.

Each prompt is painted from one seed with the word's weight at each step of the way, and the judge
looks at what comes out. The measures:

    present   share of pictures on which the named attribute is seen: the color, shape, name or size
              of the largest thing, the ground's color; with two things, of the thing that is meant
    area      pixels: of the named color, or else of the largest thing
    excess    how far the named color is from gray, from 0 to 1, 0 where it is not seen
    other     with two things: the share of pictures on which the other is still as it should be
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from cliplab.training.data.scenes import article

from .judge import Seen, judge
from .naming import Part, look
from .scenes import PAIRS
from .things import THINGS

METHODS = ("scale", "restore_mean", "from_empty", "compel", "attention")
WEIGHTS = (0.0, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
KINDS = ("color", "shape", "thing", "large", "small", "background", "one of two")
# What of each kind should grow with the weight; "-area" should shrink.
GROWS = {
    "color": ("present", "excess", "area"),
    "shape": ("present",),
    "thing": ("present",),
    "large": ("present", "area"),
    "small": ("present", "-area"),
    "background": ("present",),
    "one of two": ("present", "area"),
}
SLACK = 0.03  # of a curve's largest value: how far it may fall back, one picture in 33
STEPS = 8  # of denoising, here and where nothing is said: generation.json has them
AT_ONCE = 36


@dataclass(frozen=True)
class Case:
    """A prompt with {w} where the weight goes, and what its word names.

    shape: of a thing with a name, that name; its color is "".
    """

    kind: str
    template: str
    color: str
    shape: str
    other: tuple[str, str] | None = None  # color and shape of the second thing

    def prompt(self, weight: float) -> str:
        return self.template.format(w=f"{weight:g}")


def cases(number: int = 36) -> Iterator[Case]:
    """`number` cases of each kind, 252 in all: colors and shapes that training has seen."""
    for kind in KINDS:
        for i in range(number):
            color, shape = PAIRS[i % len(PAIRS)]
            if kind == "thing":
                color, shape = "", tuple(THINGS)[i % len(THINGS)]
            a = article(color)
            other = None
            if kind == "color":
                text = f"{a} ({color}:{{w}}) {shape}"
            elif kind == "shape":
                text = f"{a} {color} ({shape}:{{w}})"
            elif kind == "thing":
                text = f"{article(shape)} ({shape}:{{w}})"
            elif kind in ("large", "small"):
                text = f"a ({kind}:{{w}}) {color} {shape}"
            elif kind == "background":
                text = f"{a} {color} {shape} on a (black:{{w}}) background"
            else:
                other = next(
                    pair for pair in PAIRS[(i * 7 + 13) % len(PAIRS) :] + PAIRS
                    if pair[0] != color and pair[1] != shape
                )  # fmt: skip
                text = f"{a} ({color}:{{w}}) {shape} and {article(other[0])} {' '.join(other)}"
            yield Case(kind, text, color, shape, other)


def measures(some: list[Case], pictures: np.ndarray) -> list[dict[str, float]]:
    """What is seen on pictures [N, S, S, 3] of cases of one kind, as the numbers of each."""
    if some[0].kind == "thing":
        return [
            measure_name(case, parts) for case, (_, parts) in zip(some, look(pictures), strict=True)
        ]
    return [measure(case, judge(picture)) for case, picture in zip(some, pictures, strict=True)]


def measure_name(case: Case, parts: list[Part]) -> dict[str, float]:
    return {
        "present": float(bool(parts) and parts[0].name == case.shape),
        "area": parts[0].area if parts else 0.0,
    }


def measure(case: Case, seen: Seen) -> dict[str, float]:
    largest = seen.things[0] if seen.things else None
    named = [f for f in seen.things if f.color == case.color]
    found = {
        "present": float(largest is not None and largest.color == case.color),
        "area": sum(f.area for f in named),
        "excess": max((f.excess for f in named), default=0.0),
    }
    if case.kind == "shape":
        found["present"] = float(largest is not None and largest.shape == case.shape)
    elif case.kind in ("large", "small"):
        found["present"] = float(largest is not None and largest.size == case.kind)
        found["area"] = largest.area if largest else 0.0
    elif case.kind == "background":
        found["present"] = float(seen.background == "black")
    elif case.kind == "one of two":
        found["present"] = float(bool(named))
        found["other"] = float(any((f.color, f.shape) == case.other for f in seen.things))
    return found


def study(
    pipe, guidance: float, number: int = 36, weights: Sequence[float] = WEIGHTS,
    methods: Sequence[str] = METHODS, steps: int = STEPS, seed: int = 40_000,
) -> dict:  # fmt: skip
    """Paint and measure: {kind: {method: {measure: [mean at each weight]}}}, and how it was done.

    Case i of a kind is painted from seed + i, whatever its weight and method.
    """
    all_cases, found = list(cases(number)), {}
    for kind in KINDS:
        some = [case for case in all_cases if case.kind == kind]
        plain = means(pipe, some, 1.0, methods[0], guidance, steps, seed)
        found[kind] = {}
        for method in methods:
            at = [
                plain if w == 1 else means(pipe, some, w, method, guidance, steps, seed)
                for w in weights
            ]
            found[kind][method] = {key: [one[key] for one in at] for key in plain}
    return {
        "prompts": len(all_cases),
        "weights": list(weights),
        "guidance": guidance,
        "steps": steps,
        "seed": seed,
        "effects": found,
        "monotone": monotone(found, weights),
    }


def means(pipe, some: list[Case], weight, method, guidance, steps, seed) -> dict[str, float]:
    """The mean of each measure over cases of one kind, at one weight."""
    from cliplab.pipeline import generate

    measured = []
    for start in range(0, len(some), AT_ONCE):
        part = some[start : start + AT_ONCE]
        painted = generate(
            pipe, [case.prompt(weight) for case in part], method=method, seed=seed + start,
            steps=steps, guidance=guidance, progress=False,
        )  # fmt: skip
        measured += measures(part, np.stack([np.asarray(image) for image in painted.images]))
    return {key: round(float(np.mean([m[key] for m in measured])), 4) for key in measured[0]}


def monotone(found: dict, weights: Sequence[float]) -> dict:
    """{kind: {method: {measure: the highest weight up to which it never goes the wrong way}}}."""
    return {
        kind: {
            method: {name: holds(curves, name, weights) for name in GROWS[kind]}
            for method, curves in by_method.items()
        }
        for kind, by_method in found.items()
    }


def holds(curves: dict, name: str, weights: Sequence[float]) -> float:
    """Up to which weight a curve grows, or for "-name" shrinks."""
    sign = -1 if name.startswith("-") else 1
    y = sign * np.array(curves[name.removeprefix("-")])
    slack = SLACK * np.abs(y).max()
    wrong = np.flatnonzero(np.diff(y) < -slack)
    return float(weights[wrong[0]] if len(wrong) else weights[-1])
