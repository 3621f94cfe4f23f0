"""Tiny random denoisers with their schedulers, for one denoising call of a pipeline, by its class.

Each takes contexts of the width that the tiny encoders of `pipeline_parts` give.
"""

from __future__ import annotations

from typing import Any

import diffusers
import torch

from tools.pipeline_parts import vae

SIDE = 8  # of the latents
HEADS = {"attention_head_dim": 16, "num_attention_heads": 2}


def painting(transformer: torch.nn.Module, **more: Any) -> dict[str, Any]:
    """What a pipeline paints with; most of them step along a flow."""
    flow = diffusers.FlowMatchEulerDiscreteScheduler()
    return {"transformer": transformer.eval(), "scheduler": flow, "vae": vae()} | more


def unet(width: int, **more: Any) -> dict[str, Any]:
    made = diffusers.UNet2DConditionModel(
        sample_size=SIDE, layers_per_block=1, block_out_channels=(8, 16), norm_num_groups=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=width, attention_head_dim=4, **more,
    )  # fmt: skip
    scheduler = diffusers.DDIMScheduler(steps_offset=1, clip_sample=False)  # as the pipelines want
    return {"unet": made.eval(), "scheduler": scheduler, "vae": vae()}


def of_sd15() -> dict[str, Any]:
    return unet(32)


def of_sdxl() -> dict[str, Any]:
    """Sizes and crops are six numbers of four components each, beside the pooled 36."""
    return unet(
        72, addition_embed_type="text_time", addition_time_embed_dim=4,
        projection_class_embeddings_input_dim=6 * 4 + 36,
    )  # fmt: skip


def of_sd3() -> dict[str, Any]:
    return painting(diffusers.SD3Transformer2DModel(
        sample_size=SIDE, patch_size=1, in_channels=4, out_channels=4, num_layers=2, **HEADS,
        caption_projection_dim=32, joint_attention_dim=96, pooled_projection_dim=28 + 36,
    ))  # fmt: skip


def of_flux() -> dict[str, Any]:
    return painting(diffusers.FluxTransformer2DModel(
        in_channels=16, num_layers=1, num_single_layers=1, **HEADS, joint_attention_dim=48,
        pooled_projection_dim=32, axes_dims_rope=(4, 4, 8),
    ))  # fmt: skip


def of_chroma() -> dict[str, Any]:
    return painting(diffusers.ChromaTransformer2DModel(
        in_channels=16, num_layers=1, num_single_layers=1, **HEADS, joint_attention_dim=48,
        axes_dims_rope=(4, 4, 8), approximator_num_channels=16, approximator_hidden_dim=32,
        approximator_layers=1,
    ))  # fmt: skip


def of_pixart() -> dict[str, Any]:
    made = diffusers.PixArtTransformer2DModel(
        sample_size=SIDE, num_layers=2, **HEADS, caption_channels=48, cross_attention_dim=32,
        use_additional_conditions=False,
    )  # fmt: skip
    return painting(made, scheduler=diffusers.DPMSolverMultistepScheduler())


def of_lumina2() -> dict[str, Any]:
    return painting(diffusers.Lumina2Transformer2DModel(
        sample_size=SIDE, in_channels=4, hidden_size=16, num_layers=2, num_attention_heads=1,
        num_kv_heads=1, multiple_of=16, scaling_factor=1.0, axes_dim_rope=(8, 4, 4),
        cap_feat_dim=56,
    ))  # fmt: skip


def of_sana() -> dict[str, Any]:
    made = diffusers.SanaTransformer2DModel(
        sample_size=SIDE, in_channels=4, out_channels=4, num_layers=2, **HEADS,
        num_cross_attention_heads=2, cross_attention_head_dim=16, cross_attention_dim=32,
        caption_channels=56,
    )  # fmt: skip
    return painting(made, vae=None)


def of_qwen() -> dict[str, Any]:
    made = diffusers.QwenImageTransformer2DModel(
        in_channels=16, out_channels=4, num_layers=2, **HEADS, joint_attention_dim=56,
        axes_dims_rope=(8, 4, 4),
    )  # fmt: skip
    return painting(made, vae=None)


DENOISERS = {
    "StableDiffusionPipeline": of_sd15,
    "StableDiffusionXLPipeline": of_sdxl,
    "StableDiffusion3Pipeline": of_sd3,
    "FluxPipeline": of_flux,
    "ChromaPipeline": of_chroma,
    "PixArtAlphaPipeline": of_pixart,
    "PixArtSigmaPipeline": of_pixart,
    "Lumina2Pipeline": of_lumina2,
    "SanaPipeline": of_sana,
    "QwenImagePipeline": of_qwen,
}
