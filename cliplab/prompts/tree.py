"""What every tool makes of a prompt: parts with weights, each a prompt or a blend of prompts.

    Conjunction   the whole: its parts' contexts are put one after the other
      Blend       contexts that are added up by their weights
        Prompt    fragments, each with its weight
          Swap    in a fragment's place: one text to encode, and another for the U-Net
    Lora          a network to load beside the prompt

Most tools know of one prompt alone. All places are those in the prompt as it was typed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from .fragment import Fragment


class Swap(NamedTuple):
    """An edited prompt: a picture of the first, its cross-attention guided to the second.

    original, edited  lists of Fragment and Swap, never empty
    options           s_start, s_end, t_start, t_end, and any other name that was typed
    start, end        the whole of it
    """

    original: list[Fragment | Swap]
    edited: list[Fragment | Swap]
    options: dict[str, Any]
    start: int
    end: int


class Prompt(NamedTuple):
    """One prompt: a list of Fragment and Swap."""

    fragments: list[Fragment | Swap]


class Blend(NamedTuple):
    """Contexts to add up by their weights; ``normalize``: to average."""

    prompts: list[Prompt]
    weights: list[float]
    normalize: bool


class Lora(NamedTuple):
    """A network to load, by its name, at a weight."""

    name: str
    weight: float
    start: int
    end: int


class Conjunction(NamedTuple):
    """A whole prompt: its parts, whose contexts are put one after the other, with their weights.

    place  where the operator stands that joins or blends; 0 where there is none
    """

    prompts: list[Prompt | Blend]
    weights: list[float]
    loras: list[Lora]
    place: int = 0


def prompts_of(tree: Conjunction) -> list[Prompt]:
    """All prompts of a tree, those of blends among them."""
    parts = (part.prompts if isinstance(part, Blend) else [part] for part in tree.prompts)
    return [prompt for part in parts for prompt in part]


def encoded(items: Iterable[Fragment | Swap]) -> list[Fragment]:
    """What an encoder reads of a prompt: of a swap the original, as the edit is the U-Net's."""
    found: list[Fragment] = []
    for item in items:
        found += encoded(item.original) if isinstance(item, Swap) else [item]
    return found
