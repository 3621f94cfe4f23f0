"""The noise from which the demos paint: that of `cliplab.generate`, since a page cannot draw it."""

from __future__ import annotations

import torch

from ...checkpoints.files import MINI
from ...pipeline import load_pipeline

SEEDS = 16


def noise() -> bytes:
    """The first latents of seeds 0 … 15, [16, C, h, w], float32, little-endian.

    They are drawn as `generate` draws them, one seed at a time.
    """
    pipe = load_pipeline(MINI)
    C, side = pipe.unet.config.in_channels, pipe.unet.config.sample_size
    draws = [torch.Generator().manual_seed(seed) for seed in range(SEEDS)]
    latents = torch.cat([torch.randn(1, C, side, side, generator=draw) for draw in draws])
    return (latents * pipe.scheduler.init_noise_sigma).numpy().astype("<f4").tobytes()


NOISE = {"noise": noise}
