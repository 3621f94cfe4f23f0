"""From a prompt to its context in one call, and to what a diffusers pipeline takes."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .context import Context
from .encoder import PromptEncoder


def encode_prompt(
    prompt: str | list[str] | tuple[str, ...],
    tokenizer: Any,
    model: Any,
    syntax: str = "a1111",
    method: str | None = None,
    *,
    clip_skip: int = 0,
    final_norm: bool = True,
    truncate: bool = False,
    **settings: Any,
) -> Context | list[Context]:
    """A prompt with weights → its context as a tool makes it; ``.tensor`` is [L', D].

    prompt      a str; or a list of them, which gives a list of contexts of one length (see
                `PromptEncoder.same_length`)
    tokenizer   ours or transformers'; model: `cliplab.CLIPTextModel` or transformers' CLIPTextModel
    syntax      how the prompt is read: "a1111", "comfyui", "compel", "lecture" or "plain"
    method      what the weights do: "scale", "restore_mean", "from_empty", "compel" (as in
                `cliplab.weighting`), "ignore" (nothing). None: what the tool of that syntax does
    clip_skip   last layers to leave out, one fewer than A1111's "Clip skip" says; final_norm False
                leaves out the final LayerNorm as well, as SDXL does
    truncate    keep the first chunk only (TruncationWarning); otherwise L' = 77 × chunks
    settings    what the tool and the method leave to their users: `comma_backtrack` of A1111;
                `split` and `eos` of Compel, `downweight` and `see_padding` of its method

    Fragments are tokenized one by one; BOS, EOS and padding have weight 1. The arithmetic is
    float32, the result of the encoder's type. Raises PromptError for a prompt that cannot be read,
    or whose weights leave the type's range; TypeError for a setting that neither the tool nor the
    method has. Warns (PromptWarning) of what a tool would do outside the encoder and this does not:
    AND, schedules, `<lora:…>`, `.swap`, `withLora`. Names of textual inversions are encoded as the
    words they are. No gradient is kept.
    Source: Lecture eqs 11–14; A1111 v1.10.1, ComfyUI a125cd8, Compel 2.5.1.
    """
    encoder = PromptEncoder(
        tokenizer,
        model,
        syntax,
        method,
        clip_skip=clip_skip,
        final_norm=final_norm,
        truncate=truncate,
        **settings,
    )
    return encoder(prompt)


def prompt_embeds(
    prompt: str | list[str] | tuple[str, ...],
    negative: str | list[str] | tuple[str, ...],
    tokenizer: Any,
    model: Any,
    **options: Any,
) -> dict[str, Tensor]:
    """What a diffusers pipeline takes in place of its prompts; both [B, L', D], of one length.

        embeds = cliplab.prompt_embeds("a (red:1.3) cat", "", pipe.tokenizer, pipe.text_encoder)
        pipe(**embeds)

    prompt, negative  a str, or B of them; one negative serves all prompts
    options           those of `encode_prompt`
    Raises ValueError when there is no prompt, or a list of negatives of another length.
    """
    prompts = list(prompt) if isinstance(prompt, (list, tuple)) else [prompt]
    negatives = list(negative) if isinstance(negative, (list, tuple)) else [negative] * len(prompts)
    if not prompts:
        raise ValueError("There is no prompt: give a str, or a list of at least one.")
    if len(negatives) != len(prompts):
        raise ValueError(
            f"There are {len(prompts)} prompts and {len(negatives)} negative prompts: give one "
            "negative, or one for each prompt."
        )
    made = PromptEncoder(tokenizer, model, **options).contexts(prompts + negatives)
    embeds = torch.stack([context.tensor for context in made])
    B = len(prompts)
    return {"prompt_embeds": embeds[:B], "negative_prompt_embeds": embeds[B:]}
