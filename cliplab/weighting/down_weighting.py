"""Compel's down-weighting: blend with contexts in which nobody may look at a fragment.

Source of all of it: Compel 2.5.1 embeddings_provider.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import Tensor

from ..prompts import Fragment
from ..prompts.fragment import warn
from .chunk_encoder import Batch, Chunk, ChunkEncoder, table
from .operators import blend_masked

Span = tuple[int, int]  # first and last row of a fragment, in the chunks laid end to end


def blend_down(
    encoder: ChunkEncoder, batch: Batch, b: int, remove: bool, see_padding: bool
) -> Tensor:
    """Prompt b of a batch → its context [N, L, D] (see operators.blend_masked).

    remove  leave the fragment out of the context to blend with, instead of masking it there
    """
    fragments, chunks, ids, w = batch.fragments[b], batch.chunks[b], batch.ids[b], batch.weights[b]
    padding = torch.tensor([is_padding(chunk) for chunk in chunks])  # [N, L]
    seen = ~padding | see_padding
    base = encoder.moved(ids, w, seen)
    spans = spans_of(chunks)
    if encoder.truncate and spans:
        k = max(spans)
        # Compel cuts each fragment at 75 by itself, and lets one that is cut again, by the end of
        # the chunk, hide the EOS too.
        own = len(encoder.words.content(fragments[k].text))
        if sum(token.fragment == k for token in chunks[0]) < min(own, encoder.length - 2):
            spans[k] = (spans[k][0], encoder.length - 1)
    lighter = [k for k in spans if fragments[k].weight < 1]
    if not lighter:
        return base
    masked: Iterable[Tensor]
    if remove:
        masked = (without(encoder, fragments, k, base) for k in lighter)
    else:
        hidden = [hide(seen, *spans[k], whole_chunks=not encoder.truncate) for k in lighter]
        masked = masked_contexts(encoder, ids, w, seen, base, hidden)
    return blend_masked(base, masked, [fragments[k].weight for k in lighter])


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
