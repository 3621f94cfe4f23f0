"""What weights do to contexts: a `Method` each, which encodes chunks and applies an operator.

A new one is a class and a line in METHODS. The equations themselves: `operators.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from ..prompts.settings import Settings
from . import operators
from .chunk_encoder import Batch, ChunkEncoder
from .down_weighting import blend_down


@dataclass(frozen=True)
class Method(Settings):
    """A way to weigh. Its fields are the settings that it leaves to its users."""

    def weigh(self, batch: Batch, encoder: ChunkEncoder) -> Tensor:
        """The weighted contexts [B, N, L, D] of a batch, in float32."""
        raise NotImplementedError

    def weigh_part(self, C: Tensor, weight: float, e: Tensor) -> Tensor:
        """A whole part of a conjunction, C [L', D], moved from the empty prompt e [L', D]."""
        return e + weight * (C - e)


class Ignore(Method):
    """The contexts as they are."""

    def weigh(self, batch: Batch, encoder: ChunkEncoder) -> Tensor:
        return encoder.contexts(batch)

    def weigh_part(self, C: Tensor, weight: float, e: Tensor) -> Tensor:
        return C


class Scale(Method):
    """Each row times its weight."""

    def weigh(self, batch: Batch, encoder: ChunkEncoder) -> Tensor:
        C = encoder.contexts(batch)
        return operators.scale(C, batch.weights.to(C))


class RestoreMean(Method):
    """Each row times its weight, then the old mean: chunk by chunk, over all prompts of a batch."""

    def weigh(self, batch: Batch, encoder: ChunkEncoder) -> Tensor:
        C = encoder.contexts(batch)
        chunk_by_chunk = zip(C.unbind(1), batch.weights.to(C).unbind(1), strict=True)
        return torch.stack([operators.restore_mean(*chunk) for chunk in chunk_by_chunk], dim=1)


class FromEmpty(Method):
    """Each row along the line from the empty prompt's."""

    def weigh(self, batch: Batch, encoder: ChunkEncoder) -> Tensor:
        flat = encoder.moved(batch.ids.flatten(0, 1), batch.weights.flatten(0, 1))
        return flat.view(*batch.ids.shape, -1)


@dataclass(frozen=True)
class DownWeighting(Method):
    """From the empty prompt; then Compel's blend, for each fragment of a weight below 1.

    downweight   "mask" the fragment, or "remove" it, in the context to blend with
    see_padding  whether padding may be looked at, as it may in Stable Diffusion
    """

    downweight: Literal["mask", "remove"] = "mask"
    see_padding: bool = True

    def weigh(self, batch: Batch, encoder: ChunkEncoder) -> Tensor:
        how = self.downweight == "remove", self.see_padding
        return torch.stack([blend_down(encoder, batch, b, *how) for b in range(len(batch.ids))])


METHODS: dict[str, Method] = {
    "ignore": Ignore(),
    "scale": Scale(),
    "restore_mean": RestoreMean(),
    "from_empty": FromEmpty(),
    "compel": DownWeighting(),
}
