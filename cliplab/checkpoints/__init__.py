"""Names and paths → text encoders, and back to files. safetensors and JSON only."""

from .errors import CheckpointError
from .load import load_text_encoder
from .save import save_text_encoder

__all__ = ["CheckpointError", "load_text_encoder", "save_text_encoder"]
