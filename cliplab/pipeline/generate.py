"""Prompts → contexts → denoising → pictures, through the pipeline's own call."""

from __future__ import annotations

import functools
import math
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from numbers import Real
from typing import TYPE_CHECKING, Any

import torch
from PIL.Image import Image
from torch import Tensor

from ..checks import one_of, whole_number
from ..cross_attention import region_maps, watch_attention
from ..weighting import METHODS, Context, PromptEncoder
from ..weighting.encode import read_prompts
from ..weighting.encoder import Prompts
from .beside import settings, warn_of_unknown_words
from .painting import Painting

if TYPE_CHECKING:
    from diffusers import StableDiffusionPipeline as Pipeline

# Where a model says nothing: the guidance of Stable Diffusion 1.5, and steps that are enough.
USUAL = {"guidance": 7.5, "steps": 20}
IN_ATTENTION = "attention"  # a method beside those of the encoder
MULTIPLE = 8  # diffusers' pipeline takes no other sizes, whatever the VAE's own factor is


def generate(
    pipe: Pipeline,
    prompt: Prompts,
    negative: Prompts = "",
    syntax: str = "a1111",
    method: str | None = None,
    *,
    seed: int = 0,
    steps: int | None = None,
    guidance: float | None = None,
    height: int | None = None,
    width: int | None = None,
    progress: bool | None = None,
    **options: Any,
) -> Painting:
    """Paint a prompt, or each of a list, with weights, at any length.

    pipe        a StableDiffusionPipeline, as `load_pipeline` gives
    negative    what to move away from: ε̂ = ε_neg + g (ε_pos − ε_neg). One for all prompts, or one
                for each; it is read and weighted as the prompt is
    syntax, method   how prompts are read, and what weights do to the context, as in
                `encode_prompt`; "attention" leaves the context alone and multiplies the attention
                that the U-Net gives to each token by its weight
    seed        picture i is painted from seed + i, so it is the same alone and in a batch, up to
                rounding (and up to the empty chunks that bring a batch to one length). Noise is
                drawn on the CPU: the same on any machine
    steps       of the pipeline's own scheduler. None: what suits the model, as generation.json in
                its folder says, else 20
    guidance    g; 1: none. None: likewise, else 7.5
    height, width   in pixels, multiples of 8; None: the model's own
    progress    a progress bar; None: only where a person watches, in a terminal
    options     those of `encode_prompt`: clip_skip, truncate, …. clip_skip holds for the negative
                too, as in Automatic1111; diffusers has it for the prompt alone, where it crashes
                with transformers from 5.6 on (erratum E46)

    Prompt and negative are brought to one length, in whole chunks of 77. A model whose folder lists
    the words that it knows (words.json) warns of others. Raises ValueError and
    TypeError for what cannot be painted, and for latents that are not finite.
    Source: diffusers pipeline_stable_diffusion.py.
    """
    require_pipeline(pipe)
    prompts, negatives = read_prompts(prompt, negative)
    own = USUAL | settings(pipe)
    guidance = read_guidance(own["guidance"] if guidance is None else guidance)
    steps = own["steps"] if steps is None else steps
    steps = whole_number("steps", steps, 1, pipe.scheduler.config.num_train_timesteps)
    seed = whole_number("seed", seed, 0, 2**63 - len(prompts))
    size = read_size(pipe, height, width)
    seeds = [seed + i for i in range(len(prompts))]

    if method is not None:
        one_of("method", method, (*METHODS, IN_ATTENTION))
    in_context = "ignore" if method == IN_ATTENTION else method
    encoder = PromptEncoder(pipe.tokenizer, pipe.text_encoder, syntax, in_context, **options)
    B, guided = len(prompts), guidance > 1
    texts = prompts + negatives if guided else prompts
    different = list(dict.fromkeys(texts))  # most often all negatives are one
    made = dict(zip(different, encoder(different), strict=True))  # all of one length
    for text, context in made.items():
        warn_of_unknown_words(pipe, text, context)
    contexts = [made[text] for text in texts]
    weights = torch.stack([c.weights for c in contexts[B:] + contexts[:B]])  # as the U-Net has them
    factors = weights.float() if method == IN_ATTENTION else None

    paint = functools.partial(denoise, pipe, contexts, seeds, steps, guidance, size)

    def watched(show: bool) -> tuple[list[Image], list[Tensor], list[dict[str, Tensor]]]:
        with watch_attention(pipe.unet, factors, guided=guided and factors is None) as watch:
            return *paint(show), watch.maps

    def watch() -> Tensor:
        return region_maps(watched(False)[-1])[-B:]

    show = sys.stderr.isatty() if progress is None else progress
    images, latents = paint(show) if factors is None else watched(show)[:2]
    return Painting(images, latents, contexts[:B], contexts[B:], seeds, steps, guidance, watch)


def denoise(
    pipe: Pipeline,
    contexts: list[Context],
    seeds: list[int],
    steps: int,
    guidance: float,
    size: tuple[int, int],
    show: bool,
) -> tuple[list[Image], list[Tensor]]:
    """Contexts (of the prompts, then of the negatives) → pictures, and every step's latents."""
    B = len(seeds)
    embeds = torch.stack([context.tensor for context in contexts])  # [B or 2B, L', D]
    draws = [torch.Generator().manual_seed(seed) for seed in seeds]
    h, w = (pixels // pipe.vae_scale_factor for pixels in size)
    shape = (1, pipe.unet.config.in_channels, h, w)
    noise = torch.cat([torch.randn(shape, generator=draw) for draw in draws]).to(embeds)
    latents = []

    def keep(pipe: object, step: int, t: Tensor, now: dict[str, Tensor]) -> dict[str, Tensor]:
        latents.append(now["latents"])
        return now

    with progress_bar(pipe, show):
        x = pipe(
            prompt_embeds=embeds[:B],
            negative_prompt_embeds=embeds[B:] if len(embeds) > B else None,
            latents=noise,
            generator=draws,  # go on where the noise ended, for schedulers that draw at each step
            num_inference_steps=steps,
            guidance_scale=guidance,
            height=size[0],
            width=size[1],
            callback_on_step_end=keep,
            output_type="pt",
        ).images  # [B, 3, H, W], 0 … 1
    if not x.isfinite().all():
        good = "finite" if latents[-1].isfinite().all() else "not finite either"
        raise ValueError(
            f"The picture is not finite, and would be black (its latents are {good}, in "
            f"{str(embeds.dtype).removeprefix('torch.')}). Load the pipeline in float32 or "
            "bfloat16, which hold larger numbers, or lower the weights or the guidance."
        )
    processor = pipe.image_processor
    images = processor.numpy_to_pil(processor.pt_to_numpy(x))
    return images, [noise * pipe.scheduler.init_noise_sigma, *latents]


@contextmanager
def progress_bar(pipe: Pipeline, show: bool) -> Iterator[None]:
    """With or without diffusers' progress bar; what was set before is set again afterwards."""
    before = getattr(pipe, "_progress_bar_config", {})
    pipe.set_progress_bar_config(**before | {"disable": not show})
    try:
        yield
    finally:
        pipe.set_progress_bar_config(**before)


# What cannot be painted, said before the first step -----------------------------------------------


def require_pipeline(pipe: object) -> None:
    kinds = [kind.__name__ for kind in type(pipe).__mro__]
    if "StableDiffusionPipeline" not in kinds:
        raise TypeError(
            "The first argument is a StableDiffusionPipeline, as load_pipeline gives; this is "
            f"{type(pipe).__name__}."
        )


def read_guidance(guidance: object) -> float:
    if not isinstance(guidance, Real) or not 1 <= float(guidance) < math.inf:
        raise ValueError(
            "guidance is a number of at least 1, where 1 means none: the negative prompt is then "
            f"without effect. It cannot be {guidance!r}."
        )
    return float(guidance)


def read_size(pipe: Pipeline, height: int | None, width: int | None) -> tuple[int, int]:
    """Height and width in pixels; None: the model's own. Multiples of 8 (erratum E25)."""
    own = pipe.unet.config.sample_size
    own = own if isinstance(own, Sequence) else (own, own)
    step = math.lcm(MULTIPLE, pipe.vae_scale_factor)
    size = []
    for name, pixels, units in zip(("height", "width"), (height, width), own, strict=True):
        pixels = units * pipe.vae_scale_factor if pixels is None else pixels
        pixels = whole_number(name, pixels, step)
        if pixels % step:
            near = f"{pixels // step * step} or {(pixels // step + 1) * step}"
            raise ValueError(
                f"A {name} of {pixels} pixels is no multiple of {step}, so no latent decodes to "
                f"it (a VAE alone would silently give another size). Take {near}."
            )
        size.append(pixels)
    return size[0], size[1]
