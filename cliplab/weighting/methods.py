"""What weights do to contexts: a `Method` each, which encodes chunks and applies an operator.

A new one is a class and a line in METHODS, at the end. The equations themselves: `operators.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from ..prompts import Fragment
from ..prompts.fragment import warn
from ..prompts.settings import Settings
from . import operators
from .chunk_encoder import Batch, Chunk, ChunkEncoder, table

Span = tuple[int, int]  # first and last row of a fragment, in the chunks laid end to end


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
        return torch.stack([self.blended(encoder, batch, b) for b in range(len(batch.ids))])

    def blended(self, encoder: ChunkEncoder, batch: Batch, b: int) -> Tensor:
        """Prompt b of a batch → its context [N, L, D] (see operators.blend_masked)."""
        fragments, chunks = batch.fragments[b], batch.chunks[b]
        ids, w = batch.ids[b], batch.weights[b]
        padding = torch.tensor([is_padding(chunk) for chunk in chunks])  # [N, L]
        seen = ~padding | self.see_padding
        base = encoder.moved(ids, w, seen)
        spans = spans_of(chunks)
        if encoder.truncate and spans:
            k = max(spans)
            # Compel cuts each fragment at 75 by itself, and lets one that is cut again, by the end
            # of the chunk, hide the EOS too.
            own = len(encoder.words.content(fragments[k].text))
            if sum(token.fragment == k for token in chunks[0]) < min(own, encoder.length - 2):
                spans[k] = (spans[k][0], encoder.length - 1)
        lighter = [k for k in spans if fragments[k].weight < 1]
        if not lighter:
            return base
        masked: Iterable[Tensor]
        if self.downweight == "remove":
            masked = (without(encoder, fragments, k, base) for k in lighter)
        else:
            hidden = [hide(seen, *spans[k], whole_chunks=not encoder.truncate) for k in lighter]
            masked = masked_contexts(encoder, ids, w, seen, base, hidden)
        return operators.blend_masked(base, masked, [fragments[k].weight for k in lighter])


# Compel's way down: contexts in which nobody may look at a fragment -------------------------------
# Source of all of it: Compel 2.5.1 embeddings_provider.py.


def masked_contexts(
    encoder: ChunkEncoder, ids: Tensor, w: Tensor, seen: Tensor, base: Tensor, hidden: list[Tensor]
) -> Iterator[Tensor]:
    """M_k for each mask [N, L]. Only chunks that a mask changes are encoded again, all at once.

    One by one, for all of them together would fill the memory: K fragments times N chunks.
    """
    changed = [(mask != seen).any(dim=1).nonzero().flatten() for mask in hidden]
    masks = torch.cat([mask[which] for mask, which in zip(hidden, changed, strict=True)])
    every = torch.cat(changed)
    again = encoder.moved(ids[every], w[every], masks).split([len(which) for which in changed])
    for which, chunks in zip(changed, again, strict=True):
        M = base.clone()
        M[which.to(M.device)] = chunks
        yield M


def hide(seen: Tensor, first: int, last: int, whole_chunks: bool) -> Tensor:
    """The mask without rows first … last of the chunks laid end to end.

    A fragment that crosses a cut hides EOS, padding and BOS between its two parts; Compel then
    shows the first and the last column of every chunk again.
    """
    mask = seen.flatten().clone()
    mask[first : last + 1] = False
    mask = mask.view_as(seen)
    if whole_chunks:
        mask[:, [0, -1]] = True
    return mask


def spans_of(chunks: Sequence[Chunk]) -> dict[int, Span]:
    """First and last row of each fragment that has any, in the chunks laid end to end."""
    spans: dict[int, Span] = {}
    for row, token in enumerate(token for chunk in chunks for token in chunk):
        if token.fragment is not None:
            spans[token.fragment] = (spans.get(token.fragment, (row, row))[0], row)
    return spans


def without(encoder: ChunkEncoder, fragments: Sequence[Fragment], k: int, like: Tensor) -> Tensor:
    """M_k by removal: the prompt without fragment k, whose later tokens move to the left."""
    rest = [*fragments[:k], *fragments[k + 1 :]]
    ids, w = table(encoder.chunks_of(rest)[: len(like)])
    M = encoder.moved(ids, w)
    if short := len(like) - len(M):
        warn(
            f"Without {fragments[k].text!r:.40} the prompt fills fewer chunks. Compel stops here "
            "with an error; this fills up with the empty prompt."
        )
        M = torch.cat([M, encoder.empty.expand(short, -1, -1)])
    return M


def is_padding(chunk: Chunk) -> list[bool]:
    """True after a chunk's EOS: BOS and EOS have no fragment either, but stand around the words."""
    words = sum(token.fragment is not None for token in chunk)
    return [row > words + 1 for row in range(len(chunk))]


METHODS: dict[str, Method] = {
    "ignore": Ignore(),
    "scale": Scale(),
    "restore_mean": RestoreMean(),
    "from_empty": FromEmpty(),
    "compel": DownWeighting(),
}
