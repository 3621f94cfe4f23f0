"""A file where a pipeline's folder was wanted: what it is, and what opens it."""

from pathlib import Path

from ..checkpoints import CheckpointError
from ..checkpoints.files import find_weights
from ..checkpoints.places import find, require_no_adapter, unknown
from ..checkpoints.weights import opened

SDXL = "conditioner.embedders."
UNET = "model.diffusion_model."


def refuse_file(path: Path) -> None:
    """Raise CheckpointError that says what a file holds and how to come by a pipeline's folder."""
    with opened(find_weights(path)) as weights:
        keys = weights.keys()
        require_no_adapter(keys)
    places = find(keys)
    text = [f"load_text_encoder({str(path)!r}{choice(place.prefix, places)})" for place in places]
    if any(key.startswith(UNET) for key in keys):
        if any(key.startswith(SDXL) for key in keys):
            says = (
                "a single file of SDXL, whose architecture this course does not paint with; it "
                "paints with that of Stable Diffusion 1.5."
            )
        else:
            says = (
                "a single file of Stable Diffusion, and load_pipeline opens folders in diffusers' "
                "format. Make one of it, once and with a network, since the configuration is not "
                f"in the file: diffusers.StableDiffusionPipeline.from_single_file({str(path)!r})"
                ".save_pretrained(FOLDER)."
            )
    elif places:
        says = "no pipeline but a text encoder."
    else:
        raise CheckpointError(
            f"{path} is a file, and no folder in diffusers' format. {unknown(keys)}"
        )
    encoders = f" Text encoders open as they are: {', '.join(text)}." if text else ""
    raise CheckpointError(f"{path} is {says}{encoders}")


def choice(prefix: str, places: list) -> str:
    return f", prefix={prefix!r}" if len(places) > 1 else ""
