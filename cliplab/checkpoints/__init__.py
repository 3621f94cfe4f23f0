"""Names and paths → text encoders and whole CLIPs, and back to files. safetensors and JSON only.

Files, in the order in which a path goes through them:

    files.py       a name, a file, a folder → the file that is meant, or the index of its shards
    weights.py     the tensors of open files, by name
    places.py      which of them are an encoder: what stands before its keys
    layouts.py     the four sets of names
    settings.py    what is known of config.json and its like: a table, key by key
    beside.py      those files, read by the table
    stored.py      the tensors of one encoder → a model, once every key has been looked at
    load.py        … → a text encoder;  load_whole.py  … → a CLIP
    load_later.py  … → a T5 or a decoder;  load_sdxl.py  … → SDXL's tokenizers and encoders
    save.py        the way back
"""

from .files import CheckpointError, CheckpointWarning
from .load import load_text_encoder
from .load_sdxl import load_sdxl
from .load_whole import load_clip
from .save import save_clip, save_text_encoder

__all__ = [
    "CheckpointError", "CheckpointWarning", "load_clip", "load_sdxl", "load_text_encoder",
    "save_clip", "save_text_encoder",
]  # fmt: skip
