"""Prompts beyond 77 tokens: where each tool cuts, and what a chunk looks like.

A chunk is BOS + at most 75 tokens + EOS + padding. Chunks are encoded apart and their contexts
joined, so that no word sees across a cut; the tools differ in where they cut.
"""

from collections.abc import Sequence
from typing import NamedTuple

SENTENCE, PHRASE = (".</w>",), (".</w>", ",</w>", ";</w>", ":</w>")
SPLITS = ("sentences", "phrases", "words", "brutal")
SHORT = 8  # ComfyUI keeps a segment together that has fewer tokens


class Token(NamedTuple):
    """A position: its id, its weight, the number of its fragment (None: BOS, EOS, padding)."""

    id: int
    weight: float = 1.0
    fragment: int | None = None


BREAK = Token(-1)  # A1111's BREAK, between tokens: the chunk ends here


def cut_a1111(
    tokens: Sequence[Token], room: int, comma: int | None, backtrack: int = 20
) -> list[list[Token]]:
    """Cut when 75 are full; if a comma stands among the last `backtrack`, right after it.

    BREAK ends a chunk wherever it stands. Source: A1111 v1.10.1 modules/sd_hijack_clip.py,
    tokenize_line; setting "Prompt word wrap length limit" (20).
    """
    chunks, chunk, after_comma = [], [], None
    for token in tokens:
        if token is BREAK:
            chunks.append(chunk)
            chunk, after_comma = [], None
            continue
        if token.id == comma:
            after_comma = len(chunk) + 1
        elif len(chunk) == room and after_comma and room - after_comma < backtrack:
            chunks.append(chunk[:after_comma])
            chunk, after_comma = chunk[after_comma:], None
        if len(chunk) == room:
            chunks.append(chunk)
            chunk, after_comma = [], None
        chunk.append(token)
    return [*chunks, chunk] if chunk or not chunks else chunks


def cut_comfyui(groups: Sequence[Sequence[Token]], room: int) -> list[list[Token]]:
    """Keep a weighted segment whole if it has fewer than 8 tokens, else cut it where 75 are full.

    Source: ComfyUI a125cd8 comfy/sd1_clip.py, SDTokenizer.tokenize_with_weights.
    """
    chunks = [[]]
    for group in groups:
        while len(chunks[-1]) + len(group) > room:
            fits = room - len(chunks[-1]) if len(group) >= min(SHORT, room + 1) else 0
            chunks[-1] += group[:fits]
            group = group[fits:]
            chunks.append([])
        chunks[-1] += group
    return chunks


def cut_compel(
    tokens: Sequence[Token], symbols: Sequence[str], room: int, split: str = "sentences"
) -> list[list[Token]]:
    """Cut after the last full stop among 75 tokens; if there is none, after the last of . , ; : ;
    if there is none, after the last whole word.

    symbols  the vocabulary's strings of the tokens
    split    where to begin in this list: "sentences", "phrases", "words", or "brutal" (at 75)
    Source: Compel 2.5.1 embeddings_provider.py, _find_next_best_split_point.
    """
    ends = {
        "sentences": lambda s: s in SENTENCE,
        "phrases": lambda s: s in PHRASE,
        "words": lambda s: s.endswith("</w>"),
        "brutal": lambda s: False,
    }
    chunks, start = [], 0
    while not chunks or start < len(tokens):
        end = start + room
        if end < len(tokens):
            window = range(end - 1, start - 1, -1)
            rules = [ends[rule] for rule in SPLITS[SPLITS.index(split) :]]
            found = (i + 1 for is_end in rules for i in window if is_end(symbols[i]))
            end = next(found, end)
        chunks.append(list(tokens[start:end]))
        start = end
    return chunks


def frame(chunk: Sequence[Token], bos: int, eos: int, pad: int, length: int) -> list[Token]:
    """BOS + chunk + EOS + padding, all of weight 1 but the chunk's own tokens."""
    framed = [Token(bos), *chunk, Token(eos)]
    return framed + [Token(pad)] * (length - len(framed))
