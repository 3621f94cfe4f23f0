"""A folder of transformers' with a T5 encoder or a decoder model → our own, strictly."""

from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

from ..checks import whole_number
from ..later_encoders import DecoderConfig, DecoderModel, T5Config, T5EncoderModel
from .files import CheckpointError
from .layouts import Tower
from .shards import Shards
from .stored import Stored, refuse_other_mathematics, said_of

T5 = Tower({"hf": ""}, (), ("", ""))
DECODER = Tower({"hf": "", "hf-lm": "model."}, (), ("", ""))  # hf-lm: with a head for words

LATER_MODELS = ("t5", "qwen3", "llama")  # as config.json calls them, model_type
T5_COMPUTES = {"feed_forward_proj": "gated-gelu", "layer_norm_epsilon": 1e-6}
DECODER_COMPUTES = {
    "hidden_act": "silu",
    "attention_bias": False,
    "mlp_bias": False,
    "use_sliding_window": False,
}


def read_later_encoder(
    file: safe_open | Shards, path: Path, dtype: torch.dtype | None
) -> T5EncoderModel | DecoderModel:
    """The encoder of an open file, in the file's dtype; config.json beside it has all numbers."""
    said, keys = said_of(path, "text_config"), [*file.keys()]
    if said["model_type"] == "t5":
        # What generates text is left alone, and so is the second name of the table of tokens.
        keys = [key for key in keys if not key.startswith(("decoder.", "lm_head."))]
        if "shared.weight" in keys:
            keys = [key for key in keys if key != "encoder.embed_tokens.weight"]
        t5 = t5_config(said)
        return Stored(file, keys, "hf", T5).fill(lambda: T5EncoderModel(t5), dtype)
    keys = [key for key in keys if not key.startswith("lm_head.")]
    layout = "hf-lm" if any(key.startswith("model.") for key in keys) else "hf"
    decoder = decoder_config(said)
    return Stored(file, keys, layout, DECODER).fill(lambda: DecoderModel(decoder), dtype)


def t5_config(said: dict[str, Any]) -> T5Config:
    """The configuration in our words."""
    refuse_other_mathematics(said, T5_COMPUTES, {}, "encoder")
    V, D, H, K, N, mlp_width = numbers(
        said, ("vocab_size", "d_model", "num_heads", "d_kv", "num_layers", "d_ff")
    )
    return T5Config(
        V, D, H, K, N, mlp_width,
        buckets=said.get("relative_attention_num_buckets", 32),
        max_distance=said.get("relative_attention_max_distance", 128),
    )  # fmt: skip


def decoder_config(said: dict[str, Any]) -> DecoderConfig:
    """The configuration in our words; transformers 5 keeps θ among the rope_parameters."""
    refuse_other_mathematics(said, DECODER_COMPUTES, {}, "encoder")
    rope = dict(said.get("rope_parameters") or said.get("rope_scaling") or {})
    kind = rope.get("rope_type", rope.get("type", "default"))
    if kind != "default":
        raise CheckpointError(
            f"config.json says rope_type = {kind!r}, angles that this encoder does not compute. "
            "The answers would be wrong, so nothing was loaded."
        )
    if {*said.get("layer_types", [])} - {"full_attention"}:
        raise CheckpointError(
            f"config.json says layer_types = {said['layer_types']!r:.60}, but here every layer "
            "sees the whole prompt. The answers would be wrong, so nothing was loaded."
        )
    V, D, H, N, mlp_width = numbers(
        said,
        ("vocab_size", "hidden_size", "num_attention_heads", "num_hidden_layers",
         "intermediate_size"),
    )  # fmt: skip
    return DecoderConfig(
        V, D, H,
        kv_heads=said.get("num_key_value_heads", H),
        head_width=said.get("head_dim", 128 if said["model_type"] == "qwen3" else D // H),
        layers=N,
        mlp_width=mlp_width,
        rope_theta=rope.get("rope_theta", said.get("rope_theta", 10_000.0)),
        qk_norm=said["model_type"] == "qwen3",
        eps=said.get("rms_norm_eps", 1e-6),
    )  # fmt: skip


def numbers(said: dict[str, Any], names: tuple[str, ...]) -> list[int]:
    """Numbers without which there is no encoder."""
    for name in names:
        if name not in said:
            raise CheckpointError(f"config.json does not say {name}, which this encoder needs.")
    return [whole_number(name, said[name], 1) for name in names]
