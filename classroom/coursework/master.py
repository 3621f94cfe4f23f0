"""A master: the solved notebook of one assignment, whose cells have roles by their tags.

    exercise:A1.2       code that defines functions, the solution between two marker lines
    test:A1.2:3         asserts that students see, worth 3 points
    hidden:A1.2:4       asserts that they do not see
    essay:A1.5:6        markdown with a model answer, graded by a person

All other cells are the same for everybody. The grader leaves out those that are tagged `pictures`
and were not changed. `reading.read_master` makes one from a file.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from .names import defined

MARKERS = {  # the lines around a solution, in the one form that every grader reads alike
    "code": ("# BEGIN SOLUTION", "# END SOLUTION"),
    "markdown": ("<!-- BEGIN SOLUTION -->", "<!-- END SOLUTION -->"),
}
PICTURES = "pictures"  # the tag of a cell that only shows some; students' copies are without it
HERE = "YOUR ANSWER HERE"  # nbgrader's own words: an essay that still says so earns 0 by itself


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
    attachments: dict[str, Any] | None = None
    outputs: tuple[dict[str, Any], ...] = ()  # as stored in the master, with everything solved

    def __str__(self) -> str:
        return f"cell {self.number}" + (f" ({self.kind} {self.id})" if self.kind else "")

    @cached_property
    def names(self) -> list[str]:
        """Top-level functions and values that the cell defines, in order; imports are none."""
        return defined(self.source) if self.type == "code" else []

    @property
    def is_setup(self) -> bool:
        """Whether it is the one line that installs the course on Colab."""
        return self.number == 1 and self.type == "code" and "google.colab" in self.source

    @property
    def pictures(self) -> bool:
        """Whether it only shows pictures, so that the grader leaves it out."""
        return PICTURES in self.tags

    @property
    def parts(self) -> list[tuple[str, list[str]]]:
        """Its lines in pieces: ("given", lines) or ("solution", lines without the markers)."""
        if self.kind not in ("exercise", "essay"):
            return [("given", self.source.splitlines())]
        begin, end = MARKERS[self.type]
        found: list[tuple[str, list[str]]] = [("given", [])]
        for line in self.source.splitlines():
            if line.strip() in (begin, end):
                found.append(("solution" if line.strip() == begin else "given", []))
            else:
                found[-1][1].append(line)
        return [(kind, lines) for kind, lines in found if lines]

    @property
    def solution(self) -> list[str]:
        """The lines that students must not see: those between the markers."""
        return [line for kind, lines in self.parts if kind == "solution" for line in lines]

    @property
    def stub(self) -> str:
        """The text that a student begins with: a stub in place of each solution."""
        if not self.solution:
            return self.source
        lines: list[str] = []
        for kind, some in self.parts:
            lines += some if kind == "given" else self.instead(some)
        return "\n".join(lines)

    def instead(self, solution: list[str]) -> list[str]:
        """What stands in a solution's place: an error in a function, `name = ...` for a value.

        Raises ValueError for a solution that is neither a function's body nor plain values.
        """
        if self.type == "markdown":
            return [HERE]
        first = next(line for line in solution if line.strip())
        if indent := first[: len(first) - len(first.lstrip())]:
            return [f'{indent}raise NotImplementedError("exercise {self.id}")']
        return [f"{name} = ..." for name in values("\n".join(solution))]


def values(code: str) -> list[str]:
    """The names that code gives values, when that is all it does; ValueError if it is not."""
    names = []
    for node in ast.parse(code).body:
        targets = node.targets if isinstance(node, ast.Assign) else [None]
        for target in targets:
            if not isinstance(target, ast.Name):
                raise ValueError(
                    "a solution stands in a function's body, or is plain values (name = …) and "
                    "nothing else"
                )
            names.append(target.id)
    return list(dict.fromkeys(names))


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

    @cached_property
    def exercises(self) -> dict[str, Cell]:
        return {cell.id: cell for cell in self.cells if cell.kind == "exercise"}

    @cached_property
    def essays(self) -> list[Cell]:
        return [cell for cell in self.cells if cell.kind == "essay"]

    @cached_property
    def tests(self) -> list[Test]:
        return [
            Test(cell.id, cell.points, cell.kind == "hidden", cell.source, cell.name)
            for cell in self.cells
            if cell.kind in ("test", "hidden")
        ]

    @cached_property
    def names(self) -> dict[str, str]:
        return {name: cell.id for cell in self.exercises.values() for name in cell.names}

    @property
    def points(self) -> int:
        return sum(cell.points for cell in self.cells)
