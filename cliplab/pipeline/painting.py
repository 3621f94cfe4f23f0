"""What was painted: pictures, every step's latents, contexts, and where each word was looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from PIL.Image import Image
from torch import Tensor

from ..tokenizer.bpe import CHAR_TO_BYTE, END_OF_WORD
from ..weighting import Context


@dataclass(eq=False)
class Painting:
    """What `generate` gives, for B prompts.

    images     B PIL pictures
    latents    [B, C, h, w] before the first step (the noise), then after each call of the
               scheduler; on the pipeline's device, in its type. Most schedulers are called once a
               step; PNDM, which Stable Diffusion 1.5 comes with, once more in all
    contexts   what each prompt became, with its tokens, weights and fragments; negatives likewise
    seeds, steps, guidance   with which the same is painted again
    """

    images: list[Image]
    latents: list[Tensor]
    contexts: list[Context]
    negatives: list[Context]
    seeds: list[int]
    steps: int
    guidance: float
    watch: Callable[[], Tensor] = field(repr=False)  # paints again → [B, L', h, w]

    def __repr__(self) -> str:
        B, _, h, w = self.latents[0].shape
        return (
            f"Painting({B} picture{'s' * (B != 1)}, {self.steps} steps, "
            f"guidance {self.guidance:g}, latents of {h} × {w})"
        )

    @cached_property
    def word_maps(self) -> list[list[tuple[str, Tensor]]]:
        """For each picture its words in order, each with a map [h, w] of where it was looked at.

        A map is the share of the attention that a place gives to the tokens of the word, averaged
        over heads, layers and steps, conditional half only. It has as many places as the finest
        layer with attention: in Stable Diffusion 1.5 those of the latents. The pictures are painted
        once more to find out, when this is first asked for, with the pipeline as it then is.
        """
        return [
            [(word, maps[rows].sum(dim=0)) for word, rows in words_of(context)]
            for context, maps in zip(self.contexts, self.watch(), strict=True)
        ]


def words_of(context: Context) -> list[tuple[str, list[int]]]:
    """The words of a context, each with its rows; the vocabulary's strings say where words end."""
    words, rows, text = [], [], ""
    for row, (symbol, owner) in enumerate(zip(context.tokens, context.owner, strict=True)):
        if owner is None:  # BOS, EOS, padding
            continue
        rows.append(row)
        text += symbol.removesuffix(END_OF_WORD)
        if symbol.endswith(END_OF_WORD):
            typed = bytes(CHAR_TO_BYTE[char] for char in text).decode(errors="replace")
            words.append((typed, rows))
            rows, text = [], ""
    return words
