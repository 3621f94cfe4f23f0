"""A folder or a file with a whole CLIP → both encoders, temperature, tokenizer, preprocessing."""

import re
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

from ..contrastive import CLIP, image_encoder
from ..image_encoder import CLIPResNetConfig, CLIPVisionConfig, ImageEncoder, Preprocess
from ..tokenizer import CLIPTokenizer
from .files import CheckpointError, Device, find_weights, read_json
from .layouts import HEAD, IMAGE, is_image, is_resnet
from .load import (
    count_layers,
    filled,
    name_in,
    opened,
    read_text_encoder,
    refuse_other_mathematics,
    said_of,
    shape_of,
    shapes_of,
)


def load_clip(
    name_or_path: str | Path, *, dtype: torch.dtype = torch.float32, device: Device = None
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
        how: dict[str, Any] = {
            "tokenizer": read_tokenizer(path.parent, text_model.config.vocab_size),
            "preprocess": read_preprocess(path.parent, image_model.config.image_size),
        }
    clip = CLIP(text_model, image_model, sigmoid="logit_bias" in head, **how)
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
    shapes = shapes_of(file, keys)
    heads = {"num_attention_heads": (file.metadata() or {}).get("image_attention_heads")}
    config = infer_image_config(shapes, layout, heads | said_of(path, "vision_config"))
    return filled(lambda: image_encoder(config), file, shapes, layout, IMAGE, dtype)


def infer_image_config(
    shapes: dict, layout: str, said: dict
) -> CLIPVisionConfig | CLIPResNetConfig:
    """The configuration that the shapes show; heads, which they do not, from what was said."""
    if is_resnet(key.removeprefix("visual.") for key in shapes):
        return infer_resnet_config(shapes, said)

    def size(key: str, axes: int = 2) -> tuple[int, ...]:
        return shape_of(shapes, name_in(layout, key, IMAGE), axes)

    D, _, P, _ = size("embeddings.patch_embedding.weight", 4)
    places = size("embeddings.position_embedding.weight")[0] - 1
    E = size("visual_projection.weight")[1 if layout == "openai" else 0]
    shown = {
        "image_size": P * round(places**0.5),
        "patch_size": P,
        "hidden_size": D,
        "num_hidden_layers": count_layers(shapes),
        "intermediate_size": size("encoder.layers.0.mlp.fc1.weight")[0],
    }
    refuse_other_mathematics(said, shown, "image encoder")
    return CLIPVisionConfig(
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
    one, two, three, four = (sum(f".layer{n}." in block for block in blocks) for n in (1, 2, 3, 4))
    width = shape_of(shapes, "visual.conv3.weight", 4)[0]
    return CLIPResNetConfig(
        image_size=32 * round(places**0.5),
        width=width,
        projection=shape_of(shapes, "visual.attnpool.c_proj.weight", 2)[0],
        layers=(one, two, three, four),
        heads=int(said.get("num_attention_heads") or max(1, 32 * width // 64)),
    )


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
        said = read_json(folder / name)
        said = said.get("preprocess_cfg", said)
        if mean in said and std in said:
            try:
                return Preprocess(image_size, tuple(said[mean]), tuple(said[std]))
            except TypeError as error:
                raise CheckpointError(f"{name} beside it cannot be read: {error}.") from None
    return Preprocess(image_size)
