r"""stable-diffusion.cpp: Automatic1111's emphasis, ported to C++ with another mind about escapes.

    (a)  [a]  (a:1.3)  BREAK    as in Automatic1111, in floats of 32 bits; nested, they multiply
    \(                          the character itself, and the only escape

Quirks, which ``quirks=False`` refuses:

    \)  \[  \]  \\    keep their backslash: `\(cat\)` is "(cat\)"
    :1.2)             without an open bracket is left out
    (a: 1.3)  (a:1,2) no weight: text, and the bracket counts 1.1
    (a:1.2.3)         weight 1.2: what is left after a number is dropped
    (a   a)           brackets that do not pair: they reach to the end, or are text
    DAYBREAK          "DAY" and a BREAK, for the end of a word is enough
    (a BREAK b)       in brackets, BREAK is a word with a negative weight
    (a:1.2)(b:1.2)    "ab", one word

A BREAK with nothing before it, or right after another, begins no block. Schedules, AND and comments
are text; the program's own tags, `<lora:a:1>`, are taken out before the parser, and are text here.

Source: stable-diffusion.cpp as vendored in stable-diffusion-cpp-python 0.4.7, src/util.cpp:
parse_prompt_attention; src/conditioner.hpp: tokenize, apply_token_weights.
"""

import re
import struct
from collections.abc import Sequence
from itertools import groupby

import numpy as np

from .a1111.emphasis import Span, is_break, join, merge, weigh
from .a1111.strict import check_joints
from .a1111.tool import AND_ALONE
from .fragment import Fragment, PromptError, require_prompt, without_gc
from .tool import Block, Chunks, Mark, Token, Tool, Vocabulary, cut_where_full, weighted_tokens

(ROUND,) = struct.unpack("f", struct.pack("f", 1.1))  # in its floats of 32 bits
(SQUARE,) = struct.unpack("f", struct.pack("f", 1 / ROUND))
TOKEN = re.compile(
    r"""
    \\ [][()\\]
  | : (?P<weight> [+-]? [.\d]+ ) \)           # the weight and the end of a round bracket
  | BREAK (?!\w)                              # looked for at the start of what is left to read
  | [^][()\\:B]+
  | .
    """,
    re.VERBOSE | re.ASCII | re.DOTALL,
)
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)")
LIKE_NUMBER = re.compile(r":(?=\s*[-+]*[.,]?\d[\d.,eE+-]*\s*\))")
MESSAGES = {
    "number": "{typed:.40} is no number from 1.2e-38 to 3.4e38, and stable-diffusion.cpp stops at "
    "it: write one such as (word:1.2).",
    "rest": "stable-diffusion.cpp takes {typed:.40} for {number:.40} and drops the rest: write a "
    "weight with one dot.",
    "lost": "stable-diffusion.cpp leaves this out, for no round bracket is open: write ( before "
    "what it weighs, or a space after the colon.",
    "text": "stable-diffusion.cpp takes this for text: a weight is digits, right after the colon, "
    "as in (word:1.2).",
    "backslash": r"stable-diffusion.cpp keeps this backslash as text; only \( is an escape: leave "
    "it out, or find other words.",
    "closing": "This bracket closes nothing, and is text: leave it out, or open it before.",
    "open": "This bracket is not closed, and reaches to the end: close it.",
    "tail": "stable-diffusion.cpp takes the end of this word for a BREAK: write it in small "
    "letters.",
    "BREAK": "In brackets, BREAK is a word with a negative weight: close the brackets before it "
    "and open them again after it.",
}


@without_gc
def fragments(prompt: str, quirks: bool = True) -> list[Fragment]:
    """The fragments of a prompt as stable-diffusion.cpp reads them, weights exact to the last bit.

    quirks=False raises PromptError at the quirks that the module's docstring lists. A BREAK is
    ``Fragment("BREAK", -1.0, …)``. Raises PromptError for a weight that the program stops at.
    Source: parse_prompt_attention; weights are multiplied in float32.
    """
    require_prompt(prompt)
    pieces, spans = _read(prompt, quirks)
    runs = merge(pieces, weigh(pieces, spans, np.float32))
    if not quirks:
        check_joints(prompt, [run for _, run in runs])
    return [join(weight, run) for weight, run in runs]


def _read(prompt: str, quirks: bool) -> tuple[list[Fragment], list[Span]]:
    """Pieces of text at their first weights; the reach of every bracket, in order of closing."""

    def refuse(quirk: str, position: int) -> None:
        if not quirks:
            raise PromptError(MESSAGES[quirk], prompt, position)

    pieces: list[Fragment] = []
    spans: list[Span] = []
    # For each open bracket: how many pieces stood before it, and its place. Kinds may cross.
    opened: dict[str, list[tuple[int, int]]] = {"(": [], "[": []}

    def close(bracket: str, factor: float) -> None:
        spans.append(Span(opened[bracket].pop()[0], len(pieces), factor))

    for match in TOKEN.finditer(prompt):
        token, start, end = match[0], match.start(), match.end()
        if token in opened:
            opened[token].append((len(pieces), start))
        elif match["weight"]:
            if opened["("]:
                close("(", _number(prompt, match, quirks))
            else:
                refuse("lost", start)
        elif token == ")" and opened["("]:
            close("(", ROUND)
        elif token == "]" and opened["["]:
            close("[", SQUARE)
        elif token == "BREAK":
            if re.match(r"\w", prompt[start - 1 : start]):
                refuse("tail", start)
            if opened["("] or opened["["]:
                refuse("BREAK", start)
            pieces.append(Fragment(token, -1.0, start, end))
        else:
            if token in (")", "]"):
                refuse("closing", start)
            elif token[0] == "\\" and token not in ("\\", r"\("):
                refuse("backslash", start)
            elif opened["("] and LIKE_NUMBER.match(prompt, start):
                refuse("text", start)
            text = "(" if token == r"\(" else token
            pieces.append(Fragment(text, 1.0, end - len(text), end))
    for bracket, factor in (("(", ROUND), ("[", SQUARE)):
        for first, place in opened[bracket]:
            refuse("open", place)
            spans.append(Span(first, len(pieces), factor))
    return pieces or [Fragment("", 1.0, 0, 0)], spans


def _number(prompt: str, match: re.Match[str], quirks: bool) -> float:
    """The weight that a bracket names, as C++ reads it: the longest number in front."""
    typed, start = match["weight"], match.start("weight")
    number = NUMBER.match(typed)
    if not number or not _can_be_said(float(number[0])) or _vanishes(number[0]):
        raise PromptError(MESSAGES["number"].format(typed=typed), prompt, start)
    if not quirks and number[0] != typed:
        message = MESSAGES["rest"].format(typed=typed, number=number[0])
        raise PromptError(message, prompt, start)
    return float(np.float32(float(number[0])))


def _can_be_said(weight: float) -> bool:
    """Whether a weight is 0, or neither too small nor too great for a float of 32 bits."""
    with np.errstate(over="ignore"):
        size = abs(np.float32(weight))
    limits = np.finfo(np.float32)
    return weight == 0 or bool(limits.tiny <= size <= limits.max)


def _vanishes(number: str) -> bool:
    """Whether a number that is not 0 is so small that even Python's float makes 0 of it."""
    return float(number) == 0 and bool(number.strip("+-.0"))


MISPLACED = [
    Mark(
        re.compile(AND_ALONE),
        "AND parts a prompt for Automatic1111, not for stable-diffusion.cpp",
        "Convert each of the parts by itself.",
    ),
    Mark(
        re.compile(r"(?<!\\)\[[^\[\]():|]*[:|][^\[\]]*\]"),
        "[a:b:5] and [a|b] change from step to step for Automatic1111, not for "
        "stable-diffusion.cpp",
        "cliplab.prompts.a1111.schedule has the text of each step.",
    ),
]


class StableDiffusionCpp(Tool):
    """The program and its bindings, for Stable Diffusion 1.5.

    For SDXL it restores one mean over the columns of both encoders; here each encoder restores its
    own. What it does with ids, padding and an empty negative is as here. Read, not run.
    """

    title = "stable-diffusion.cpp's syntax"
    method = "restore_mean"
    weighted = "({text}:{weight})"
    inescapable = r": [ always opens a bracket, and ) closes one; \( is its only escape"
    precision = 1e-6
    says_blocks = True
    same_ids = zero_negative = True
    reads = ("weight", "emphasis", "square", "join")
    fragments = staticmethod(fragments)

    def cut(self, fragments: Sequence[Fragment], vocabulary: Vocabulary, room: int) -> Chunks:
        """Where 75 are full, and at each BREAK: the program fills up with EOS, as it pads."""
        chunks: Chunks = []
        for apart, block in groupby(enumerate(fragments), key=lambda pair: is_break(pair[1])):
            if not apart:
                tokens = [
                    Token(i, f.weight, k) for k, f in block for i in vocabulary.content(f.text)
                ]
                chunks += cut_where_full(tokens, room) if tokens else []
        return chunks or [[]]

    def misplaced(self, prompt: str) -> list[Mark]:
        return MISPLACED

    def escape(self, text: str) -> str:
        return text.replace("(", r"\(")

    def guard(self, text: str) -> str:
        """CLIP has no capitals and cuts at signs."""
        text = re.sub(r"BREAK(?!\w)", "break", text, flags=re.ASCII)
        return re.sub(r":(?=[+-]?[.\d]+\))", ": ", text)

    def refusal(self, weight: float) -> str | None:
        rule = f"in {self.title} weights are floats of 32 bits, from 1.2e-38 to 3.4e38"
        return None if _can_be_said(weight) else rule

    def blocks(self, prompt: str) -> list[Block]:
        blocks: list[Block] = [(0, [])]
        for fragment in fragments(prompt):
            if is_break(fragment):
                if weighted_tokens(blocks[-1:])[0]:
                    blocks.append((fragment.start, []))
            else:
                blocks[-1][1].append(fragment)
        if len(blocks) > 1 and not weighted_tokens(blocks[-1:])[0]:
            blocks.pop()
        return blocks

    def join_blocks(self, parts: list[str]) -> str:
        return " BREAK ".join(parts)


TOOL = StableDiffusionCpp()
