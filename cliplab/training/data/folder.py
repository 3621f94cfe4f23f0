"""One's own pictures: a folder of them, and captions in a table or beside each."""

import hashlib
import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from .contents import TABLES, Contents, read_table
from .pair import Pair, Pairs
from .places import NotThere, Places
from .reading import DataError, PictureError, Problems, read_picture, read_text
from .shards import captions_in
from .table import CAPTION_COLUMNS, IMAGE_COLUMNS, find_column


class Entry(NamedTuple):
    """What a folder says of one picture: where it says so, how a report names that place, the
    picture's name, and one caption or several."""

    where: int | str
    label: str
    name: Any
    captions: Any


class FolderPairs(Pairs):
    """The pairs of a folder of pictures and their captions.

    path            the folder; file names may not lead out of it
    table           the table (CSV, TSV, JSONL, JSON) of file names and captions, relative to the
                    folder; None: the only one in it, or the texts beside the pictures: dog.txt or
                    dog.caption with a caption on each line, for dog.jpg
    image_column    the column of file names; None: the one of IMAGE_COLUMNS that exists
    caption_column  the column of captions; None: the one of CAPTION_COLUMNS that exists
    on_bad          what to do about a row whose picture is missing or broken, whose caption is
                    empty, or that repeats another: "skip" leaves it out and says so with a
                    LeftOutWarning; "raise" refuses the table with a DataError

    Several captions of one picture, also of a copy of its file, are one group. Every picture is
    decoded once when the source is made, so that pair i stays pair i; it is read from the disk
    again each time that it is asked for. ``problems`` lists (row or file, what) and ``report()``
    sums it up. Raises DataError also where no pair is left, or no captions or column are found.
    """

    def __init__(
        self,
        path: str | Path,
        table: str | Path | None = None,
        image_column: str | None = None,
        caption_column: str | None = None,
        on_bad: str = "skip",
    ):
        self.path = Path(path).expanduser().absolute()
        self._problems = Problems[int | str](on_bad)
        contents = Contents(self.path, image_column, caption_column)
        found = contents.captions() if table is None else named_table(self.path, table)
        self.table = found if isinstance(found, Path) else None
        if isinstance(found, Path):
            entries = list(self._rows(found, image_column, caption_column))
        else:
            entries = list(self._texts(found))

        places = Places(self.path, self.table)
        names = list({entry.name: 0 for entry in entries if isinstance(entry.name, str)})
        with ThreadPoolExecutor() as pool:  # decoders leave Python's lock to other threads
            looked_at = pool.map(lambda name: look_at(places, name), names)
            pictures = dict(zip(names, looked_at, strict=True))
        self._taken: dict[tuple[Path, str], Entry] = {}  # (file, caption) → entry, in order
        self.groups: list[bytes] = []  # of each pair, a digest of its picture's file
        for entry in entries:
            self._take(entry, pictures)
        self._pairs = [(file, entry.name, text) for (file, text), entry in self._taken.items()]

        name, mend = (self.table or self.path).name, "table" if self.table else "folder"
        if self._problems.found and on_bad == "raise":
            raise DataError(f'{name}: {self.report()} Mend the {mend}, or say on_bad="skip".')
        if not self._pairs:
            raise DataError(f"{name} gives no pair: {self.report()}")
        self._problems.warn(len(self), stacklevel=2)

    def _rows(self, table: Path, image: str | None, caption: str | None) -> Iterator[Entry]:
        columns, rows = read_table(table, self._problems, image, caption)
        image = find_column(columns, image, IMAGE_COLUMNS, "image")
        caption = find_column(columns, caption, CAPTION_COLUMNS, "caption")
        for number, label, cells in rows:
            yield Entry(number, label, cells.get(image), cells.get(caption))

    def _texts(self, beside: dict[Path, list[Path]]) -> Iterator[Entry]:
        for picture, texts in beside.items():
            name = picture.relative_to(self.path).as_posix()
            if not texts:
                self._problems.add("uncaptioned", name, name, f"{name} has no caption beside it")
            for text in texts:
                try:
                    yield Entry(name, text.name, name, captions_beside(text))
                except ValueError as error:  # a DataError among them
                    self._problems.add("caption", name, text.name, f"{text.name}: {error}")

    def _take(self, entry: Entry, pictures: dict) -> None:
        """Take an entry in, or note why not: first for its picture, then for its captions."""
        where, label, name, captions = entry
        if not isinstance(name, str) or not name.strip():
            self._problems.add("unnamed", where, label, "the row names no picture")
            return
        picture = pictures[name]
        if isinstance(picture, NotThere):
            self._problems.add(picture.kind, where, name, str(picture))
            return
        for caption in captions if isinstance(captions, list) and captions else [captions]:
            text = "" if caption in (None, []) else caption
            if not isinstance(text, str):
                problem = "caption", f"the caption is no text: {caption!r:.60}"
            elif not (text := text.strip()):
                problem = "empty", "the caption is empty"
            elif (first := self._taken.get((picture.file, text))) is not None:
                problem = "repeated", f"the pair repeats that of {first.label}"
            else:
                self._taken[picture.file, text] = entry
                self.groups.append(picture.digest)
                continue
            kind, what = problem
            self._problems.add(kind, where, label, what)

    @property
    def problems(self) -> list[tuple[int | str, str]]:
        """What was left out: (row of the table or picture's name, what is wrong with it)."""
        return sorted(self._problems.found, key=lambda one: one[0])

    def report(self) -> str:
        """How many pairs there are and what was left out, in one sentence."""
        return self._problems.report(len(self))

    def __len__(self) -> int:
        return len(self._pairs)

    def __repr__(self) -> str:
        return f'FolderPairs("{self.path.name}"): {self.report()}'

    def captions(self) -> list[str]:
        """All captions; no picture is read."""
        return [caption for _, _, caption in self._pairs]

    def contents(self) -> list[tuple[bytes, str]]:
        return list(zip(self.groups, self.captions(), strict=True))

    def pair(self, index: int) -> Pair:
        file, name, caption = self._pairs[index]
        try:
            return Pair(read_picture(file), caption, name=name)
        except PictureError as error:
            raise DataError(
                f"{name} could be read when the folder was opened and now cannot: {error}."
            ) from error


class Picture(NamedTuple):
    """A picture that can be read: its file, and a digest of what the file holds."""

    file: Path
    digest: bytes


def look_at(places: Places, name: str) -> Picture | NotThere:
    """The picture of that name, decoded once, or what is wrong with it."""
    try:
        file = places.find(name)
        data = file.read_bytes()
        read_picture(io.BytesIO(data), small=True)
    except NotThere as problem:
        return problem
    except (PictureError, OSError) as error:
        return NotThere("picture", f"{name} cannot be read: {error}")
    return Picture(file, hashlib.blake2b(data, digest_size=8).digest())


def captions_beside(text: Path) -> list[str]:
    """The captions in a file beside a picture: one on each line, or those of a JSON."""
    if text.suffix.lower() == ".json":
        return captions_in({"json": read_text(text).encode()})
    return [line for line in read_text(text).split("\n") if line.strip()]


def named_table(folder: Path, table: str | Path) -> Path:
    """The table of that name, relative to the folder or to where one is."""
    named = Path(table).expanduser()
    found = [path for path in (folder / named, named.absolute()) if path.is_file()]
    if not found:
        raise DataError(f"There is no table {folder / named}.")
    if found[0].suffix.lower() not in TABLES:
        raise DataError(f"{found[0].name} is none of the tables read here: {', '.join(TABLES)}.")
    return found[0]
