"""What lies in a folder or in a zip archive: entries, read without unpacking and without links.

An archive is never unpacked: a member is read when it is asked for, and no more of it than a
notebook may have. Links, pipes and paths that lead out of an archive are named and not followed.
"""

from __future__ import annotations

import io
import os
import stat
import time
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

FILE, FOLDER, LINK, OTHER = "file", "folder", "link", "other"
MOST_BYTES = 50 << 20
MOST_MEMBERS = 20_000
LITTER = {"__macosx", "thumbs.db", "desktop.ini"}
BROKEN = (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, ValueError)


class Unreadable(Exception):
    """What was handed in is no notebook that can be graded: the sentence is for the instructor."""


@dataclass(frozen=True)
class Entry:
    """A file or a folder: on the disk at `path`, or a member of the archives on the way to it."""

    name: str
    kind: str
    path: Path
    inside: tuple[str, ...] = ()
    time: float = 0.0

    @property
    def place(self) -> str:
        """Where it is, as people write it."""
        return "/".join([str(self.path), *self.inside])

    @property
    def is_litter(self) -> bool:
        """Whether a system left it there: hidden files, and those of Windows and macOS."""
        return self.name.startswith(".") or self.name.casefold() in LITTER

    @property
    def is_zip(self) -> bool:
        return self.kind == FILE and self.name.casefold().endswith(".zip")

    def read(self, most: int = MOST_BYTES + 1) -> bytes:
        """Its first bytes. Raises Unreadable with a sentence."""
        return read(self.path, self.inside, most)

    def children(self) -> list[Entry]:
        """What is in a folder or an archive, by name. Raises Unreadable."""
        if self.kind == FOLDER and not self.inside:
            return _in_folder(self.path)
        return _in_archive(self)

    def files(self) -> Iterator[Entry]:
        """All files below, also in archives below; links are among them, as links."""
        for child in self.children():
            if child.is_litter:
                continue
            if child.kind == FOLDER:
                yield from child.files()
            else:
                yield child


def on_disk(path: Path) -> Entry:
    """The entry at a path, which is not followed where it is a link."""
    state = path.lstat()
    kinds = {stat.S_IFREG: FILE, stat.S_IFDIR: FOLDER, stat.S_IFLNK: LINK}
    return Entry(path.name, kinds.get(stat.S_IFMT(state.st_mode), OTHER), path, (), state.st_mtime)


def _in_folder(path: Path) -> list[Entry]:
    try:
        return [on_disk(path / name) for name in sorted(os.listdir(path))]
    except OSError as error:
        raise Unreadable(f"The folder {path} cannot be read: {error.strerror}.") from None


def read(path: Path, inside: tuple[str, ...], most: int = MOST_BYTES + 1) -> bytes:
    """The first bytes of a file on the disk, or in archives. Raises Unreadable with a sentence."""
    try:
        with ExitStack() as stack:
            if not inside:
                # Neither a link nor a pipe that somebody has put there since.
                descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
                return stack.enter_context(open(descriptor, "rb")).read(most)
            archive = _archive(stack, path, inside[:-1])
            return stack.enter_context(archive.open(inside[-1])).read(most)
    except BROKEN as error:
        raise Unreadable(f"The archive cannot be read ({error}).") from None
    except KeyError:
        raise Unreadable("It is no longer in the archive.") from None
    except OSError as error:
        raise Unreadable(f"The file cannot be read: {error.strerror}.") from None


def _archive(stack: ExitStack, path: Path, inside: tuple[str, ...]) -> zipfile.ZipFile:
    archive = stack.enter_context(zipfile.ZipFile(path))
    for member in inside:
        content = stack.enter_context(archive.open(member)).read(MOST_BYTES)
        archive = stack.enter_context(zipfile.ZipFile(io.BytesIO(content)))
    return archive


def _in_archive(entry: Entry) -> list[Entry]:
    """The next level of an archive, or of a folder in it: such a one's last `inside` ends in /."""
    is_folder = entry.kind == FOLDER
    archives, prefix = (entry.inside[:-1], entry.inside[-1]) if is_folder else (entry.inside, "")
    if len(archives) > 2:
        raise Unreadable("It is an archive in an archive in an archive.")
    try:
        with ExitStack() as stack:
            members = _archive(stack, entry.path, archives).infolist()
    except BROKEN as error:
        raise Unreadable(f"The archive cannot be read ({error}).") from None
    if len(members) > MOST_MEMBERS:
        raise Unreadable(f"The archive has {len(members)} members; {MOST_MEMBERS} are read.")
    found: dict[str, Entry] = {}
    for member in members:
        below, _, more = member.filename.removeprefix(prefix).partition("/")
        if not member.filename.startswith(prefix) or not below + more:
            continue
        inside = (*archives, f"{prefix}{below}/" if more or member.is_dir() else member.filename)
        parts = PurePosixPath(member.filename).parts
        kind = FOLDER if inside[-1].endswith("/") else FILE
        if ".." in parts or member.filename.startswith("/"):
            below, kind = member.filename, OTHER
        elif kind == FILE and stat.S_ISLNK(member.external_attr >> 16):
            kind = LINK
        at = time.mktime((*member.date_time, 0, 0, -1))
        found.setdefault(below, Entry(below, kind, entry.path, inside, at))
    return [found[name] for name in sorted(found)]
