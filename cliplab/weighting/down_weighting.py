"""Compel's down-weighting: blend with contexts in which nobody may look at a fragment.

Source of all of it: Compel 2.5.1 embeddings_provider.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from ..prompts import Fragment, PromptWarning
from ..prompts.fragment import warn
from .chunk_encoder import Batch, Chunk, ChunkEncoder, table
from .methods import Method, moved
from .operators import blend_masked

Span = tuple[int, int]  # first and last row of a fragment, in the chunks laid end to end


@dataclass(frozen=True)
class DownWeighting(Method):
    """From the empty prompt; then the blend, for each fragment of a weight below 1.

    downweight   "mask" the fragment, or "remove" it, in the context to blend with
    see_padding  whether padding may be looked at, as it may in Stable Diffusion
    """

    downweight: Literal["mask", "remove"] = "mask"
    see_padding: bool = True

    def weigh(self, batch: Batch, encoder: ChunkEncoder) -> Tensor:
        each = zip(batch.fragments, batch.chunks, batch.ids, batch.weights, strict=True)
        return torch.stack([self.blend(encoder, *prompt) for prompt in each])

    def blend(
        self,
        encoder: ChunkEncoder,
        fragments: Sequence[Fragment],
        chunks: list[Chunk],
        ids: Tensor,
        w: Tensor,
    ) -> Tensor:
        """One prompt, ids and weights [N, L] → its context [N, L, D] (operators.blend_masked)."""
        padding = torch.tensor([is_padding(chunk) for chunk in chunks])  # [N, L]
        seen = ~padding | self.see_padding
        base = moved(encoder, ids, w, seen)
        spans = spans_of(chunks)
        if encoder.truncate:
            spans |= cut_span(encoder, chunks, fragments, spans)
        lighter = [k for k in spans if fragments[k].weight < 1]
        if not lighter:
            return base
        masked: Iterable[Tensor]
        if self.downweight == "remove":
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
    again = moved(encoder, ids[every], w[every], masks).split([len(which) for which in changed])
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


def cut_span(
    encoder: ChunkEncoder,
    chunks: Sequence[Chunk],
    fragments: Sequence[Fragment],
    spans: dict[int, Span],
) -> dict[int, Span]:
    """The last fragment's span where the end of the chunk cuts it: it hides the EOS too.

    Compel cuts each fragment at 75 tokens by itself; one that is cut again has this longer span.
    """
    if not spans:
        return {}
    k = max(spans)
    own = len(encoder.words.content(fragments[k].text))
    rows = sum(token.fragment == k for chunk in chunks for token in chunk)
    return {k: (spans[k][0], encoder.length - 1)} if rows < min(own, encoder.length - 2) else {}


def without(encoder: ChunkEncoder, fragments: Sequence[Fragment], k: int, like: Tensor) -> Tensor:
    """M_k by removal: the prompt without fragment k, whose later tokens move to the left."""
    rest = [*fragments[:k], *fragments[k + 1 :]]
    ids, w = table(encoder.chunks_of(rest)[: len(like)])
    M = moved(encoder, ids, w)
    if short := len(like) - len(M):
        warn(
            PromptWarning(
                f"Without {fragments[k].text!r:.40} the prompt fills fewer chunks. Compel stops "
                "here with an error; this fills up with the empty prompt."
            )
        )
        M = torch.cat([M, encoder.empty.expand(short, -1, -1)])
    return M


def is_padding(chunk: Chunk) -> list[bool]:
    """True after a chunk's EOS: BOS and EOS have no fragment either, but stand around the words."""
    words = sum(token.fragment is not None for token in chunk)
    return [row > words + 1 for row in range(len(chunk))]
