"""A tokenizer, an encoder and a tool's cuts: from fragments to chunks, from chunks to contexts."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ..masks import TruncationWarning
from ..prompts import Fragment, Tool
from ..prompts.chunks import Token
from ..prompts.fragment import warn
from .adapters import Words, contexts, sizes
from .operators import from_empty

Chunk = list[Token]  # BOS, at most L − 2 tokens, EOS, padding: L in all


class Batch(NamedTuple):
    """B prompts of N chunks each; empty chunks fill up those that have fewer.

    fragments   of each prompt
    chunks      [B][N][L] tokens
    ids         [B, N, L]
    weights     [B, N, L], float64; 1 for BOS, EOS and padding
    """

    fragments: Sequence[Sequence[Fragment]]
    chunks: list[list[Chunk]]
    ids: Tensor
    weights: Tensor


class ChunkEncoder:
    """What a method may ask: to cut fragments, and to encode chunks.

    words, length  the tokenizer, and L
    truncate       whether the first chunk alone is kept
    run            ids [N, L], mask [N, L] or None → contexts [N, L, D], in float32
    dtype          the encoder's own type
    """

    def __init__(
        self,
        tokenizer: Any,
        model: Any,
        tool: Tool,
        clip_skip: int,
        final_norm: bool,
        truncate: bool,
    ) -> None:
        self.words, self.truncate = Words(tokenizer), truncate
        self.cut = (tool.truncated() if truncate else tool).cut
        self.length, layers = sizes(model)
        if self.words.eos >= model.config.vocab_size:
            raise ValueError(
                f"The tokenizer has ids up to {self.words.eos}, the encoder a table of "
                f"{model.config.vocab_size}: give the tokenizer that belongs to the model."
            )
        if not isinstance(clip_skip, int) or not 0 <= clip_skip <= layers:
            raise ValueError(
                f"clip_skip counts layers to leave out: 0 to {layers}, not {clip_skip!r}."
            )
        self.dtype = next(model.parameters()).dtype
        self.run: Callable[..., Tensor] = functools.partial(
            contexts, model, clip_skip=clip_skip, final_norm=final_norm
        )

    def frame(self, chunk: Sequence[Token] = ()) -> Chunk:
        """BOS + chunk + EOS + padding, all of weight 1 but the chunk's own tokens."""
        framed = [Token(self.words.bos), *chunk, Token(self.words.eos)]
        return framed + [Token(self.words.pad)] * (self.length - len(framed))

    def chunks_of(self, fragments: Sequence[Fragment]) -> list[Chunk]:
        """Fragments cut as the tool cuts: chunks of L tokens."""
        return [self.frame(chunk) for chunk in self.cut(fragments, self.words, self.length - 2)]

    def batch(self, prompts: Sequence[Sequence[Fragment]]) -> Batch:
        """B prompts, as fragments → their chunks, as many for each."""
        cut = [self.kept(self.chunks_of(fragments)) for fragments in prompts]
        N = max(map(len, cut))
        cut = [chunks + [self.frame()] * (N - len(chunks)) for chunks in cut]
        ids, weights = zip(*map(table, cut), strict=True)
        return Batch(prompts, cut, torch.stack(ids), torch.stack(weights))

    def kept(self, chunks: list[Chunk]) -> list[Chunk]:
        """All chunks, or the first one with a warning when the prompt is to be truncated."""
        if not self.truncate or len(chunks) == 1:
            return chunks
        lost = [token.id for chunk in chunks[1:] for token in chunk if token.fragment is not None]
        what = f"The prompt fills {len(chunks)} chunks and one is kept; tokens lost: {len(lost)}."
        warn(TruncationWarning(what, [lost]))
        return chunks[:1]

    def contexts(self, batch: Batch) -> Tensor:
        """The contexts [B, N, L, D] of all chunks, before any weight."""
        return self.run(batch.ids.flatten(0, 1)).view(*batch.ids.shape, -1)

    def moved(self, ids: Tensor, w: Tensor, seen: Tensor | None = None) -> Tensor:
        """Encode ids [N, L] under a mask [N, L], then move from the empty prompt by w [N, L]."""
        C = self.run(ids, None if seen is None or seen.all() else seen)
        return from_empty(C, w.to(C), self.empty) if (w != 1).any() else C

    @functools.cached_property
    def empty(self) -> Tensor:
        """e [L, D]: the context of the empty prompt."""
        return self.run(table([self.frame()])[0])[0]


def table(chunks: Sequence[Chunk]) -> tuple[Tensor, Tensor]:
    """Ids and weights [N, L] of one prompt's chunks."""
    ids = torch.tensor([[token.id for token in chunk] for chunk in chunks])
    w = torch.tensor([[token.weight for token in chunk] for chunk in chunks], dtype=torch.float64)
    return ids, w
