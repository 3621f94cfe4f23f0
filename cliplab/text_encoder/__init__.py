"""The text encoder of Stable Diffusion 1.5, CLIP's, in the lecture's definitions.

Files, in the order in which to read them:

    layers.py   Embedding, LayerNorm, QuickGELUActivation, softmax, CLIPAttention, CLIPMLP,
                CLIPEncoderLayer, CLIPEncoder, CLIPTextEmbeddings               eqs 21–51
    config.py   CLIPTextConfig                                                  eq. 52
    model.py    CLIPTextModel and what it returns                               eqs 6, 11, 48, 53–59
    inputs.py   ids and masks as callers give them
    trace.py    every intermediate, by name
"""

from .config import CLIPTextConfig
from .layers import (
    CLIPMLP,
    CLIPAttention,
    CLIPEncoder,
    CLIPEncoderLayer,
    CLIPTextEmbeddings,
    Embedding,
    LayerNorm,
    QuickGELUActivation,
    softmax,
)
from .model import CLIPTextModel, TextEncoderOutput
from .trace import Trace

__all__ = [
    "CLIPAttention", "CLIPEncoder", "CLIPEncoderLayer", "CLIPMLP", "CLIPTextConfig",
    "CLIPTextEmbeddings", "CLIPTextModel", "Embedding", "LayerNorm", "QuickGELUActivation",
    "TextEncoderOutput", "Trace", "softmax",
]  # fmt: skip
