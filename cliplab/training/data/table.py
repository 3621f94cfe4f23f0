"""A table of pictures and captions beside the pictures: CSV, TSV or JSONL → its rows."""

import csv
import io
import json
from pathlib import Path

from .problems import DataError, Problems

TABLES = (".csv", ".tsv", ".jsonl")
IMAGE_COLUMNS = ("filepath", "file_name", "filename", "file", "path", "image", "image_path")
CAPTION_COLUMNS = ("title", "caption", "text")


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


def read_table(table: Path, problems: Problems) -> tuple[list[str], list[tuple[int, dict]]]:
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


def _read_jsonl(text: str, problems: Problems) -> tuple[list[str], list[tuple[int, dict]]]:
    columns, rows = {}, []
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


def _read_csv(text: str, name: str, problems: Problems) -> tuple[list[str], list[tuple[int, dict]]]:
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
