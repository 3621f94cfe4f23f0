"""Chunks: a prompt beyond 77 tokens is cut, and each piece is encoded by itself.

A chunk is BOS + at most 75 tokens + EOS + padding. The contexts are joined, so that no word sees
across a cut. Each tool has a rule of its own for where it cuts; the plainest is here.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from .fragment import Fragment


class Token(NamedTuple):
    """A position: its id, its weight, the number of its fragment (None: BOS, EOS, padding)."""

    id: int
    weight: float = 1.0
    fragment: int | None = None


Chunks = list[list[Token]]


class Vocabulary(Protocol):
    """What cutting asks of a tokenizer: ids of a text, strings of ids, and the comma's id."""

    content: Callable[[str], list[int]]
    symbols: Callable[[list[int]], list[str]]
    comma: int | None


def tokens_of(fragments: Sequence[Fragment], vocabulary: Vocabulary) -> list[Token]:
    """The tokens of fragments, which are tokenized one by one."""
    return [
        Token(i, fragment.weight, k)
        for k, fragment in enumerate(fragments)
        for i in vocabulary.content(fragment.text)
    ]


def cut_where_full(tokens: Sequence[Token], room: int) -> Chunks:
    """Chunks of `room` tokens, and what is left; one empty chunk if there are no tokens."""
    return [list(tokens[i : i + room]) for i in range(0, max(1, len(tokens)), room)]
