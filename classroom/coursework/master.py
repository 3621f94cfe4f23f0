"""A master: the solved notebook of one assignment, whose cells have roles by their tags.

    exercise:A1.2       code that defines functions, the solution between two marker lines
    test:A1.2:3         asserts that students see, worth 3 points
    hidden:A1.2:4       asserts that they do not see
    essay:A1.5:6        markdown with a model answer, graded by a person

All other cells are the same for everybody.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import nbformat

from . import CourseworkError
from .markers import solution_lines, without_solution

KINDS = ("exercise", "test", "hidden", "essay")
TAG = re.compile(r"(exercise):(A\d\.\d+)|(test|hidden|essay):(A\d\.\d+):([1-9]\d*)")
# What else a cell of the course may be tagged with: how the site and nbval treat it.
PLAIN = {
    *("check", "raises-exception", "nbval-skip", "nbval-ignore-output", "nbval-raises-exception"),
    *(f"{verb}-{part}" for verb in ("remove", "hide") for part in ("cell", "input", "output")),
}


@dataclass(frozen=True)
class Cell:
    """A cell of the master: its role (`kind`, "" for none; `id`, `points`), and its text."""

    number: int  # from 1, as people count
    type: str  # "code", "markdown" or "raw"
    source: str
    kind: str = ""
    id: str = ""
    points: int = 0
    name: str = ""  # of a role: "A1.2", "A1.2 visible 1", "A1.2 hidden 1"
    tags: tuple[str, ...] = ()  # those that are no role
    attachments: dict | None = None
    outputs: tuple = ()  # as stored in the master, with everything solved

    def __str__(self) -> str:
        return f"cell {self.number}" + (f" ({self.kind} {self.id})" if self.kind else "")

    @property
    def names(self) -> list[str]:
        """Top-level functions and values that the cell defines, in order; imports are none."""
        return list(dict.fromkeys(defined(self.source))) if self.type == "code" else []

    @property
    def stub(self) -> str:
        """The text without its solution: what a student begins with."""
        return without_solution(self)

    @property
    def solution(self) -> list[str]:
        """The lines that students must not see."""
        return solution_lines(self)

    @property
    def is_setup(self) -> bool:
        """Whether it is the one line that installs the course on Colab."""
        return self.number == 1 and self.type == "code" and "google.colab" in self.source


@dataclass(frozen=True)
class Test:
    """A test cell: all of its asserts hold, or none of its points are earned."""

    __test__ = False  # nothing for pytest

    id: str
    points: int
    hidden: bool
    source: str
    name: str  # "A1.2 hidden 1"


@dataclass(frozen=True)
class Master:
    """One assignment. `exercises` and `essays` are cells; `names`: each name's exercise."""

    path: Path
    number: int
    title: str
    cells: list[Cell]

    @property
    def exercises(self) -> dict[str, Cell]:
        return {cell.id: cell for cell in self.cells if cell.kind == "exercise"}

    @property
    def essays(self) -> list[Cell]:
        return [cell for cell in self.cells if cell.kind == "essay"]

    @property
    def tests(self) -> list[Test]:
        return [
            Test(cell.id, cell.points, cell.kind == "hidden", cell.source, cell.name)
            for cell in self.cells
            if cell.kind in ("test", "hidden")
        ]

    @property
    def names(self) -> dict[str, str]:
        return {name: cell.id for cell in self.exercises.values() for name in cell.names}

    @property
    def points(self) -> int:
        return sum(cell.points for cell in self.cells)


def read_master(path: Path | str) -> Master:
    """The assignment in that notebook, with every rule of masters held.

    Raises CourseworkError with one sentence per fault: which cell, what is wrong, what to write.
    """
    from .rules import faults

    path = Path(path)
    try:
        notebook = nbformat.read(path, as_version=4)
    except OSError as error:
        raise CourseworkError(f"{path} cannot be read: {error.strerror or error}.") from None
    except (ValueError, nbformat.ValidationError) as error:
        raise CourseworkError(f"{path} is not a notebook: {str(error)[:200]}.") from None
    cells = [read_cell(number, cell, path) for number, cell in enumerate(notebook.cells, start=1)]
    cells = named(cells)
    first = next((cell.source for cell in cells if cell.type == "markdown"), "")
    title = re.match(r"# Assignment (\d): (.+)", first)
    if not title:
        raise CourseworkError(
            f'{path}: the first markdown cell begins with "# Assignment 1: Title"; this one begins '
            f"{first[:40]!r}."
        )
    master = Master(path, int(title[1]), title[2].strip(), cells)
    if found := faults(master):
        raise CourseworkError("\n".join(f"{path}, {fault}" for fault in found))
    return master


def read_cell(number: int, cell, path: Path) -> Cell:
    """The cell with its role; refuses tags that are neither a role nor the course's own."""
    roles, tags = [], []
    for tag in cell.metadata.get("tags", []):
        if match := TAG.fullmatch(tag):
            roles.append([part for part in match.groups() if part])
        elif tag in PLAIN:
            tags.append(tag)
        else:
            raise CourseworkError(
                f"{path}, cell {number}: the tag {tag!r} is unknown. Roles are exercise:A1.2, "
                "test:A1.2:POINTS, hidden:A1.2:POINTS and essay:A1.2:POINTS, with whole points "
                "above 0."
            )
    if len(roles) > 1:
        raise CourseworkError(f"{path}, cell {number}: it has two roles. Give each a cell.")
    kind, id, points = [*(roles[0] if roles else ["", ""]), 0][:3]
    return Cell(
        number=number,
        type=cell.cell_type,
        source=cell.source,
        kind=kind,
        id=id,
        points=int(points),
        tags=tuple(tags),
        attachments=cell.get("attachments"),
        outputs=tuple(cell.get("outputs", ())),
    )


def named(cells: list[Cell]) -> list[Cell]:
    """The cells with the names of their roles: tests are counted within their exercise."""
    count: Counter[str] = Counter()
    found = []
    for cell in cells:
        name = cell.id
        if cell.kind in ("test", "hidden"):
            name += " hidden" if cell.kind == "hidden" else " visible"
            count[name] += 1
            name += f" {count[name]}"
        found.append(replace(cell, name=name))
    return found


def defined(source: str) -> list[str]:
    """Names of the functions and values that code defines at its top level.

    Raises SyntaxError for what is no Python.
    """
    found = []
    for node in ast.parse(source).body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.append(node.name)
        elif isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
            stored = (n for n in ast.walk(node) if isinstance(n, ast.Name))
            found += [n.id for n in stored if isinstance(n.ctx, ast.Store) and n.id != "_"]
    return found
