"""The files of settings that lie beside weights, read by the tables of `settings.py`."""

from pathlib import Path
from typing import Any, Literal

from ..image_encoder import Preprocess
from ..text_encoder.config import ACTIVATIONS
from .files import CheckpointError, read_json
from .settings import (
    HF_IMAGE,
    HF_PICTURES,
    HF_PROCESSOR,
    HF_TEXT,
    HF_WHOLE,
    OPEN_DEFAULTS,
    OPEN_FILE,
    OPEN_IMAGE,
    OPEN_PICTURES,
    OPEN_TEXT,
    OPEN_WHOLE,
    Settings,
)

Tower = Literal["text", "image"]
SIDES = {  # resize_mode: the sides by which Hugging Face's file says the size
    "shortest": {"shortest_edge"}, "longest": {"longest_edge"}, "squash": {"height", "width"},
}  # fmt: skip
METADATA = {  # what weights do not show, in the words of the file that `save.py` writes
    "text": {
        "num_attention_heads": "heads", "eos_token_id": "eos_token_id", "hidden_act": "activation",
    },
    "image": {"image_attention_heads": "heads", "image_hidden_act": "activation"},
}  # fmt: skip
HF_PARTS = {"text": "text_config", "image": "vision_config"}
OPEN_PARTS = {"text": "text_cfg", "image": "vision_cfg"}


def encoder_settings(folder: Path, layout: str, tower: Tower, metadata: dict) -> Settings:
    """What is said of an encoder: by the file of its layout's family, config.json for Hugging
    Face's and open_clip_config.json for OpenAI's; by the other where it alone is there; and by the
    metadata of the weights where neither says it.
    """
    settings = Settings(f"{tower} encoder")
    for key, name in METADATA[tower].items():
        if key in metadata:
            settings[name] = metadata[key] if name == "activation" else int(metadata[key])
            settings.said_by[name] = f"The file's metadata says {key} = {metadata[key]}"
    readers = [("config.json", take_hf), ("open_clip_config.json", take_open_clip)]
    for file, take in readers if layout.startswith("hf") else readers[::-1]:
        if said := read_json(folder / file):
            take(settings, said, file, tower)
            break
    if settings.get("activation", ACTIVATIONS[0]) not in ACTIVATIONS:
        settings.refuse(settings.said_by["activation"], "this encoder computes with", ACTIVATIONS)
    return settings


def take_hf(settings: Settings, said: dict, file: str, tower: Tower) -> None:
    part, rules = HF_PARTS[tower], HF_TEXT if tower == "text" else HF_IMAGE
    if HF_PARTS.values() & said.keys():  # a whole CLIP: the joint width is said of both together
        settings.take(said, HF_WHOLE, file)
        own = inner(said, part, file) | inner(said, f"{part}_dict", file)
        own.pop("projection_dim", None)
    else:
        own = said
    settings.take({"hidden_act": "quick_gelu"} | own, rules, file)


def take_open_clip(settings: Settings, said: dict, file: str, tower: Tower) -> None:
    model = said
    if "model_cfg" in said:
        settings.take(said, OPEN_FILE, file)
        model = inner(said, "model_cfg", file)
    settings.take({"quick_gelu": False} | model, OPEN_WHOLE, file)
    own = OPEN_DEFAULTS[tower] | inner(model, OPEN_PARTS[tower], file)
    settings.take(own, OPEN_TEXT if tower == "text" else OPEN_IMAGE, file)

    says = settings.said_by
    settings["activation"] = "quick_gelu" if settings.pop("quick_gelu") else "gelu"
    says["activation"] = says["quick_gelu"]
    resnet = isinstance(settings.get("layers"), list)
    mlp_width = int(settings["width"] * settings.pop("mlp_ratio"))
    if resnet:
        settings["layers"] = tuple(settings["layers"])
        del settings["activation"]  # it has ReLU, whatever is said
    else:
        settings["mlp_width"], says["mlp_width"] = mlp_width, says["mlp_ratio"]
    if tower == "image":
        head_width = settings.pop("head_width")
        settings["heads"] = settings["width"] * (32 if resnet else 1) // head_width
        says["heads"] = says["head_width"]
        if "image_size" in settings:
            settings["image_size"] = square(settings["image_size"], says["image_size"])


def inner(said: dict, key: str, file: str) -> dict:
    """An object inside an object, without what it leaves open; {} where it is not."""
    value = said.get(key) or {}
    if not isinstance(value, dict):
        raise CheckpointError(f"{file} says {key} = {value!r}, which is no JSON object.")
    return {name: v for name, v in value.items() if v is not None}


def square(size: Any, says: str) -> int:
    """S, of a number, of [S, S], of {"height": S, "width": S} or of {"shortest_edge": S}."""
    sides = [*size.values()] if isinstance(size, dict) else size
    sides = sides if isinstance(sides, list) else [sides]
    if not sides or any(side != sides[0] or not isinstance(side, int) for side in sides):
        raise CheckpointError(f"{says}, but this encoder takes squares.")
    return sides[0]


# Pictures ----------------------------------------------------------------------------------------


def read_preprocess(folder: Path, image_size: int) -> Preprocess:
    """How pictures are read, by the files beside the weights; as OpenAI did where there are none.

    Raises CheckpointError where they ask for what Preprocess does not do, or for two things.
    """
    found: dict[str, Preprocess] = {}
    for file, part, around, rules in (
        ("processor_config.json", "image_processor", HF_PROCESSOR, HF_PICTURES),  # transformers 5
        ("preprocessor_config.json", None, {}, HF_PICTURES),
        ("open_clip_config.json", "preprocess_cfg", OPEN_FILE, OPEN_PICTURES),
    ):
        said = read_json(folder / file)
        settings = Settings("pictures")
        if part:
            settings.take(said if part in said else {}, around, file)
            said = inner(said, part, file)
        if said:
            settings.take(said, rules, file)
            found[file] = make_preprocess(settings, image_size)
    if len({*found.values()}) > 1:
        says = "; ".join(f"{file}: {preprocess}" for file, preprocess in found.items())
        raise CheckpointError(f"The files beside it read pictures in two ways ({says}).")
    return next(iter(found.values()), Preprocess(image_size))


def make_preprocess(settings: Settings, image_size: int) -> Preprocess:
    says, size = settings.said_by, settings.get("size")
    mode = settings.get("resize_mode", "shortest")
    if mode not in SIDES:
        settings.refuse(says["resize_mode"], "this course resizes by the", tuple(SIDES))
    if isinstance(size, dict) and {*size} != SIDES[mode]:
        settings.refuse(says["size"], "this course resizes by the", tuple(SIDES[mode]))
    if settings.get("crop", mode == "shortest") != (mode == "shortest"):
        settings.refuse(says["crop"], f"what is resized by the {mode} side", (mode == "shortest",))
    for name in {"size", "crop_size"} & settings.keys():
        settings[name] = square(settings[name], says[name])
    settings.agree({"size": image_size, "crop_size": image_size})
    colors: dict[str, Any] = {}
    for name in ("mean", "std"):
        match settings.get(name):
            case None:
                pass
            case [int() | float(), int() | float(), int() | float()] as three:
                colors[name] = tuple(map(float, three))
            case _:
                raise CheckpointError(f"{says[name]}, which is not three numbers.")
    placing = {"resize_mode": mode, "upright": settings.get("upright", False)}
    if mode == "longest":  # elsewhere nothing is filled; open_clip's default is black
        placing["fill_color"] = settings.get("fill_color", 0)
    try:
        return Preprocess(image_size, **colors, **placing)
    except ValueError as error:
        raise CheckpointError(f"{says['fill_color']}: {error}") from None
