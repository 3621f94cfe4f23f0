"""Where the weights are: a name, a file, or a folder → one safetensors file."""

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
INDEX = "model.safetensors.index.json"  # which file holds which tensor, where there are several
Device = torch.device | str | None
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")


class CheckpointError(ValueError):
    """A file of weights cannot be found, cannot be trusted, or does not hold what it should."""


def find_weights(name_or_path: str | Path) -> Path:
    """The safetensors file that is meant, or the index of several.

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
    if path.suffix in PICKLES:
        raise CheckpointError(
            f"{path.name} is a pickle, and opening a pickle runs whatever code is in it. Look for "
            "the model's .safetensors file, or convert it where you trust it."
        )
    if not path.is_file():
        raise CheckpointError(
            f"There is no model {str(name_or_path)!r}. Known by name: {', '.join([MINI, *NAMES])}. "
            "Otherwise give the path of a .safetensors file, of a folder with config.json and "
            "model.safetensors, or of a diffusers pipeline."
        )
    return path


def _inside(folder: Path) -> Path:
    for name in ("model.safetensors", INDEX):
        if (folder / name).is_file():
            return folder / name
    found = sorted(p.name for p in folder.iterdir() if p.suffix in (".safetensors", *PICKLES))
    holds = f" It holds {listed(found)}." if found else ""
    raise CheckpointError(
        f"The folder {folder} has no model.safetensors.{holds} Give the path of one .safetensors "
        "file (pickles such as pytorch_model.bin are refused: opening one runs the code in it)."
    )


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
