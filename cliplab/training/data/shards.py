"""Pairs in WebDataset shards: tar files, read from front to back and never unpacked to the disk."""

import glob
import hashlib
import io
import itertools
import json
import random
import re
from collections.abc import Generator, Hashable, Iterable, Iterator
from pathlib import Path

from .pair import Pair, PairStream
from .reading import DataError, PictureError, Problems, read_picture
from .samples import PICTURES, BrokenShard, Sample, read_samples

CAPTION_FIELDS = ("caption", "text", "captions")
CAPTIONS_READ = 20_000
SHARDS = (".tar", ".tar.gz", ".tgz")


class ShardPairs(PairStream):
    """A stream of the pairs in tar shards, for data that is too big for one folder.

    shards   "train-{000..012}.tar", "{a,b}.tar", "train-*.tar", a folder of them, several of these
             joined by "::", or a list of paths; .tar and compressed tar
    seed     the order of the shards and of the pairs in them; None: as they are stored
    buffer   so many pairs wait, still encoded, and a random one of them is next
    rank, world  this worker reads the shards rank, rank + world, … of the shuffled list, so that
             together ``world`` workers read each pair once (not all equally many)
    on_bad   what to do about a sample without picture or caption, a picture that cannot be read, a
             shard that breaks off: "skip" leaves it out and says so with a LeftOutWarning at the
             end of the epoch; "raise" raises DataError where it is met

    Members are grouped as the webdataset library does: consecutive members whose paths agree up to
    the first dot of the file name are one sample. The picture is its jpg, png, jpeg or webp (in
    this order), the caption its txt, or the field "caption", "text" or "captions" of its json, of
    which a list gives several. Captions of one picture, also of a copy of it, are one group.
    Raises DataError for a shard that does not exist and for fewer shards than workers.
    """

    def __init__(
        self,
        shards: str | Path | Iterable[str | Path],
        seed: int | None = 0,
        buffer: int = 1000,
        rank: int = 0,
        world: int = 1,
        on_bad: str = "skip",
    ):
        given = str(shards).split("::") if isinstance(shards, (str, Path)) else shards
        paths = [path for one in given for path in expand(str(one))]
        self.shards = [path.absolute() for path in paths]
        if buffer < 1 or not 0 <= rank < world:
            raise ValueError(
                f"buffer is at least 1 and rank from 0 to world - 1; not buffer = {buffer}, "
                f"rank = {rank}, world = {world}."
            )
        if not paths:
            raise DataError(f"There are no shards {shards}.")
        if missing := [str(path) for path in self.shards if not path.is_file()]:
            raise DataError(
                f"{len(missing)} of {len(paths)} shards do not exist, the first being {missing[0]}."
            )
        if len(set(self.shards)) < len(self.shards):
            raise DataError("A shard is named twice; its pairs would come twice in every epoch.")
        if len(self.shards) < world:
            raise DataError(
                f"{len(self.shards)} shards cannot be divided among {world} workers: each needs at "
                "least one. Write more, smaller shards or use fewer workers."
            )
        self.seed, self.buffer, self.rank, self.world = seed, buffer, rank, world
        self.on_bad, self._read = on_bad, 0
        self._problems = Problems[str](on_bad)

    def part(self, seed: int, rank: int, world: int) -> "ShardPairs":
        return ShardPairs(self.shards, seed, self.buffer, rank, world, self.on_bad)

    def __iter__(self) -> Iterator[Pair]:
        return self.stream()

    def __repr__(self) -> str:
        return f"ShardPairs: {len(self.shards):,} shards"

    def starting_at(self, n: int) -> Iterator[Pair]:
        """Epoch after epoch without end, from the n-th pair of them all on.

        They are the same pairs in the same order as if nothing had been left out: those before are
        read again and dropped (a JPEG at an eighth of its side).
        """
        for epoch in itertools.count():
            n -= min(n, (yield from self.stream(epoch, n)))

    def captions(self) -> list[str]:
        """The captions of the first 20,000 pairs, or of all if they are fewer."""
        return [pair.caption for pair in itertools.islice(self.stream(), CAPTIONS_READ)]

    def contents(self) -> Iterator[Hashable]:
        """Names and sizes of the shards, and what the first 20,000 samples hold."""
        yield from ((shard.name, shard.stat().st_size) for shard in self.shards)
        samples = _samples(self.shards, Problems("skip"))
        for sample in itertools.islice(samples, CAPTIONS_READ):
            parts = b"".join(sample.parts[name] for name in sorted(sample.parts))
            yield sample.key, hashlib.blake2b(parts, digest_size=8).digest()

    @property
    def problems(self) -> list[tuple[str, str]]:
        """What the latest stream has left out so far: (shard: sample, what is wrong with it)."""
        return list(self._problems.found)

    def report(self) -> str:
        """How many pairs the latest stream has read, skipped ones included, and left out."""
        return self._problems.report(self._read)

    def stream(self, epoch: int = 0, skip: int = 0) -> Generator[Pair, None, int]:
        """The pairs of an epoch but the first `skip`; returns how many there are with those.

        Raises DataError where there is none at all.
        """
        self._problems, self._read = problems, read = Problems[str](self.on_bad), 0
        for sample in self._shuffled(epoch, problems):
            for pair in _pairs(sample, problems, skip - read):
                read += 1
                if problems is self._problems:
                    self._read = read
                if read > skip:
                    yield pair
        if read == 0:
            raise DataError(f"The shards give no pair: {problems.report(read)}")
        problems.warn(read, stacklevel=2)
        return read

    def _shuffled(self, epoch: int, problems: Problems) -> Iterator[Sample]:
        """The samples of this worker's shards, through the shuffle buffer."""
        if self.seed is None:
            yield from _samples(self.shards[self.rank :: self.world], problems)
            return
        # Of Python's generator only random() is promised to stay the same in later versions.
        draw = random.Random(f"shards {self.seed} {epoch}").random  # the same for every worker
        shards = sorted(self.shards, key=lambda _: draw())[self.rank :: self.world]
        draw = random.Random(f"buffer {self.seed} {epoch} {self.rank}").random
        waiting: list[Sample] = []
        for sample in _samples(shards, problems):
            if len(waiting) < self.buffer:
                waiting.append(sample)
            else:
                i = int(draw() * self.buffer)
                waiting[i], sample = sample, waiting[i]
                yield sample
        yield from sorted(waiting, key=lambda _: draw())


def _samples(shards: list[Path], problems: Problems) -> Iterator[Sample]:
    for shard in shards:
        try:
            yield from read_samples(shard)
        except BrokenShard as error:
            _note(problems, "shard", shard.name, str(error))


def _pairs(sample: Sample, problems: Problems, skipped: int) -> Iterator[Pair]:
    """The pairs in a sample, one for each caption; a note where there is none. Their group is what
    the picture's file holds, so that copies of it belong to it as well. skipped: of so many pairs
    nobody will look at the picture."""
    picture = next((sample.parts[ext] for ext in PICTURES if ext in sample.parts), None)
    if sample.problem:
        kind, what = "sample", sample.problem
    elif picture is None:
        kind, what = "missing", f"no picture, only {', '.join(sample.endings)}"
    else:
        try:
            captions = [text for caption in captions_in(sample.parts) if (text := caption.strip())]
            if captions:
                image = read_picture(io.BytesIO(picture), small=len(captions) <= skipped)
                group = hashlib.blake2b(picture, digest_size=8).digest()
                for caption in captions:
                    yield Pair(image, caption, name=sample.key, group=group)
                return
            kind, what = "empty", "the caption is empty"
        except PictureError as error:
            kind, what = "picture", f"the picture cannot be read: {error}"
        except ValueError as error:
            kind, what = "caption", str(error)
    _note(problems, kind, f"{sample.shard}: {sample.key}", what)


def captions_in(parts: dict[str, bytes]) -> list[str]:
    """The captions in the parts of a sample: its txt is one, its json may list several. Raises
    ValueError with the reason if there is none."""
    try:
        if "txt" in parts:
            return [parts["txt"].decode("utf-8")]
        if "json" not in parts:
            raise ValueError("there is no caption, neither txt nor json")
        record = json.loads(parts["json"].decode("utf-8"))
    except UnicodeDecodeError:
        raise ValueError("the caption is not UTF-8 text") from None
    except (json.JSONDecodeError, RecursionError):
        raise ValueError("its json is broken") from None
    fields = record if isinstance(record, dict) else {}
    said = next((fields[field] for field in CAPTION_FIELDS if field in fields), None)
    said = said if isinstance(said, list) else [said]
    captions = [caption for caption in said if isinstance(caption, str)]
    if len(captions) < len(said):
        raise ValueError(f"its json has no text in {', '.join(CAPTION_FIELDS)}")
    return captions


def _note(problems: Problems, kind: str, where: str, what: str) -> None:
    problems.add(kind, where, where, what)
    if problems.on_bad == "raise":
        raise DataError(f'{where}: {what}. Mend it, or say on_bad="skip".')


def expand_braces(pattern: str) -> list[str]:
    """Every name that a pattern stands for: "{000..012}" counts, "{a,b}" chooses; not nested."""
    found = re.search(r"\{(?:(\d+)\.\.(\d+)|([^{}]*,[^{}]*))\}", pattern)
    if found is None:
        return [pattern]
    first, last, words = found.groups()
    if words is None:
        step = 1 if int(first) <= int(last) else -1
        width = max(len(first), len(last)) if "0" in (first[0], last[0]) else 0
        options = [str(n).zfill(width) for n in range(int(first), int(last) + step, step)]
    else:
        options = words.split(",")
    before, after = pattern[: found.start()], expand_braces(pattern[found.end() :])
    return [before + option + rest for option in options for rest in after]


def is_shard(path: Path) -> bool:
    return path.name.lower().endswith(SHARDS)


def expand(name: str) -> list[Path]:
    """The shards that a name stands for: itself, those of a folder, or what fits its braces, and
    its *, ? or [] where no file is named so."""
    path = Path(name).expanduser()
    if path.is_file():
        return [path]
    if path.is_dir():
        return sorted(p for p in path.iterdir() if p.name[0] != "." and is_shard(p))
    found: list[Path] = []
    for text in expand_braces(str(path)):
        pattern = glob.has_magic(text) and not Path(text).exists()
        found += sorted(map(Path, glob.glob(text, recursive=True))) if pattern else [Path(text)]
    return found
