"""What weights do to contexts: a `Method` each, which encodes chunks and applies an operator.

Their names stand in `register.py`; what is computed, in `operators.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..prompts.settings import Settings
from . import operators
from .chunk_encoder import Batch, ChunkEncoder


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
        flat = moved(encoder, batch.ids.flatten(0, 1), batch.weights.flatten(0, 1))
        return flat.view(*batch.ids.shape, -1)


def moved(encoder: ChunkEncoder, ids: Tensor, w: Tensor, seen: Tensor | None = None) -> Tensor:
    """Encode ids [N, L] under a mask [N, L], then move from the empty prompt by w [N, L]."""
    C = encoder.run(ids, None if seen is None or seen.all() else seen)
    return operators.from_empty(C, w.to(C), encoder.empty) if (w != 1).any() else C
