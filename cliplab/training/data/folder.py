"""One's own pictures: a folder of them, and a table that names each and its caption."""

import csv
import io
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .pair import Pair, Pairs
from .reading import DataError, PictureError, Problems, read_picture

TABLES = (".csv", ".tsv", ".jsonl")
IMAGE_COLUMNS = ("filepath", "file_name", "filename", "file", "path", "image", "image_path")
Table = tuple[list[str], list[tuple[int, dict]]]  # names of columns; number and cells of rows
CAPTION_COLUMNS = ("title", "caption", "text")


class FolderPairs(Pairs):
    """The pairs of a folder of pictures and a table (CSV, TSV, JSONL) of file names and captions.

    path            the folder; file names are relative to it and may not lead out of it
    table           the table, relative to the folder; None: the only one in it
    image_column    the column of file names; None: the one of IMAGE_COLUMNS that exists
    caption_column  the column of captions; None: the one of CAPTION_COLUMNS that exists
    on_bad          what to do about a row whose picture is missing or broken, whose caption is
                    empty, or that repeats another: "skip" leaves it out and says so with a
                    LeftOutWarning; "raise" refuses the table with a DataError

    Every picture is decoded once when the source is made, so that pair i stays pair i; it is read
    from the disk again each time that it is asked for. ``problems`` lists (row, what) and
    ``report()`` sums it up. Raises DataError also where no pair is left, or no table or column is
    found.
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
        self._problems = Problems[int](on_bad)
        self.table = find_table(self.path, table)
        columns, rows = read_table(self.table, self._problems)
        image = find_column(columns, image_column, IMAGE_COLUMNS, "image")
        caption = find_column(columns, caption_column, CAPTION_COLUMNS, "caption")

        root = os.path.realpath(self.path)
        names = list({row[image]: 0 for _, row in rows if isinstance(row.get(image), str)})
        with ThreadPoolExecutor() as pool:  # decoders leave Python's lock to other threads
            results = pool.map(lambda name: _check(root, name), names)
            checked = dict(zip(names, results, strict=True))
        rows_of: dict[tuple[str, str], int] = {}  # (file name, caption) → row; the order is kept
        for number, row in rows:
            self._take(number, row.get(image), row.get(caption), checked, rows_of)
        self._pairs = list(rows_of)

        if self._problems.found and on_bad == "raise":
            raise DataError(
                f'{self.table.name}: {self.report()} Mend the table, or say on_bad="skip".'
            )
        if not self._pairs:
            raise DataError(f"{self.table.name} gives no pair: {self.report()}")
        self._problems.warn(len(self), stacklevel=2)

    def _take(self, row: int, name: object, caption: object, checked: dict, rows_of: dict) -> None:
        """Take a row in, or note why not: first for its picture, then for its caption."""
        label = f"row {row}"
        if caption is None:
            caption = ""
        if not isinstance(name, str) or not name.strip():
            problem = "unnamed", "the row names no picture"
        elif checked[name] is not None:
            problem, label = checked[name], name
        elif not isinstance(caption, str):
            problem = "caption", f"the caption is no text: {caption!r:.60}"
        elif not (caption := caption.strip()):
            problem = "empty", "the caption is empty"
        elif (name, caption) in rows_of:
            problem = "repeated", f"the row repeats row {rows_of[name, caption]}"
        else:
            rows_of[name, caption] = row
            return
        kind, what = problem
        self._problems.add(kind, row, label, what)

    @property
    def problems(self) -> list[tuple[int, str]]:
        """What was left out: (row of the table, what is wrong with it)."""
        return sorted(self._problems.found)

    def report(self) -> str:
        """How many pairs there are and what was left out, in one sentence."""
        return self._problems.report(len(self))

    def __len__(self) -> int:
        return len(self._pairs)

    def __repr__(self) -> str:
        return f'FolderPairs("{self.path.name}"): {self.report()}'

    def captions(self) -> list[str]:
        """All captions; no picture is read."""
        return [caption for _, caption in self._pairs]

    def pair(self, index: int) -> Pair:
        name, caption = self._pairs[index]
        try:
            return Pair(read_picture(self.path / name), caption, name=name)
        except PictureError as error:
            raise DataError(
                f"{name} could be read when the folder was opened and now cannot: {error}."
            ) from error


def _check(root: str, name: str) -> tuple[str, str] | None:
    """What is wrong with a picture: a kind of problem and a sentence; None if nothing is."""
    file = Path(os.path.realpath(os.path.join(root, name))) if "\0" not in name else None
    if file is not None and not file.is_relative_to(root):
        return "outside", f"{name} leads out of the folder"
    if file is None or not os.path.isfile(file):
        return "missing", f"there is no file {name!r}"
    try:
        read_picture(file, small=True)
    except PictureError as error:
        return "picture", f"{name} cannot be read: {error}"
    return None


def find_table(folder: Path, table: str | Path | None = None) -> Path:
    """The table that is meant: the one named, or the only one in the folder. Raises DataError."""
    if not folder.is_dir():
        what = "is no folder" if folder.exists() else "does not exist"
        raise DataError(f"{folder} {what}: give the folder that holds the pictures.")
    if table is not None:
        named = folder / Path(table).expanduser()
        if not named.is_file():
            raise DataError(f"There is no table {named}.")
        if named.suffix.lower() not in TABLES:
            raise DataError(f"{named.name} is none of the tables read here: {', '.join(TABLES)}.")
        return named
    found = sorted(p for p in folder.iterdir() if p.suffix.lower() in TABLES and p.is_file())
    if not found:
        raise DataError(
            f"{folder} holds no table of captions. Put a CSV, TSV or JSONL beside the pictures, "
            "with a column of file names and a column of captions."
        )
    if len(found) > 1:
        raise DataError(
            f"{folder} holds several tables: {', '.join(p.name for p in found)}. "
            "Say which one: table=…"
        )
    return found[0]


def read_table(table: Path, problems: Problems[int]) -> Table:
    """The names of the columns, and (number, row) for each row that can be read.

    Rows count from 1 at the top of the file, the header of a CSV or TSV included, as spreadsheets
    count them. A CSV may be separated by commas, tabs or semicolons: whichever its header has most.
    """
    try:
        text = table.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{table.name} is not UTF-8 text (byte {error.start:,}): save it as UTF-8."
        ) from None
    except OSError as error:
        raise DataError(f"{table} cannot be read: {error.strerror}.") from error
    if table.suffix.lower() == ".jsonl":
        return _read_jsonl(text, problems)
    return _read_csv(text, table.name, problems)


def _read_jsonl(text: str, problems: Problems[int]) -> Table:
    columns, rows = dict[str, None](), []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if isinstance(row, dict):
            columns |= dict.fromkeys(row)
            rows.append((number, row))
        else:
            what = f"row {number} is no JSON object on one line"
            problems.add("row", number, f"row {number}", what)
    return list(columns), rows


def _read_csv(text: str, name: str, problems: Problems[int]) -> Table:
    first_line = text.partition("\n")[0]
    separator = max(",\t;", key=first_line.count)
    rows = []
    reader = csv.reader(io.StringIO(text), delimiter=separator, strict=True)
    try:
        columns = [column.strip() for column in next(reader, [])]
        for number, cells in enumerate(reader, start=2):
            if len(cells) == len(columns):
                rows.append((number, dict(zip(columns, cells, strict=True))))
            elif cells:  # a blank line is no row
                what = f"row {number} has {len(cells)} cells and the header {len(columns)}"
                problems.add("row", number, f"row {number}", what)
    except csv.Error as error:
        raise DataError(f"{name} is broken near line {reader.line_num}: {error}.") from None
    return columns, rows


def find_column(columns: list[str], wanted: str | None, usual: tuple[str, ...], of: str) -> str:
    """The column that is meant: the one named, or the only one with a usual name.

    of: what it holds, "image" or "caption". Raises DataError, which lists the columns that exist.
    """
    exist = f"The table's columns are {', '.join(columns)}." if columns else "The table is empty."
    if wanted is not None:
        if wanted not in columns:
            raise DataError(f"There is no column {wanted!r}. {exist}")
        found = [wanted]
    else:
        found = [column for column in usual if column in columns]
    if not found:
        raise DataError(
            f"No column is named as {of}s usually are ({', '.join(usual)}). {exist} "
            f"Say which one: {of}_column=…"
        )
    if len(found) > 1:
        raise DataError(
            f"Several columns may hold the {of}s: {', '.join(found)}. Say which one: {of}_column=…"
        )
    if columns.count(found[0]) > 1:
        raise DataError(f"Two columns are named {found[0]!r}: rename one.")
    return found[0]
