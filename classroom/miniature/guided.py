"""What guidance and a negative prompt do to the picture: counted.

As in `study`: fixed seeds, and the judge looks at what comes out. Prompts name one thing on white
without a size, or two things; negatives name a thing as well, so both are of the grammar.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from .judge import Seen, judge
from .study import AT_ONCE, STEPS, cases

GUIDANCE = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0)
SEED = 60_000


def guided_study(pipe, number: int = 36, scales: Sequence[float] = GUIDANCE) -> dict:
    """Paint and measure, at each guidance, `number` prompts of each kind, with each negative.

    Returns how it was done, and as lists over the guidance

        right    "color", "shape": shares of pictures of one thing whose largest thing has them;
                 "excess": how far its color is from gray, from 0 to 1
        area     pixels of that thing, by negative: "none", "a small one", "a large one"
        second   share of pictures of two things on which the second's color is seen, by negative:
                 "none", "the second thing"
    """
    two = [case for case in cases(number) if case.kind == "one of two"]
    wanted = [(case.color, case.shape) for case in two]
    one = [named(*thing) for thing in wanted]
    both = [f"{named(c.color, c.shape)} and {named(*c.other)}" for c in two]
    nothing = [""] * number
    against = {
        "area": {
            "none": nothing,
            "a small one": [named("small", *thing) for thing in wanted],
            "a large one": [named("large", *thing) for thing in wanted],
        },
        "second": {"none": nothing, "the second thing": [named(*c.other) for c in two]},
    }
    found: dict = {"right": {"color": [], "shape": [], "excess": []}}
    found |= {what: {name: [] for name in ways} for what, ways in against.items()}
    for scale in scales:
        for name, negatives in against["area"].items():
            seen = look(pipe, one, negatives, scale)
            things = [s.things[0] if s.things else None for s in seen]  # the largest of each
            found["area"][name].append(mean(t.area if t else 0 for t in things))
            if name == "none":
                pairs = list(zip(things, wanted, strict=True))
                right = found["right"]
                right["color"].append(mean(bool(t) and t.color == w[0] for t, w in pairs))
                right["shape"].append(mean(bool(t) and t.shape == w[1] for t, w in pairs))
                right["excess"].append(mean(t.excess if t else 0 for t in things))
        for name, negatives in against["second"].items():
            pairs = zip(look(pipe, both, negatives, scale), two, strict=True)
            found["second"][name].append(
                mean(c.other[0] in {t.color for t in s.things} for s, c in pairs)
            )
    return {
        "prompts": number,
        "guidance": list(scales),
        "steps": STEPS,
        "seed": SEED,
        "effects": found,
    }


def named(*words: str) -> str:
    """The words with their article: orange, star → "an orange star"."""
    return f"{'an' if words[0] == 'orange' else 'a'} {' '.join(words)}"


def look(pipe, prompts: list[str], negatives: list[str], guidance: float) -> list[Seen]:
    """Prompt i, painted from SEED + i, and judged."""
    from cliplab.pipeline import generate

    seen = []
    for start in range(0, len(prompts), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        painted = generate(
            pipe, prompts[part], negatives[part], guidance=guidance, steps=STEPS,
            seed=SEED + start, progress=False,
        )  # fmt: skip
        seen += [judge(np.asarray(image)) for image in painted.images]
    return seen


def mean(values: Iterable) -> float:
    return round(float(np.mean([float(value) for value in values])), 4)
