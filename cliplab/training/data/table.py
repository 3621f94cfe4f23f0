"""What a table of file names and captions is: columns, and rows that could be read."""

import re
from pathlib import PurePath
from typing import Any, NamedTuple

from .reading import DataError

ENDINGS = (".bmp", ".gif", ".jfif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
IMAGE_COLUMNS = (
    "filepath", "file_name", "filename", "file", "path", "image", "image_path", "image_name",
    "image_file", "img", "img_path",
)  # fmt: skip
CAPTION_COLUMNS = ("title", "caption", "captions", "text", "description", "prompt", "comment")


class Row(NamedTuple):
    """One row: its number, from 1 at the top of the file as spreadsheets count, how a report names
    it, and its cells by column."""

    number: int
    label: str
    cells: dict[str, Any]


class Table(NamedTuple):
    """The names of the columns, and the rows that could be read."""

    columns: list[str]
    rows: list[Row]


def names_picture(cell: str) -> bool:
    """Whether a cell looks like the name of a picture; Flickr8k adds #0 to #4 to it."""
    return PurePath(re.sub(r"#\d+$", "", cell.strip())).suffix.lower() in ENDINGS


def plain(column: str) -> str:
    """A column's name as names are compared: "File Name " is file_name."""
    return re.sub(r"[\s_-]+", "_", column.strip().casefold())


def find_column(columns: list[str], wanted: str | None, usual: tuple[str, ...], of: str) -> str:
    """The column that is meant: the one named, or the only one with a usual name, without regard to
    case and blanks.

    of: what it holds, "image" or "caption". Raises DataError, which lists the columns that exist.
    """
    exist = f"The table's columns are {', '.join(columns)}." if columns else "The table is empty."
    names = usual if wanted is None else (wanted,)
    found = [column for column in columns if plain(column) in map(plain, names)]
    if wanted in found:
        found = [column for column in found if column == wanted]
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
