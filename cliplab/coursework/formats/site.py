"""The student's notebook for the website and Colab: the cell that installs the course comes first.

That cell is the chapters' own, in which the address of the repository stands.
"""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbformat import NotebookNode

from .. import CourseworkError
from ..master import Master
from . import student
from .notebook import make, text

CHAPTERS = Path(__file__).parents[3] / "chapters"


def handout(master: Master) -> dict[str, str]:
    return {master.path.name: text([setup(master.number), *student.cells(master)])}


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
