"""A file of weights → a text encoder, after every key, shape and dtype has been looked at."""

import re
from pathlib import Path

import torch
from safetensors import safe_open

from ..later_encoders import DecoderModel, OpenCLIPTextModel, T5EncoderModel
from ..text_encoder import CLIPTextConfig, CLIPTextModel
from .files import MINI, CheckpointError, Device, find_weights
from .layouts import TEXT, is_foreign, recognize
from .load_later import LATER_MODELS, read_later_encoder
from .shards import Shards, opened
from .stored import Stored, refuse_other_mathematics, said_of

CLIP_MODELS = {"quick_gelu": CLIPTextModel, "gelu": OpenCLIPTextModel}  # by hidden_act
LAYER_NORM_EPS = 1e-5


def load_text_encoder(
    name_or_path: str | Path,
    *,
    dtype: torch.dtype | None = None,
    device: Device = None,
    heads: int | None = None,
) -> CLIPTextModel | T5EncoderModel | DecoderModel:
    """Load a text encoder, in evaluation mode.

    name_or_path: "mini", the text half of the CLIP that comes with the package; "sd15" (fetched
        once, 492 MB); or the path of a .safetensors file, of a folder with config.json and
        model.safetensors, or of a diffusers pipeline. Layouts: Hugging Face
        (before and after transformers 5.6), OpenAI and open_clip, open_clip's CustomTextCLIP. What
        a whole CLIP's file holds beside the text encoder is left alone. A folder of transformers'
        with a T5 encoder, a Qwen3 or a Llama gives a `T5EncoderModel` or a `DecoderModel`; the
        weights may lie in several files.
    dtype: None → as in the file ("mini", which is stored in half: float32). device: None → CPU.
    heads: the one number that a CLIP's weights do not show. None → from config.json or from the
        file's metadata, or else OpenAI's rule: one head for every 64 of width.
    Raises CheckpointError naming missing and unexpected keys, wrong shapes and wrong dtypes.
    """
    path = find_weights(name_or_path)
    if name_or_path == MINI and dtype is None:
        dtype = torch.float32
    with opened(path) as file:
        model: CLIPTextModel | T5EncoderModel | DecoderModel
        kind = str(said_of(path, "text_config").get("model_type", "clip_text_model"))
        if kind in LATER_MODELS:
            model = read_later_encoder(file, path, dtype)
        elif kind.startswith("clip"):
            model = read_text_encoder(file, path, dtype, heads)
        else:
            raise CheckpointError(
                f"config.json says model_type = {kind!r}, and that encoder is not known here; "
                f"there are CLIP, {', '.join(LATER_MODELS)}."
            )
    return model.to(device=device, dtype=dtype).eval()


def read_text_encoder(
    file: safe_open | Shards, path: Path, dtype: torch.dtype | None, heads: int | None = None
) -> CLIPTextModel:
    """The text encoder of an open file, in the file's dtype."""
    keys = [key for key in file.keys() if not is_foreign(key)]  # noqa: SIM118
    stored = Stored(file, keys, recognize(keys), TEXT)
    said = {**(file.metadata() or {}), **said_of(path, "text_config")}
    config = infer_config(stored, said, heads)
    model = CLIP_MODELS[said.get("hidden_act", "quick_gelu")]
    return stored.fill(lambda: model(config), dtype)


def infer_config(stored: Stored, said: dict, heads: int | None) -> CLIPTextConfig:
    """The configuration that the shapes show; what they do not show is taken from what was said."""
    V, D = stored.size("embeddings.token_embedding.weight")
    L, N = stored.size("embeddings.position_embedding.weight")[0], count_layers(stored.shapes)
    mlp_width = stored.size("encoder.layers.0.mlp.fc1.weight")[0]
    shown = {
        "vocab_size": V,
        "hidden_size": D,
        "max_position_embeddings": L,
        "intermediate_size": mlp_width,
        "num_hidden_layers": N,
    }
    E = None
    if stored.name("text_projection.weight") in stored.shapes:
        E = stored.size("text_projection.weight")[stored.layout.startswith("open")]
    act = said.get("hidden_act")
    computes = {
        "hidden_act": act if act in CLIP_MODELS else "quick_gelu",
        "layer_norm_eps": LAYER_NORM_EPS,
    }
    refuse_other_mathematics(said, computes, shown, "text encoder")
    if heads is None:
        heads = said.get("num_attention_heads") or (D // 64 if D % 64 == 0 else None)
    if heads is None:
        raise CheckpointError(
            "Weights do not show the number of heads, nothing beside them says it, and OpenAI's "
            f"rule of one head for every 64 of width does not fit a width of {D}. Pass heads=…"
        )
    eos = int(said.get("eos_token_id", V - 1))
    return CLIPTextConfig(V, L, D, int(heads), N, mlp_width, eos_token_id=eos, projection=E)


def count_layers(shapes: dict) -> int:
    layers = {int(n) for key in shapes for n in re.findall(r"\.(?:layers|resblocks)\.(\d+)\.", key)}
    if len(layers) != max(layers, default=0) + 1:
        gap = min(set(range(len(layers) + 1)) - layers)
        raise CheckpointError(
            f"Its layers are numbered up to {max(layers)}, and layer {gap} is missing: "
            f"{len(layers)} are there."
        )
    return len(layers)
