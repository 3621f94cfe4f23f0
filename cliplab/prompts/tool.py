"""What the course knows of a program that reads prompts: one `Tool` for each, in its own room.

    read      fragments, parse    a prompt's text → fragments → the tree that an encoder follows
    cut       cut, truncated      fragments → chunks of at most 75 tokens
    weigh     method              what weights do, by its name in `cliplab.weighting.METHODS`
    join      eos_rows, repeats   chunks of one prompt; prompts of different lengths
    warn      warn, check         what the tool does beside its encoder, and what it cannot encode
              misplaced           what looks like its own and is words; `marks` are for others
    say       title … typed       what `convert_prompt` asks, to write a prompt for the tool

A tool overrides what it does in a way of its own; the defaults are those of a plain prompt. Its
fields are the settings that it leaves to its users.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Protocol

from ..tokenizer import CLIPTokenizer
from .fragment import Fragment, PromptError, PromptWarning
from .settings import Settings
from .tree import Conjunction, Prompt

if TYPE_CHECKING:
    from torch import Tensor

Block = tuple[int, list[Fragment]]  # where it begins in the prompt, and what it holds
Weighted = list[tuple[int, float]]  # ids and weights of tokens


# Chunks: a prompt beyond 77 tokens is cut, and each piece is encoded by itself. A chunk is BOS + at
# most 75 tokens + EOS + padding. The contexts are joined, so that no word sees across a cut. Each
# tool has a rule of its own for where it cuts; the plainest is here.


class Token(NamedTuple):
    """A position: its id, its weight, the number of its fragment (None: BOS, EOS, padding)."""

    id: int
    weight: float = 1.0
    fragment: int | None = None


Chunks = list[list[Token]]


class Mark(NamedTuple):
    """A stretch of a prompt that is more than words for one tool: how it looks, and what it says.

    advice  what to do where it is words; None: name the syntax, or convert
    """

    pattern: re.Pattern[str]
    says: str
    advice: str | None = None


def first_mark(marks: Iterable[Mark], prompt: str) -> tuple[int, Mark] | None:
    """The mark that a prompt shows first, after its place."""
    found = ((m.start(), mark) for mark in marks if (m := mark.pattern.search(prompt)))
    return min(found, key=lambda one: one[0], default=None)


# Inside a mark's pattern: a weight, and what may follow upon one.
NUMBER = r"(?:\d+(?:\.\d*)?|\.\d+)"
AFTER = r"(?=[\s,.;:!?)]|$)"


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


@dataclass(frozen=True)
class Tool(Settings):
    """A program that reads prompts. It is registered under its syntax's name in `register.py`.

    title        what an error calls its syntax
    method       what weights do to a context when nobody tells it otherwise
    weighted     how it writes a text and a weight, to be formatted
    inescapable  said after a refusal: what it takes for syntax and has no escape for
    precision    how far its weights may be off by rounding, relative
    says_blocks  whether it can begin a new block of 77 rows; then `join_blocks` says how
    marks        by which a prompt shows that it was written for this tool
    reads        names of other tools' marks that it reads as they do; None: it is told nothing of
                 marks, for whatever it cannot read it refuses, or takes for words on purpose

    And of SDXL, which has two encoders:

    same_ids        whether the second gets the first's ids, padded in its own way; otherwise its
                    own tokenizer's
    pools_as_typed  whether the pooled row is that of the prompt as it was typed, syntax and all;
                    otherwise that of the first chunk
    zero_negative   whether an empty negative prompt becomes zeros
    """

    title: ClassVar[str]
    method: ClassVar[str] = "ignore"
    weighted: ClassVar[str] = "{text}"
    inescapable: ClassVar[str] = ""
    precision: ClassVar[float] = 1e-12
    says_blocks: ClassVar[bool] = False
    marks: ClassVar[dict[str, Mark]] = {}
    reads: ClassVar[tuple[str, ...] | None] = None
    same_ids: ClassVar[bool] = False
    pools_as_typed: ClassVar[bool] = False
    zero_negative: ClassVar[bool] = False

    def fragments(self, prompt: str, quirks: bool = True) -> list[Fragment]:
        """The fragments of a prompt, as `parse_prompt` gives them."""
        return [Fragment(prompt, 1.0, 0, len(prompt))]

    def parse(self, prompt: str) -> Conjunction:
        """The tree of a prompt, for an encoder."""
        return Conjunction([Prompt([*self.fragments(prompt)])], [1.0], [])

    def cut(self, fragments: Sequence[Fragment], vocabulary: Vocabulary, room: int) -> Chunks:
        """Tokens in chunks of at most `room`, without BOS and EOS; at least one chunk."""
        return cut_where_full(tokens_of(fragments, vocabulary), room)

    def truncated(self) -> Tool:
        """The tool as it cuts where only the first chunk is kept."""
        return self

    def eos_rows(self, rows: Tensor) -> Tensor:
        """What the EOS rows [N, D] of a prompt's N chunks become."""
        return rows

    def repeats(self, chunks: Sequence[int]) -> list[tuple[int, int]]:
        """How prompts of so many chunks get one length: (how often each, empty chunks after it)."""
        return [(1, max(chunks) - count) for count in chunks]

    def misplaced(self, prompt: str) -> list[Mark]:
        """Marks of its own that are words where they stand in this prompt."""
        return []

    def warn(self, prompt: str) -> None:
        """Warn (PromptWarning) of what the tool takes out of a prompt before it is encoded."""

    def check(
        self, tree: Conjunction, prompt: str, method: str, content: Callable[[str], list[int]]
    ) -> None:
        """Raise PromptError for what the tool reads but cannot encode; warn of what is left out.

        content  a text's ids
        """

    # Writing a prompt for the tool ----------------------------------------------------------------

    def escape(self, text: str) -> str:
        """A text as one writes it so that it means itself."""
        return text

    def guard(self, text: str) -> str:
        """The same tokens, without what the tool takes for syntax and has no escape for."""
        return text

    def refusal(self, weight: float) -> str | None:
        """Why the tool cannot say a weight; None if it can."""
        return None if math.isfinite(weight) else f"in {self.title} weights are finite"

    def blocks(self, prompt: str) -> list[Block]:
        """A prompt as blocks of 77 rows; PromptError for what is more than fragments in blocks."""
        return [(0, self.fragments(prompt))]

    def join_blocks(self, parts: list[str]) -> str:
        """Several blocks as one prompt, where `says_blocks`."""
        raise NotImplementedError

    def typed(self, prompt: str) -> str:
        """What a user types so that the tool gets to read this prompt."""
        return prompt


# What a conversion has to keep: each block's tokens and their weights -----------------------------


@cache
def tokenizer() -> CLIPTokenizer:
    return CLIPTokenizer()


def weighted_tokens(blocks: list[Block]) -> list[Weighted]:
    """For each block, the id and the weight of every token."""
    content = tokenizer().content
    return [[(i, f.weight) for f in fragments for i in content(f.text)] for _, fragments in blocks]


def reads_as(prompt: str, tool: Tool, wanted: list[Weighted], precision: float) -> bool:
    """Whether a prompt gives these tokens with these weights, to a relative precision."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PromptWarning)  # the source has been warned of already
            found = weighted_tokens(tool.blocks(prompt))
    except PromptError:
        return False
    return [len(block) for block in found] == [len(block) for block in wanted] and all(
        i == j and (math.isclose(v, w, rel_tol=precision) or (v != v and w != w))
        for one, other in zip(found, wanted, strict=True)
        for (i, v), (j, w) in zip(one, other, strict=True)
    )
