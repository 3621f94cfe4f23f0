r"""Emphasis: brackets, weights and BREAK, as Automatic1111 multiplies them. Lecture eqs 15, 16.

    (a)       × 1.1            an unclosed bracket reaches to the end of the prompt
    [a]       × 1/1.1          0.9090…, not the lecture's 0.9 (erratum E10)
    (a:1.3)   × 1.3            any number, signed or zero, not only r > 1 (erratum E31)
    BREAK     a marker of weight −1, where it stands in no bracket

Nested weights multiply, from the inside out. Neighbors of one weight become one fragment with
nothing between them: `(a:1.2)(b:1.2)` is "ab".
"""

import re
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

import numpy as np

from ..fragment import Fragment, PromptError, require_prompt, without_gc
from . import strict
from .composition import BREAK

ROUND, SQUARE = 1.1, 1 / 1.1  # what a bracket without a number multiplies by
TOKEN = re.compile(
    r"""
    \\ (?P<escaped> [][()\\]? )                       # a backslash before anything else is dropped
  | : \s* (?P<weight> [+-]? [.\d]+ ) \s* \)           # the weight and the end of a round bracket
  | [][():]
  | [^][():\\]+
    """,
    re.VERBOSE,
)
TOGETHER = 512  # spans


class Span(NamedTuple):
    """A bracket's reach: pieces[start:stop] are multiplied by its factor."""

    start: int
    stop: int
    factor: float


@without_gc
def fragments(prompt: str, quirks: bool = True) -> list[Fragment]:
    """The fragments of one prompt: texts exact, weights as the tool's floating point has them.

    quirks  False refuses, with a PromptError at the character, what the web UI reads otherwise than
            it looks; ``strict.py`` lists it.

    A BREAK is ``Fragment("BREAK", -1.0, …)``; inside brackets its weight is multiplied, and the
    encoder then reads a word. An empty prompt is one empty fragment. Raises PromptError for a
    weight that is no number, `(a:1.2.3)`, which crashes the tool. Source: A1111 v1.10.1
    ``prompt_parser.py:parse_prompt_attention``; Lecture eqs 15, 16; errata E10, E31.
    """
    require_prompt(prompt)
    tokens = list(TOKEN.finditer(prompt))
    if not quirks:
        strict.check_tokens(prompt, tokens)
    pieces, spans = read(prompt, tokens)
    runs = merge(pieces, weigh(pieces, spans))
    if not quirks:
        strict.check_joints(prompt, [run for _, run in runs])
    return [join(weight, run) for weight, run in runs]


def read(prompt: str, tokens: list[re.Match[str]]) -> tuple[list[Fragment], list[Span]]:
    """Pieces of text at their first weights; the reach of every bracket, in order of closing."""
    pieces, spans = [], []
    # How many pieces stood before each open bracket; kinds may cross.
    opened: dict[str, list[int]] = {"(": [], "[": []}
    for match in tokens:
        token, weight, end = match[0], match["weight"], match.end()
        if token[0] == "\\":
            pieces.append(Fragment(match["escaped"], 1.0, end - len(match["escaped"]), end))
        elif token in opened:
            opened[token].append(len(pieces))
        elif weight and opened["("]:
            spans.append(Span(opened["("].pop(), len(pieces), number(prompt, match)))
        elif token == ")" and opened["("]:
            spans.append(Span(opened["("].pop(), len(pieces), ROUND))
        elif token == "]" and opened["["]:
            spans.append(Span(opened["["].pop(), len(pieces), SQUARE))
        else:
            pieces += plain(prompt, match.start(), end)
    spans += [Span(start, len(pieces), ROUND) for start in opened["("]]
    spans += [Span(start, len(pieces), SQUARE) for start in opened["["]]
    return pieces or [Fragment("", 1.0, 0, 0)], spans


def plain(prompt: str, start: int, end: int) -> list[Fragment]:
    """Text without brackets; a BREAK parts it and takes the white space around it."""
    pieces = []
    for marker in BREAK.finditer(prompt, start, end):
        before = prompt[start : marker.start()].rstrip()
        pieces += [
            Fragment(before, 1.0, start, start + len(before)),
            Fragment("BREAK", -1.0, *marker.span()),
        ]
        start = end - len(prompt[marker.end() : end].lstrip())
    return [*pieces, Fragment(prompt[start:end], 1.0, start, end)]


def is_break(fragment: Fragment) -> bool:
    """Whether the web UI's encoder ends its chunk here: BREAK at exactly −1, so in no bracket."""
    return fragment.text == "BREAK" and fragment.weight == -1


def number(prompt: str, match: re.Match[str]) -> float:
    """The weight that a bracket names."""
    try:
        return float(match["weight"])
    except ValueError:
        message = f"{match['weight']!r:.40} is no number, and the web UI stops at it:"
        advice = "write one with at most one dot, such as (word:1.2)."
        raise PromptError(f"{message} {advice}", prompt, match.start("weight")) from None


def weigh(pieces: list[Fragment], spans: list[Span], dtype: type = np.float64) -> list[float]:
    """Multiply every span, in order: rounding makes another order another weight."""
    weights: np.ndarray = np.array([piece.weight for piece in pieces], dtype)
    with np.errstate(all="ignore"):  # too great a weight becomes inf, as in the tool
        for first in range(0, len(spans), TOGETHER):
            some = spans[first : first + TOGETHER]
            lo, hi = stuck(weights, {span.factor for span in some}) if first else (0, 0)
            for start, stop, factor in some:
                weights[start : min(stop, lo)] *= factor
                weights[max(start, hi) : stop] *= factor
    return [*weights.tolist()]


def stuck(weights: np.ndarray, factors: set[float]) -> tuple[int, int]:
    """The longest run of weights that none of the factors changes any more.

    Thousands of brackets bring a weight to infinity, or so near to 0 that rounding undoes each
    further step; with numbers as small as that, some processors take a hundred times as long.
    """
    still = np.logical_and.reduce([weights * factor == weights for factor in factors])
    edges = np.flatnonzero(np.diff(still, prepend=False, append=False)).reshape(-1, 2)
    runs = [(start, stop) for start, stop in edges.tolist()]
    return max(runs, key=lambda run: run[1] - run[0], default=(0, 0))


def merge(pieces: list[Fragment], weights: list[float]) -> list[tuple[float, list[Fragment]]]:
    """Runs of neighbors whose weights are equal to the last bit."""
    runs = groupby(zip(weights, pieces, strict=True), key=itemgetter(0))
    return [(weight, [piece for _, piece in run]) for weight, run in runs]


def join(weight: float, run: list[Fragment]) -> Fragment:
    """One fragment of a run; its place holds the pieces that have text."""
    seen = [piece for piece in run if piece.text] or run[:1]
    text = "".join(piece.text for piece in run)
    return Fragment(text, weight, seen[0].start, seen[-1].end)


def escape(text: str) -> str:
    r"""Text → a prompt that reads as just this text: a backslash before ( ) [ ] and \.

    ``fragments(escape(text))`` is one fragment of weight 1, unless the text has the word BREAK,
    which no backslash protects: in lower case it is a word, and the same tokens.
    """
    return re.sub(r"([][()\\])", r"\\\1", text)
