"""What a folder of pictures holds: a table, captions beside the pictures, shards, or what else.

What can be read in one way only is read. Otherwise one sentence says what was found and what to
type.
"""

import os
import re
from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from itertools import chain
from pathlib import Path

from ...checks import listed
from .csv_table import of_csv
from .json_table import in_lines, of_json, of_json_lines
from .reading import DataError, Problems, read_text
from .shards import is_shard
from .table import CAPTION_COLUMNS, ENDINGS, IMAGE_COLUMNS, Table, find_column, plain

SURE = (".csv", ".tsv", ".jsonl", ".ndjson")  # are tables; of the others some are
TABLES = (*SURE, ".json", ".txt", ".token")
BESIDE = (".txt", ".caption", ".json")  # what may lie beside a picture, by its name
LOG = ("log.jsonl", "snapshot.safetensors")  # what a run leaves where it is kept


def hidden(name: str) -> bool:
    """Files that systems and office programs leave: .DS_Store, ._m.csv, .~lock.m.csv#, ~$m.csv."""
    return name.startswith((".", "~$")) or name == "__MACOSX"


def read_table(
    path: Path, problems: Problems, image: str | None = None, caption: str | None = None
) -> Table:
    """The columns and rows of a table. image, caption: the columns that will be asked for, where
    they are not the usual ones. Rows that cannot be read go to `problems`; raises DataError where
    nothing can."""
    text = read_text(path)
    if (kind := path.suffix.lower()) in (".json", ".jsonl", ".ndjson"):  # often named wrongly
        lines = in_lines(text, least=2 if kind == ".json" else 1)
        try:
            return of_json_lines(text, problems) if lines else of_json(text)
        except (ValueError, RecursionError):
            if kind == ".json":
                raise DataError(f"{path.name} is no JSON that names pictures.") from None
            return of_json_lines(text, problems)
    asked = ((image, IMAGE_COLUMNS), (caption, CAPTION_COLUMNS))
    names = [(name,) if name else usual for name, usual in asked]
    return of_csv(text, problems, [[plain(name) for name in some] for some in names])


class Contents:
    """The files of a folder and of those in it, but for hidden ones.

    image, caption: the columns that were asked for. Raises DataError where there is no folder.
    """

    def __init__(self, folder: Path, image: str | None = None, caption: str | None = None):
        if not folder.is_dir():
            what = "is no folder" if folder.exists() else "does not exist"
            raise DataError(f"{folder} {what}: give the folder that holds the pictures.")
        self.folder, self.image, self.caption = folder, image, caption

    @cached_property
    def files(self) -> list[Path]:
        return list(files_in(self.folder))

    @cached_property
    def pictures(self) -> list[Path]:
        return [path for path in self.files if path.suffix.lower() in ENDINGS]

    @cached_property
    def shards(self) -> list[Path]:
        return [path for path in self.files if is_shard(path)]

    @cached_property
    def beside(self) -> dict[Path, list[Path]]:
        """Pictures and what has their name: texts, or else a JSON, beside them, or else texts in
        another folder, images/dog.jpg and captions/dog.txt."""
        there: dict[Path, list[Path]] = {}
        for path in self.files:
            if path.suffix.lower() in BESIDE:
                there.setdefault(path.with_suffix(""), []).append(path)
        found = {}
        for path in self.pictures:
            texts = there.get(path.with_suffix(""), []) + there.get(path, [])  # and dog.jpg.txt
            found[path] = [p for p in texts if p.suffix.lower() != ".json"] or texts
        elsewhere: dict[str, list[Path]] = {}
        for path in self.files:
            if path.suffix.lower() in BESIDE[:2]:
                elsewhere.setdefault(path.stem, []).append(path)
        names = {path.stem for path in self.pictures}
        if not any(found.values()) and len(names) == len(self.pictures):
            found = {path: elsewhere.get(path.stem, []) for path in self.pictures}
        return found if any(map(says_something, chain(*found.values()))) else {}

    @cached_property
    def tables(self) -> list[Path]:
        """All that may be tables, in the folder itself first."""
        taken = {text for texts in self.beside.values() for text in texts}
        found = [p for p in self.files if p.suffix.lower() in TABLES and p not in taken]
        own = [path for path in found if path.name == LOG[0] and path.with_name(LOG[1]).exists()]
        return sorted((p for p in found if p not in own), key=lambda p: len(p.parts))

    def captions(self) -> Path | dict[Path, list[Path]]:
        """The only table of file names and captions, or what lies beside the pictures. Raises
        DataError for several tables, for both, and for nothing of the kind."""
        top = [path for path in self.tables if path.parent == self.folder]
        deeper = [path for path in self.tables if path.parent.parent == self.folder]
        found = [p for p in top if self.is_table(p)] or [p for p in deeper if self.is_table(p)]
        if not found and not self.beside:  # the reader of a lone table says what is wrong with it
            found = [path for path in top if path.suffix.lower() in SURE]
        if len(found) > 1:
            names = [path.relative_to(self.folder).as_posix() for path in found]
            raise DataError(
                f"{self.folder} holds several tables: {listed(names)}. Say which one: table=…"
            )
        if found and self.beside:
            text = next(texts[0] for texts in self.beside.values() if texts)
            raise DataError(
                f"{self.folder} holds a table, {found[0].name}, and texts beside pictures, such as "
                f"{text.name}. For the table say so: table=…, and for the texts take it away."
            )
        if not found and not self.beside:
            raise DataError(f"{self.folder} holds {self.in_words()}. {self.way_out()}")
        if not found and (given := [name for name in (self.image, self.caption) if name]):
            raise DataError(f"{self.folder} holds no table, so none with a column {given[0]!r}.")
        return found[0] if found else self.beside

    def is_table(self, path: Path) -> bool:
        """Whether a file has a column of file names and a column of captions."""
        try:
            columns, rows = read_table(path, Problems("skip"), self.image, self.caption)
            find_column(columns, self.image, IMAGE_COLUMNS, "image")
            find_column(columns, self.caption, CAPTION_COLUMNS, "caption")
        except DataError:
            return False
        return bool(rows)

    def in_words(self) -> str:
        kinds = Counter(path.suffix.lower() for path in self.files if path.suffix)
        others = [f"{n:,} {ending}" for ending, n in kinds.most_common() if ending not in ENDINGS]
        pictures = f"{len(self.pictures):,} picture{'s' * (len(self.pictures) != 1)}"
        return f"{pictures} and no captions" + (f", besides {listed(others)}" if others else "")

    def way_out(self) -> str:
        """What to do about a folder without captions, by what it holds."""
        for path in self.files:
            if (ending := path.suffix.lower()) in NOT_READ:
                inside = "" if self.pictures or ending != ".parquet" else INSIDE
                name = path.relative_to(self.folder).as_posix()
                return f"{NOT_READ[ending]}{inside}".replace("NAME", name)
        if self.shards and not self.pictures:
            return "They are shards, which ShardPairs reads."
        classes = Counter(p.parent.name for p in self.pictures if p.parent != self.folder)
        if len(classes) > 1:
            named = listed([f"{name}: {n:,}" for name, n in classes.most_common()])
            endings = sorted({path.suffix for path in self.pictures})
            return (
                f"They lie in folders, as classes do ({named}), and a CLIP learns from captions. "
                f"This makes captions of the names, typed in that folder: {CLASSES}"
            ).replace("ENDINGS", str(endings))
        return (
            "Put a CSV, TSV or JSONL beside the pictures, with a column of file names and a column "
            "of captions; or beside each a text with its captions, dog.txt for dog.jpg."
        )


def shards_alone(folder: Path) -> list[Path]:
    """The shards of a folder that holds no pictures; none of any other. Raises DataError where they
    are of several kinds, train-000.tar and val-000.tar."""
    contents = Contents(folder)
    if contents.pictures:
        return []
    kinds = {path.with_name(re.sub(r"\d+", "*", path.name)) for path in contents.shards}
    if len(kinds) > 1:
        raise DataError(
            f"{folder} holds several kinds of shards. Give one of them: "
            f"{listed([str(kind) for kind in sorted(kinds)])}"
        )
    return contents.shards


def way_out_of(path: Path) -> str:
    """What to do about a file that is not read."""
    return NOT_READ.get(path.suffix.lower(), "").replace("NAME", path.name)


def says_something(path: Path) -> bool:
    """Whether a text has a letter: those that describe boxes, for detectors, have none."""
    try:
        return any(map(str.isalpha, read_text(path)))
    except DataError:
        return True  # its reader will say what is wrong


def files_in(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not hidden(name))
        yield from (Path(place, name) for name in sorted(files) if not hidden(name))


# What is not read, and a line that makes it readable. NAME, ENDINGS: what was found.
PANDAS = "python -c \"import pandas; pandas.read_KIND('NAME').to_csv('captions.csv', index=False)\""
NOT_READ = {
    f".{kind}": f"{kind.title()} is not read. In that folder this makes a table of it: "
    + PANDAS.replace("KIND", kind)
    for kind in ("parquet", "feather")
}
NOT_READ |= dict.fromkeys((".xlsx", ".xls", ".ods"), "A spreadsheet is not read: save NAME as CSV.")
NOT_READ |= dict.fromkeys((".zip", ".rar", ".7z"), "An archive is not read: unpack NAME.")
INSIDE = (
    ' If it holds the pictures as well, this makes shards of it: python -c "import datasets; '
    "from cliplab.training import Pair, write_shards; write_shards((Pair(r['image'], r['text']) "
    "for r in datasets.load_dataset('parquet', data_files='NAME', split='train')), 'shards')\""
)
CLASSES = (
    "python -c \"from pathlib import Path; Path('captions.tsv').write_text("
    "'file_name\\tcaption\\n' + ''.join(f'{p.as_posix()}\\ta picture of a {p.parent.name}\\n' "
    "for p in sorted(Path().rglob('*')) if p.suffix in ENDINGS), encoding='utf-8')\""
)
