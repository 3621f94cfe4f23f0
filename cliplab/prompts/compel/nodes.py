"""What Compel makes of a prompt: the results that callers get, and the tree they are made from."""

from typing import NamedTuple


class Swap(NamedTuple):
    """`original.swap(edited)`: a picture of the first, its cross-attention guided to the second.

    original, edited  lists of Fragment and Swap, never empty
    options           s_start, s_end, t_start, t_end, and any other name that was typed
    start, end        the whole of it in the prompt as it was typed
    """

    original: list
    edited: list
    options: dict
    start: int
    end: int


class Prompt(NamedTuple):
    """One prompt: a list of Fragment and Swap."""

    fragments: list


class Blend(NamedTuple):
    """`("a", "b").blend(1, 2)`: contexts to add up by their weights; ``normalize``: to average."""

    prompts: list[Prompt]
    weights: list[float]
    normalize: bool


class Lora(NamedTuple):
    """`withLora(name, weight)`, with its place in the prompt as it was typed."""

    name: str
    weight: float
    start: int
    end: int


class Conjunction(NamedTuple):
    """A whole prompt: its parts, whose contexts are put one after the other, with their weights."""

    prompts: list[Prompt | Blend]
    weights: list[float]
    loras: list[Lora]


# The tree. All places are those of the prompt as it was typed.


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
