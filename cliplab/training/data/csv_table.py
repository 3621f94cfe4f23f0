"""A CSV as people have them: any of four separators, with or without a header, wrong quotes.

Python's csv module reads the cells. Here is decided where a row ends when quotes are wrong: what
cannot be read is one row, and never those below it.
"""

import csv
import re
from collections.abc import Callable, Collection, Iterator
from functools import partial
from itertools import islice
from typing import Any

from .reading import Problems
from .table import Row, Table, names_picture, plain

SEPARATORS = ",\t;|"
LOOKED_AT = 50  # lines that decide about the separator


def of_csv(text: str, problems: Problems, wanted: list[Collection[str]]) -> Table:
    """The table in a text. wanted: for pictures and for captions, the names their column may have.

    Without a header, which a file name in the first row shows, columns are named "column 1"
    and so on, but for the one of file names, "image", and the other one of two, "caption".
    """
    lines, first = text.split("\n"), 0
    if said := re.fullmatch(r'"?sep=(.)"?', lines[0]):  # Excel's own word for it
        separator, first = said[1], 1
    else:
        separator = max(SEPARATORS, key=lambda s: fitness(lines[:LOOKED_AT], s, wanted))
    columns = [column.strip() for column in cells_of(lines[first], separator)]
    named = [n for n, column in enumerate(columns) if plain(column) in wanted[0]]
    if without_header(columns):
        named = [n for n, cell in enumerate(columns) if names_picture(cell)]
        two = len(columns) == 2
        columns = ["caption" if two else f"column {n + 1}" for n in range(len(columns))]
        columns[named[0]] = "image"
    else:
        first += 1
    rows = []
    for number, line, cells in rows_of(lines, first, separator, len(columns), named[:1]):
        label = f"row {number}" if number == line else f"row {number} (line {line})"
        if isinstance(cells, str):
            problems.add("row", number, label, f"{label} {cells}")
        elif len(cells) != len(columns):
            what = f"{label} has {len(cells)} cells and the header {len(columns)}"
            problems.add("row", number, label, what)
        else:
            rows.append(Row(number, label, dict(zip(columns, cells, strict=True))))
    return Table(columns if any(columns) else [], rows)


def fitness(lines: list[str], separator: str, wanted: list[Collection[str]]) -> tuple[int, int]:
    """How well a separator reads the first lines: how many of the columns wanted they then have,
    and how many rows are as wide as the first."""
    header, *rest = [cells_of(line, separator) for line in lines if line.strip()] or [[]]
    found = sum(any(plain(column) in names for column in header) for names in wanted)
    alike = sum(len(cells) == len(header) for cells in rest) if len(header) > 1 else -1
    return 2 if without_header(header) else found, alike


def without_header(first: list[str]) -> bool:
    return len(first) > 1 and any(map(names_picture, first))


def rows_of(
    lines: list[str], first: int, separator: str, width: int, place: list[int]
) -> Iterator[tuple[int, int, list[str] | str]]:
    """For each row its number, that of its line, and its cells, or what is wrong with it.

    place: the column of file names, if there is one. A cell in quotes may go over several lines.
    Where two of them look like rows in themselves, a quote was not closed, and the first of them
    alone is left out.
    """

    def is_row(line: str, named: Callable[[str], bool] = names_picture) -> bool:
        readings = (cells_of(line, separator), cells_of(line, separator, quoting=csv.QUOTE_NONE))
        return any(len(row) == width and named(row[n]) for row in readings for n in place)

    if not any(map(is_row, lines[first : first + LOOKED_AT])):  # their names have no endings
        is_row = partial(is_row, named=lambda cell: len(cell.split()) == 1)

    def row_at(line: int) -> Iterator[str]:
        """The lines of a row, as the reader asks for them."""
        rows = 0
        for text in islice(lines, line, None):
            taken.append(text)
            yield text + "\n"
            rows += is_row(text)
            if line + len(taken) < len(lines) and rows + is_row(lines[line + len(taken)]) > 1:
                return

    number, line = first, first
    while line < len(lines):
        taken: list[str] = []
        cells, at = strictly(row_at(line), separator), line + 1
        number += 1
        if cells is None:
            taken, is_open = taken[:1], strictly([taken[0] + "\n", '"'], separator) is not None
            cells = None if is_open else with_quotes_inside(taken[0], separator, width)
        line += len(taken)
        if cells is None:
            what = "opens a quote that is not closed" if is_open else "has quotes inside of quotes"
            yield number, at, what
        elif any(map(str.strip, cells)):  # else it is blank, or separators alone
            while len(cells) > width and not cells[-1]:  # Excel fills all rows up to the widest
                cells.pop()
            yield number, at, cells


def strictly(lines: Any, separator: str, **how: Any) -> list[str] | None:
    """The cells of one row, which takes as many lines as it needs; None where quotes are wrong."""
    how |= {"delimiter": separator, "skipinitialspace": True, "strict": True}
    try:
        return next(csv.reader(lines, **how), [])
    except csv.Error:
        return None


def cells_of(line: str, separator: str, **how: Any) -> list[str]:
    """The cells of one line, whatever its quotes; none, where a cell is longer than csv allows."""
    try:
        return next(csv.reader([line], delimiter=separator, skipinitialspace=True, **how), [])
    except csv.Error:
        return []


def with_quotes_inside(line: str, separator: str, width: int) -> list[str] | None:
    """A line whose quotes are text: those after a backslash, or else all, as they stand."""
    escaped = {"escapechar": "\\", "doublequote": False} if '\\"' in line else {}
    for how in (escaped, {"quoting": csv.QUOTE_NONE}):
        cells = strictly([line], separator, **how)
        if cells and len(cells) == width:
            return cells
    return None
