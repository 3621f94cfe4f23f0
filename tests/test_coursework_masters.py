"""Every assignment can be solved, and its test cells tell right answers from wrong ones.

The answers, right and wrong, are those of `wrong_answers/aN.py`, with which the checks for learners
are tested as well. That the stored outputs are true is shown elsewhere: `make test` runs every
notebook under nbval.
"""

from __future__ import annotations

import ast
import functools
import importlib
import re
import time
from pathlib import Path

import nbformat
import pytest
import torch

from classroom.coursework.master import Master
from classroom.coursework.reading import read_master
from classroom.exercises import ids, verdict
from tools.notebooks import complaints, is_normal

ROOT = Path(__file__).resolve().parent.parent
MASTERS = sorted(ROOT.glob("coursework/0*.ipynb"))
EXERCISES = [id for id in ids() if id.startswith("A")]
DRAWS, PATIENCE = 20, 2  # of each test cell; in seconds, after three draws


read = functools.cache(read_master)


@pytest.fixture(params=MASTERS, ids=lambda path: path.stem, scope="module")
def master(request) -> Master:
    return read(request.param)


@pytest.fixture(scope="module")
def notebook(master):
    return nbformat.read(master.path, as_version=4)


@pytest.fixture(params=EXERCISES)
def exercise(request) -> tuple[Master, str]:
    """An exercise that has a check, and the master of its assignment."""
    (path,) = (path for path in MASTERS if path.name.startswith(f"0{request.param[1]}_"))
    return read(path), request.param


@functools.cache
def solved(path: Path) -> dict:
    """The names that a master's cells define when all but its tests have run, from the top."""
    space = {"__name__": "__main__", "display": print}
    with torch.random.fork_rng(), torch.enable_grad():
        for cell in read(path).cells:
            if cell.type == "code" and cell.kind in ("", "exercise") and not cell.is_setup:
                run(cell.source, f"{path.name}, {cell}", space)
    return space


def run(source: str, name: str, space: dict) -> None:
    exec(compile(source, name, "exec"), space)


def cells_of(master: Master, id: str, hidden_only: bool = False) -> list:
    found = [test for test in master.tests if test.id == id]
    return [test for test in found if test.hidden or not hidden_only]


def check_of(master: Master, id: str) -> tuple[int, list[str]]:
    """Which cell calls `check` on an exercise, and the names that it hands over."""
    for cell in master.cells:
        if not cell.kind and cell.source.startswith(f'check("{id}", '):
            call = ast.parse(cell.source).body[0].value
            return cell.number, [ast.unparse(argument) for argument in call.args[1:]]
    raise AssertionError(f"{master.path.name} has no check of {id}.")


def answered(master: Master, id: str, answer) -> dict:
    """The solved assignment with this answer in the place of its own; a tuple is several."""
    _, names = check_of(master, id)
    parts = answer if isinstance(answer, tuple) else (answer,)
    return solved(master.path) | dict(zip(names, parts, strict=True))


def failed(test, space: dict) -> bool:
    try:
        run(test.source, test.name, dict(space))
    except (Exception, SystemExit):
        return True
    return False


def answers(id: str, kind: str) -> list:
    module = importlib.import_module(f"wrong_answers.a{id[1]}")
    return getattr(module, kind)[id]


# What stands in the notebook


def test_the_number_is_the_files(master):
    assert int(master.path.stem[:2]) == master.number


def test_time_and_points(master):
    text = "\n".join(cell.source for cell in master.cells if cell.type == "markdown")
    line = re.compile(
        r"^## (A\d\.\d+) · .+\n+(\d+) points · (\d+) minutes · difficulty ([●○]{3})$", re.M
    )
    stated = {id: int(minutes) for id, _, minutes, _ in line.findall(text)}
    assert set(stated) == {*master.exercises, *(essay.id for essay in master.essays)}
    assert 60 <= sum(stated.values()) <= 90
    assert f"{sum(stated.values())} minutes" in text, (
        "The first cell says how long all of it takes."
    )
    assert 20 <= master.points <= 40
    assert 4 <= len(master.exercises) <= 6


def test_difficulty_grows(master):
    text = "\n".join(cell.source for cell in master.cells if cell.type == "markdown")
    dots = [marks.count("●") for marks in re.findall(r"difficulty ([●○]{3})", text)]
    assert dots[0] == min(dots)
    assert dots[0] < max(dots)


def test_hints_in_steps(exercise):
    """Two dropdowns or more stand between an exercise and the next one."""
    master, id = exercise
    start = master.exercises[id].number
    end = min((c.number for c in master.exercises.values() if c.number > start), default=999)
    near = [c.source for c in master.cells if start - 3 < c.number < end and c.type == "markdown"]
    hints = re.findall(r"^:::\{dropdown\} Hint (\d)$", "\n".join(near), re.M)
    assert hints[:2] == ["1", "2"]
    assert not any("{dropdown} Solution" in text for text in near)


def test_the_stub_says_what_is_asked(exercise):
    master, id = exercise
    for node in ast.parse(master.exercises[id].stub).body:
        if isinstance(node, ast.FunctionDef):
            assert ast.get_docstring(node), f"{node.name} has no docstring."


def test_form(notebook, master):
    assert master.path.stat().st_size < 150_000
    assert is_normal(master.path)
    assert complaints(notebook) == []
    for cell in notebook.cells:
        lines = [line for line in cell.source.splitlines() if line.strip()]
        assert cell.cell_type == "markdown" or len(lines) <= 25, cell.source
        html = re.search(r"<(?!https?:|!-- (BEGIN|END) SOLUTION)[a-zA-Z/!][^>\n]*>", prose(cell))
        assert html is None, f"{html[0]} in: {cell.source[:60]!r}"


def prose(cell) -> str:
    """The text of a markdown cell without code."""
    text = cell.source if cell.cell_type == "markdown" else ""
    return re.sub(r"^```.*?^```$|`[^`\n]*`", "", text, flags=re.M | re.S)


def test_tests_print_nothing_and_checks_say_correct(notebook, master):
    for cell, stored in zip(master.cells, notebook.cells, strict=True):
        if cell.kind in ("test", "hidden", "exercise"):
            assert stored.outputs == [], cell.source
    for id in master.exercises:
        number, _ = check_of(master, id)
        said = notebook.cells[number - 1].outputs[0].text
        assert said.startswith("Correct: "), said


def test_exercises_are_those_that_have_a_check(master):
    assert list(master.exercises) == [id for id in EXERCISES if id[1] == str(master.number)]


# What its tests tell apart


def test_the_master_is_right(exercise):
    """With fresh inputs, again and again: no test cell depends on what was drawn."""
    master, id = exercise
    space = solved(master.path)
    state, message = verdict(id, *(space[name] for name in check_of(master, id)[1]))
    assert state == "Correct", message
    for test in cells_of(master, id):
        start = time.monotonic()
        for draw in range(DRAWS):
            run(test.source, test.name, dict(space))
            if draw >= 2 and time.monotonic() - start > PATIENCE:
                break


def test_right_answers_pass(exercise):
    master, id = exercise
    for answer in answers(id, "RIGHT"):
        for test in cells_of(master, id):
            run(test.source, test.name, answered(master, id, answer))


def test_wrong_answers_fail_a_hidden_test(exercise):
    master, id = exercise
    for answer, reason in answers(id, "WRONG"):
        space = answered(master, id, answer)
        caught = any(failed(test, space) for test in cells_of(master, id, hidden_only=True))
        assert caught, f"The wrong answer ({reason!r}) passes every hidden test of {id}."


def test_the_stub_fails_every_test(exercise):
    master, id = exercise
    space = dict(solved(master.path))
    run(master.exercises[id].stub, "the stub", space)
    for test in cells_of(master, id):
        assert failed(test, space), f"{test.name} passes with nothing done."
