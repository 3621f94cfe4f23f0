"""Where the weights are: a name, a file, or a folder → a file, or an index of shards."""

import re
from importlib import resources
from pathlib import Path
from typing import Any

import torch

from ..checks import listed
from ..extras import need
from ..tokenizer import bpe

NAMES = {
    # name: (repository, revision) of a pipeline in diffusers' format
    "sd15": (
        "stable-diffusion-v1-5/stable-diffusion-v1-5",
        "451f4fe16113bff5a5d2269ed5ad43b0592e9a14",
    ),
}
MINI = "mini"  # the CLIP that comes with the package
Device = torch.device | str | None
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
INDEX = ".safetensors.index"  # in the name of a JSON file that says which shard has which tensor
WHOLE = ("model.safetensors", "model.safetensors.index.json", "open_clip_model.safetensors")
SHARD = re.compile(r"-\d{5}-of-(\d{5})\.safetensors$")


PICKLE = (
    "is a pickle, and opening a pickle runs whatever code is in it. Look for the model's "
    ".safetensors file. Or convert it once, where you trust it: "
    'state = torch.load(FILE, map_location="cpu", weights_only=True), then '
    'safetensors.torch.save_file(state.get("state_dict", state), "model.safetensors").'
)


class CheckpointError(ValueError):
    """A file of weights cannot be found, cannot be trusted, or does not hold what it should."""


class CheckpointWarning(UserWarning):
    """Something about a file of weights had to be concluded, and should be looked at."""


def find_weights(name_or_path: str | Path) -> Path:
    """The safetensors file that is meant, or the index of its shards.

    Raises CheckpointError, with what to do, where there is none.
    """
    if name_or_path == MINI:
        return bundled("clip-mini/model.safetensors", "CLIP", "cliplab.train")
    if name_or_path in NAMES:
        files = ["text_encoder/config.json", "text_encoder/model.safetensors"]
        return download(str(name_or_path), files, "492 MB")[-1]
    path = Path(name_or_path).expanduser()
    if path.is_dir():
        return _inside(path / "text_encoder" if (path / "text_encoder").is_dir() else path)
    if path.suffix.lower() in PICKLES:
        raise CheckpointError(f"{path.name} {PICKLE}")
    if not path.is_file():
        raise CheckpointError(
            f"There is no model {str(name_or_path)!r}. Known by name: {', '.join([MINI, *NAMES])}. "
            "Otherwise give the path of a .safetensors file, of a folder with config.json and "
            "model.safetensors, or of a diffusers pipeline."
        )
    if count := SHARD.search(path.name):
        raise CheckpointError(
            f"{path.name} is one of {int(count[1])} shards. Give the path of their index, the "
            ".json file beside them, or of their folder."
        )
    return path


def _inside(folder: Path) -> Path:
    """The weights in a folder: the usual names first, and otherwise the only ones there."""
    for name in WHOLE:
        if (folder / name).is_file():
            return folder / name
    files = sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith("."))
    found = [p for p in files if INDEX in p.name or p.suffix.lower() == ".safetensors"]
    whole = [p for p in found if not SHARD.search(p.name)]
    if len(whole) == 1:
        return whole[0]
    holds = found or [p for p in files if p.suffix.lower() in PICKLES]
    says = f" It holds {listed([p.name for p in holds])}." if holds else ""
    if whole:
        advice = "Give the path of one of them."
    elif found:
        advice = "Shards are read through their index, model.safetensors.index.json: fetch it too."
    elif holds:
        advice = f"That {PICKLE}"
    else:
        advice = "Give the path of a .safetensors file."
    raise CheckpointError(f"The folder {folder} has no model.safetensors.{says} {advice}")


def devices() -> list[str]:
    """The kinds that are there, the fastest first: CUDA, Apple's MPS, the CPU."""
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    return [*(kind for kind, is_there in there.items() if is_there), "cpu"]


def bundled(file: str, what: str, trained_by: str) -> Path:
    """A file of one of the miniatures, inside the package."""
    path = Path(str(resources.files("cliplab") / "assets" / file))
    if not path.is_file():
        raise CheckpointError(
            f"The miniature {what} is not in this copy of the package: {path} is missing. Train "
            f"one, python -m {trained_by}, and give the path of its folder."
        )
    return path


def download(name: str, files: list[str], size: str) -> list[Path]:
    """Files of a known name in the cache of huggingface_hub, filled from its servers.

    A file of a pinned revision that is in the cache is not asked for again, so that this works
    without a network once it has run.
    """
    repository, revision = NAMES[name]
    need("huggingface_hub", "pipeline")
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError

    try:
        return [Path(hf_hub_download(repository, file, revision=revision)) for file in files]
    except (OSError, HfHubHTTPError) as error:
        raise CheckpointError(
            f"The weights of {name!r} ({repository}, {size}) are not on this machine and could not "
            f"be fetched ({type(error).__name__}). Connect once and run this again, give the path "
            f"of a copy, or take {MINI!r}, which comes with the package."
        ) from error


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file; {} where there is no file."""
    try:
        return bpe.read_json(path)
    except ValueError as error:
        raise CheckpointError(str(error)) from None
