"""Compel as a `Tool`: where it cuts, what it cannot encode, and what it hands to the pipeline."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal, NoReturn, get_args

from ..fragment import Fragment, PromptError
from ..tool import (
    AFTER,
    NUMBER,
    Block,
    Chunks,
    Mark,
    Token,
    Tool,
    Vocabulary,
    tokens_of,
)
from ..tree import Blend, Conjunction, Swap, encoded, prompts_of
from .grammar import escape, fragments, parse, require_encodable
from .whole import read

if TYPE_CHECKING:
    from torch import Tensor

MARKS = {
    "suffix": Mark(
        re.compile(rf"(?<!\\)\)(?:{NUMBER}|\++|-+){AFTER}"),
        "(word)1.3 and (word)++ are weights for Compel",
    ),
    "plus": Mark(  # and no name of a language or an editor
        re.compile(rf"\b(?!(?:notepad|[cg])\+)[^\W\d_]+\+{{2,}}{AFTER}", re.IGNORECASE),
        "word++ is a weight for Compel",
    ),
    "call": Mark(
        re.compile(r"\)\s*\.(?:blend|and|add)\s*\(|[\w\")]\.swap\s*\("),
        ".blend(…), .and(…) and .swap(…) are Compel's",
    ),
}
MISPLACED = Mark(
    re.compile(r"\)\s*\.(?:blend|and|add)\s*\("),
    'Compel reads .blend(…) and .and(…) after a whole prompt alone: ("…", "…").blend(…)',
    "cliplab.convert_prompt, too, takes it for words.",
)
Split = Literal["sentences", "phrases", "words", "brutal"]
ENDS: dict[str, Callable[[str], bool]] = {  # from one rule to the next, in this order
    "sentences": lambda symbol: symbol == ".</w>",
    "phrases": lambda symbol: symbol in (".</w>", ",</w>", ";</w>", ":</w>"),
    "words": lambda symbol: symbol.endswith("</w>"),
}


def cut_after_sentences(
    tokens: Sequence[Token], symbols: Sequence[str], room: int, split: Split = "sentences"
) -> Chunks:
    """Cut after the last full stop among 75 tokens; if there is none, after the last of . , ; : ;
    if there is none, after the last whole word.

    symbols  the vocabulary's strings of the tokens
    split    where to begin in this list: "sentences", "phrases", "words", or "brutal" (at 75)
    Source: Compel 2.5.1 embeddings_provider.py, _find_next_best_split_point.
    """
    rules = [*ENDS.values()][get_args(Split).index(split) :]
    chunks: Chunks = []
    start = 0
    while not chunks or start < len(tokens):
        end = start + room
        if end < len(tokens):
            window = range(end - 1, start - 1, -1)
            found = (i + 1 for is_end in rules for i in window if is_end(symbols[i]))
            end = next(found, end)
        chunks.append([*tokens[start:end]])
        start = end
    return chunks


@dataclass(frozen=True)
class Compel(Tool):
    """Compel 2.5.1.

    split  where chunks may end: "sentences", "phrases", "words", "brutal"
    eos    beyond 77 tokens: a chunk has its "own" EOS row, that of the "first" chunk, or the
           "mean" of all
    """

    title = "Compel's syntax"
    method = "compel"
    weighted = "({text}){weight}"
    inescapable = ": + and - weigh the word before, and text in brackets is cut at commas and dots"
    says_blocks = True
    pools_as_typed = True
    marks: ClassVar = MARKS
    reads = ()
    fragments = staticmethod(fragments)
    parse = staticmethod(parse)
    escape = staticmethod(escape)

    split: Split = "sentences"
    eos: Literal["own", "first", "mean"] = "own"

    def cut(self, fragments: Sequence[Fragment], vocabulary: Vocabulary, room: int) -> Chunks:
        tokens = tokens_of(fragments, vocabulary)
        symbols = vocabulary.symbols([token.id for token in tokens])
        return cut_after_sentences(tokens, symbols, room, self.split)

    def truncated(self) -> Compel:
        return replace(self, split="brutal")

    def eos_rows(self, rows: Tensor) -> Tensor:
        if self.eos == "own":
            return rows
        return (rows[0] if self.eos == "first" else rows.mean(dim=0)).expand_as(rows)

    def misplaced(self, prompt: str) -> list[Mark]:
        in_vain = MISPLACED.pattern.search(prompt) and not read(prompt).operator
        return [MISPLACED] if in_vain else []

    def check(
        self, tree: Conjunction, prompt: str, method: str, content: Callable[[str], list[int]]
    ) -> None:
        require_encodable(tree, prompt)
        for part in tree.prompts:
            if isinstance(part, Blend) and part.normalize and sum(part.weights) == 0:
                message = "The weights of this blend add up to 0, by which it cannot be divided."
                advice = "Write others, or no_normalize after them."
                raise PromptError(f"{message} {advice}", prompt, tree.place)
        for one in prompts_of(tree) if method == self.method else []:
            for fragment in encoded(one.fragments):
                if fragment.weight < 1 and not content(fragment.text):
                    message = "There is no token here to weigh down."
                    raise PromptError(message, prompt, fragment.start)

    def guard(self, text: str) -> str:
        return re.sub(r"(?<=[^\s+-])(?=[+-])", " ", text)

    def refusal(self, weight: float) -> str | None:
        return super().refusal(weight) or (
            f"in {self.title} weights are 0 or more" if weight < 0 else None
        )

    def blocks(self, prompt: str) -> list[Block]:
        def refuse(message: str, position: int) -> NoReturn:
            rule = "Only fragments and their weights convert."
            raise PromptError(f"{message} {rule}", prompt, position)

        tree = parse(prompt)
        if not tree.prompts:
            refuse("There is no prompt here.", 0)
        for lora in tree.loras:
            refuse("This loads a network, and is no text.", lora.start)
        blocks: list[Block] = []
        for part, weight in zip(tree.prompts, tree.weights, strict=True):
            if isinstance(part, Blend):
                refuse("`.blend` adds contexts up.", tree.place)
            for item in part.fragments:
                if isinstance(item, Swap):
                    refuse("`.swap` edits the picture's cross-attention.", item.start)
            if weight != 1:
                refuse("This `.and` weighs whole prompts.", tree.place)
            found = encoded(part.fragments)
            blocks.append((found[0].start, found))
        return blocks

    def join_blocks(self, parts: list[str]) -> str:
        lines = (" ".join(part.split()) for part in parts)  # a quotation must end on its line
        return "(" + ", ".join(f'"{line}"' for line in lines) + ").and()"


TOOL = Compel()
