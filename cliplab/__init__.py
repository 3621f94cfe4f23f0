"""cliplab: text encoders for image generation, written to be read.

    import cliplab

    tok = cliplab.CLIPTokenizer()
    ids = cliplab.length_normalization(tok("a running dog"))
    model = cliplab.CLIPTextModel(cliplab.CLIPTextConfig.sd15())
    context = model(ids).context  # [1, 77, 768]

Everything public is found here, and loaded when it is first asked for: ``import cliplab`` is cheap,
and nothing reaches for the network unless a model is asked for by name.
"""

import importlib
from typing import Any

__version__ = "0.1.0"

_HOME = {
    "tokenizer": ["CLIPTokenizer", "MergeStep"],
    "masks": [
        "TruncationWarning",
        "attention_mask",
        "causal_mask",
        "length_normalization",
        "mask_pad",
    ],
    "text_encoder": ["CLIPTextConfig", "CLIPTextModel"],
    "later_encoders": [
        "DecoderConfig",
        "DecoderModel",
        "SDXLTextEncoders",
        "T5Config",
        "T5EncoderModel",
    ],
    "image_encoder": ["CLIPResNet", "CLIPResNetConfig", "CLIPVisionConfig", "CLIPVisionModel"],
    "contrastive": ["CLIP", "clip_loss", "sigmoid_loss", "similarity_matrix"],
    "source": ["show_source"],
    "checkpoints": [
        "CheckpointError",
        "CheckpointWarning",
        "load_clip",
        "load_sdxl",
        "load_text_encoder",
        "save_clip",
        "save_text_encoder",
    ],
    "prompts": ["Fragment", "PromptError", "PromptWarning", "convert_prompt", "parse_prompt"],
    "weighting": ["Context", "PromptEncoder", "encode_prompt", "prompt_embeds", "prompt_weighting"],
    "vae": ["DiagonalGaussian", "latent_size", "latent_sizes"],
    "cross_attention": ["CrossAttention", "Transformer2D", "region_maps", "watch_attention"],
    "pipeline": ["Painting", "generate", "load_pipeline"],
    "demos": ["demo"],
}
_MODULES = {*_HOME, "plots", "training"}
_WHERE = {name: module for module, names in _HOME.items() for name in names}
__all__ = ["__version__", *sorted(_WHERE)]


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        value = getattr(importlib.import_module(f"{__name__}.{_WHERE[name]}"), name)
        globals()[name] = value
        return value
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"cliplab has no {name!r}; it has {', '.join(__all__)}.")


def __dir__() -> list[str]:
    return [*__all__, *sorted(_MODULES)]
