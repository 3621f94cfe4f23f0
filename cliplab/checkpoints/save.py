"""A text encoder → a safetensors file, and the config.json that transformers opens it with."""

import json
import os
from collections.abc import Callable
from pathlib import Path

from safetensors.torch import save_file

from ..text_encoder import CLIPTextModel
from .errors import CheckpointError
from .layouts import LAYOUTS, to_layout


def save_text_encoder(model: CLIPTextModel, path, layout: str = "hf") -> Path:
    """Write a text encoder; return the path of its safetensors file.

    path: a folder, which gets model.safetensors and, in Hugging Face's layouts, the config.json
        with which transformers' from_pretrained opens it; or a name that ends in .safetensors.
    layout: "hf", "hf-old", "openai" or "open_clip-custom". The number of heads and the EOS id,
        which weights do not show, go into the file's metadata. Files appear whole or not at all.
    """
    if layout not in LAYOUTS:
        raise CheckpointError(f"There is no layout {layout!r}; there are {', '.join(LAYOUTS)}.")
    path = Path(path).expanduser()
    is_file = path.suffix == ".safetensors"
    file = path if is_file else path / "model.safetensors"
    if not layout.startswith("hf") and (path / "config.json").exists():
        raise CheckpointError(
            f"{path} holds a config.json, which the layout {layout!r} does not write and which "
            "would be read with these weights: give a path that ends in .safetensors."
        )
    file.parent.mkdir(parents=True, exist_ok=True)

    c = model.config
    weights = {key: t.detach().cpu() for key, t in model.state_dict().items()}
    weights = {key: t.contiguous() for key, t in to_layout(weights, layout).items()}
    metadata = {
        "format": "pt",
        "num_attention_heads": str(c.heads),
        "eos_token_id": str(c.eos_token_id),
    }
    replace(file, lambda part: save_file(weights, part, metadata=metadata))
    if layout.startswith("hf") and not is_file:
        write_json(path / "config.json", config_json(model))
    return file


def config_json(model: CLIPTextModel) -> dict:
    """The configuration in Hugging Face's words."""
    c = model.config
    return {
        "architectures": ["CLIPTextModelWithProjection" if c.projection else "CLIPTextModel"],
        "model_type": "clip_text_model",
        "vocab_size": c.vocab_size,
        "max_position_embeddings": c.context_length,
        "hidden_size": c.width,
        "num_attention_heads": c.heads,
        "num_hidden_layers": c.layers,
        "intermediate_size": c.mlp_width,
        "hidden_act": "quick_gelu",
        "layer_norm_eps": 1e-5,
        "projection_dim": c.projection or c.width,
        "eos_token_id": c.eos_token_id,
        "bos_token_id": None,  # the encoder does not need to know it
        "dtype": str(model.final_layer_norm.weight.dtype).removeprefix("torch."),
    }


def write_json(path: Path, said: dict) -> None:
    text = json.dumps(said, indent=2) + "\n"
    replace(path, lambda part: part.write_text(text, encoding="utf-8"))


def replace(path: Path, write: Callable[[Path], object]) -> None:
    """Write beside the path and rename: readers see the old file or the new one, never a half."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        write(part)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
