"""A name or a folder in diffusers' format → its pipeline: strict, quiet, where it runs best."""

from __future__ import annotations

import inspect
import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from ..checkpoints import CheckpointError
from ..checkpoints.files import MINI, NAMES, Device, bundled, devices, download, read_json
from ..checkpoints.settings import HF_TEXT
from ..checkpoints.weights import in_words, opened, wrong_numbers
from ..checks import listed
from ..extras import need
from .single_file import refuse_file

if TYPE_CHECKING:
    from diffusers import StableDiffusionPipeline

WEIGHTS = {  # of each part that has any
    "text_encoder": "model",
    "unet": "diffusion_pytorch_model",
    "vae": "diffusion_pytorch_model",
}
TOKENIZER = ("vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json")
HALF = (torch.float16, torch.bfloat16)
SMALL_GPU = 10 * 2**30  # bytes of memory below which a GPU needs sparing


def load_pipeline(
    name_or_path: str | Path, *, dtype: torch.dtype | None = None, device: Device = None
) -> StableDiffusionPipeline:
    """Load a text-to-image model as diffusers' own StableDiffusionPipeline.

    name_or_path: "mini", the miniature that comes with the package; "sd15", Stable Diffusion 1.5
        at a pinned revision (fetched once, 2.1 GB in half precision, 4.3 GB in full); or the path
        of a folder in diffusers' format. Weights are read from safetensors only.
    device: None → a GPU if there is one (CUDA, then Apple's MPS), else the CPU; "mini" takes the
        CPU in any case, where it needs no second and its pictures are everyone's.
    dtype: None → float16 on CUDA, float32 elsewhere.

    On a GPU the VAE decodes the pictures of a batch one by one; with less than 10 GB of memory it
    also decodes pictures of more than 512 pixels in tiles, whose seams can be seen at times.
    Attention slicing is left off: torch's fused attention needs no more memory and is faster. For a
    GPU of 4 GB call ``pipe.enable_model_cpu_offload()`` after loading with device="cpu" and
    dtype=torch.float16; it needs the package accelerate.

    The safety checker is left out, with a warning where the model has one: show nothing to others
    unseen. Raises CheckpointError, with what to do, when the model is not there or not whole, and
    MissingExtra without diffusers.
    """
    if device is None:
        device = "cpu" if name_or_path == MINI else devices()[0]
    device = torch.device(device)
    if dtype is None:
        dtype = torch.float16 if device.type == "cuda" else torch.float32
    for library in ("diffusers", "transformers"):
        need(library, "pipeline")
    folder = find_folder(name_or_path, dtype)
    pipe = open_folder(folder, dtype).to(device)
    if device.type != "cpu":
        pipe.vae.enable_slicing()
    if device.type == "cuda" and torch.cuda.get_device_properties(device).total_memory < SMALL_GPU:
        pipe.vae.enable_tiling()
    return pipe


def open_folder(folder: Path, dtype: torch.dtype) -> StableDiffusionPipeline:
    """The pipeline in a folder, without its safety checker, on the CPU."""
    said = read_json(folder / "model_index.json")
    kind = said.get("_class_name")
    if kind != "StableDiffusionPipeline":
        raise CheckpointError(
            f"{folder} holds a {kind}; this course opens a StableDiffusionPipeline, the "
            "architecture of Stable Diffusion 1.5."
        )
    left_out = {"safety_checker": None, "feature_extractor": None, "image_encoder": None}
    try:
        with quiet():
            from diffusers import StableDiffusionPipeline

            parts = {part: open_part(folder, part, dtype) for part in WEIGHTS}
            pipe = StableDiffusionPipeline.from_pretrained(
                folder, local_files_only=True, requires_safety_checker=False, **parts, **left_out
            )
    except CheckpointError:
        raise
    except (OSError, ValueError, RuntimeError, TypeError, KeyError) as error:
        raise CheckpointError(f"diffusers cannot open {folder}: {error}") from error
    require_fit(pipe, folder)
    if any(said.get("safety_checker") or ()):
        warnings.warn(
            "The safety checker of this model is left out: look at its pictures before you show "
            "them to others.",
            stacklevel=3,
        )
    return pipe


def open_part(folder: Path, part: str, dtype: torch.dtype) -> torch.nn.Module:
    """The text encoder, the U-Net or the VAE. A weight that is missing would be random: refused."""
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import CLIPTextModel

    kinds = {"text_encoder": CLIPTextModel, "unet": UNet2DConditionModel, "vae": AutoencoderKL}
    kind, (variant, file) = kinds[part], weights_in(folder, dtype)[part]
    with opened(file) as weights:
        keys = [key for key in weights.keys() if not key.endswith("position_ids")]  # noqa: SIM118
        dtypes = {key: weights.dtype(key) for key in keys}
    known = HF_TEXT if part == "text_encoder" else inspect.signature(kind.__init__).parameters
    said = read_json(folder / part / "config.json")
    strange = [key for key in said if not key.startswith("_") and key not in known]
    settings = {"settings in config.json that are not known": strange}
    require_none(settings | wrong_numbers(dtypes), folder / part)
    model, info = kind.from_pretrained(
        folder / part,
        torch_dtype=dtype,
        variant=variant,
        use_safetensors=True,
        local_files_only=True,
        output_loading_info=True,
        ignore_mismatched_sizes=True,  # they come back in `info`, and are refused here
    )
    shapes = [f"{key} is {[*a]}, not {[*b]}" for key, a, b in sorted(info["mismatched_keys"])]
    weights_differ = {
        "missing keys": sorted(info["missing_keys"]),
        "unexpected keys": sorted(info["unexpected_keys"]),
        "wrong shapes": shapes,
    }
    require_none(weights_differ, folder / part)
    return model.to(dtype).eval()  # a file of mixed types leaves some as they are


def require_none(problems: dict[str, list[str]], where: Path) -> None:
    """Refuse what any of these lists names, in one error."""
    if found := in_words(problems):
        raise CheckpointError(f"{where}: {'; '.join(found)}.")


def require_fit(pipe: StableDiffusionPipeline, folder: Path) -> None:
    """The widths where two parts meet."""
    meets = [
        ("text encoder's width", pipe.text_encoder.config.hidden_size),
        ("U-Net's cross_attention_dim", pipe.unet.config.cross_attention_dim),
        ("VAE's latent_channels", pipe.vae.config.latent_channels),
        ("U-Net's in_channels", pipe.unet.config.in_channels),
    ]
    for (one, a), (other, b) in (meets[:2], meets[2:]):
        if a != b:
            raise CheckpointError(
                f"The parts in {folder} do not belong together: the {one} is {a}, the {other} {b}."
            )


@contextmanager
def quiet() -> Iterator[None]:
    """Without the libraries' progress bars and notes; what is wrong comes as an error."""
    import diffusers.utils.logging as ours
    import transformers.utils.logging as theirs

    with ExitStack() as afterwards, warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        for library in (ours, theirs):
            afterwards.callback(library.set_verbosity, library.get_verbosity())
            library.set_verbosity(logging.ERROR)
            if library.is_progress_bar_enabled():
                afterwards.callback(library.enable_progress_bar)
                library.disable_progress_bar()
        yield


# Where the folder is, and whether it is whole -----------------------------------------------------


def find_folder(name_or_path: str | Path, dtype: torch.dtype) -> Path:
    """The folder that is meant, with a model_index.json in it."""
    if name_or_path == MINI:
        index = "sd-mini/model_index.json"
        return bundled(index, "Stable Diffusion", "classroom.miniature").parent
    if name_or_path in NAMES:
        variant = "fp16" if dtype in HALF else None
        files = ["model_index.json", "scheduler/scheduler_config.json"]
        files += [f"tokenizer/{file}" for file in TOKENIZER]
        for part in WEIGHTS:
            files += [f"{part}/config.json", weights_file(part, variant)]
        size = f"{'2.1 GB in half' if variant else '4.3 GB in full'} precision"
        return download(str(name_or_path), files, size)[0].parent
    folder = Path(name_or_path).expanduser()
    if folder.is_file():
        refuse_file(folder)
    if folder.is_dir() and not (folder / "model_index.json").is_file():
        found = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
        raise CheckpointError(
            f"The folder {folder} has no model_index.json, so it is none in diffusers' format. It "
            f"holds {listed(found) or 'nothing'}. A text encoder or a CLIP is opened by "
            "load_text_encoder or load_clip."
        )
    if not folder.is_dir():
        known = ", ".join([MINI, *NAMES])
        raise CheckpointError(
            f"There is no model {str(name_or_path)!r}. Known by name: {known}. Otherwise give the "
            "path of a folder in diffusers' format, with model_index.json, unet, vae, …"
        )
    return folder


def weights_file(part: str, variant: str | None) -> str:
    dotted = f".{variant}" if variant else ""
    return f"{part}/{WEIGHTS[part]}{dotted}.safetensors"


def weights_in(folder: Path, dtype: torch.dtype) -> dict[str, tuple[str | None, Path]]:
    """Of each part, which of the stored weights to read: the variant's name, None for the plain
    ones, and its file or the index of its shards.

    The precision that was asked for comes first, then the other, then a variant that is the only
    one there. Raises CheckpointError for parts that have none, or several others.
    """
    order = ("fp16", None) if dtype in HALF else (None, "fp16")
    chosen, missing = {}, []
    for part in WEIGHTS:
        stored = variants(folder / part, WEIGHTS[part])
        usual = next((v for v in order if v in stored), None)
        if usual in stored:
            chosen[part] = (usual, stored[usual])
        elif len(stored) == 1:
            chosen[part] = next(iter(stored.items()))
        else:
            there = f" (there is {listed([p.name for p in stored.values()])})" if stored else ""
            missing.append(weights_file(part, None) + there)
    if missing:
        raise CheckpointError(
            f"The folder {folder} is not whole: {', '.join(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} missing. Pickles (.bin) are not read, since "
            "opening one runs the code in it."
        )
    return chosen


def variants(folder: Path, stem: str) -> dict[str | None, Path]:
    """The weights in a part's folder by the name of the variant, None for the plain ones."""
    name = re.compile(
        rf"{stem}(?:\.(?P<file>\w+))?\.safetensors|"
        rf"{stem}\.safetensors\.index(?:\.(?P<index>\w+))?\.json"
    )
    files = sorted(folder.iterdir(), reverse=True) if folder.is_dir() else []  # a whole file last
    found = [(match, path) for path in files if (match := name.fullmatch(path.name))]
    return {match["file"] or match["index"]: path for match, path in found}
