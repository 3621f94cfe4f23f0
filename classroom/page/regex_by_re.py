"""The little of `regex` that the tokenizer uses, on Python's own `re`; a page has no `regex`.

`re` knows no classes of Unicode such as \\p{L}. They are written out from `characters.json`, which
the book's build makes of what `regex` itself says of every character.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

CLASSES = json.loads(Path(__file__).with_name("characters.json").read_text(encoding="utf-8"))
PIECE = re.compile(r"\\p\{\w+\}|\\s|\\.|[\[\]]|[^\\\[\]]+", re.DOTALL)


def compile(pattern: str, flags: int = 0) -> re.Pattern[str]:
    """A pattern whose classes of characters are written out."""
    if flags:
        raise NotImplementedError("A page has no flags for patterns.")
    written, inside = "", False
    for piece in PIECE.findall(pattern):
        if piece in CLASSES:
            written += CLASSES[piece] if inside else f"[{CLASSES[piece]}]"
        else:
            inside = piece == "[" or (inside and piece != "]")
            written += piece
    return re.compile(written)


def finditer(pattern: str, text: str) -> Iterator[re.Match[str]]:
    """The places at which a pattern stands in a text."""
    return compile(pattern).finditer(text)


def findall(pattern: str, text: str) -> list:
    """What `re.findall` gives."""
    return compile(pattern).findall(text)
