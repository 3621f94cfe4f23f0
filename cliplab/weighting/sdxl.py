"""SDXL's two encoders under one prompt: each weighs for itself, and the second has the pooled row.

What a tool does for SDXL beyond SD 1.5 is said by its `Tool`: whether both encoders get the same
ids, what the pooled row is read from, and whether an empty negative prompt becomes zeros.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, overload

import torch

from ..checks import one_of, whole_number
from ..later_encoders import SDXLTextEncoders
from ..prompts import TOOLS
from ..prompts.tool import Token
from .chunk_encoder import Words, knowing, table
from .context import Context
from .encoder import PromptEncoder, Prompts


class SDXLPromptEncoder:
    """A tool's habits on SDXL: call it with a prompt, or with several.

    tokenizers  (tok, tok_2), ours or transformers'
    model       `cliplab.SDXLTextEncoders`, or transformers' pair of encoders
    The other arguments are those of `encode_prompt`; final_norm is SDXL's own, False.
    Raises TypeError for what is not two and two, ValueError where both encoders are to get the same
    ids and their tokenizers have learned different words.
    Source: A1111 v1.10.1 modules/sd_hijack_clip.py, sd_hijack_open_clip.py; ComfyUI a125cd8
    comfy/sdxl_clip.py; Compel 2.5.1 CompelForSDXL.
    """

    def __init__(
        self,
        tokenizers: Sequence[Any],
        model: Any,
        syntax: str = "a1111",
        method: str | None = None,
        *,
        clip_skip: int = 0,
        **options: Any,
    ) -> None:
        if isinstance(model, SDXLTextEncoders):
            model = (model.text_encoder, model.text_encoder_2)
        if not all(isinstance(two, (tuple, list)) and len(two) == 2 for two in (tokenizers, model)):
            raise TypeError("SDXL takes two tokenizers, (tok, tok_2), and two encoders.")
        if "final_norm" in options:
            raise TypeError("SDXL's encoders have no setting final_norm: the norm is left out.")
        one_of("syntax", syntax, TOOLS)
        words, words_2 = map(Words, tokenizers)
        if TOOLS[syntax].same_ids:
            rows, rows_2 = (
                0 if one.learned is None else len(one.learned) for one in (words, words_2)
            )
            if rows != rows_2:
                raise ValueError(
                    f"{syntax} gives both encoders the same ids: learn each word in both "
                    "tokenizers, in one order and with as many rows."
                )
            words_2.content, words_2.symbols = words.content, words.symbols
        skip = 1 + whole_number("clip_skip, the layers to leave out,", clip_skip, 0)
        self.first, self.second = (
            PromptEncoder(one, encoder, syntax, method, clip_skip=skip, final_norm=False, **options)
            for one, encoder in zip((words, words_2), model, strict=True)
        )
        self.model_2 = model[1]

    @overload
    def __call__(self, prompt: str) -> Context: ...
    @overload
    def __call__(self, prompt: list[str] | tuple[str, ...]) -> list[Context]: ...
    def __call__(self, prompt: Prompts) -> Context | list[Context]:
        """The context of a prompt; of several prompts their contexts, brought to one length."""
        if not isinstance(prompt, (list, tuple)):
            return self([prompt])[0]
        trees = [self.first.read(text) for text in prompt]

        def half(encoder: PromptEncoder) -> list[Context]:
            pairs = zip(trees, prompt, strict=True)
            return [encoder.finish(encoder.conjunction(tree), text) for tree, text in pairs]

        left, right = half(self.first), half(self.second)
        pooled = [self.pooled(text, one) for text, one in zip(prompt, right, strict=True)]
        left, right = self.first.same_length(left), self.second.same_length(right)
        return [self.side_by_side(*parts) for parts in zip(left, right, pooled, strict=True)]

    def side_by_side(self, left: Context, right: Context, pooled: torch.Tensor) -> Context:
        """Both halves as one; where one fills fewer chunks, empty ones go after it."""
        more = (len(right.tensor) - len(left.tensor)) // self.first.encoder.length
        left, right = self.first.longer(left, more), self.second.longer(right, -more)
        rows = torch.cat([left.tensor, right.tensor], dim=-1)  # [L', D_1 + D_2]
        return replace(left, tensor=rows, pooled=pooled)

    def zeroes(self, negatives: Prompts) -> bool:
        """Whether the tool makes zeros of these negative prompts, as A1111 does of empty ones."""
        return self.first.tool.zero_negative and not any(negatives)

    @torch.no_grad()
    def pooled(self, prompt: str, right: Context) -> torch.Tensor:
        """The second encoder's projected EOS row [E]: of its first chunk, with no weight in it.

        By SDXL's rule the largest id is EOS. A learned word is larger, and is pooled instead, but
        not in tools that encode it under the id 0.
        """
        encoder = self.second.encoder
        ids = right.ids[: encoder.length]
        if self.second.tool.pools_as_typed:
            content = encoder.words.content(prompt)[: encoder.length - 2]
            ids = table([encoder.frame([Token(i) for i in content])])[0][0]
        ids = ids[None].to(next(self.model_2.parameters()).device)
        given = ids.where(ids <= encoder.words.eos, 0) if self.second.tool.same_ids else ids
        with knowing(self.model_2, encoder.words.learned, typed=ids):
            embeds: torch.Tensor = self.model_2(given).text_embeds
        return embeds[0]
