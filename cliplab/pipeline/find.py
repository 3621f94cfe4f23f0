"""A name or a path → a folder in diffusers' format, whole."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import torch

from ..checkpoints import CheckpointError
from ..checkpoints.files import MINI, NAMES

WEIGHTS = {  # of each part that has any
    "text_encoder": "model",
    "unet": "diffusion_pytorch_model",
    "vae": "diffusion_pytorch_model",
}
TOKENIZER = ("vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json")
HALF = (torch.float16, torch.bfloat16)


def find_folder(name_or_path, dtype: torch.dtype) -> Path:
    """The folder that is meant, with a model_index.json in it."""
    if name_or_path == MINI:
        folder = Path(str(resources.files("cliplab") / "assets" / "sd-mini"))
        if not (folder / "model_index.json").is_file():
            raise CheckpointError(
                "The miniature Stable Diffusion is not in this copy of the package: "
                f"{folder / 'model_index.json'} is missing. Train one, python -m "
                "classroom.miniature, and give the path of its folder."
            )
        return folder
    if name_or_path in NAMES:
        return download(name_or_path, "fp16" if dtype in HALF else None)
    folder = Path(name_or_path).expanduser()
    if not (folder / "model_index.json").is_file():
        known = ", ".join([MINI, *NAMES])
        raise CheckpointError(
            f"There is no model {str(name_or_path)!r}. Known by name: {known}. Otherwise give the "
            "path of a folder in diffusers' format, with model_index.json, unet, vae, …"
        )
    return folder


def download(name: str, variant: str | None) -> Path:
    """The folder of a known name in the cache of huggingface_hub, filled from its servers.

    A file of a pinned revision that is in the cache is not asked for again, so that this works
    without a network once it has run.
    """
    repository, revision, _ = NAMES[name]
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError

    files = ["model_index.json", "scheduler/scheduler_config.json"]
    files += [f"tokenizer/{file}" for file in TOKENIZER]
    for part in WEIGHTS:
        files += [f"{part}/config.json", weights_file(part, variant)]
    try:
        found = [hf_hub_download(repository, file, revision=revision) for file in files]
    except (OSError, HfHubHTTPError) as error:
        size = "2.1 GB in half" if variant else "4.3 GB in full"
        raise CheckpointError(
            f"The model {name!r} ({repository}, {size} precision) is not on this machine and could "
            f"not be fetched ({type(error).__name__}). Connect once and run this again, give the "
            'path of a copy in diffusers\' format, or take "mini", which comes with the package.'
        ) from error
    return Path(found[0]).parent


def weights_file(part: str, variant: str | None) -> str:
    dotted = f".{variant}" if variant else ""
    return f"{part}/{WEIGHTS[part]}{dotted}.safetensors"


def variant_in(folder: Path, dtype: torch.dtype) -> str | None:
    """Which of the stored weights to read: "fp16" or the plain ones, whole as they must be."""
    order = ("fp16", None) if dtype in HALF else (None, "fp16")
    for variant in order:
        if all((folder / weights_file(part, variant)).is_file() for part in WEIGHTS):
            return variant
    missing = [f for p in WEIGHTS if not (folder / (f := weights_file(p, None))).is_file()]
    raise CheckpointError(
        f"The folder {folder} is not whole: {', '.join(missing)} "
        f"{'is' if len(missing) == 1 else 'are'} missing. Pickles (.bin) are not read, since "
        "opening one runs the code in it."
    )


def read_json(path: Path) -> dict:
    """The object in a JSON file."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CheckpointError(f"{path} cannot be read: {error}.") from None
    if not isinstance(said, dict):
        raise CheckpointError(f"{path} is no JSON object.")
    return said
