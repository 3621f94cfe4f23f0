"""A folder or a file with a whole CLIP → both encoders, temperature, tokenizer, preprocessing."""

import json
import re
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import safe_open

from ..contrastive import CLIP, image_encoder
from ..image_encoder import CLIPResNetConfig, CLIPVisionConfig, ImageEncoder, Preprocess
from ..tokenizer import CLIPTokenizer
from .files import CheckpointError, find_weights
from .layouts import HEAD, IMAGE, from_layout, is_image, is_resnet, to_layout
from .load import compare, look_at, opened, read_config_json, read_text_encoder

Config = TypeVar("Config", CLIPVisionConfig, CLIPResNetConfig)


def load_clip(
    name_or_path: str | Path,
    *,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str | None = None,
) -> CLIP:
    """Load a whole CLIP, in evaluation mode.

    name_or_path: "mini", which comes with the package; or the path of a folder that `save_clip`
        wrote, of one of transformers' or open_clip's, or of a .safetensors file of either.
    dtype: whatever the file's is, float32 unless asked otherwise. device: None → CPU.
    .tokenizer and .preprocess are read from the files beside the weights. Without them: CLIP's own
    tokenizer if the vocabulary is as large as CLIP's, and no tokenizer otherwise; OpenAI's mean and
    std. Raises CheckpointError naming missing and unexpected keys, wrong shapes and wrong dtypes.
    """
    path = find_weights(name_or_path)
    with opened(path) as file:
        text_model = read_text_encoder(file, path, dtype)
        image_model = read_image_encoder(file, path, dtype)
        head = {key: file.get_tensor(key) for key in HEAD if key in file.keys()}  # noqa: SIM118
        if "logit_scale" not in head:
            raise CheckpointError("It has no logit_scale, so it is no whole CLIP.")
        if text_model.config.projection != image_model.config.projection:
            raise CheckpointError(
                f"Its text projection is {text_model.config.projection} wide, its image projection "
                f"{image_model.config.projection}: they do not belong together."
            )
        tokenizer = read_tokenizer(path.parent, text_model.config.vocab_size)
        preprocess = read_preprocess(path.parent, image_model.config.image_size)
    clip = CLIP(
        text_model,
        image_model,
        tokenizer=tokenizer,
        preprocess=preprocess,
        sigmoid="logit_bias" in head,
    )
    head = {key: tensor.reshape(()) for key, tensor in head.items()}  # open_clip may have [1]
    clip.load_state_dict(head, strict=False)
    return clip.to(device=device, dtype=dtype).eval()


def read_image_encoder(file: safe_open, path: Path, dtype: torch.dtype) -> ImageEncoder:
    """The image encoder of an open file, in the file's dtype."""
    keys = [key for key in file.keys() if is_image(key)]  # noqa: SIM118
    if not keys:
        raise CheckpointError(
            "It holds no image encoder. A text encoder alone is opened by load_text_encoder."
        )
    layout = "openai" if keys[0].startswith("visual.") else "hf"
    shapes, dtypes = look_at(file, keys)
    said = file.metadata() or {}
    heads = {"num_attention_heads": said.get("image_attention_heads")}
    said = heads | read_config_json(path.with_name("config.json"), "vision_config")
    with torch.device("meta"):
        model = image_encoder(infer_image_config(shapes, layout, said))
    counts = {key: kind for key, kind in dtypes.items() if not key.endswith("num_batches_tracked")}
    compare(shapes, counts, to_layout(model.state_dict(), layout, IMAGE), dtype)
    state = from_layout({key: file.get_tensor(key) for key in keys}, layout, IMAGE)
    model.load_state_dict({key: t.contiguous() for key, t in state.items()}, assign=True)
    return model


def infer_image_config(
    shapes: dict, layout: str, said: dict
) -> CLIPVisionConfig | CLIPResNetConfig:
    """The configuration that the shapes show; heads, which they do not, from what was said."""
    if is_resnet(key.removeprefix("visual.") for key in shapes):
        return infer_resnet_config(shapes, said)

    def size(key: str, axes: int = 2) -> tuple[int, ...]:
        name = next(iter(to_layout({key: torch.empty(0, 0, device="meta")}, layout, IMAGE)))
        return shape_of(shapes, name, axes)

    D, _, P, _ = size("embeddings.patch_embedding.weight", 4)
    places = size("embeddings.position_embedding.weight")[0] - 1
    E = size("visual_projection.weight")[1 if layout == "openai" else 0]
    layers = [int(n) for key in shapes for n in re.findall(r"\.(?:layers|resblocks)\.(\d+)\.", key)]
    shown = {
        "image_size": P * round(places**0.5),
        "patch_size": P,
        "hidden_size": D,
        "num_hidden_layers": max(layers, default=-1) + 1,
        "intermediate_size": size("encoder.layers.0.mlp.fc1.weight")[0],
        "hidden_act": "quick_gelu",
        "layer_norm_eps": 1e-5,
    }
    for key, value in shown.items():
        if said.get(key, value) != value:
            raise CheckpointError(
                f"config.json says {key} = {said[key]!r} of the image encoder, which has {value!r} "
                "here. The answers would be wrong, so nothing was loaded."
            )
    return configured(
        CLIPVisionConfig,
        image_size=shown["image_size"],
        patch_size=P,
        width=D,
        heads=int(said.get("num_attention_heads") or max(1, D // 64)),
        layers=shown["num_hidden_layers"],
        mlp_width=shown["intermediate_size"],
        projection=E,
    )


def infer_resnet_config(shapes: dict, said: dict) -> CLIPResNetConfig:
    places = shape_of(shapes, "visual.attnpool.positional_embedding", 2)[0] - 1
    blocks = {match[0] for key in shapes if (match := re.match(r"visual\.layer\d\.\d+\.", key))}
    heads = said.get("num_attention_heads")
    return configured(
        CLIPResNetConfig,
        image_size=32 * round(places**0.5),
        width=shape_of(shapes, "visual.conv3.weight", 4)[0],
        projection=shape_of(shapes, "visual.attnpool.c_proj.weight", 2)[0],
        layers=tuple(sum(f".layer{n}." in block for block in blocks) for n in (1, 2, 3, 4)),
        heads=int(heads) if heads else None,
    )


def configured(config: type[Config], **numbers: Any) -> Config:
    try:
        return config(**numbers)
    except ValueError as error:
        raise CheckpointError(f"Its image encoder cannot be: {error}") from None


def shape_of(shapes: dict, name: str, axes: int) -> tuple[int, ...]:
    if len(shapes.get(name, ())) != axes:
        has = list(shapes[name]) if name in shapes else "no such key"
        raise CheckpointError(
            f"Without {name}, of {axes} axes, the size of the image encoder is not known; the file "
            f"has {has}."
        )
    return shapes[name]


def read_tokenizer(folder: Path, vocab_size: int) -> CLIPTokenizer | None:
    """The tokenizer beside the weights; else CLIP's own, where the vocabulary is as large."""
    beside = any((folder / name).is_file() for name in ("merges.txt", "tokenizer.json"))
    tokenizer = CLIPTokenizer.load(folder) if beside else CLIPTokenizer()
    if tokenizer.vocab_size == vocab_size:
        return tokenizer
    if beside:
        raise CheckpointError(
            f"The tokenizer beside it has {tokenizer.vocab_size:,} entries, but the text encoder "
            f"knows {vocab_size:,} ids: they do not belong together."
        )
    return None


def read_preprocess(folder: Path, image_size: int) -> Preprocess:
    """Mean and std from the files beside the weights; OpenAI's where there are none."""
    for name, mean, std in (
        ("preprocessor_config.json", "image_mean", "image_std"),
        ("open_clip_config.json", "mean", "std"),
    ):
        path = folder / name
        if path.is_file():
            try:
                said = json.loads(path.read_text(encoding="utf-8"))
                said = said.get("preprocess_cfg", said)
                if mean in said and std in said:
                    return Preprocess(image_size, tuple(said[mean]), tuple(said[std]))
            except (ValueError, TypeError, AttributeError) as error:
                raise CheckpointError(f"{name} beside it cannot be read: {error}.") from None
    return Preprocess(image_size)
