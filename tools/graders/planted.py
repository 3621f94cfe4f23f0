"""Submissions whose points are known: the reference, an empty copy, and planted wrong answers.

The wrong answers are those of tests/wrong_answers: submission "wrong 3" has the third one of every
exercise, and stubs where there is none. (A reference there could call a wrong answer to an earlier
exercise, and never come back.) What each deserves is found without any grader, by running its cells
and then the master's tests, one after the other, in plain Python. Tests draw their inputs, so a
wrong answer can be lucky: what it may earn is the points of many draws.
"""

from __future__ import annotations

import ast
import contextlib
import os
import time
from pathlib import Path

import nbformat

from classroom.coursework.master import Cell, Master, Test

WRONG_ANSWERS = Path(__file__).resolve().parents[2] / "tests" / "wrong_answers"
PATIENCE = 20


def submissions(master: Master, rounds: int | None = None) -> dict[str, dict[str, str]]:
    """Name of a submission → exercise id → what stands in its cell. rounds: wrong ones, at most."""
    found = {
        "reference": {id: solved(cell) for id, cell in master.exercises.items()},
        "empty": {id: cell.stub for id, cell in master.exercises.items()},
    }
    path = WRONG_ANSWERS / f"a{master.number}.py"
    known: dict = {}
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), known)
    most = max(len(known["WRONG"].get(id, [])) for id in master.exercises)
    for n in range(most if rounds is None else min(most, rounds)):
        found[f"wrong {n + 1}"] = {
            id: planted(cell, n, path, checked(id, master))
            if n < len(known["WRONG"].get(id, []))
            else cell.stub
            for id, cell in master.exercises.items()
        }
    return found


def solved(cell: Cell) -> str:
    """The cell with its solution, and without the markers."""
    return "\n".join(line for _, lines in cell.parts for line in lines)


def planted(cell: Cell, n: int, path: Path, names: list[str]) -> str:
    """A cell that gives the names of an exercise the n-th of the wrong answers in that file."""
    source = path.read_text(encoding="utf-8")
    answer = f'known["WRONG"]["{cell.id}"][{n}][0]'
    return (
        f"{solved(cell)}\n\nknown = {{}}\nexec({source!r}, known)\nanswer = {answer}\n"
        f"{', '.join(names)}, = answer if isinstance(answer, tuple) else (answer,)"
    )


def checked(id: str, master: Master) -> list[str]:
    """The names that a learner's check takes: those that a wrong answer stands for."""
    for cell in master.cells:
        if cell.source.startswith(f'check("{id}", '):
            call = ast.parse(cell.source).body[0].value
            return [ast.unparse(argument) for argument in call.args[1:]]
    raise ValueError(f"{master.path} has no check of {id}.")


def fill(text: str, answers: dict[str, str]) -> nbformat.NotebookNode:
    """A notebook that was handed out, with these answers in the cells of the exercises."""
    notebook = nbformat.reads(text, as_version=4)
    cells = {cell.id: cell for cell in notebook.cells}
    for id, source in answers.items():
        cells[id.replace(".", "-")].source = source
    return notebook


def deserved(answers: dict[str, str], master: Master) -> dict[str, int]:
    """Name of each test → the points that these answers earn in it, with one draw of its inputs."""
    namespace = ran(answers, master)
    return {test.name: earned(test, namespace) for test in master.tests}


def outcomes(answers: dict[str, str], master: Master, name: str) -> set[int]:
    """What these answers can earn in a test, or in all tests of an exercise: its name or its id.

    Found by drawing the inputs again and again, for PATIENCE seconds a test.
    """
    namespace = ran(answers, master)
    possible = {0}
    for test in master.tests:
        if name in (test.name, test.id):
            began, found = time.monotonic(), set()
            while len(found) < 2 and time.monotonic() - began < PATIENCE:
                found.add(earned(test, namespace))
            possible = {a + b for a in possible for b in found}
    return possible


def ran(answers: dict[str, str], master: Master) -> dict:
    """The names that these answers define, with the master's plain cells around them."""
    namespace: dict = {"__name__": "__main__"}
    for cell in master.cells:
        mine = answers.get(cell.id) if cell.kind == "exercise" else None
        if cell.type == "code" and not cell.is_setup and (mine or not cell.kind):
            passes(mine or cell.source, namespace)
    return namespace


def earned(test: Test, namespace: dict) -> int:
    return test.points if passes(test.source, dict(namespace)) else 0


def passes(source: str, namespace: dict) -> bool:
    """Whether code runs to its end, without a word."""
    try:
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
            exec(compile(source, "<cell>", "exec"), namespace)
    except Exception:
        return False
    return True
