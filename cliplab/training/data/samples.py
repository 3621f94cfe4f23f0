"""The samples of one WebDataset shard, and shards written from any source of pairs."""

import io
import os
import re
import shutil
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Self

from ...checks import whole_number
from .pair import Pair
from .reading import DataError

PICTURES = ("jpg", "png", "jpeg", "webp")
MAX_BYTES = 256 << 20  # a header can claim any size
_NAME = re.compile(r"((?:.*/)?[^./]+)\.([^/]+)", re.DOTALL)  # key, ending


class BrokenShard(ValueError):
    """A shard breaks off; the message says after how many samples and why."""


@dataclass
class Sample:
    """The members of one key: the bytes of pictures and captions by ending, in lower case."""

    shard: str
    key: str
    parts: dict[str, bytes] = field(default_factory=dict)
    endings: list[str] = field(default_factory=list)  # of all members, those not kept included
    problem: str = ""


class _Member(tarfile.TarInfo):
    """A header. tarfile takes one that is cut off or damaged for the end of the archive; the end
    that was meant is a block of zeros."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        try:
            return super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if len(buf) == tarfile.BLOCKSIZE and not any(buf):
                raise
            raise tarfile.ReadError(str(error)) from None


def read_samples(shard: Path) -> Iterator[Sample]:
    """The samples of a tar file, in its order. Raises BrokenShard where the file breaks off.

    Members without an ending, hidden ones and those named __…__ belong to no sample. The sample at
    which a file breaks off is lost, since nobody can know whether it was whole.
    """
    sample, count = None, 0
    try:
        with tarfile.open(shard, "r|*", tarinfo=_Member) as tar:
            while (member := tar.next()) is not None:
                # Or a big shard's headers would all stay in memory.
                tar.members.clear()  # type: ignore[attr-defined]  # tarfile's stubs lack it
                name = _NAME.fullmatch(member.name)
                if not member.isreg() or name is None or re.match(r"__[^/]*__(/|$)", member.name):
                    continue
                key, ending = name[1], name[2].lower()
                if sample is None or key != sample.key:
                    if sample is not None:
                        count += 1
                        yield sample
                    sample = Sample(shard.name, key)
                if ending in sample.endings:
                    sample.problem = f"there are two members .{ending}"
                elif ending in (*PICTURES, "txt", "json"):
                    if member.size > MAX_BYTES:
                        sample.problem = f"its .{ending} has {member.size:,} bytes"
                    elif content := tar.extractfile(member):  # always: it is a regular file
                        sample.parts[ending] = content.read()
                sample.endings.append(ending)
    except (tarfile.TarError, OSError, EOFError, ValueError) as error:
        raise BrokenShard(f"it breaks off after {count:,} samples: {error}") from error
    if sample is not None:
        yield sample


def write_shards(
    pairs: Iterable[Pair], folder: str | Path, pairs_per_shard: int = 1000, name: str = "pairs"
) -> list[Path]:
    """Write pairs as WebDataset shards name-000000.tar, …; return their paths.

    pairs: any source or list of pairs. Pictures are stored as PNG, so none loses anything.
    The folder appears when all shards are complete, or not at all. Raises DataError where it
    exists already and is not empty, and where there are no pairs.
    """
    folder = Path(folder).expanduser()
    whole_number("pairs_per_shard", pairs_per_shard, 1)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(f"{folder} exists and is not empty: give a new folder for the shards.")
    part = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    part.mkdir(parents=True)
    names = []
    try:
        numbered = enumerate(pairs)
        for shard, group in groupby(numbered, key=lambda item: item[0] // pairs_per_shard):
            names.append(f"{name}-{shard:06d}.tar")
            with tarfile.open(part / names[-1], "w") as tar:
                for number, pair in group:
                    picture = io.BytesIO()
                    pair.image.save(picture, format="PNG")
                    _append(tar, f"{number:09d}.png", picture.getvalue())
                    _append(tar, f"{number:09d}.txt", pair.caption.encode("utf-8"))
        if not names:
            raise DataError("There are no pairs to write.")
        if folder.exists():
            folder.rmdir()
        os.rename(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return [folder / name for name in names]


def _append(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)  # without time or owner: the same pairs give the same bytes
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))
