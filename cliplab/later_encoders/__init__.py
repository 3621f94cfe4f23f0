"""The text encoders that came after: T5, decoder models, and SDXL's pair of CLIPs.

Files, in the order in which to read them:

    config.py      T5Config, DecoderConfig
    norm.py        RMSNorm
    positions.py   where a token stands, told to the scores: RelativePositionBias, RotaryEmbedding
    t5.py          T5EncoderModel: every token sees every other; SD 3, Flux.1, PixArt, Chroma
    decoder.py     DecoderModel: a language model's hidden states; Qwen3 and Llama
    sdxl.py        SDXLTextEncoders: two CLIPs, side by side

Parameters are named as in transformers. A traced pass walks through the equations, an untraced one
takes torch's kernels, as in `cliplab.text_encoder`.
"""

from .config import DecoderConfig, T5Config
from .decoder import DecoderLayer, DecoderModel, GroupedQueryAttention, SwiGLU
from .norm import RMSNorm
from .positions import RelativePositionBias, RotaryEmbedding, relative_position_bucket, rotate
from .sdxl import SDXLOutput, SDXLTextEncoders
from .t5 import GatedGELU, T5Attention, T5Block, T5EncoderModel, T5Stack

__all__ = [
    "DecoderConfig", "DecoderLayer", "DecoderModel", "GatedGELU",
    "GroupedQueryAttention", "RMSNorm", "RelativePositionBias",
    "RotaryEmbedding", "SDXLOutput", "SDXLTextEncoders", "SwiGLU", "T5Attention", "T5Block",
    "T5Config", "T5EncoderModel", "T5Stack", "relative_position_bucket", "rotate",
]  # fmt: skip
