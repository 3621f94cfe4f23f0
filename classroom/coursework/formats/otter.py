"""otter: what `otter assign` gives students, and the notebook that it reads.

Students' notebooks keep the visible tests in their metadata, as doctests; `grader.check("A1.2")`
runs them. In the instructor's notebook raw cells say what is what. Every test has its own points:
left to itself, otter spreads a question's points evenly over its tests.
"""

from __future__ import annotations

import ast
from typing import Any

from nbformat import NotebookNode

from ..master import Cell, Master
from .notebook import id_of, make, text, visible

CONFIG = "# ASSIGNMENT CONFIG\nexport_cell: false"
ANSWER = "_Type your answer here, replacing this text._"
LOCKED = {"deletable": False, "editable": False}


def handout(master: Master) -> dict[str, str]:
    cells = [
        make(
            "code",
            f'# Initialize Otter\nimport otter\ngrader = otter.Notebook("{master.path.name}")',
            "otter",
            LOCKED,
        )
    ]
    for cell in shown(master):
        cells += student_cells(cell, master)
    known = {"OK_FORMAT": True, "tests": {id: tests(id, master) for id in master.exercises}}
    return {master.path.name: text(cells, {"otter": known})}


def shown(master: Master) -> list[Cell]:
    """All cells but the tests, which otter keeps elsewhere."""
    return [c for c in master.cells if c.kind not in ("test", "hidden") and not c.is_setup]


def student_cells(cell: Cell, master: Master) -> list[NotebookNode]:
    if cell.kind == "essay":
        answer = make("markdown", ANSWER, f"{id_of(cell, master)}-answer", answered(cell))
        return [*prompt(cell, master), answer]
    if cell.kind == "exercise":
        made = visible(cell, master)
        made.metadata = answered(cell)
        name = f"{id_of(cell, master)}-check"
        return [made, make("code", f'grader.check("{cell.id}")', name, LOCKED)]
    return [visible(cell, master)]


def answered(cell: Cell) -> dict[str, list[str]]:
    """The metadata of a cell that students fill in."""
    return {"tags": [f"{cell.kind}:{cell.id}", "otter_answer_cell"]}


def prompt(cell: Cell, master: Master) -> list[NotebookNode]:
    """An essay's question, if it stands in the essay's own cell."""
    given = [line for kind, lines in cell.parts if kind == "given" for line in lines]
    source = "\n".join(given).strip()
    return [make("markdown", source, id_of(cell, master), LOCKED)] if source else []


def tests(id: str, master: Master) -> dict[str, Any]:
    """The visible tests of an exercise in the form that otter inherited from OK."""
    cases = [
        {"code": doctest(test.source), "hidden": False, "locked": False, "points": test.points}
        for test in master.tests
        if test.id == id and not test.hidden
    ]
    suite = {"cases": cases, "scored": True, "setup": "", "teardown": "", "type": "doctest"}
    return {"name": id, "points": None, "suites": [suite]}


def doctest(source: str) -> str:
    """Code as a session at Python's prompt, one entry per statement."""
    entries = (ast.unparse(statement) for statement in ast.parse(source).body)
    return "".join(">>> " + entry.replace("\n", "\n... ") + "\n" for entry in entries)


def instructor(master: Master) -> dict[str, str]:
    cells = [make("raw", CONFIG, "otter")]
    for cell in shown(master):
        cells += question(cell, master) if cell.kind else [visible(cell, master)]
    return {master.path.name: text(cells)}


def question(cell: Cell, master: Master) -> list[NotebookNode]:
    """An exercise with its tests, or an essay, between otter's raw cells."""
    base = id_of(cell, master)

    def raw(source: str) -> NotebookNode:
        end = source.partition("\n")[0].removeprefix("# ").lower().replace(" ", "-")
        return make("raw", source, f"{base}-{end}")

    begin = f'# BEGIN QUESTION\nname: "{cell.id}"'
    if cell.kind == "essay":
        answer = "\n".join(cell.solution)
        solved = [*prompt(cell, master), raw("# BEGIN SOLUTION")]
        solved.append(make("markdown", answer, f"{base}-answer", {"tags": [f"essay:{cell.id}"]}))
        begin += f"\nmanual: true\npoints: {cell.points}"
        return [raw(begin), *solved, raw("# END SOLUTION"), raw("# END QUESTION")]
    solved = [raw("# BEGIN SOLUTION"), make("code", prompted(cell), base)]
    solved[-1].metadata = {"tags": [f"exercise:{cell.id}"]}
    of = [other for other in master.cells if other.id == cell.id and other is not cell]
    tested = [make("code", configured(test), id_of(test, master)) for test in of]
    end = [raw("# END SOLUTION"), raw("# BEGIN TESTS"), *tested, raw("# END TESTS")]
    return [raw(begin), *solved, *end, raw("# END QUESTION")]


def prompted(cell: Cell) -> str:
    """The solved cell, in which otter is told our stub: its own is a bare `...`."""
    lines = []
    for kind, some in cell.parts:
        if kind == "given":
            lines += some
            continue
        instead = cell.instead(some)
        indent = instead[0][: len(instead[0]) - len(instead[0].lstrip())]
        lines += [f"{indent}# BEGIN SOLUTION NO PROMPT", *some, f"{indent}# END SOLUTION"]
        lines += [f'{indent}""" # BEGIN PROMPT', *instead, f'{indent}"""; # END PROMPT']
    return "\n".join(lines)


def configured(test: Cell) -> str:
    """A test cell with its points, and whether students see it."""
    hidden = str(test.kind == "hidden").lower()
    config = f"points: {test.points}\nhidden: {hidden}"
    return f'""" # BEGIN TEST CONFIG\n{config}\n""" # END TEST CONFIG\n{test.source}'
