"""A folder of diffusers' with an SDXL pipeline → both tokenizers and both text encoders."""

from pathlib import Path

import torch

from ..later_encoders import SDXLTextEncoders
from ..text_encoder import CLIPTextModel
from ..tokenizer import CLIPTokenizer
from .files import CheckpointError, Device
from .load import load_text_encoder

PARTS = ("tokenizer", "tokenizer_2", "text_encoder", "text_encoder_2")


def load_sdxl(
    folder: str | Path, *, dtype: torch.dtype | None = None, device: Device = None
) -> tuple[tuple[CLIPTokenizer, CLIPTokenizer], SDXLTextEncoders]:
    """Open the text half of a local SDXL pipeline: (tok, tok_2), SDXLTextEncoders.

    folder: in diffusers' format; its U-Net and VAE are left alone.
    dtype: None → as in the files. device: None → CPU.
    tok_2 pads as its files say, with 0 in SDXL. Raises CheckpointError where a part is missing, is
    no CLIP, or does not fit the others.
    """
    folder = Path(folder).expanduser()
    if missing := [part for part in PARTS if not (folder / part).is_dir()]:
        raise CheckpointError(
            f"{folder} is no SDXL pipeline in diffusers' format: it has no folder "
            f"{', '.join(missing)}."
        )
    toks, encoders = [], []
    for one, other in zip(PARTS[:2], PARTS[2:], strict=True):
        encoder = load_text_encoder(folder / other, dtype=dtype, device=device)
        if not isinstance(encoder, CLIPTextModel):
            raise CheckpointError(f"{folder / other} holds no CLIP: {type(encoder).__name__}.")
        tokenizer = CLIPTokenizer.load(folder / one)
        if tokenizer.vocab_size > encoder.config.vocab_size:
            raise CheckpointError(
                f"{folder / one} has {tokenizer.vocab_size:,} entries, but {other} knows "
                f"{encoder.config.vocab_size:,} ids: they do not belong together."
            )
        toks.append(tokenizer)
        encoders.append(encoder)
    try:
        pair = SDXLTextEncoders(*encoders)
    except ValueError as error:
        raise CheckpointError(f"{folder}: {error}") from None
    return (toks[0], toks[1]), pair.eval()
