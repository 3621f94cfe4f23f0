"""A folder or a file with a whole CLIP → both encoders, temperature, tokenizer, preprocessing."""

import re
from pathlib import Path

import torch
from safetensors import safe_open

from ..contrastive import CLIP, image_encoder
from ..image_encoder import CLIPResNetConfig, CLIPVisionConfig, ImageEncoder, Preprocess
from ..later_encoders import OpenCLIPTextModel
from ..tokenizer import CLIPTokenizer
from .files import CheckpointError, Device, find_weights, read_json
from .layouts import HEAD, IMAGE, is_image, is_resnet
from .load import LAYER_NORM_EPS, count_layers, read_text_encoder
from .shards import Shards, opened
from .stored import Stored, refuse_other_mathematics, said_of


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
        text = read_text_encoder(file, path, dtype)
        if isinstance(text, OpenCLIPTextModel):
            raise CheckpointError(
                "A whole CLIP with GELU is not known here; its text encoder alone is."
            )
        image = read_image_encoder(file, path, dtype)
        head = {key: file.get_tensor(key) for key in HEAD if key in file.keys()}  # noqa: SIM118
        if "logit_scale" not in head:
            raise CheckpointError("It has no logit_scale, so it is no whole CLIP.")
        if text.config.projection != image.config.projection:
            raise CheckpointError(
                f"Its text projection is {text.config.projection} wide, its image projection "
                f"{image.config.projection}: they do not belong together."
            )
        tokenizer = read_tokenizer(path.parent, text.config.vocab_size)
        preprocess = read_preprocess(path.parent, image.config.image_size)
    sigmoid = "logit_bias" in head
    clip = CLIP(text, image, tokenizer=tokenizer, preprocess=preprocess, sigmoid=sigmoid)
    head = {key: tensor.reshape(()) for key, tensor in head.items()}  # open_clip may have [1]
    clip.load_state_dict(head, strict=False)
    return clip.to(device=device, dtype=dtype).eval()


def read_image_encoder(file: safe_open | Shards, path: Path, dtype: torch.dtype) -> ImageEncoder:
    """The image encoder of an open file, in the file's dtype."""
    keys = [key for key in file.keys() if is_image(key)]  # noqa: SIM118
    if not keys:
        raise CheckpointError(
            "It holds no image encoder. A text encoder alone is opened by load_text_encoder."
        )
    stored = Stored(file, keys, "openai" if keys[0].startswith("visual.") else "hf", IMAGE)
    heads = {"num_attention_heads": (file.metadata() or {}).get("image_attention_heads")}
    config = infer_image_config(stored, heads | said_of(path, "vision_config"))
    return stored.fill(lambda: image_encoder(config), dtype)


def infer_image_config(stored: Stored, said: dict) -> CLIPVisionConfig | CLIPResNetConfig:
    """The configuration that the shapes show; heads, which they do not, from what was said."""
    if is_resnet(key.removeprefix("visual.") for key in stored.shapes):
        return infer_resnet_config(stored, said)
    D, _, P, _ = stored.size("embeddings.patch_embedding.weight", 4)
    places = stored.size("embeddings.position_embedding.weight")[0] - 1
    E = stored.size("visual_projection.weight")[stored.layout == "openai"]
    S, N = P * round(places**0.5), count_layers(stored.shapes)
    mlp_width = stored.size("encoder.layers.0.mlp.fc1.weight")[0]
    shown = {
        "image_size": S,
        "patch_size": P,
        "hidden_size": D,
        "num_hidden_layers": N,
        "intermediate_size": mlp_width,
    }
    computes = {"hidden_act": "quick_gelu", "layer_norm_eps": LAYER_NORM_EPS}
    refuse_other_mathematics(said, computes, shown, "image encoder")
    heads = int(said.get("num_attention_heads") or max(1, D // 64))
    return CLIPVisionConfig(S, P, D, heads, N, mlp_width, projection=E)


def infer_resnet_config(stored: Stored, said: dict) -> CLIPResNetConfig:
    places = stored.size("attnpool.positional_embedding")[0] - 1
    blocks = {m[0] for m in re.finditer(r"visual\.layer\d\.\d+\.", " ".join(stored.shapes))}
    one, two, three, four = (sum(f".layer{n}." in block for block in blocks) for n in (1, 2, 3, 4))
    width = stored.size("conv3.weight", 4)[0]
    return CLIPResNetConfig(
        image_size=32 * round(places**0.5),
        width=width,
        projection=stored.size("attnpool.c_proj.weight")[0],
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
