"""Where Compel cuts a prompt beyond 77 tokens.

Source: Compel 2.5.1 embeddings_provider.py, _find_next_best_split_point.
"""

from collections.abc import Callable, Sequence
from typing import Literal, get_args

from ..chunks import Token

Split = Literal["sentences", "phrases", "words", "brutal"]
SENTENCE, PHRASE = (".</w>",), (".</w>", ",</w>", ";</w>", ":</w>")
ENDS: dict[str, Callable[[str], bool]] = {  # in this order
    "sentences": lambda symbol: symbol in SENTENCE,
    "phrases": lambda symbol: symbol in PHRASE,
    "words": lambda symbol: symbol.endswith("</w>"),
    "brutal": lambda symbol: False,
}


def cut_after_sentences(
    tokens: Sequence[Token], symbols: Sequence[str], room: int, split: Split = "sentences"
) -> list[list[Token]]:
    """Cut after the last full stop among 75 tokens; if there is none, after the last of . , ; : ;
    if there is none, after the last whole word.

    symbols  the vocabulary's strings of the tokens
    split    where to begin in this list: "sentences", "phrases", "words", or "brutal" (at 75)
    """
    rules = get_args(Split)[get_args(Split).index(split) :]
    chunks: list[list[Token]] = []
    start = 0
    while not chunks or start < len(tokens):
        end = start + room
        if end < len(tokens):
            window = range(end - 1, start - 1, -1)
            found = (i + 1 for rule in rules for i in window if ENDS[rule](symbols[i]))
            end = next(found, end)
        chunks.append(list(tokens[start:end]))
        start = end
    return chunks
