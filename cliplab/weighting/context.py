"""What a prompt became: a context, with its tokens and weights row by row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..prompts import Fragment


@dataclass(frozen=True, eq=False)
class Context:
    """A weighted context, and what it was made from; L' is L (77) times the number of chunks.

    tensor [L', D]   in the encoder's type, on its device
    ids [L']         BOS, EOS and padding of every chunk included
    tokens           the vocabulary's strings of the ids
    weights [L']     float64; 1 for BOS, EOS and padding
    owner            for each row the number of its fragment; None for BOS, EOS and padding
    fragments        as the parser gave them
    pooled [E]       of SDXL alone: the second encoder's projected row. ids and tokens are then the
                     first encoder's
    """

    tensor: Tensor
    ids: Tensor
    tokens: list[str]
    weights: Tensor
    owner: list[int | None]
    fragments: list[Fragment]
    pooled: Tensor | None = None

    def __repr__(self) -> str:
        rows, width = self.tensor.shape
        count = len(self.fragments)
        return f"Context({rows} rows of {width}, {count} fragment{'s' * (count != 1)})"


def join(parts: Sequence[Context]) -> Context:
    """Contexts one after another."""
    owner: list[int | None] = []
    fragments: list[Fragment] = []
    for part in parts:
        owner += [k if k is None else k + len(fragments) for k in part.owner]
        fragments += part.fragments
    return Context(
        torch.cat([part.tensor for part in parts]),
        torch.cat([part.ids for part in parts]),
        [token for part in parts for token in part.tokens],
        torch.cat([part.weights for part in parts]),
        owner,
        fragments,
    )
