"""Compel's way down: the context blended with contexts in which nobody may look at a fragment.

Source of all of it: Compel 2.5.1 embeddings_provider.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from ..prompts import Fragment, PromptWarning
from ..prompts.fragment import warn
from .context import Context
from .operators import blend_masked, from_empty


def blend_down(encoder, ids: Tensor, w: Tensor, cut: list, fragments: Sequence[Fragment]) -> Tensor:
    """One prompt, ids and weights [N, L] → its context [N, L, D] (see operators.blend_masked)."""
    padding = torch.tensor([is_padding(chunk) for chunk in cut])  # [N, L]
    seen = ~padding | encoder.settings.see_padding
    base = weighted(encoder, ids, w, seen)
    spans = spans_of(encoder, cut, fragments)
    lighter = [k for k in spans if fragments[k].weight < 1]
    if not lighter:
        return base
    if encoder.settings.downweight == "remove":
        masked = [without(encoder, fragments, k, base) for k in lighter]
    else:
        hidden = [hide(seen, *spans[k], whole_chunks=not encoder.truncate) for k in lighter]
        masked = masked_contexts(encoder, ids, w, seen, base, hidden)
    return blend_masked(base, masked, [fragments[k].weight for k in lighter])


def weighted(encoder, ids: Tensor, w: Tensor, seen: Tensor | None = None) -> Tensor:
    """E_w: encode under a mask [N, L], then move from the empty prompt."""
    C = encoder.run(ids, None if seen is None or seen.all() else seen)
    return from_empty(C, w.to(C), encoder.empty) if (w != 1).any() else C


def masked_contexts(encoder, ids, w, seen, base, hidden: Sequence[Tensor]) -> Iterator[Tensor]:
    """M_k for each mask [N, L]. Only chunks that a mask changes are encoded again, all at once.

    One by one, for all of them together would fill the memory: K fragments times N chunks.
    """
    changed = [(mask != seen).any(dim=1).nonzero().flatten() for mask in hidden]
    masks = torch.cat([mask[which] for mask, which in zip(hidden, changed, strict=True)])
    every = torch.cat(changed)
    again = weighted(encoder, ids[every], w[every], masks).split([len(which) for which in changed])
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


def spans_of(encoder, cut: list, fragments: Sequence[Fragment]) -> dict[int, tuple[int, int]]:
    """First and last row of each fragment that has any, in the chunks laid end to end."""
    rows: dict[int, list[int]] = {}
    for row, token in enumerate(token for chunk in cut for token in chunk):
        if token.fragment is not None:
            rows.setdefault(token.fragment, []).append(row)
    spans = {k: (found[0], found[-1]) for k, found in rows.items()}
    if encoder.truncate and spans:
        # Compel cuts each fragment at 75 by itself, and lets one that is cut again, by the end of
        # the chunk, hide the EOS too.
        k = max(spans)
        own = len(encoder.words.content(fragments[k].text))
        if len(rows[k]) < min(own, encoder.length - 2):
            spans[k] = (spans[k][0], encoder.length - 1)
    return spans


def without(encoder, fragments: Sequence[Fragment], k: int, like: Tensor) -> Tensor:
    """M_k by removal: the prompt without fragment k, whose later tokens move to the left."""
    rest = [*fragments[:k], *fragments[k + 1 :]]
    cut = encoder.chunks_of(rest)[: len(like)]
    ids, w = encoder.table(cut)
    M = weighted(encoder, ids, w)
    if short := len(like) - len(M):
        warn(
            PromptWarning(
                f"Without {fragments[k].text!r:.40} the prompt fills fewer chunks. Compel stops "
                "here with an error; this fills up with the empty prompt."
            )
        )
        M = torch.cat([M, encoder.empty.expand(short, -1, -1)])
    return M


def is_padding(chunk: Sequence) -> list[bool]:
    """True after a chunk's EOS: BOS and EOS have no fragment either, but stand around the words."""
    words = sum(token.fragment is not None for token in chunk)
    return [row > words + 1 for row in range(len(chunk))]


def share_eos(encoder, made: Context) -> Context:
    """Beyond 77 tokens, the EOS row of every chunk becomes the first one's, or the mean of all."""
    if encoder.settings.eos == "own":
        return made
    starts = range(0, len(made.ids), encoder.length)
    is_eos = made.ids == encoder.words.eos
    rows = [start + int(is_eos[start : start + encoder.length].int().argmax()) for start in starts]
    tensor = made.tensor.clone()
    eos = made.tensor[rows]  # [chunks, D]
    tensor[rows] = eos[0] if encoder.settings.eos == "first" else eos.mean(dim=0)
    return replace(made, tensor=tensor)
