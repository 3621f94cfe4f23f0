"""What cannot be painted, said before the first step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral, Real

from ..prompts.fragment import require_prompt

MULTIPLE = 8  # diffusers' pipeline takes no other sizes, whatever the VAE's own factor is


def require_pipeline(pipe) -> None:
    kinds = [kind.__name__ for kind in type(pipe).__mro__]
    if "StableDiffusionPipeline" not in kinds:
        raise TypeError(
            "The first argument is a StableDiffusionPipeline, as load_pipeline gives; this is "
            f"{type(pipe).__name__}."
        )


def read_prompts(prompt, negative) -> tuple[list[str], list[str]]:
    """B prompts and B negative prompts; one negative serves all."""
    prompts = list(prompt) if isinstance(prompt, (list, tuple)) else [prompt]
    if not prompts:
        raise ValueError("There is no prompt: give a str, or a list of at least one.")
    several = isinstance(negative, (list, tuple))
    negatives = list(negative) if several else [negative] * len(prompts)
    for text in prompts + negatives:
        require_prompt(text)
    if len(negatives) != len(prompts):
        raise ValueError(
            f"There are {len(prompts)} prompts and {len(negatives)} negative prompts: give one "
            "negative, or one for each prompt."
        )
    return prompts, negatives


def require_whole(name: str, value, least: int, most: int | float = math.inf) -> None:
    """A whole number in the range; a bool is none."""
    if not isinstance(value, Integral) or isinstance(value, bool) or not least <= value <= most:
        upto = f" to {most:,}" if most < math.inf else " or more"
        raise ValueError(f"{name} is a whole number, {least:,}{upto}; not {value!r}.")


def require_guidance(guidance) -> None:
    if not isinstance(guidance, Real) or not 1 <= guidance < math.inf:
        raise ValueError(
            "guidance is a number of at least 1, where 1 means none: the negative prompt is then "
            f"without effect. It cannot be {guidance!r}."
        )


def read_size(pipe, height: int | None, width: int | None) -> tuple[int, int]:
    """Height and width in pixels; None: the model's own. Multiples of 8 (erratum E25)."""
    own = pipe.unet.config.sample_size
    own = own if isinstance(own, Sequence) else (own, own)
    step = math.lcm(MULTIPLE, pipe.vae_scale_factor)
    size = []
    for name, pixels, units in zip(("height", "width"), (height, width), own, strict=True):
        pixels = units * pipe.vae_scale_factor if pixels is None else pixels
        require_whole(name, pixels, step)
        if pixels % step:
            near = f"{pixels // step * step} or {(pixels // step + 1) * step}"
            raise ValueError(
                f"A {name} of {pixels} pixels is no multiple of {step}, so no latent decodes to "
                f"it (a VAE alone would silently give another size). Take {near}."
            )
        size.append(int(pixels))
    return size[0], size[1]
