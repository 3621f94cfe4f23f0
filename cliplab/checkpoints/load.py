"""A file of weights → a text encoder, after every key, shape and dtype has been looked at."""

import re
import warnings
from pathlib import Path

import torch

from ..later_encoders import DecoderModel, T5EncoderModel
from ..text_encoder import CLIPTextConfig, CLIPTextModel
from .beside import encoder_settings
from .files import MINI, CheckpointError, CheckpointWarning, Device, find_weights, read_json
from .layouts import TEXT, is_foreign
from .load_later import LATER_MODELS, read_later_encoder
from .places import KNOWN, Place, choose
from .settings import Settings
from .stored import Stored
from .weights import Weights, opened

OPENAI_ONLY = "input_resolution"  # a key that OpenAI's own files have, and open_clip's have not


def load_text_encoder(
    name_or_path: str | Path,
    *,
    dtype: torch.dtype | None = None,
    device: Device = None,
    heads: int | None = None,
    activation: str | None = None,
    prefix: str | None = None,
) -> CLIPTextModel | T5EncoderModel | DecoderModel:
    """Load a text encoder, in evaluation mode.

    name_or_path: "mini", the text half of the CLIP that comes with the package; "sd15" (fetched
        once, 492 MB); or the path of a .safetensors file, of a folder with config.json and
        model.safetensors, of an index of shards, or of a diffusers pipeline. Layouts: Hugging Face
        (before and after transformers 5.6), OpenAI and open_clip, open_clip's CustomTextCLIP. What
        a whole CLIP's file holds beside the text encoder is left alone. A folder of transformers'
        with a T5 encoder, a Qwen3 or a Llama gives a `T5EncoderModel` or a `DecoderModel`.
    dtype: None → as in the file ("mini", which is stored in half: float32). device: None → CPU.
    heads, activation: what a CLIP's weights do not show. None → from config.json,
        open_clip_config.json or the file's metadata, or else OpenAI's: one head for every 64 of
        width, "quick_gelu".
    prefix: what stands before the encoder's keys. None → found; needed where a file has several.
    Raises CheckpointError naming missing and unexpected keys, wrong shapes and wrong dtypes, and
    settings that cannot be heeded. Warns with CheckpointWarning of a prefix, and of what was taken
    for OpenAI's without being told.
    """
    path = find_weights(name_or_path)
    if name_or_path == MINI and dtype is None:
        dtype = torch.float32
    told = {"heads": heads, "activation": activation}
    with opened(path) as weights:
        model: CLIPTextModel | T5EncoderModel | DecoderModel
        kind = str(read_json(path.parent / "config.json").get("model_type", "clip"))
        if kind in LATER_MODELS:
            if prefix is not None or {*told.values()} != {None}:
                raise CheckpointError("It is no CLIP: heads, activation and prefix mean nothing.")
            model = read_later_encoder(weights, path, dtype)
        elif not kind.startswith("clip"):
            raise CheckpointError(
                f"config.json says model_type = {kind!r}, and that encoder is not known here; "
                f"there are CLIP, {', '.join(LATER_MODELS)}."
            )
        else:
            encoder, place = choose(weights, prefix, whole=False)
            model = read_text_encoder(encoder, place, path, dtype, told)
    for note in weights.notes:
        warnings.warn(f"{path}: {note}", CheckpointWarning, stacklevel=2)
    return model.to(device=device, dtype=dtype).eval()


def read_text_encoder(
    weights: Weights, place: Place, path: Path, dtype: torch.dtype | None, told: dict
) -> CLIPTextModel:
    """The text encoder among open weights, in their dtype. told: what the caller says himself."""
    keys = [key for key in weights.keys() if not is_foreign(key)]  # noqa: SIM118
    stored = Stored(weights, keys, place.layout, TEXT)
    settings = encoder_settings(path.parent, place.layout, "text", weights.metadata)
    settings.update({name: value for name, value in told.items() if value is not None})
    config = infer_config(stored, settings, place)
    return stored.fill(lambda: CLIPTextModel(config), dtype)


def infer_config(stored: Stored, said: Settings, place: Place) -> CLIPTextConfig:
    """The configuration that the shapes show; what they do not show is taken from what was said."""
    V, D = stored.size("embeddings.token_embedding.weight")
    L, N = stored.size("embeddings.position_embedding.weight")[0], count_layers(stored.shapes)
    mlp_width = stored.size("encoder.layers.0.mlp.fc1.weight")[0]
    shown = {"vocab_size": V, "width": D, "context_length": L, "mlp_width": mlp_width, "layers": N}
    E = None
    if stored.name("text_projection.weight") in stored.shapes:
        E = shown["projection"] = stored.size("text_projection.weight")[
            stored.layout.startswith("open")
        ]
    said.agree(shown)
    if "heads" not in said and D % 64:
        raise CheckpointError(
            "Weights do not show the number of heads, nothing beside them says it, and OpenAI's "
            f"rule of one head for every 64 of width does not fit a width of {D}. Pass heads=…"
        )
    usual = KNOWN.get(place.prefix, "quick_gelu")
    conclude(said, {"heads": D // 64, "activation": usual}, stored.weights, place)
    return CLIPTextConfig(
        V, L, D, said["heads"], N, mlp_width,
        eos_token_id=said.get("eos_token_id", V - 1),
        projection=E,
        activation=said["activation"],
    )  # fmt: skip


def conclude(said: Settings, usual: dict, weights: Weights, place: Place) -> None:
    """Take what is usual for what nobody said, and note it unless it is known to be right."""
    open_questions = {name: value for name, value in usual.items() if name not in said}
    said.update(open_questions)
    known = place.prefix in KNOWN or OPENAI_ONLY in weights.keys()  # noqa: SIM118
    if "activation" in open_questions and not known:
        taken = " and ".join(f"{name} = {value!r}" for name, value in open_questions.items())
        weights.notes.append(
            f"nothing beside it says how its {said.of} computes, so this takes {taken}, as in "
            "OpenAI's CLIPs. open_clip's own trainings have 'gelu', and some have other heads: put "
            "the config.json or open_clip_config.json that belongs to it beside it."
        )


def count_layers(shapes: dict) -> int:
    layers = {int(n) for key in shapes for n in re.findall(r"\.(?:layers|resblocks)\.(\d+)\.", key)}
    if len(layers) != max(layers, default=0) + 1:
        gap = min(set(range(len(layers) + 1)) - layers)
        raise CheckpointError(
            f"Its layers are numbered up to {max(layers)}, and layer {gap} is missing: "
            f"{len(layers)} are there."
        )
    return len(layers)
