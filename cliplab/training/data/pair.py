"""A picture and its caption, and what a source of them declares about itself."""

import operator
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal, Self

import numpy as np
from PIL import Image


@dataclass(frozen=True)
class Pair:
    """A picture and its caption; ``name`` is what its source calls it (a file, a key)."""

    image: Image.Image  # mode RGB, or RGBA where there is transparency
    caption: str
    name: str = field(default="", kw_only=True)
    group: Hashable = field(default=None, kw_only=True)  # what it shows, where a stream knows it


class Source:
    """Where pairs come from. What a training may ask of a source is declared here, so that nobody
    has to know which one it is.

    groups  for each pair, what it shows: pairs of one group are right answers to each other's
            captions. None: every pair is a group of its own
    views   whether the pairs of a group are different pictures, of which a batch takes as many as
            it is told, and an epoch visits each group once. Otherwise they are several captions of
            one picture, and an epoch visits each
    """

    groups: Sequence[Hashable] | None = None
    views: ClassVar[bool] = False

    def captions(self) -> list[str]:
        """What is said of its pictures, for a vocabulary; where there are very many, enough."""
        raise NotImplementedError

    def contents(self) -> Iterable[Hashable]:
        """What has to be as it was when a run goes on."""
        return ()

    def held_out(self) -> "dict[str, Pairs]":
        """Name → pairs that are kept from training, for evaluation during a run."""
        return {}


class Pairs(Source):
    """A source whose pairs are numbered: ``len(source)``, ``source[i]``, ``for pair in source``.

    The same number gives the same pair for as long as the source exists, so that a training which
    goes on later sees what it would have seen. A subclass has ``__len__`` and ``pair(i)`` for
    0 ≤ i < len, and ``captions()`` if small models are to learn their vocabulary from it.
    """

    streamed: ClassVar[Literal[False]] = False

    def __len__(self) -> int:
        raise NotImplementedError

    def pair(self, index: int) -> Pair:
        raise NotImplementedError

    def contents(self) -> Iterable[Hashable]:
        return (len(self),)

    def draw(self, index: int, rng: np.random.Generator) -> Pair:
        """The pair as a training sees it: where several captions fit, with one that rng chooses."""
        return self[index]

    def __getitem__(self, index: int) -> Pair:
        """The pair of one number; a negative one counts from the end.

        Raises IndexError outside the range and TypeError for what is no whole number.
        """
        n = len(self)
        try:
            i = operator.index(index)
        except TypeError:
            raise TypeError(
                f"Pairs are asked for one at a time, by a whole number; not by {index!r:.60}."
            ) from None
        if not -n <= i < n:
            raise IndexError(
                f"There is no pair {i}: there are {n:,}, numbered 0 to {n - 1} or, from the end, "
                f"-1 to -{n}."
            )
        return self.pair(i % n)

    def __iter__(self) -> Iterator[Pair]:
        return (self.pair(i) for i in range(len(self)))


class PairStream(Source):
    """A source whose pairs come one after another, for data that is too big to be numbered.

    rank, world: it is part number `rank` of `world`, which together give each pair once an epoch.
    """

    streamed: ClassVar[Literal[True]] = True
    rank: int
    world: int

    def part(self, seed: int, rank: int, world: int) -> Self:
        """The same pairs in the order of a seed, those of one of `world` processes."""
        raise NotImplementedError

    def starting_at(self, n: int) -> Iterator[Pair]:
        """Epoch after epoch without end, from the n-th pair of them all on."""
        raise NotImplementedError


class Mixture:
    """Sources that fill every batch together: each with the share of it that the source gets.

    parts: (source, share), the shares making up 1. Raises ValueError for other shares.
    """

    def __init__(self, *parts: tuple[Pairs | PairStream, float]):
        self.sources = [source for source, _ in parts]
        self.shares = [share for _, share in parts]
        if sum(self.shares) != 1 or not all(share > 0 for share in self.shares):
            raise ValueError(
                f"The shares of a batch are above 0 and make up 1, but they are {self.shares}."
            )

    def sizes(self, batch_size: int) -> list[int]:
        """How many pairs of a batch each source gives; what does not divide goes to the first."""
        others = [int(batch_size * share) for share in self.shares[1:]]
        return [batch_size - sum(others), *others]

    def captions(self) -> list[str]:
        return [caption for source in self.sources for caption in source.captions()]

    def held_out(self) -> dict[str, Pairs]:
        """What the sources keep from training, by name."""
        return {name: pairs for source in self.sources for name, pairs in source.held_out().items()}
