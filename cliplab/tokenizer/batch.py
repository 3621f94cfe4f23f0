"""Many texts to one tensor: each stretch between spaces is looked up, numpy does the rest.

A stretch ("dog,") is remembered as the bytes of its ids, so that a text is the bytes of its
stretches joined, and a batch the bytes of its texts: no id becomes a Python number on the way.
"""

from array import array
from collections.abc import Callable, Iterable
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from ..checks import whole_number
from . import cleaning
from .bpe import REMEMBERED, REMEMBERED_LENGTH
from .rows import fill, warn_of_cuts

AT_ONCE = 512  # texts: enough for numpy, few enough for the processor's cache
NOT_WHITE = "\x1c\x1d\x1e\x1f"  # white for str.split, and not for the tools' expressions

ID = np.dtype(np.intc)  # what array("i") holds


class Stretches(dict[str, bytes]):
    """Stretch → the bytes of its ids. One that was not met before is tokenized."""

    def __init__(self, ids_of: Callable[[str], list[int]]):
        super().__init__()
        self.ids_of = ids_of

    def __missing__(self, stretch: str) -> bytes:
        ids = array("i", self.ids_of(stretch)).tobytes()
        if len(stretch) <= REMEMBERED_LENGTH:
            if len(self) >= REMEMBERED:
                self.clear()
            self[stretch] = ids
        return ids


class Tokenizer(Protocol):
    """What a batch asks of the tokenizer."""

    clean_as: str
    bos_id: int
    eos_id: int

    @property
    def stretches(self) -> Stretches: ...
    def clean(self, text: str) -> str: ...


def to_tensor(tokenizer: Tokenizer, texts: list[str], length: int, pad: int | None) -> Tensor:
    """``tokenizer.batch``, whose caller the warning of what was cut points at."""
    whole_number("length, with BOS and EOS,", length, 2)
    eos = np.full(len(texts), tokenizer.eos_id)
    rows = np.full((len(texts), length), tokenizer.eos_id if pad is None else pad, np.int64)
    rows[:, 0] = tokenizer.bos_id
    left_over: dict[int, list[int]] = {}
    for start in range(0, len(texts), AT_ONCE):
        some = rows[start : start + AT_ONCE]
        ids, counts = contents(tokenizer, texts[start : start + AT_ONCE])
        left = fill(some[:, 1:-1], ids, counts)
        some[np.arange(len(some)), np.minimum(counts, length - 2) + 1] = tokenizer.eos_id
        left_over |= {start + row: ids for row, ids in left.items()}
    warn_of_cuts(left_over, eos, length, level=3)
    return torch.from_numpy(rows)


def contents(tokenizer: Tokenizer, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """The content ids of all texts, one after the other, and how many each text has."""
    ids_of = tokenizer.stretches.__getitem__
    contents = [b"".join(map(ids_of, stretches)) for stretches in cut_up(tokenizer, texts)]
    sizes = np.fromiter(map(len, contents), np.int64, len(contents))
    return np.frombuffer(b"".join(contents), ID), sizes // ID.itemsize


def cut_up(tokenizer: Tokenizer, texts: list[str]) -> Iterable[list[str]]:
    """The stretches of each text. "hf": as typed, since no step there looks across white space.

    "openai": of the cleaned text, since ftfy judges a text as a whole.
    """
    if tokenizer.clean_as == "openai":
        return (tokenizer.clean(text).split(" ") for text in texts)
    together = "".join(texts)
    if any(char in together for char in NOT_WHITE):
        return map(cleaning.WHITESPACE.split, texts)
    return map(str.split, texts)
