"""From prompts to what a diffusers pipeline takes: for SD 1.5's encoder, and for SDXL's two."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..later_encoders import SDXLTextEncoders
from ..prompts.fragment import require_prompt
from .context import Context
from .encoder import PromptEncoder, Prompts
from .sdxl import SDXLPromptEncoder


def prompt_encoder(
    tokenizer: Any, model: Any, *arguments: Any, **options: Any
) -> PromptEncoder | SDXLPromptEncoder:
    """SDXL's where there are two encoders, and otherwise SD 1.5's."""
    two = isinstance(tokenizer, (tuple, list)) or isinstance(model, SDXLTextEncoders)
    return (SDXLPromptEncoder if two else PromptEncoder)(tokenizer, model, *arguments, **options)


def encode_prompt(
    prompt: Prompts,
    tokenizer: Any,
    model: Any,
    syntax: str = "a1111",
    method: str | None = None,
    **options: Any,
) -> Context | list[Context]:
    """A prompt with weights → its context as a tool makes it; ``.tensor`` is [L', D].

    prompt      a str; or a list of them, which gives a list of contexts of one length (see
                `PromptEncoder.same_length`)
    tokenizer   ours or transformers'; model: `cliplab.CLIPTextModel` or transformers' CLIPTextModel
                For SDXL (tok, tok_2) and `cliplab.SDXLTextEncoders`, or transformers' two; the
                result has ``.pooled`` [E] too
    syntax      how the prompt is read: "a1111", "comfyui", "compel", "sdcpp", "lecture" or
                "plain"
    method      what the weights do: "scale", "restore_mean", "from_empty", "compel" (as in
                `cliplab.weighting`), "ignore" (nothing). None: what the tool of that syntax does
    options     clip_skip (0): last layers to leave out, one fewer than A1111's "Clip skip" says;
                final_norm (True): False leaves out the final LayerNorm as well, as SDXL does;
                truncate (False): keep the first chunk only (TruncationWarning), otherwise
                L' = 77 × chunks; and what the tool and the method leave to their users:
                `comma_backtrack` of A1111; `split` and `eos` of Compel, `downweight` and
                `see_padding` of its method

    Fragments are tokenized one by one; BOS, EOS and padding have weight 1. The arithmetic is
    float32, the result of the encoder's type. Raises PromptError for a prompt that cannot be read,
    or whose weights leave the type's range; TypeError for a setting that neither the tool nor the
    method has. Warns (PromptWarning) of what a tool would do outside the encoder and this does not:
    AND, schedules, `<lora:…>`, `.swap`, `withLora`. Learned words (`CLIPTokenizer.learn`, or those
    that diffusers has loaded) get their weight on each of their rows. No gradient is kept.
    Source: Lecture eqs 11–14; A1111 v1.10.1, ComfyUI a125cd8, Compel 2.5.1.
    """
    return prompt_encoder(tokenizer, model, syntax, method, **options)(prompt)


def prompt_embeds(
    prompt: Prompts, negative: Prompts | None, tokenizer: Any, model: Any, **options: Any
) -> dict[str, Tensor]:
    """What a diffusers pipeline takes in place of its prompts; both [B, L', D], of one length.

        embeds = cliplab.prompt_embeds("a (red:1.3) cat", "", pipe.tokenizer, pipe.text_encoder)
        pipe(**embeds)

    prompt, negative  a str, or B of them; one negative serves all prompts. For SDXL a negative of
                      None gives zeros, as in diffusers; and so does "" under A1111's syntax
    options           those of `encode_prompt`

    For SDXL there are pooled_prompt_embeds and negative_pooled_prompt_embeds [B, E] too.
    Raises ValueError when there is no prompt, or a list of negatives of another length.
    """
    encoder, zeros = prompt_encoder(tokenizer, model, **options), False
    if isinstance(encoder, SDXLPromptEncoder):
        zeros = negative is None or encoder.zeroes(negative)
        negative = "" if negative is None else negative
    prompts, negatives = read_prompts(prompt, negative)
    made = encoder(prompts + negatives)
    found = {"prompt_embeds": torch.stack([context.tensor for context in made])}
    if pooled := [context.pooled for context in made if context.pooled is not None]:
        found["pooled_prompt_embeds"] = torch.stack(pooled)
    B = len(prompts)
    return {name: rows[:B] for name, rows in found.items()} | {
        f"negative_{name}": torch.zeros_like(rows[B:]) if zeros else rows[B:]
        for name, rows in found.items()
    }


def read_prompts(prompt: Prompts, negative: Prompts | None) -> tuple[list[str], list[str]]:
    """B prompts and B negative prompts; one negative serves all."""
    prompts = list(prompt) if isinstance(prompt, (list, tuple)) else [prompt]
    if not prompts:
        raise ValueError("There is no prompt: give a str, or a list of at least one.")
    negatives: list[Any] = (
        list(negative) if isinstance(negative, (list, tuple)) else [negative] * len(prompts)
    )
    for text in prompts + negatives:
        require_prompt(text)
    if len(negatives) != len(prompts):
        raise ValueError(
            f"There are {len(prompts)} prompts and {len(negatives)} negative prompts: give one "
            "negative, or one for each prompt."
        )
    return prompts, negatives
