"""Names and paths → text encoders and whole CLIPs, and back to files. safetensors and JSON only."""

from .files import CheckpointError
from .load import load_text_encoder
from .load_sdxl import load_sdxl
from .load_whole import load_clip
from .save import save_clip, save_text_encoder

__all__ = [
    "CheckpointError", "load_clip", "load_sdxl", "load_text_encoder", "save_clip",
    "save_text_encoder",
]  # fmt: skip
