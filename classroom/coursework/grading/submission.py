"""Finding the notebooks that students handed in, and reading what is in them.

A path on the command line is a notebook (its student is the file's name without .ipynb) or a
folder. In a folder every notebook is one student's, and every folder is a student with a notebook
somewhere inside, as nbgrader lays out `submitted/STUDENT/ASSIGNMENT/x.ipynb`. Of several notebooks
inside, the one that is named as the master is taken; where that does not decide, a person must.
"""

from __future__ import annotations

import ast
import itertools
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import CourseworkError
from ..names import bound

MOST_BYTES = 50 << 20
# What reading a cell raises that is no Python, or one that would bring Python down.
NOT_PYTHON = (ValueError, SyntaxError, RecursionError, MemoryError)


class Unreadable(Exception):
    """What was handed in is no notebook that can be graded: the sentence is for the instructor."""


@dataclass(frozen=True)
class Submission:
    """What one student handed in: the notebook, or why it is not clear which."""

    student: str
    path: Path | None
    problem: str = ""


@dataclass(frozen=True)
class SubmittedCell:
    """A cell as it was handed in: its place in the notebook from 1 on, and its role tags."""

    number: int
    code: bool
    source: str
    tags: tuple[str, ...]
    is_test: bool

    @property
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


def find(paths: list[Path], master: Path) -> list[Submission]:
    """All submissions, by student. Raises CourseworkError where paths or students are not clear."""
    found: list[Submission] = []
    for path in paths:
        if path.is_file():
            found.append(Submission(path.stem, path))
        elif not path.is_dir():
            raise CourseworkError(f"There is no file and no folder {path}.")
        else:
            inside = sorted(p for p in path.iterdir() if not p.name.startswith("."))
            found += [_unlinked(p.stem, p) for p in inside if p.suffix == ".ipynb"]
            found += [_of_student(p, master.name) for p in inside if p.is_dir()]
    if not found:
        raise CourseworkError(f"There is no notebook in {', '.join(map(str, paths))}.")
    found.sort(key=lambda submission: submission.student)
    for one, next_one in itertools.pairwise(found):
        if one.student == next_one.student:
            raise CourseworkError(
                f"Two submissions are of the student {one.student!r}: {one.path} and "
                f"{next_one.path}. Hand in one folder per student, or name the files by student."
            )
    return found


def _unlinked(student: str, path: Path) -> Submission:
    """Links and pipes are not followed: one could lead to another's notebook, or to the master."""
    if path.is_symlink() or not path.is_file():
        return Submission(student, None, f"{path.name} is no file but a link or a folder.")
    return Submission(student, path)


def _of_student(folder: Path, name: str) -> Submission:
    notebooks = sorted(
        p
        for p in folder.rglob("*.ipynb")
        if not any(part.startswith(".") for part in p.relative_to(folder).parts)
    )
    same = [p for p in notebooks if p.name == name]
    if len(notebooks) == 1 or len(same) == 1:
        return _unlinked(folder.name, (notebooks if len(notebooks) == 1 else same)[0])
    if not notebooks:
        return Submission(folder.name, None, "There is no notebook in the student's folder.")
    listed = ", ".join(str(p.relative_to(folder)) for p in notebooks)
    return Submission(
        folder.name, None, f"It is not clear which notebook to grade: {listed}. Keep one."
    )


def read_cells(content: bytes) -> list[SubmittedCell]:
    """The cells of a notebook file (nbformat 4). Raises Unreadable with a sentence."""
    if len(content) > MOST_BYTES:
        raise Unreadable(f"The file has {len(content) >> 20} MB; {MOST_BYTES >> 20} are read.")
    try:
        notebook = json.loads(content)
        cells = notebook["cells"]
        read = [_cell(number, cell) for number, cell in enumerate(cells, 1)]
    except (ValueError, RecursionError):
        raise Unreadable("The file is not a notebook: its JSON is broken.") from None
    except (KeyError, TypeError, AttributeError):
        raise Unreadable(
            "The file is not a notebook of format 4: it has no list of cells."
        ) from None
    if not any(cell.code and cell.source.strip() for cell in read):
        raise Unreadable("The notebook has no code.")
    return read


def _cell(number: int, cell: dict[str, Any]) -> SubmittedCell:
    source = cell["source"]
    source = source if isinstance(source, str) else "".join(source)
    metadata = cell.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    tags = metadata.get("tags")
    tags = tuple(t for t in tags if isinstance(t, str)) if isinstance(tags, list) else ()
    graded = metadata.get("nbgrader")
    is_test = isinstance(graded, dict) and graded.get("grade") and not graded.get("solution")
    is_test = is_test or any(tag.startswith(("test:", "hidden:")) for tag in tags)
    return SubmittedCell(number, cell.get("cell_type") == "code", source, tags, bool(is_test))
