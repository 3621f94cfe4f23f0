"""What Compel reads in a prompt, before weights are multiplied; `prompts/tree.py` has the results.

All places are those of the prompt as it was typed.
"""

from typing import NamedTuple

from ..tree import Lora


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
    children: list
    open: int
    close: int
    end: int


class Exchange(NamedTuple):
    """A `.swap(…)`.

    original, edited  nodes; an empty list for an empty text
    unknown           option names that mean nothing → their place
    close, inside     behind the original, and behind `.swap(`
    """

    original: list
    edited: list
    options: dict
    unknown: dict[str, int]
    start: int
    close: int
    inside: int
    end: int


class Tree(NamedTuple):
    """A whole prompt: ``operator`` is "", ".blend" or ".and"; "" has one part.

    before, after  the loras on either side of a blend
    marks          (start, end) of the brackets and of the operator
    end            behind it; Compel drops the rest
    """

    operator: str
    place: int
    parts: list[list]
    weights: list[float]
    normalize: bool
    before: list[Lora]
    after: list[Lora]
    marks: tuple
    end: int
