"""Many texts to one tensor: each stretch between spaces is looked up, numpy does the rest.

A stretch ("dog,") is remembered as the bytes of its ids, so that a text is the bytes of its
stretches joined, and a batch the bytes of its texts: no id becomes a Python number on the way.
"""

from array import array
from collections.abc import Callable, Iterable

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


Cut = Callable[[list[str]], Iterable[list[str]]]


class Stretches(dict[str, bytes]):
    """Stretch → the bytes of its ids, tokenized when first met; cut makes stretches of texts."""

    def __init__(self, ids_of: Callable[[str], list[int]], cut: Cut):
        super().__init__()
        self.ids_of, self.cut = ids_of, cut

    def __missing__(self, stretch: str) -> bytes:
        ids = array("i", self.ids_of(stretch)).tobytes()
        if len(stretch) <= REMEMBERED_LENGTH:
            if len(self) >= REMEMBERED:
                self.clear()
            self[stretch] = ids
        return ids


def to_tensor(
    known: Stretches, texts: list[str], length: int, bos: int, eos: int, pad: int
) -> Tensor:
    """``tokenizer.batch``, whose caller the warning of what was cut points at."""
    whole_number("length, with BOS and EOS,", length, 2)
    rows = np.full((len(texts), length), pad, np.int64)
    rows[:, 0] = bos
    left_over: dict[int, list[int]] = {}
    for start in range(0, len(texts), AT_ONCE):
        some, cut = rows[start : start + AT_ONCE], known.cut(texts[start : start + AT_ONCE])
        contents = [b"".join(map(known.__getitem__, stretches)) for stretches in cut]
        counts = np.array([len(content) // ID.itemsize for content in contents])
        left = fill(some[:, 1:-1], np.frombuffer(b"".join(contents), ID), counts)
        some[np.arange(len(some)), np.minimum(counts, length - 2) + 1] = eos
        left_over |= {start + row: ids for row, ids in left.items()}
    warn_of_cuts(left_over, np.full(len(texts), eos), length, level=3)
    return torch.from_numpy(rows)


def as_typed(texts: list[str]) -> Iterable[list[str]]:
    """The stretches of each text between white space."""
    together = "".join(texts)
    if any(char in together for char in NOT_WHITE):
        return map(cleaning.WHITESPACE.split, texts)
    return map(str.split, texts)
