"""Which pairs make up which step: a function of the seed and the step alone.

Nothing about the data has to be remembered to resume a run: ask for the batches from step k on,
and they are those that a run which was never stopped would have had.
"""

import hashlib
import queue
import threading
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from .augment import to_square
from .data.pair import Pair, Pairs

REMEMBERED = 512 * 2**20  # bytes of pictures that are kept, decoded and at their final size


class Batch(NamedTuple):
    """The pairs of one step."""

    images: Tensor  # uint8 [N, 4, S, S], red, green, blue, alpha
    captions: list[str]
    groups: list  # pairs of one group show the same thing
    rows: Tensor | None = None  # [N], their places in the batch of all processes; None → all places

    @property
    def keys(self) -> Tensor:
        """int64 [N, 2]: a number for each group and one for each caption.

        They are the same on every process, which hash() is not.
        """
        both = zip(self.groups, self.captions, strict=True)
        return torch.tensor([[number(group), number(caption)] for group, caption in both])

    @property
    def same(self) -> Tensor | None:
        """Where a caption fits a picture that is not its own: see `same_where`."""
        return same_where(self.keys)


def number(value) -> int:
    digest = hashlib.blake2b(repr(value).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def same_where(keys: Tensor) -> Tensor | None:
    """keys int64 [N, 2] → bool [N, N], True where caption i fits picture j as well as its own.

    It does where both show the same thing, and where the two captions are the same words. None if
    each caption fits its own picture alone.
    """
    same = (keys[:, None] == keys[None]).any(-1)  # [N, N]
    return None if int(same.sum()) == len(keys) else same


class Batches:
    """Steps of N pairs from a numbered source, without end, each epoch in an order of its own.

    source: Pairs. size: N, over all processes. side: S, pixels.
    views: pairs of one group in a batch, where the source knows groups (EmojiPairs: one concept in
        several styles); otherwise a batch takes pairs as they come.
    rank, world: of the `world` equal parts of each batch, this process makes number `rank`.
    An epoch visits each group once (each pair, without groups); what does not fill a batch is left
    for another epoch's order. Raises ValueError for sizes that cannot be.
    """

    def __init__(self, source: Pairs, size: int, side: int, *, views=1, seed=0, rank=0, world=1):
        self.source, self.size, self.side, self.views = source, size, side, views
        self.seed, self.rank, self.world = seed, rank, world
        groups = getattr(source, "groups", None)
        self.members: list[list[int]] | None = None
        if groups is not None:
            members: dict = {}
            for index, group in enumerate(groups):
                members.setdefault(group, []).append(index)
            self.members = list(members.values())
        self.units = len(source) if self.members is None else len(self.members)
        if self.members is None and views != 1:
            raise ValueError(f"This source knows no groups, so it has 1 view of each, not {views}.")
        if size % (views * world):
            raise ValueError(
                f"A batch of {size} pairs does not split evenly into {views} views of each thing "
                f"for {world} process(es)."
            )
        if size // views > self.units:
            raise ValueError(
                f"A batch of {size} pairs needs {size // views:,} different things, but the source "
                f"has {self.units:,}. Choose a smaller batch."
            )
        self._remembered: dict[int, Tensor] = {}
        self._room = REMEMBERED // (4 * side * side)

    @property
    def steps_per_epoch(self) -> int:
        return self.units * self.views // self.size

    def starting_at(self, step: int) -> Iterator[Batch]:
        while True:
            yield self.batch(step)
            step += 1

    def batch(self, step: int) -> Batch:
        rng = np.random.default_rng((self.seed, 1, step))
        indices = self._indices(step, rng)
        # One generator for each thing: its views get one caption, which is encoded once, and a
        # process that makes a part of the batch draws what it would draw in the whole.
        seeds = rng.integers(2**63, size=self.size // self.views).repeat(self.views)
        part = slice(self.size // self.world * self.rank, self.size // self.world * (self.rank + 1))
        chosen = list(zip(indices, seeds, strict=True))[part]
        draw = getattr(self.source, "draw", None)
        pairs = [draw(i, np.random.default_rng(s)) if draw else self.source[i] for i, s in chosen]
        groups = getattr(self.source, "groups", None)
        return Batch(
            images=torch.stack(
                [self._picture(i, pair) for (i, _), pair in zip(chosen, pairs, strict=True)]
            ),
            captions=[pair.caption for pair in pairs],
            groups=[
                groups[i] if groups else pair.caption
                for (i, _), pair in zip(chosen, pairs, strict=True)
            ],
            rows=torch.arange(self.size)[part],
        )

    def _indices(self, step: int, rng) -> list[int]:
        """The numbers of the pairs of one step, over all processes."""
        epoch, within = divmod(step, self.steps_per_epoch)
        order = np.random.default_rng((self.seed, 0, epoch)).permutation(self.units)
        count = self.size // self.views
        units = order[within * count : (within + 1) * count]
        if self.members is None:
            return units.tolist()
        return [index for unit in units for index in self._views_of(self.members[unit], rng)]

    def _views_of(self, members: list[int], rng) -> list[int]:
        return rng.choice(members, self.views, replace=len(members) < self.views).tolist()

    def _picture(self, index: int, pair: Pair) -> Tensor:
        if index in self._remembered:
            return self._remembered[index]
        picture = to_square(pair.image, self.side)
        if len(self._remembered) < self._room:
            self._remembered[index] = picture
        return picture


class MixedBatches:
    """Steps put together from several sources: each gives its own number of pairs to every batch.

    Within a batch, so that what batch normalization remembers is true of all of them.
    """

    def __init__(self, *parts: Batches):
        self.parts = parts
        self.size = sum(part.size for part in parts)
        self.steps_per_epoch = max(part.steps_per_epoch for part in parts)

    def starting_at(self, step: int) -> Iterator[Batch]:
        before = np.cumsum([0, *(part.size for part in self.parts)])  # rows of the parts before
        for made in zip(*(part.starting_at(step) for part in self.parts), strict=True):
            yield Batch(
                torch.cat([batch.images for batch in made]),
                [caption for batch in made for caption in batch.captions],
                [(n, group) for n, batch in enumerate(made) for group in batch.groups],
                torch.cat([batch.rows + int(before[n]) for n, batch in enumerate(made)]),
            )


class StreamBatches:
    """Steps of N pairs from a stream (ShardPairs), in the order in which they come.

    The stream divides itself among the processes (its rank and world); this one takes size / world
    pairs a step.
    """

    def __init__(self, source, size: int, side: int):
        if size % source.world:
            raise ValueError(f"{size} pairs do not split evenly among {source.world} processes.")
        self.source, self.side, self.share = source, side, size // source.world

    def starting_at(self, step: int) -> Iterator[Batch]:
        rows = torch.arange(self.share) + self.share * self.source.rank
        images, captions = [], []
        for pair in self.source.starting_at(step * self.share):
            images.append(to_square(pair.image, self.side))
            captions.append(pair.caption)
            if len(images) == self.share:
                yield Batch(torch.stack(images), captions, captions, rows)
                images, captions = [], []


def ahead(batches: Iterator[Batch], depth: int = 2) -> Iterator[Batch]:
    """The same batches in the same order, made in a thread while the model is busy."""
    made: queue.Queue = queue.Queue(depth)
    stop = threading.Event()

    def put(item) -> bool:
        while not stop.is_set():
            try:
                made.put(item, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def work() -> None:
        try:
            for batch in batches:
                if not put(batch):
                    return
            put(StopIteration())
        except BaseException as error:  # whatever it is, it belongs to whoever asks for a batch
            put(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        while not isinstance(item := made.get(), BaseException):
            yield item
        if not isinstance(item, StopIteration):
            raise item
    finally:
        stop.set()
        thread.join()  # or the interpreter may leave while it is inside a tensor operation
