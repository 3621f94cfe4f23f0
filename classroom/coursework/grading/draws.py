"""The seed of every draw of a test, so that a grade can be drawn again.

A test draws its inputs when it runs, by `random.Random()` or what numpy and torch draw of
themselves. In the grader all of them begin with the submission's seed and the test's name: another
student gets other inputs, and the same student, asked again, the same. The seed stands in the
grades.
"""

from __future__ import annotations

import hashlib
import random
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import numpy as np
import torch

MOST = 10**9  # a spreadsheet shows such a number as it is


def new_seed() -> int:
    """A seed that nobody can know before."""
    return secrets.randbelow(MOST)


def derived(seed: int, name: str) -> int:
    """Another seed, from which this one cannot be found."""
    return int.from_bytes(hashlib.sha256(f"{seed} {name}".encode()).digest()[:4])


@contextmanager
def drawn_from(seed: int, name: str) -> Iterator[None]:
    """Within, all draws of a test of this name follow from the seed."""
    stream = random.Random(derived(seed, name))
    seed_everything(stream.getrandbits(32))
    begin = np.random.default_rng

    class Seeded(random.Random):
        """A generator whose seed, where none is given, is the next of the stream."""

        def __init__(self, seed: Any = None):
            super().__init__(stream.getrandbits(64) if seed is None else seed)

    def default_rng(seed: Any = None) -> np.random.Generator:
        return begin(stream.getrandbits(64) if seed is None else seed)

    with (
        patch.object(random, "Random", Seeded),
        patch.object(np.random, "default_rng", default_rng),
    ):
        yield


def seed_everything(seed: int) -> None:
    """The generators that are there without being made."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
