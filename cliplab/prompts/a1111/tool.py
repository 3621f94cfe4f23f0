"""Automatic1111 as a `Tool`: its grammar, its cuts, its warnings, and how to write for it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ..chunks import Token, Vocabulary, tokens_of
from ..fragment import Fragment
from ..tool import Block
from .blocks import read_blocks
from .cutting import BREAK, CutsAtCommas
from .emphasis import escape, fragments, is_break
from .outside import warn_of_stages


@dataclass(frozen=True)
class A1111(CutsAtCommas):
    """The web UI v1.10.1, as its encoder reads a prompt: BREAK ends a chunk."""

    title: ClassVar[str] = "Automatic1111's syntax"
    method: ClassVar[str] = "restore_mean"
    weighted: ClassVar[str] = "({text}:{weight})"
    says_blocks: ClassVar[bool] = True

    def fragments(self, prompt: str, quirks: bool = True) -> list[Fragment]:
        return fragments(prompt, quirks)

    def tokens(self, fragments: Sequence[Fragment], vocabulary: Vocabulary) -> list[list[Token]]:
        pairs = zip(fragments, tokens_of(fragments, vocabulary), strict=True)
        return [[BREAK] if is_break(fragment) else tokens for fragment, tokens in pairs]

    def warn(self, prompt: str) -> None:
        warn_of_stages(prompt)

    def escape(self, text: str) -> str:
        return escape(text)

    def guard(self, text: str) -> str:
        """CLIP has no capitals and cuts at signs, and emphasis drops a lone backslash."""
        text = re.sub(r"\b(BREAK|AND)\b", lambda m: m[0].lower(), text)
        text = re.sub(r"<(?=\w+:)", r"<\\", text)
        return re.sub(r":(?=\s*[-+]?[\d.]+\s*$)", r":\\", text)

    def blocks(self, prompt: str) -> list[Block]:
        return read_blocks(prompt)

    def join_blocks(self, parts: list[str]) -> str:
        return " BREAK ".join(parts)


TOOL = A1111()
