"""Weights on a context: the lecture's definition, what the tools do instead, and the way there.

    operators.py       PW (eqs 12–13), scale (eq. 14), restore_mean, from_empty, blend_masked
    chunk_encoder.py   from fragments to chunks, from chunks to contexts
    methods.py         what weights do: METHODS, the list of them; Compel's way down
    context.py         Context, the result
    encoder.py         PromptEncoder
    sdxl.py            SDXLPromptEncoder: two of them, side by side, and the pooled row
    encode.py          encode_prompt, prompt_embeds

How each tool reads and cuts a prompt, and which method is its own: `cliplab.prompts`.
Source: Lecture eqs 11–14; the tools' code, where each function says.
"""

from .context import Context
from .encode import encode_prompt, prompt_embeds
from .encoder import PromptEncoder
from .methods import METHODS
from .operators import blend_masked, from_empty, prompt_weighting, restore_mean, scale
from .sdxl import SDXLPromptEncoder

__all__ = [
    "METHODS", "Context", "PromptEncoder", "SDXLPromptEncoder", "blend_masked", "encode_prompt",
    "from_empty", "prompt_embeds", "prompt_weighting", "restore_mean", "scale",
]  # fmt: skip
