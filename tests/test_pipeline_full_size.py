"""Stable Diffusion 1.5 at its full size, on random weights, for one step: on request only.

    CLIPLAB_FULL_SIZE=float32 python -m pytest -s tests/test_pipeline_full_size.py
    CLIPLAB_FULL_SIZE=float16 …                for a GPU: a CPU convolves slowly in half precision

It writes a diffusers folder of 4.3 or 2.1 GB to the temporary folder, opens it with load_pipeline
and paints 512 × 512 pixels, on the fastest device that is there. Times and memory are printed. Two
cores of an AMD EPYC, one thread, float32: the step with guidance and the VAE 73 s, peak 5.5 GiB.
"""

from __future__ import annotations

import os
import shutil
import sys
import time

import pytest
import torch

from cliplab.pipeline import generate, load_pipeline

KIND = os.environ.get("CLIPLAB_FULL_SIZE")
pytestmark = pytest.mark.skipif(KIND is None, reason="large: CLIPLAB_FULL_SIZE=float32 asks for it")
COUNTS = {"text_encoder": 123_060_480, "unet": 859_520_964, "vae": 83_653_863}


def build(folder, dtype, tokenizer) -> dict[str, int]:
    """A diffusers folder of SD 1.5's parts, random; returns how many parameters each has."""
    from diffusers import AutoencoderKL, PNDMScheduler, StableDiffusionPipeline
    from diffusers import UNet2DConditionModel as UNet
    from transformers import CLIPTextConfig, CLIPTextModel

    vocabulary = {"vocab_size": 49408, "bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2}
    sizes = {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12}
    text_config = CLIPTextConfig(**vocabulary, **sizes, num_attention_heads=12)
    vae = {"block_out_channels": (128, 256, 512, 512), "layers_per_block": 2, "sample_size": 512}
    down, up = ("DownEncoderBlock2D",) * 4, ("UpDecoderBlock2D",) * 4
    torch.set_default_dtype(dtype)
    try:
        parts = {
            "text_encoder": CLIPTextModel(text_config),
            "unet": UNet(sample_size=64, cross_attention_dim=768, attention_head_dim=8),
            "vae": AutoencoderKL(down_block_types=down, up_block_types=up, **vae),
        }
    finally:
        torch.set_default_dtype(torch.float32)
    # A fresh LayerNorm gives every row the mean 0, which A1111's weighting cannot restore.
    torch.nn.init.normal_(parts["text_encoder"].final_layer_norm.bias, mean=0.2)
    scheduler = PNDMScheduler(
        beta_schedule="scaled_linear",
        beta_start=0.00085,
        beta_end=0.012,
        skip_prk_steps=True,
        steps_offset=1,
    )
    StableDiffusionPipeline(
        **parts,
        tokenizer=tokenizer,
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(folder)
    return {name: sum(p.numel() for p in part.parameters()) for name, part in parts.items()}


def peak() -> str:
    """The most memory that was in use at once, on the GPU or by the process."""
    if torch.cuda.is_available():
        return f"{torch.cuda.max_memory_allocated() / 2**30:.1f} GiB on the GPU"
    resource = pytest.importorskip("resource")
    unit = 1 if sys.platform == "darwin" else 1024
    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30:.1f} GiB"


def test_one_step(transformers_tokenizer, tmp_path):
    dtype = getattr(torch, KIND)
    folder, clock = tmp_path / "sd15", [time.perf_counter()]

    def lap() -> str:
        clock.append(time.perf_counter())
        return f"{clock[-1] - clock[-2]:.1f} s"

    try:
        assert build(folder, dtype, transformers_tokenizer) == COUNTS
        print(f"\nbuilt and written: {lap()}, peak {peak()}")
        pipe = load_pipeline(folder, dtype=dtype)
        print(f"load_pipeline, {KIND} on {pipe.device}: {lap()}, peak {peak()}")
        cpu = time.process_time()
        made = generate(pipe, "a (red:1.3) fox in the snow", "blurry", steps=1, clip_skip=1)
        cpu = time.process_time() - cpu
        print(f"generate, one step with guidance, 512 × 512: {lap()} ({cpu:.1f} s CPU), "
              f"peak {peak()}")  # fmt: skip
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    assert made.images[0].size == (512, 512)
    assert made.guidance == 7.5
    assert made.latents[0].shape == (1, 4, 64, 64)
    assert len(made.latents) == 2
    assert made.contexts[0].tensor.shape == (77, 768)
    assert made.latents[-1].isfinite().all()
