"""What Compel's grammar reads, and what it makes of it before weights are multiplied.

The text is not quite what was typed: commas get spaces, quotes lose escapes. All places are those
of the prompt as it was typed. `prompts/tree.py` has the results.

Source: compel 2.5.1, prompt_parser.py: parse_conjunction, parse_fragment_str; pyparsing 3.3.3,
QuotedString.
"""

import re
from itertools import pairwise
from typing import NamedTuple

from ..tree import Lora

COMMA = re.compile(r",\S")  # the next search starts behind both: ",,a" becomes ", ,a"
QUOTE = re.compile(r'"((?:\\"|[^"\n\r])*+)')
# pyparsing turns these into characters. Its digits are single: a slip in its own pattern.
# Two digits stand for themselves.
CHARACTER = re.compile(r"\\(?:[tnfr]|[0-7]3|0|x[0-9a-fA-F]2|u[0-9a-fA-F]4)")
BLANK = {"t": "\t", "n": "\n", "f": "\f", "r": "\r", "0": "\0"}


class Source(NamedTuple):
    """A text to read, and each of its characters' place in the typed prompt, and its end's."""

    text: str
    places: list[int]


def spaced(prompt: str) -> Source:
    """The prompt with a space after each comma that had none."""
    cuts = [0, *(match.start() + 1 for match in COMMA.finditer(prompt)), len(prompt)]
    text = " ".join(prompt[a:b] for a, b in pairwise(cuts))
    return Source(text, [i for a, b in pairwise(cuts) for i in range(a, b + 1)])


def unquoted(source: Source, start: int) -> tuple[Source, int] | None:
    r"""What stands in the quotes that open at ``start``, and where they end; None if none do.

    The first quote without a backslash closes them, on the same line; if there is none, the last
    with one. `\n` and its like become characters: `"a \new car"` loses its n.
    """
    text, places = source
    if not (body := QUOTE.match(text, start)):
        return None
    close = body.end()
    if text[close : close + 1] != '"':
        close = text.rfind('\\"', start + 1, close) + 1
        if not close:
            return None
    inside, first = text[start + 1 : close], start + 1
    if "\\" not in inside:
        return Source(inside, places[first : close + 1]), close + 1
    read, at, done = [], [], 0
    for match in CHARACTER.finditer(inside):
        read.append(inside[done : match.start()])
        at.extend(places[first + done : first + match.start()])
        name = match[0][1:]
        new = BLANK.get(name) or (chr(int(name[1:], 16)) if name[0] in "xu" else name)
        if new == '"' and not (read[-1] or "".join(read[-2:])).endswith("\\"):
            new = '\\"'
        read.append(new)
        at.extend([places[first + match.start()]] * len(new))
        done = match.end()
    read.append(inside[done:])
    at.extend(places[first + done : close + 1])
    return Source("".join(read), at), close + 1


# What is read -------------------------------------------------------------------------------------


class Text(NamedTuple):
    """Words as they were typed, escapes and all."""

    text: str
    start: int
    end: int


class Group(NamedTuple):
    """What stands in brackets or quotes, or what has a weight, or both.

    open   the place of the bracket or quote; -1 for a word
    close  behind the other bracket or quote, or behind the word
    end    behind the weight; the same as close where there is none
    """

    weight: float | None
    children: "list[Node]"
    open: int
    close: int
    end: int


class Exchange(NamedTuple):
    """A `.swap(…)`.

    original, edited  nodes; an empty list for an empty text
    unknown           option names that mean nothing → their place
    close, inside     behind the original, and behind `.swap(`
    """

    original: "list[Node]"
    edited: "list[Node]"
    options: dict[str, float | str]
    unknown: dict[str, int]
    start: int
    close: int
    inside: int
    end: int


Node = Text | Group | Exchange | Lora


class Tree(NamedTuple):
    """A whole prompt: ``operator`` is "", ".blend" or ".and"; "" has one part.

    before, after  the loras on either side of a blend
    marks          (start, end) of the brackets and of the operator
    end            behind it; Compel drops the rest
    """

    operator: str
    place: int
    parts: list[list[Node]]
    weights: list[float]
    normalize: bool
    before: list[Lora]
    after: list[Lora]
    marks: tuple[tuple[int, int], ...]
    end: int
