"""A folder of transformers' with a T5 encoder or a decoder model → our own, strictly."""

from pathlib import Path

import torch

from ..checks import whole_number
from ..later_encoders import DecoderConfig, DecoderModel, T5Config, T5EncoderModel
from .files import CheckpointError, read_json
from .layouts import Tower
from .settings import HF_DECODER, HF_T5, Rules, Settings
from .stored import Stored
from .weights import Weights

T5 = Tower({"hf": ""}, (), ("", ""))
DECODER = Tower({"hf": "", "hf-lm": "model."}, (), ("", ""))  # hf-lm: with a head for words
LATER_MODELS = ("t5", "qwen3", "llama")  # as config.json calls them, model_type


def read_later_encoder(
    weights: Weights, path: Path, dtype: torch.dtype | None
) -> T5EncoderModel | DecoderModel:
    """The encoder of an open file, in the file's dtype; config.json beside it has all numbers."""
    file = path.parent / "config.json"
    said, settings, keys = read_json(file), Settings("encoder"), weights.keys()
    if said["model_type"] == "t5":
        # What generates text is left alone, and so is the second name of the table of tokens.
        keys = [key for key in keys if not key.startswith(("decoder.", "lm_head."))]
        if "shared.weight" in keys:
            keys = [key for key in keys if key != "encoder.embed_tokens.weight"]
        settings.take(said, HF_T5, file.name)
        t5 = t5_config(settings)
        return Stored(weights, keys, "hf", T5).fill(lambda: T5EncoderModel(t5), dtype)
    keys = [key for key in keys if not key.startswith("lm_head.")]
    layout = "hf-lm" if any(key.startswith("model.") for key in keys) else "hf"
    settings.take(said, HF_DECODER, file.name)
    decoder = decoder_config(settings, qwen=said["model_type"] == "qwen3")
    return Stored(weights, keys, layout, DECODER).fill(lambda: DecoderModel(decoder), dtype)


def t5_config(said: Settings) -> T5Config:
    V, D, H, K, N, mlp_width = numbers(
        said, HF_T5, "vocab_size", "width", "heads", "head_width", "layers", "mlp_width"
    )
    return T5Config(
        V, D, H, K, N, mlp_width,
        buckets=said.get("buckets", 32),
        max_distance=said.get("max_distance", 128),
    )  # fmt: skip


def decoder_config(said: Settings, qwen: bool) -> DecoderConfig:
    """The configuration in our words; transformers 5 keeps θ among the rope_parameters."""
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
    names = ("vocab_size", "width", "heads", "layers", "mlp_width")
    V, D, H, N, mlp_width = numbers(said, HF_DECODER, *names)
    return DecoderConfig(
        V, D, H,
        kv_heads=said.get("kv_heads", H),
        head_width=said.get("head_width", 128 if qwen else D // H),
        layers=N,
        mlp_width=mlp_width,
        rope_theta=rope.get("rope_theta", said.get("rope_theta", 10_000.0)),
        qk_norm=qwen,
        eps=said.get("eps", 1e-6),
    )  # fmt: skip


def numbers(said: Settings, rules: Rules, *names: str) -> list[int]:
    """Numbers without which there is no encoder; errors name them as the file does."""
    keys = {name: key for key, name in rules.items() if name in names}
    for name in names:
        if name not in said:
            raise CheckpointError(
                f"config.json does not say {keys[name]}, which this encoder needs."
            )
    return [whole_number(keys[name], said[name], 1) for name in names]
