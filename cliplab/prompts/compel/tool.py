"""Compel as a `Tool`: its grammar, its cuts and EOS rows, its warnings, and how to write for it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal

from ..chunks import Token, Vocabulary, tokens_of
from ..fragment import Fragment
from ..tool import Block, Tool
from ..tree import Conjunction
from .blocks import join_blocks, read_blocks
from .check import refuse_unencodable, warn_of_pipeline
from .cutting import Split, cut_after_sentences
from .grammar import escape, fragments, parse

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Compel(Tool):
    """Compel 2.5.1.

    split  where chunks may end: "sentences", "phrases", "words", "brutal"
    eos    beyond 77 tokens: a chunk has its "own" EOS row, that of the "first" chunk, or the
           "mean" of all
    """

    title: ClassVar[str] = "Compel's syntax"
    method: ClassVar[str] = "compel"
    weighted: ClassVar[str] = "({text}){weight}"
    inescapable: ClassVar[str] = (
        ": + and - weigh the word before, and text in brackets is cut at commas and dots"
    )
    says_blocks: ClassVar[bool] = True

    split: Split = "sentences"
    eos: Literal["own", "first", "mean"] = "own"

    def fragments(self, prompt: str, quirks: bool = True) -> list[Fragment]:
        return fragments(prompt, quirks)

    def parse(self, prompt: str) -> Conjunction:
        return parse(prompt)

    def cut(
        self, fragments: Sequence[Fragment], vocabulary: Vocabulary, room: int
    ) -> list[list[Token]]:
        tokens = [token for group in tokens_of(fragments, vocabulary) for token in group]
        symbols = vocabulary.symbols([token.id for token in tokens])
        return cut_after_sentences(tokens, symbols, room, self.split)

    def truncated(self) -> Compel:
        return replace(self, split="brutal")

    def eos_rows(self, rows: Tensor) -> Tensor:
        if self.eos == "own":
            return rows
        shared = rows[0] if self.eos == "first" else rows.mean(dim=0)
        return shared.expand_as(rows)

    def check(
        self, tree: Conjunction, prompt: str, method: str, content: Callable[[str], list[int]]
    ) -> None:
        warn_of_pipeline(tree, prompt)
        refuse_unencodable(tree, prompt, content if method == self.method else None)

    def escape(self, text: str) -> str:
        return escape(text)

    def guard(self, text: str) -> str:
        return re.sub(r"(?<=[^\s+-])(?=[+-])", " ", text)

    def refusal(self, weight: float) -> str | None:
        if math.isfinite(weight) and weight < 0:
            return f"in {self.title} weights are 0 or more"
        return super().refusal(weight)

    def blocks(self, prompt: str) -> list[Block]:
        return read_blocks(prompt, parse(prompt))

    def join_blocks(self, parts: list[str]) -> str:
        return join_blocks(parts)


TOOL = Compel()
