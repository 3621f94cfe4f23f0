"""nbgrader: its metadata, schema 3, in the folders that it expects.

Students get what `nbgrader generate_assignment` would make; a hidden test is a locked cell that
holds a comment. The instructor's notebook, with solutions and hidden tests, is for the folder
source/ of a course: generate_assignment reads it, and autograde puts its tests back.
"""

from __future__ import annotations

from nbformat import NotebookNode

from ..master import Cell, Master
from .notebook import key, text, visible

HIDDEN = "# A hidden test stands here when this notebook is graded."
BEGIN, END = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"


def handout(master: Master) -> dict[str, str]:
    return {path(master): text([cell_of(cell, master) for cell in own(master)])}


def instructor(master: Master) -> dict[str, str]:
    cells = []
    for cell in own(master):
        made = cell_of(cell, master)
        if cell.kind in ("exercise", "essay"):
            made.source = cell.source
        elif cell.kind == "hidden":
            made.source = "\n".join((HIDDEN, BEGIN, cell.source, END))
        cells.append(made)
    return {path(master): text(cells)}


def path(master: Master) -> str:
    return f"assignment_{master.number}/{master.path.name}"


def own(master: Master) -> list[Cell]:
    return [cell for cell in master.cells if not cell.is_setup]


def cell_of(cell: Cell, master: Master) -> NotebookNode:
    """The cell as students see it, with what nbgrader must know of it."""
    made = visible(cell, master)
    if cell.kind == "hidden":
        made.source = HIDDEN
        made.metadata = {}
    if not cell.kind:
        return made
    graded = cell.kind != "exercise"
    is_test = cell.kind in ("test", "hidden")
    made.metadata["nbgrader"] = {
        "cell_type": cell.type,
        "grade": graded,
        "grade_id": key(cell),
        "locked": is_test,
        "schema_version": 3,
        "solution": not is_test,
        "task": False,
        **({"points": cell.points} if graded else {}),
    }
    if is_test:
        made.metadata |= {"deletable": False, "editable": False}
    return made
