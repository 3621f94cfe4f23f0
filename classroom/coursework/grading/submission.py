"""A submission, and the cells of its notebook."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ..names import bound
from .entries import MOST_BYTES, Unreadable

MOST_CODE = 100 << 10  # characters of a cell
# How files begin that are handed in in place of a notebook.
SIGNS = {
    b"<": "it is a web page",
    b"%PDF": "it is a PDF",
    b"PK": "it is an archive",
}
# What reading a cell raises that is no Python, or one that would bring Python down.
NOT_PYTHON = (ValueError, SyntaxError, RecursionError, MemoryError)


@dataclass(frozen=True)
class Submission:
    """What one student handed in: the notebook, or why it is not clear which.

    inside: the members of archives on the way to it. handed_in: seconds since 1970, as the file
    says. feedback: the name by which Moodle or Canvas takes feedback back.
    """

    student: str
    path: Path | None
    problem: str = ""
    notes: tuple[str, ...] = ()
    inside: tuple[str, ...] = ()
    handed_in: float | None = None
    feedback: str = ""


@dataclass(frozen=True)
class SubmittedCell:
    """A cell as it was handed in: its place in the notebook from 1 on, and its role tags."""

    number: int
    code: bool
    source: str
    tags: tuple[str, ...]
    is_test: bool

    @cached_property
    def names(self) -> set[str]:
        """The names that it binds at its top level, as far as a broken cell lets one see."""
        try:
            return bound(self.source)
        except NOT_PYTHON:
            pairs = re.findall(
                r"^(?:async +)?(?:def|class) +(\w+)|^(\w+) *=(?!=)", self.source, re.M
            )
            return {name for pair in pairs for name in pair if name}

    @property
    def only_checks(self) -> bool:
        """Whether it does nothing but ask for feedback: check("A1.2", f), grader.check("q1")."""
        try:
            body = ast.parse(self.source).body
        except NOT_PYTHON:
            return False
        return bool(body) and all(
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Call)
            and getattr(node.value.func, "attr", getattr(node.value.func, "id", "")) == "check"
            for node in body
        )


def read_cells(content: bytes) -> list[SubmittedCell]:
    """The cells of a notebook file (nbformat 4). Raises Unreadable with a sentence."""
    if len(content) > MOST_BYTES:
        raise Unreadable(f"The file has more than {MOST_BYTES >> 20} MB, and no more are read.")
    start = content[:200].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start:
        raise Unreadable("The file is empty.")
    try:
        cells = list(json.loads(content)["cells"])
    except (ValueError, RecursionError):
        found = (what for sign, what in SIGNS.items() if start.startswith(sign))
        what = next(found, "its JSON is broken")
        raise Unreadable(f"The file is not a notebook: {what}.") from None
    except (KeyError, TypeError):
        raise Unreadable(
            "The file is not a notebook of format 4: it has no list of cells."
        ) from None
    read = [_cell(number, cell) for number, cell in enumerate(cells, 1)]
    for cell in read:
        if cell.code and len(cell.source) > MOST_CODE:
            raise Unreadable(
                f"Cell {cell.number} has {len(cell.source) >> 10} KB of code; {MOST_CODE >> 10} "
                "are read, as more would take Python itself too long."
            )
    if not any(cell.code and cell.source.strip() for cell in read):
        raise Unreadable("The notebook has no code.")
    return read


def _cell(number: int, cell: dict[str, Any]) -> SubmittedCell:
    try:
        source = cell["source"]
        source = source if isinstance(source, str) else "".join(source)
    except (KeyError, TypeError):
        raise Unreadable(f"Cell {number} is no cell of a notebook of format 4.") from None
    metadata = cell.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    tags = metadata.get("tags")
    tags = tuple(t for t in tags if isinstance(t, str)) if isinstance(tags, list) else ()
    graded = metadata.get("nbgrader")
    is_test = isinstance(graded, dict) and graded.get("grade") and not graded.get("solution")
    is_test = is_test or any(tag.startswith(("test:", "hidden:")) for tag in tags)
    return SubmittedCell(number, cell.get("cell_type") == "code", source, tags, bool(is_test))
