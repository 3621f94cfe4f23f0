"""A text encoder or a whole CLIP → a safetensors file, and what others open it with beside it."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from ..contrastive import CLIP
from ..image_encoder import CLIPResNetConfig, CLIPVisionConfig, Preprocess
from ..text_encoder import CLIPTextConfig, CLIPTextModel
from .files import CheckpointError
from .layouts import HEAD, LAYOUTS, clip_to_layout, require_layout, to_layout
from .settings import PLACING

CONFIGS = ("config.json", "open_clip_config.json")


def save_text_encoder(model: CLIPTextModel, path: str | Path, layout: str = "hf") -> Path:
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

    write_weights(file, to_layout(model.state_dict(), layout), model)
    if layout.startswith("hf") and not is_file:
        write_json(path / "config.json", config_json(model))
    return file


def save_clip(
    clip: CLIP, folder: str | Path, layout: str | None = None, dtype: torch.dtype | None = None
) -> Path:
    """Write a whole CLIP into a folder; return the path of its safetensors file.

    layout: "hf", which transformers' CLIPModel.from_pretrained opens; "openai", which open_clip
        opens by the name local-dir:FOLDER; or "open_clip-custom". None → "hf", or "openai" for a
        residual network, which transformers does not know.
    dtype: in which the weights are stored, torch.float16 for half the size; None → as they are.
        Temperature, bias and batch normalization's statistics stay as they are.
    The tokenizer's files and preprocessor_config.json, in Hugging Face's form, go into the same
    folder. Files appear whole or not at all. Raises CheckpointError for a layout that cannot be.
    """
    resnet = isinstance(clip.image_model.config, CLIPResNetConfig)
    layout = layout or ("openai" if resnet else "hf")
    require_layout(clip, layout)
    folder = Path(folder).expanduser()
    mine, others = CONFIGS if layout == "hf" else CONFIGS[::-1]
    if (folder / others).exists():
        raise CheckpointError(
            f"{folder} holds a {others}, which the layout {layout!r} does not write and which "
            "would be read with these weights: give another folder."
        )
    folder.mkdir(parents=True, exist_ok=True)

    weights = clip.state_dict()
    if dtype is not None:
        exact = {*HEAD, *(key for key, _ in clip.named_buffers())}
        weights = {k: t if k in exact else t.to(dtype) for k, t in weights.items()}
    file = folder / "model.safetensors"
    image = clip.image_model.config
    more = {"image_attention_heads": str(image.heads)}
    if isinstance(image, CLIPVisionConfig):
        more["image_hidden_act"] = image.activation
    write_weights(file, clip_to_layout(weights, layout), clip.text_model, more)
    write_json(folder / mine, hf_config(clip, dtype) if layout == "hf" else open_clip_config(clip))
    write_json(folder / "preprocessor_config.json", hf_preprocessor(clip.preprocess))
    if clip.tokenizer is not None:
        clip.tokenizer.save(folder)
    return file


def config_json(model: CLIPTextModel) -> dict:
    """The configuration in Hugging Face's words."""
    c = model.config
    return {
        "architectures": ["CLIPTextModelWithProjection" if c.projection else "CLIPTextModel"],
        "model_type": "clip_text_model",
        "vocab_size": c.vocab_size,
        "max_position_embeddings": c.context_length,
        **tower(c),
        "eos_token_id": c.eos_token_id,
        "bos_token_id": None,  # the encoder does not need to know it
        "dtype": str(model.final_layer_norm.weight.dtype).removeprefix("torch."),
    }


def tower(c: CLIPTextConfig | CLIPVisionConfig) -> dict:
    """What both encoders have."""
    return {
        "hidden_size": c.width,
        "num_attention_heads": c.heads,
        "num_hidden_layers": c.layers,
        "intermediate_size": c.mlp_width,
        "hidden_act": c.activation,
        "layer_norm_eps": 1e-5,
        "projection_dim": c.projection or c.width,
    }


def hf_config(clip: CLIP, dtype: torch.dtype | None) -> dict:
    """Both configurations in Hugging Face's words."""
    c, text = clip.image_model.config, config_json(clip.text_model)
    assert isinstance(c, CLIPVisionConfig)  # of others `require_layout` has said so
    stored = str(dtype).removeprefix("torch.") if dtype else text["dtype"]
    vision = {
        "model_type": "clip_vision_model",
        "image_size": c.image_size,
        "patch_size": c.patch_size,
        "num_channels": 3,
        **tower(c),
        "dtype": stored,
    }
    return {
        "architectures": ["CLIPModel"],
        "model_type": "clip",
        "projection_dim": c.projection,
        "text_config": {k: v for k, v in text.items() if k != "architectures"} | {"dtype": stored},
        "vision_config": vision,
        "dtype": stored,
    }


def open_clip_config(clip: CLIP) -> dict:
    """Both configurations in open_clip's words."""
    text, image = clip.text_model.config, clip.image_model.config
    vision: dict[str, Any] = {"image_size": image.image_size, "width": image.width}
    if isinstance(image, CLIPResNetConfig):
        vision |= {"layers": list(image.layers), "head_width": image.channels // image.heads}
    else:
        vision |= {
            "layers": image.layers,
            "head_width": image.width // image.heads,
            "patch_size": image.patch_size,
            "mlp_ratio": image.mlp_width / image.width,
        }
    model = {
        "embed_dim": image.projection,
        "quick_gelu": text.activation == "quick_gelu",
        "vision_cfg": vision,
        "text_cfg": {
            "context_length": text.context_length,
            "vocab_size": text.vocab_size,
            "width": text.width,
            "heads": text.heads,
            "layers": text.layers,
            "mlp_ratio": text.mlp_width / text.width,
        },
    }
    if clip.logit_bias is not None:
        model["init_logit_bias"] = -10
    p = clip.preprocess
    preprocess = {"mean": list(p.mean), "std": list(p.std), "interpolation": "bicubic"}
    return {"model_cfg": model, "preprocess_cfg": preprocess | placing(p)}


def placing(p: Preprocess) -> dict:
    """How a picture becomes a square, in open_clip's words; nothing where it is as in OpenAI's."""
    said = {key: getattr(p, key) for key in PLACING}
    return {} if said == {key: getattr(Preprocess, key) for key in PLACING} else said


def hf_preprocessor(preprocess: Preprocess) -> dict:
    """How pictures are read, in the words of Hugging Face's CLIPImageProcessor."""
    S, mode = preprocess.image_size, preprocess.resize_mode
    square = {"height": S, "width": S}
    # It cannot fit a picture in: of such a size it says so, where others would give other pixels.
    sizes = {"shortest": {"shortest_edge": S}, "longest": {"longest_edge": S}, "squash": square}
    return {
        "image_processor_type": "CLIPImageProcessor",
        "do_convert_rgb": True,
        "do_resize": True,
        "size": sizes[mode],
        "resample": 3,  # bicubic
        "do_center_crop": mode == "shortest",
        "crop_size": square,
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": list(preprocess.mean),
        "image_std": list(preprocess.std),
        **placing(preprocess),
    }


def write_weights(
    file: Path, state: dict[str, Tensor], text: CLIPTextModel, more: dict[str, str] | None = None
) -> None:
    """Weights with what they do not show; ``more``: of other encoders than the text's."""
    weights = {key: t.detach().cpu().contiguous() for key, t in state.items()}
    c = text.config
    said = {
        "num_attention_heads": str(c.heads),
        "eos_token_id": str(c.eos_token_id),
        "hidden_act": c.activation,
    }
    metadata = {"format": "pt", **said, **(more or {})}
    replace(file, lambda part: save_file(weights, part, metadata=metadata))


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
