"""What the miniature paints, against what it was asked for: 1,000 prompts, and the judge."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cliplab.training.data.scenes import STEPS, Scene
from cliplab.training.data.shapes import ShapePairs, render

from .judge import Found, Seen, judge
from .scenes import S, draw_scene, pictures

SEED = 20_000  # of prompts and of noise; training has neither
AT_ONCE = 25  # pictures in one call of the pipeline
SETS = {
    # name: prompts, things, split of ShapePairs
    "one": (400, 1, "train"),
    "one_held_out": (200, 1, "held_out"),
    "two": (250, 2, "train"),
    "two_held_out": (150, 2, "held_out"),
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


def stands(relation: str, first: Found, second: Found) -> bool:
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


def asked(name: str) -> list[Scene]:
    """The scenes of one set of prompts."""
    number, objects, split = SETS[name]
    pairs = ShapePairs(number, seed=SEED, split=split, objects=objects, size=S)
    return [pairs.scene(i) for i in range(number)]


def scores(pipe, guidance: float, steps: int = 20) -> dict:
    """What the model card says of pictures, computed again: some minutes on one core."""
    found: dict = {}
    for name in SETS:
        scenes = asked(name)
        painted = paint(pipe, [scene.caption for scene in scenes], guidance, steps)
        verdicts = [right(s, judge(p)) for s, p in zip(scenes, painted, strict=True)]
        found[name] = {"prompts": len(scenes), **share(verdicts)}
        if name == "one":
            found["one, both right"] = by_kind(scenes, verdicts)
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


def reconstruction(vae, number: int = 500) -> dict:
    """How well the judge knows real pictures, and the same after encoding and decoding.

    Half of the scenes have two things. PSNR in dB, of pictures from −1 to 1.
    """
    import torch

    scenes = [draw_scene(f"reconstruction {i}", objects=1 + i % 2) for i in range(number)]
    x = pictures(scenes)
    with torch.no_grad():
        z = [vae.encode(part).latent_dist.mode() for part in x.split(AT_ONCE)]
        y = torch.cat([vae.decode(part).sample for part in z])
    decoded = ((y.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()
    return {
        "pictures": number,
        "psnr": round(-10 * torch.log10(((y - x) ** 2).mean() / 4).item(), 2),
        "real": share([right(s, judge(render(s, S))) for s in scenes]),
        "decoded": share([right(s, judge(p)) for s, p in zip(scenes, decoded, strict=True)]),
    }
