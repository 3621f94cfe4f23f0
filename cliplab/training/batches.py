"""Which pairs make up which step: a function of the seed and the step alone.

Nothing about the data has to be remembered to resume a run: ask for the batches from step k on,
and they are those that a run which was never stopped would have had.
"""

import hashlib
from collections import deque
from collections.abc import Generator, Hashable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import KW_ONLY, dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..image_encoder import ResizeMode
from .augment import to_square
from .data.pair import Pair, Pairs, PairStream

REMEMBERED = 512 * 2**20  # bytes of pictures that are kept, decoded and at their final size


class Batch(NamedTuple):
    """The pairs of one step."""

    images: Tensor  # uint8 [N, 4, S, S], red, green, blue, alpha
    captions: list[str]
    groups: list[Hashable]  # pairs of one group show the same thing
    rows: Tensor | None = None  # [N], their places in the batch of all processes; None → all places
    resize_mode: ResizeMode = "longest"  # how the pictures became squares

    @property
    def keys(self) -> Tensor:
        """int64 [N, 2]: a number for each group and one for each caption.

        They are the same on every process, which hash() is not.
        """
        both = zip(self.groups, self.captions, strict=True)
        return torch.tensor([[number(group), number(caption)] for group, caption in both])


def number(value: Hashable) -> int:
    digest = hashlib.blake2b(repr(value).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def false_negative_mask(keys: Tensor) -> Tensor | None:
    """keys int64 [N, 2] → bool [N, N], True where caption i fits picture j as well as its own.

    It does where both show the same thing, and where the two captions are the same words. Taken for
    negatives, such pairs would be false ones. None if each caption fits its own picture alone.
    """
    same = (keys[:, None] == keys[None]).any(-1)  # [N, N]
    return None if int(same.sum()) == len(keys) else same


@dataclass(eq=False, repr=False)
class Batches:
    """Steps of N pairs from a numbered source, without end, each epoch in an order of its own.

    batch_size: N, over all processes. image_size: S, pixels.
    views: pairs of one group in a batch, where the source knows groups (EmojiPairs: one concept in
        several styles); otherwise a batch takes pairs as they come.
    rank, world: of the `world` equal parts of each batch, this process makes number `rank`.
    resize_mode: how a picture of another shape becomes a square, as the recipe says it.
    An epoch visits each group once where the source has views of it, and each pair otherwise; what
    does not fill a batch is left for another epoch's order. Raises ValueError for sizes that cannot
    be, and where all pairs are of one group, which leaves nothing to tell apart.
    """

    source: Pairs
    batch_size: int
    image_size: int
    _: KW_ONLY
    views: int = 1
    seed: int = 0
    rank: int = 0
    world: int = 1
    resize_mode: ResizeMode = "longest"

    def __post_init__(self) -> None:
        batch_size, views, world = self.batch_size, self.views, self.world
        self.members: list[list[int]] | None = None
        groups = self.source.groups
        if groups is not None and len(set(groups)) == 1:
            raise ValueError(
                f"All {len(groups):,} pairs show the same picture: there is nothing to tell apart."
            )
        if groups is not None and self.source.views:
            members: dict[Hashable, list[int]] = {}
            for index, group in enumerate(groups):
                members.setdefault(group, []).append(index)
            self.members = list(members.values())
        self.units = len(self.source) if self.members is None else len(self.members)
        if self.members is None and views != 1:
            raise ValueError(
                f"This source knows no groups of different pictures, so it has 1 view of each, not "
                f"{views}."
            )
        if batch_size % (views * world):
            raise ValueError(
                f"A batch of {batch_size} pairs does not split evenly into {views} views of each "
                f"thing for {world} process(es)."
            )
        if batch_size // views > self.units:
            raise ValueError(
                f"A batch of {batch_size} pairs needs {batch_size // views:,} different things, "
                f"but the source has {self.units:,}. Choose a smaller batch."
            )
        self._remembered: dict[int, Tensor] = {}
        self._room = REMEMBERED // (4 * self.image_size**2)

    @property
    def steps_per_epoch(self) -> int:
        return self.units * self.views // self.batch_size

    def starting_at(self, step: int) -> Iterator[Batch]:
        """The batches of step k, k + 1, …, without end."""
        while True:
            yield self.batch(step)
            step += 1

    def batch(self, step: int) -> Batch:
        rng = np.random.default_rng((self.seed, 1, step))
        indices = self._indices(step, rng)
        # One generator for each thing: its views get one caption, which is encoded once, and a
        # process that makes a part of the batch draws what it would draw in the whole.
        seeds = rng.integers(2**63, size=self.batch_size // self.views).repeat(self.views)
        share = self.batch_size // self.world
        part = slice(share * self.rank, share * (self.rank + 1))
        indices = indices[part]
        pairs = [
            self.source.draw(i, np.random.default_rng(seed))
            for i, seed in zip(indices, seeds[part], strict=True)
        ]
        captions = [pair.caption for pair in pairs]
        groups = self.source.groups
        return Batch(
            torch.stack([self._picture(i, pair) for i, pair in zip(indices, pairs, strict=True)]),
            captions,
            list(captions) if groups is None else [groups[i] for i in indices],
            torch.arange(self.batch_size)[part],
            self.resize_mode,
        )

    def _indices(self, step: int, rng: np.random.Generator) -> list[int]:
        """The numbers of the pairs of one step, over all processes."""
        epoch, within = divmod(step, self.steps_per_epoch)
        order = np.random.default_rng((self.seed, 0, epoch)).permutation(self.units)
        count = self.batch_size // self.views
        units = order[within * count : (within + 1) * count].tolist()
        if self.members is None:
            return units
        chosen: list[int] = []
        for members in (self.members[unit] for unit in units):
            too_few = len(members) < self.views
            chosen += rng.choice(members, self.views, replace=too_few).tolist()
        return chosen

    def _picture(self, index: int, pair: Pair) -> Tensor:
        if index in self._remembered:
            return self._remembered[index]
        picture = to_square(pair.image, self.image_size, self.resize_mode)
        if len(self._remembered) < self._room:
            self._remembered[index] = picture
        return picture


class StreamBatches:
    """Steps of N pairs from a stream (ShardPairs), in the order in which they come.

    The stream divides itself among the processes (its rank and world); this one takes
    batch_size / world pairs a step.
    """

    def __init__(
        self,
        source: PairStream,
        batch_size: int,
        image_size: int,
        resize_mode: ResizeMode = "longest",
    ):
        self.source, self.batch_size, self.image_size = source, batch_size, image_size
        self.resize_mode = resize_mode
        W = source.world
        if batch_size % W:
            raise ValueError(f"{batch_size} pairs do not split evenly among {W} processes.")

    def starting_at(self, step: int) -> Iterator[Batch]:
        share = self.batch_size // self.source.world
        rows = torch.arange(share) + share * self.source.rank
        images, captions, groups = [], [], []
        for pair in self.source.starting_at(step * share):
            images.append(to_square(pair.image, self.image_size, self.resize_mode))
            captions.append(pair.caption)
            groups.append(pair.caption if pair.group is None else pair.group)
            if len(images) == share:
                yield Batch(torch.stack(images), captions, groups, rows, self.resize_mode)
                images, captions, groups = [], [], []


class MixedBatches:
    """Steps put together from several sources: each gives its own number of pairs to every batch.

    Within a batch, so that what batch normalization remembers is true of all of them. Raises
    ValueError where they make squares of pictures in different ways.
    """

    def __init__(self, *parts: Batches | StreamBatches):
        self.parts = parts
        if len(modes := {part.resize_mode for part in parts}) > 1:
            raise ValueError(f"The parts of a batch have one resize_mode, not {sorted(modes)}.")

    def starting_at(self, step: int) -> Iterator[Batch]:
        sizes = [part.batch_size for part in self.parts]
        before = np.cumsum([0, *sizes])  # rows of the parts before
        for made in zip(*(part.starting_at(step) for part in self.parts), strict=True):
            yield Batch(
                torch.cat([batch.images for batch in made]),
                [caption for batch in made for caption in batch.captions],
                [(n, group) for n, batch in enumerate(made) for group in batch.groups],
                torch.cat([batch.rows + int(before[n]) for n, batch in enumerate(made)]),
                self.parts[0].resize_mode,
            )


BatchSource = Batches | StreamBatches | MixedBatches


def prefetch(batches: Iterator[Batch], depth: int = 2) -> Generator[Batch]:
    """The same batches in the same order, made in a thread while the model is busy."""
    with ThreadPoolExecutor(1) as maker:
        try:
            made = deque(maker.submit(next, batches, None) for _ in range(depth))
            while (batch := made.popleft().result()) is not None:
                made.append(maker.submit(next, batches, None))
                yield batch
        finally:
            maker.shutdown(cancel_futures=True)
