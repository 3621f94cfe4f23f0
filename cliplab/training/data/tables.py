"""Tables of file names and captions as people have them: what can be read, row by row.

CSV with commas, tabs, semicolons or bars, with a header or, as Flickr8k's, without; JSON lines; and
JSON: a list of records, file names with their captions, COCO's captions.
"""

import csv
import json
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path, PurePath
from typing import Any, NamedTuple

from .reading import DataError, Problems

SEPARATORS = ",\t;|"
LOOKED_AT = 50  # lines that decide about the separator
ENDINGS = (".bmp", ".gif", ".jfif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
IMAGE_COLUMNS = (
    "filepath", "file_name", "filename", "file", "path", "image", "image_path", "image_name",
    "image_file", "img", "img_path",
)  # fmt: skip
CAPTION_COLUMNS = ("title", "caption", "captions", "text", "description", "prompt", "comment")


class Row(NamedTuple):
    """One row that could be read: its number, from 1 at the top of the file as spreadsheets count,
    how a report names it, and its cells by column."""

    number: int
    label: str
    cells: dict[str, Any]


class Table(NamedTuple):
    columns: list[str]
    rows: list[Row]


def plain(column: str) -> str:
    """A column's name as it is compared: "File Name " is file_name."""
    return re.sub(r"[\s_-]+", "_", column.strip().casefold())


def names_picture(cell: str) -> bool:
    """Whether a cell looks like the name of a picture; Flickr8k adds #0 to #4 to it."""
    return PurePath(re.sub(r"#\d+$", "", cell.strip())).suffix.lower() in ENDINGS


def read_table(
    path: Path, problems: Problems, image: str | None = None, caption: str | None = None
) -> Table:
    """The columns and rows of a table. image, caption: the columns that will be asked for, if not
    the usual ones. What is wrong with a row goes to `problems`; raises DataError where nothing can
    be read."""
    text = read_text(path)
    start = text.lstrip()[:1]
    if path.suffix.lower() == ".json" or (path.suffix.lower() == ".jsonl" and start == "["):
        try:
            return _of_json(json.loads(text))
        except (ValueError, RecursionError):
            if start != "{":
                raise DataError(f"{path.name} is no JSON that names pictures.") from None
    if path.suffix.lower() in (".json", ".jsonl", ".ndjson"):
        return _of_json_lines(text, problems)
    wanted = [(image, IMAGE_COLUMNS), (caption, CAPTION_COLUMNS)]
    return _of_csv(text.split("\n"), problems, [[name] if name else usual for name, usual in wanted])


def read_text(path: Path) -> str:
    """The text of a file in UTF-8, or in the UTF-16 of spreadsheets, lines ended by "\\n"."""
    try:
        head = path.open("rb").read(2)
        utf16 = head in (b"\xff\xfe", b"\xfe\xff")
        return path.read_text(encoding="utf-16" if utf16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path.name} is not UTF-8 text (byte {error.start:,}): save it as UTF-8."
        ) from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error


# --- JSON -----------------------------------------------------------------------------------------


def _of_json_lines(text: str, problems: Problems) -> Table:
    rows = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if isinstance(row, dict):
            rows.append(Row(number, f"row {number}", row))
        else:
            what = f"row {number} is no JSON object on one line"
            problems.add("row", number, f"row {number}", what)
    return Table(list(dict.fromkeys(key for row in rows for key in row.cells)), rows)


def _of_json(said: Any) -> Table:
    """The records in a JSON document. Raises ValueError where there are none."""
    records = _records(said)
    columns = dict.fromkeys(key for record in records for key in record)
    numbered = enumerate(records, start=1)
    return Table(list(columns), [Row(n, f"entry {n}", record) for n, record in numbered])


def _records(said: Any) -> list[dict]:
    if isinstance(said, dict):
        images, annotations = said.get("images"), said.get("annotations")
        if _are_records(images) and _are_records(annotations):  # COCO
            names = {one.get("id"): one.get("file_name") for one in images}
            return [{**one, "file_name": names.get(one.get("image_id"))} for one in annotations]
        if said and all(map(names_picture, said)):  # {"a.jpg": "a dog"}, or a list, or a record
            return [
                {"image": name, **(about if isinstance(about, dict) else {"caption": about})}
                for name, about in said.items()
            ]
        lists = [value for value in said.values() if _are_records(value)]
        said = lists[0] if len(lists) == 1 else None
    if not _are_records(said):
        raise ValueError("no records")
    return [_flat(record) for record in said]


def _are_records(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)


def _flat(record: dict) -> dict:
    """Karpathy's records have their captions in sentences, and the folder of a file apart."""
    if not _are_records(record.get("sentences")):
        return record
    name = "/".join(filter(None, (record.get("filepath"), record.get("filename"))))
    return {"image": name, "caption": [one.get("raw") for one in record["sentences"]]}


# --- CSV ------------------------------------------------------------------------------------------


def _of_csv(lines: list[str], problems: Problems, wanted: list) -> Table:
    """wanted: for pictures and for captions, the names that their column may have."""
    first = 0
    if said := re.fullmatch(r'"?sep=(.)"?', lines[0].strip("\r")):  # Excel's word for it
        separator, first = said[1], 1
    else:
        separator = max(SEPARATORS, key=lambda s: _fitness(lines[:LOOKED_AT], s, wanted))
    header = _cells(lines[first], separator) or []
    headless = len(header) > 1 and any(map(names_picture, header))
    if headless:
        columns = [str(n) for n in range(1, len(header) + 1)]
        place = next(n for n, cell in enumerate(header) if names_picture(cell))
        columns[place] = "image"
        if len(header) == 2:
            columns[1 - place] = "caption"
    else:
        columns, first = [column.strip() for column in header], first + 1
        named = [n for n, column in enumerate(columns) if plain(column) in map(plain, wanted[0])]
        place = named[0] if named else None
    rows = []
    for number, line, cells in _rows(lines, first, separator, len(columns), place):
        label = f"row {number}" if number == line else f"row {number} (line {line})"
        if isinstance(cells, str):
            problems.add("row", number, label, f"{label} {cells}")
        elif len(cells) != len(columns):
            what = f"{label} has {len(cells)} cells and the header {len(columns)}"
            problems.add("row", number, label, what)
        else:
            rows.append(Row(number, label, dict(zip(columns, cells, strict=True))))
    return Table([] if columns == [""] else columns, rows)


def _fitness(lines: list[str], separator: str, wanted: list) -> tuple[int, int]:
    """How well lines are read with a separator: what is found in the first of them, and how many
    have as many cells."""
    header, *rest = [_cells(line, separator) or [] for line in lines if line.strip()] or [[]]
    found = sum(bool({*map(plain, header)} & {*map(plain, names)}) for names in wanted)
    headless = len(header) > 1 and any(map(names_picture, header))
    alike = sum(len(cells) == len(header) for cells in rest) if len(header) > 1 else -1
    return max(found, 2 * headless), alike


def _rows(
    lines: list[str], first: int, separator: str, width: int, place: int | None
) -> Iterator[tuple[int, int, list[str] | str]]:
    """The number of each row, that of its line, and its cells, or what is wrong with it.

    A quoted cell may go over several lines. But a quote that was never closed must not swallow the
    rows below: where two of the lines are rows in themselves, the first is left out, alone.
    """

    def whole(line: str) -> bool:
        if place is None:
            return False
        return any(
            len(cells) == width and names_picture(cells[place])
            for cells in (_cells(line, separator), _cells(line, separator, literal=True))
            if cells
        )

    number = line = first
    while line < len(lines):
        number += 1
        taken: list[str] = []

        def feed(start: int = line, taken: list[str] = taken) -> Iterator[str]:
            for text in islice(lines, start, None):
                if taken and sum(map(whole, (*taken, text))) > 1:
                    return
                taken.append(text)
                yield text + "\n"

        at, cells = line + 1, _strict(feed(), separator)
        if cells is None:  # this line alone, with its quotes as they stand
            closed = len(taken) == 1 and _strict(iter(taken + ['"']), separator) is None
            cells = _escaped(taken[0], separator, width) if closed else None
            taken = taken[:1]
        line += len(taken)
        if cells is None:
            yield number, at, "opens a quote that is not closed"
        elif any(cells):  # a line of separators alone is no row
            while len(cells) > width and not cells[-1]:  # Excel fills rows up
                cells.pop()
            yield number, at, cells


def _cells(line: str, separator: str, literal: bool = False) -> list[str] | None:
    how: dict = {"quoting": csv.QUOTE_NONE} if literal else {}
    try:
        return next(csv.reader([line], delimiter=separator, skipinitialspace=True, **how), [])
    except csv.Error:
        return None


def _strict(lines: Iterator[str], separator: str, **how: Any) -> list[str] | None:
    """The cells of one row, which takes as many lines as it needs; None for quotes that are wrong."""
    try:
        how |= {"delimiter": separator, "skipinitialspace": True, "strict": True}
        return next(csv.reader(lines, **how), [])
    except csv.Error:
        return None


def _escaped(line: str, separator: str, width: int) -> list[str] | None:
    """A line with quotes inside of quotes: those after a backslash, or all of them, are text."""
    by_backslash = {"escapechar": "\\", "doublequote": False}
    for cells in (
        _strict(iter([line]), separator, **by_backslash),
        _cells(line, separator, literal=True),
    ):
        if cells and len(cells) == width:
            return cells
    return None


# --- columns --------------------------------------------------------------------------------------


def find_column(columns: list[str], wanted: str | None, usual: tuple[str, ...], of: str) -> str:
    """The column that is meant: the one named, or the only one with a usual name; without regard to
    case and blanks.

    of: what it holds, "image" or "caption". Raises DataError, which lists the columns that exist.
    """
    exist = f"The table's columns are {', '.join(columns)}." if columns else "The table is empty."
    names = usual if wanted is None else (wanted,)
    found = [column for column in columns if plain(column) in map(plain, names)]
    if wanted in columns:
        found = [column for column in columns if column == wanted]
    if not found and wanted is not None:
        raise DataError(f"There is no column {wanted!r}. {exist}")
    if not found:
        raise DataError(
            f"No column is named as {of}s usually are ({', '.join(usual)}). {exist} "
            f"Say which one: {of}_column=…"
        )
    if len(found) > len(set(found)):
        raise DataError(f"Two columns are named {found[0]!r}: rename one.")
    if len(found) > 1:
        raise DataError(
            f"Several columns may hold the {of}s: {', '.join(found)}. Say which one: {of}_column=…"
        )
    return found[0]
