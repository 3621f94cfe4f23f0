"""The student's notebook for the website and Colab: the cell that installs the course comes first.

That cell is the chapters' own, in which the address of the repository stands. Pages show what cells
print as far as no answer is behind it: the outputs of plain cells that use no student's function.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from .. import CourseworkError
from ..master import Master
from ..names import free_names
from . import student
from .notebook import id_of, make, text

CHAPTERS = Path(__file__).parents[3] / "chapters"


def handout(master: Master) -> dict[str, str]:
    cells = student.cells(master)
    shown = outputs(master)
    for cell in cells:
        if cell.id in shown:
            cell.outputs = shown[cell.id]
    return {master.path.name: text([setup(master.number), *cells])}


def outputs(master: Master) -> dict[str, list[dict[str, Any]]]:
    """Id of a cell → its outputs, for those that would be the same without any answer."""
    found: dict[str, list[dict[str, Any]]] = {}
    answers = set(master.names)
    for cell in master.cells:
        if cell.type != "code" or cell.kind or cell.is_setup:
            continue
        if free_names(cell.source) & answers:
            answers |= set(cell.names)  # what it makes of them is an answer as well
        elif cell.outputs:
            found[id_of(cell, master)] = nbformat.from_dict(list(cell.outputs))
    return found


def setup(number: int) -> NotebookNode:
    """The chapters' first cell, hidden on the site and folded elsewhere."""
    path = min(CHAPTERS.glob("*.ipynb"), default=None)
    if path is None:
        raise CourseworkError(
            "The site's notebooks begin as the chapters do, with the cell that installs the course "
            f"on Colab, but {CHAPTERS} holds no chapters. Release from a checkout of the course."
        )
    first = nbformat.read(path, as_version=4).cells[0]
    return make("code", first.source, f"a{number}-setup", first.metadata)
