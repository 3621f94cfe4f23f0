"""A picture and its caption, and what every source of them offers."""

import operator
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image


@dataclass(frozen=True)
class Pair:
    """A picture and its caption; ``name`` is what its source calls it (a file, a key)."""

    image: "Image.Image"  # mode RGB, or RGBA where there is transparency
    caption: str
    name: str = field(default="", kw_only=True)


class Pairs:
    """A source whose pairs are numbered: ``len(source)``, ``source[i]``, ``for pair in source``.

    The same number gives the same pair for as long as the source exists, so that a training which
    goes on later sees what it would have seen. A subclass has ``__len__`` and ``pair(i)`` for
    0 ≤ i < len.
    """

    def __len__(self) -> int:
        raise NotImplementedError

    def pair(self, index: int) -> Pair:
        raise NotImplementedError

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
