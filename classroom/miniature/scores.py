"""What the miniature paints, against what it was asked for: 1,770 prompts, and two judges."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from cliplab.training.data.scenes import STEPS, Scene, Thing
from cliplab.training.data.shapes import ShapePairs

from .judge import Found, Seen, judge
from .naming import Part, look, shape_of
from .scenes import Drawn, S, draw_scene, pictures
from .second.ceilings import KINDS, by_second, through, validate

SEED = 20_000  # of prompts and of noise; training has neither
SECOND = "second judge"  # whose things with names are Twemoji's where pictures are real
AT_ONCE = 25  # pictures in one call of the pipeline
SETS = {
    # name: prompts, things, split of ShapePairs
    "one": (400, 1, "train"),
    "one_held_out": (200, 1, "held_out"),
    "two": (250, 2, "train"),
    "two_held_out": (150, 2, "held_out"),
}
NAMED = {
    # name: prompts, things, how many of them have names
    "one named": (270, 1, 1),
    "two named": (250, 2, 2),
    "a named thing and a shape": (250, 2, 1),
}


def paint(pipe, prompts: Sequence[str], guidance: float, steps: int = 20, seed: int = SEED):
    """Prompts → pictures, uint8 [N, S, S, 3]; picture i is painted from seed + i."""
    import torch

    made = []
    for start in range(0, len(prompts), AT_ONCE):
        some = list(prompts[start : start + AT_ONCE])
        made.append(
            pipe(
                some,
                num_inference_steps=steps,
                guidance_scale=guidance,
                generator=[
                    torch.Generator().manual_seed(seed + start + i) for i in range(len(some))
                ],
                output_type="np",
            ).images
        )
    return (np.concatenate(made) * 255).round().astype(np.uint8)


def right(scene: Scene, seen: Seen) -> dict[str, bool]:
    """What of a scene is on a picture.

    One thing is compared with the picture's largest. Two things are looked for by their colors;
    "both" wants color and shape of each, "relation" that, and their places.
    """
    ground = seen.background == scene.background
    alone = len(seen.things) == len(scene.things)
    if len(scene.things) == 1:
        (thing,), best = scene.things, seen.things[0] if seen.things else None
        color = best is not None and best.color == thing.color
        shape = best is not None and best.shape == thing.shape
        both, size = color and shape, color and best.size == thing.size
        found = {"color": color, "shape": shape, "both": both, "size": size}
        return {**found, "background": ground, "alone": alone}
    things = [next((f for f in seen.things if f.color == t.color), None) for t in scene.things]
    both = all(
        f is not None and f.shape == t.shape for f, t in zip(things, scene.things, strict=True)
    )
    found = {"color": None not in things, "both": both}
    relation = both and stands(scene.relation, *things)
    return {**found, "relation": relation, "background": ground, "alone": alone}


def stands(relation: str, first: Found | Part, second: Found | Part) -> bool:
    """Whether two things stand as a relation says; "and" says nothing."""
    if relation == "and":
        return True
    dx, dy = STEPS[relation]
    x, y = second.x - first.x, second.y - first.y
    return x * dx + y * dy > abs(x * dy) + abs(y * dx)


def share(verdicts: Sequence[dict[str, bool]]) -> dict[str, float]:
    """How many of N pictures are right in each respect, as shares, to four digits."""
    keys = [key for key in verdicts[0] if all(key in v for v in verdicts)]
    return {key: round(sum(v[key] for v in verdicts) / len(verdicts), 4) for key in keys}


def right_named(scene: Scene, ground: str, parts: list[Part]) -> dict[str, bool]:
    """What of a scene with named things is on a picture, by `naming`.

    "name": each asked thing is among the parts; "both": and has its color, where one was asked.
    Shapes are looked for by the geometric judge, in the picture of each part alone. One thing is
    compared with the largest part, two with the two largest.
    """
    parts = parts[: len(scene.things)]
    named = matched(scene, parts, lambda thing: thing.shape)
    both = matched(scene, parts, lambda thing: (thing.shape, thing.color))
    found = {"name": bool(named), "both": bool(both), "background": ground == scene.background}
    if len(scene.things) == 2:
        found["relation"] = bool(both) and stands(scene.relation, *both)
    return found


def matched(scene: Scene, parts: list[Part], of: Callable[[Thing], object]) -> tuple[Part, ...]:
    """Parts in the order of a scene's things, alike in what `of` says of them; () if there is none.

    A part is compared with a thing as what it may be: a shape, a thing in its own colors or in one.
    """
    for some in itertools.permutations(parts, len(scene.things)):
        if all(of(seen_as(t, p)) == of(t) for t, p in zip(scene.things, some, strict=True)):
            return some
    return ()


def seen_as(thing: Thing, part: Part) -> Thing:
    if not isinstance(thing, Drawn):
        color, shape = shape_of(part)
    elif thing.color:
        color, shape = part.color, part.tinted
    else:
        color, shape = "", part.name
    return replace(thing, color=color, shape=shape)


def asked_named(name: str) -> list[Scene]:
    """The scenes of one set of prompts with named things."""
    number, objects, named = NAMED[name]
    return [draw_scene(f"scores {name} {i}", objects, named=named) for i in range(number)]


def asked(name: str) -> list[Scene]:
    """The scenes of one set of prompts."""
    number, objects, split = SETS[name]
    pairs = ShapePairs(number, seed=SEED, split=split, objects=objects, size=S)
    return [pairs.scene(i) for i in range(number)]


def scores(pipe, guidance: float, steps: int) -> dict:
    """What the model card says of pictures, computed again: some minutes on one core."""
    found: dict = {}
    for name in SETS:
        scenes = asked(name)
        painted = paint(pipe, [scene.caption for scene in scenes], guidance, steps)
        verdicts = [right(s, judge(p)) for s, p in zip(scenes, painted, strict=True)]
        found[name] = {"prompts": len(scenes), **share(verdicts)}
        if name == "one":
            found["one, both right"] = by_kind(scenes, verdicts)
        found[name][SECOND] = by_second(painted, scenes).shares()
    for name in NAMED:
        scenes = asked_named(name)
        painted = paint(pipe, [scene.caption for scene in scenes], guidance, steps)
        found[name] = {"prompts": len(scenes), **named_share(scenes, painted)}
        found[name][SECOND] = by_second(painted, scenes).shares()
    return found


def by_kind(scenes: list[Scene], verdicts: list[dict[str, bool]]) -> dict[str, float]:
    """The share with color and shape right, for each size, background and shape."""
    kinds = {
        "": lambda s: s.things[0].size or "medium",
        "on ": lambda s: s.background,
        " ": lambda s: s.things[0].shape,
    }
    found = {}
    for before, of in kinds.items():
        for value in sorted({of(s) for s in scenes}):
            some = [v for s, v in zip(scenes, verdicts, strict=True) if of(s) == value]
            found[(before + value).strip()] = share(some)["both"]
    return found


def reconstruction(vae) -> dict:
    """How well both judges know real pictures, and the same after encoding and decoding.

    PSNR in dB, of pictures from −1 to 1.
    """
    found = reconstruction_of_shapes(vae)
    for name in NAMED:
        scenes = asked_named(name)
        psnr, both = there_and_back(vae, scenes)
        verdicts = [named_share(scenes, pictures) for pictures in both]
        found[name] = {"psnr": psnr, **dict(zip(("real", "decoded"), verdicts, strict=True))}
    found[SECOND] = {
        kind: {
            "real": validate(kind).shares(),
            "decoded": validate(kind, seen_through=through(vae)).shares(),
        }
        for kind in KINDS
    }
    return found


def reconstruction_of_shapes(vae, number: int = 500) -> dict:
    """The same of shapes, by the first judge. Half of the scenes have two things."""
    shapes = [draw_scene(f"reconstruction {i}", objects=1 + i % 2) for i in range(number)]
    psnr, (real, decoded) = there_and_back(vae, shapes)
    return {
        "pictures": number,
        "psnr": psnr,
        "real": share([right(s, judge(p)) for s, p in zip(shapes, real, strict=True)]),
        "decoded": share([right(s, judge(p)) for s, p in zip(shapes, decoded, strict=True)]),
    }


def named_share(scenes: list[Scene], painted: np.ndarray) -> dict[str, float]:
    return share([right_named(s, *seen) for s, seen in zip(scenes, look(painted), strict=True)])


def there_and_back(vae, scenes: list[Scene]) -> tuple[float, tuple[np.ndarray, np.ndarray]]:
    """PSNR, and pictures as they are and after encoding and decoding, uint8 [N, S, S, 3]."""
    import torch

    x = pictures(scenes)
    with torch.no_grad():
        z = [vae.encode(part).latent_dist.mode() for part in x.split(AT_ONCE)]
        y = torch.cat([vae.decode(part).sample for part in z])
    both = (((t.clamp(-1, 1) + 1) * 127.5).round().byte() for t in (x, y))
    psnr = round(-10 * torch.log10(((y - x) ** 2).mean() / 4).item(), 2)
    return psnr, tuple(t.permute(0, 2, 3, 1).numpy() for t in both)
