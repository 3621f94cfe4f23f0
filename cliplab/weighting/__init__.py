"""Weights on a context: the lecture's definition, what the tools do instead, and the way there.

    definition.py   PW, any map on any subset of the rows           eqs 12–13
    operators.py    scale (eq. 14), restore_mean, from_empty, blend_masked
    chunks.py       beyond 77 tokens: where each tool cuts
    adapters.py     our tokenizers and encoders, and transformers'
    down.py         Compel's contexts in which a fragment is not seen
    context.py      Context, the result
    settings.py     what each tool does by itself, and what its users choose
    outside.py      what is left to the tool, said in a warning
    encoder.py      PromptEncoder
    encode.py       encode_prompt, prompt_embeds

Source: Lecture eqs 11–14; the tools' code, where each function says.
"""

from .context import Context
from .definition import prompt_weighting
from .encode import encode_prompt, prompt_embeds
from .encoder import PromptEncoder
from .operators import blend_masked, from_empty, restore_mean, scale
from .settings import METHODS

__all__ = [
    "METHODS",
    "Context",
    "PromptEncoder",
    "blend_masked",
    "encode_prompt",
    "from_empty",
    "prompt_embeds",
    "prompt_weighting",
    "restore_mean",
    "scale",
]
