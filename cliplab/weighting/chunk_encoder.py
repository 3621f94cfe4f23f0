"""A tokenizer, an encoder and a tool's cuts: from fragments to chunks, from chunks to contexts.

Tokenizers and encoders are of two kinds, ours and transformers', and have one face here.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ..checks import whole_number
from ..masks import TruncationWarning
from ..prompts import Fragment, Tool
from ..prompts.fragment import warn
from ..prompts.tool import Token
from ..text_encoder import CLIPTextModel
from ..tokenizer import CLIPTokenizer
from .operators import from_empty

Chunk = list[Token]  # BOS, at most L − 2 tokens, EOS, padding: L in all
Mask = Tensor | None  # [N, L]
AT_ONCE = 16  # chunks in one call of the encoder, so that a long prompt needs no more memory


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
        self.words = tokenizer if isinstance(tokenizer, Words) else Words(tokenizer)
        self.truncate = truncate
        self.cut = (tool.truncated() if truncate else tool).cut
        self.length, layers = sizes(model)
        if self.words.eos >= model.config.vocab_size:
            raise ValueError(
                f"The tokenizer has ids up to {self.words.eos}, the encoder a table of "
                f"{model.config.vocab_size}: give the tokenizer that belongs to the model."
            )
        clip_skip = whole_number("clip_skip, the layers to leave out,", clip_skip, 0, layers)
        self.dtype = next(model.parameters()).dtype
        self.run: Callable[..., Tensor] = functools.partial(
            contexts, model, clip_skip=clip_skip, final_norm=final_norm, learned=self.words.learned
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


# Two kinds of tokenizers and encoders -----------------------------------------------------------


class Words:
    """A tokenizer: `content(text)`, `symbols(ids)`, and the ids `bos`, `eos`, `pad`, `comma`.

    learned  rows [n, D] of the ids behind the vocabulary; None where the encoder's table has all
    """

    content: Callable[[str], list[int]]
    symbols: Callable[[list[int]], list[str]]
    learned: Tensor | None = None

    def __init__(self, tokenizer: Any) -> None:
        if isinstance(tokenizer, CLIPTokenizer):
            self.content, self.symbols = tokenizer.content, tokenizer.tokens
            self.learned = tokenizer.learned_rows
            self.bos, self.eos = tokenizer.bos_id, tokenizer.eos_id
            self.pad, vocabulary = tokenizer.pad_id, tokenizer.vocabulary
        elif hasattr(tokenizer, "convert_ids_to_tokens"):
            if tokenizer.pad_token_id is None:
                raise ValueError(
                    "This tokenizer has no padding: set tokenizer.pad_token, in Stable Diffusion "
                    "1.5 to tokenizer.eos_token."
                )
            # It would warn of more than 77 tokens; but these are cut into chunks.
            how = {"add_special_tokens": False, "verbose": False}
            parts = concepts(tokenizer.get_added_vocab())
            self.content = lambda text: [
                part for i in tokenizer(text, **how)["input_ids"] for part in parts.get(i, [i])
            ]
            self.symbols = tokenizer.convert_ids_to_tokens
            self.bos, self.eos = tokenizer.bos_token_id, tokenizer.eos_token_id
            self.pad, vocabulary = tokenizer.pad_token_id, tokenizer.get_vocab()
        else:
            raise TypeError(
                "The tokenizer is a cliplab.CLIPTokenizer or one of transformers' CLIP tokenizers; "
                f"this is {type(tokenizer).__name__}."
            )
        self.comma: int | None = vocabulary.get(",</w>")


def concepts(added: dict[str, int]) -> dict[int, list[int]]:
    """Of a concept of several vectors, the ids of all: <toy> → <toy>, <toy>_1, <toy>_2, …

    diffusers adds these words to a tokenizer, and puts all of them where the first is typed.
    """
    found = {}
    for name, i in added.items():
        names = itertools.takewhile(added.__contains__, (f"{name}_{n}" for n in itertools.count(1)))
        found[i] = [i, *(added[one] for one in names)]
    return found


def sizes(model: Any) -> tuple[int, int]:
    """L and N: how many positions and how many layers an encoder has; 77 and 12 in SD 1.5."""
    config: Any = getattr(model, "config", None)
    if isinstance(model, CLIPTextModel):
        L, N = config.context_length, config.layers
    elif hasattr(config, "max_position_embeddings"):
        L, N = config.max_position_embeddings, config.num_hidden_layers
    else:
        raise TypeError(
            "The model is a cliplab.CLIPTextModel or one of transformers' CLIP text encoders; "
            f"this is {type(model).__name__}."
        )
    if L < 3:
        raise ValueError(f"A chunk holds BOS, a token and EOS; this encoder has {L} positions.")
    return L, N


@torch.no_grad()
def contexts(
    model: Any,
    ids: Tensor,
    mask: Mask = None,
    clip_skip: int = 0,
    final_norm: bool = True,
    learned: Tensor | None = None,
) -> Tensor:
    """Run an encoder over chunks: ids [N, L] → contexts [N, L, D], in float32.

    mask [N, L] hides what is False from every row of its chunk (beside the causal mask, which is
    always there). clip_skip leaves out the last layers; final_norm False gives the bare hidden
    state, as SDXL uses it. learned: rows of the ids behind its table.
    """
    device = next(model.parameters()).device
    run = run_ours if isinstance(model, CLIPTextModel) else run_transformers
    masks = [None] * len(ids) if mask is None else mask.to(device).split(AT_ONCE)
    parts = zip(ids.to(device).split(AT_ONCE), masks, strict=False)
    with knowing(model, learned):
        return torch.cat([run(model, *part, clip_skip, final_norm) for part in parts]).float()


@contextmanager
def knowing(model: Any, learned: Tensor | None, typed: Tensor | None = None) -> Iterator[None]:
    """Inside, an encoder reads rows [n, D] for the ids behind its table. Its table stays.

    typed: ids whose rows are read in place of those of the ids that the encoder is given.
    Raises ValueError for rows of another width than the table's.
    """
    if learned is None:
        yield
        return
    ours = isinstance(model, CLIPTextModel)
    table = model.embeddings.token_embedding if ours else model.get_input_embeddings()
    V, D = table.weight.shape
    if learned.shape[1] != D:
        raise ValueError(
            f"The learned words have rows of {learned.shape[1]}, this encoder has {D}: they were "
            "learned for another one."
        )
    rows, look_up = learned.to(table.weight), table.forward

    def forward(ids: Tensor) -> Tensor:
        ids = ids if typed is None else typed
        behind = ids >= V
        X: Tensor = look_up(ids.where(~behind, 0))
        X[behind] = rows[ids[behind] - V]
        return X

    table.forward = forward
    try:
        yield
    finally:
        del table.forward


def run_ours(model: Any, ids: Tensor, mask: Tensor | None, clip_skip: int, final_norm: bool) -> Any:
    if final_norm:
        return model(ids, mask, clip_skip=clip_skip, hidden_states=False).context
    return model(ids, mask).hidden_states[-1 - clip_skip]


def run_transformers(model: Any, ids: Tensor, mask: Mask, clip_skip: int, final_norm: bool) -> Any:
    last = clip_skip == 0 and final_norm
    out = model(ids, attention_mask=mask, output_hidden_states=not last)
    if last:
        return out.last_hidden_state
    hidden = out.hidden_states[-1 - clip_skip]
    # With a projection, or before transformers 5.6, the encoder is one level down.
    return getattr(model, "text_model", model).final_layer_norm(hidden) if final_norm else hidden
