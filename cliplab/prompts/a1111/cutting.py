"""Where Automatic1111 cuts a prompt beyond 77 tokens.

Source: A1111 v1.10.1 modules/sd_hijack_clip.py, tokenize_line; setting "Prompt word wrap length
limit" (20).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ..chunks import Chunks, Token, Vocabulary, tokens_of
from ..fragment import Fragment
from ..tool import Tool

BREAK = Token(-1)  # between tokens: the chunk ends here


def cut_at_commas(
    tokens: Sequence[Token], room: int, comma: int | None, backtrack: int = 20
) -> Chunks:
    """Cut when 75 are full; if a comma stands among the last `backtrack`, right after it.

    BREAK ends a chunk wherever it stands.
    """
    chunks: Chunks = []
    chunk: list[Token] = []
    after_comma = None
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


@dataclass(frozen=True)
class CutsAtCommas(Tool):
    """A tool that cuts as A1111 does.

    comma_backtrack  how far back a comma may stand for a chunk to end there; 0: nowhere
    """

    comma_backtrack: int = 20

    def cut(self, fragments: Sequence[Fragment], vocabulary: Vocabulary, room: int) -> Chunks:
        tokens = tokens_of(fragments, vocabulary)
        return cut_at_commas(tokens, room, vocabulary.comma, self.comma_backtrack)
