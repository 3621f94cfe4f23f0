"""What grading one submission gives, as plain data: what is stored, and what reports show."""

from __future__ import annotations

from typing import TypedDict

from ..master import Master
from . import shown
from .submission import Submission

GRADED, WAITS, PERSON = "graded", "essay waits", "needs a person"
ABSENT = "nothing handed in"


class ExerciseResult(TypedDict):
    """points: None for an exercise that has no cell, never 0. of: what all its tests give."""

    points: float | None
    of: int
    state: str


class TestResult(TypedDict):
    """One test cell of the master; reason: why it failed, "" where it passed."""

    name: str
    source: str  # SHA-256 of the test
    exercise: str
    hidden: bool
    points: int
    passed: bool
    reason: str


class EssayResult(TypedDict):
    """text: the student's, None where no cell of it was found. points: None until it is read."""

    id: str
    of: int
    text: str | None
    points: float | None


class Ran(TypedDict):
    """What the cells of a submission did. A cell is named by its number, counted from the top."""

    errors: dict[int, str]  # what a cell raised
    lost: dict[int, list[str]]  # the names that it would have defined
    answers: dict[str, int]  # the cell that answers, by name
    used: dict[str, list[str]]  # the functions of cliplab that each name called
    log: str


class Result(Ran):
    """One submission. status: GRADED, WAITS, PERSON or ABSENT."""

    student: str
    file: str
    seed: int  # of all draws of its tests
    content: str  # SHA-256 of the notebook
    status: str
    reasons: list[str]  # why a person is needed
    notes: list[str]  # for the teacher alone: others of the course may be named
    remarks: list[str]  # on its cells, for the student as well
    exercises: dict[str, ExerciseResult]
    tests: list[TestResult]
    essays: list[EssayResult]
    handed_in: str | None  # when, where a deadline was given
    late_days: int | None
    feedback_as: str  # the name by which Moodle or Canvas takes feedback back
    comments: dict[str, str]  # a person's, by exercise; "" for the whole
    points: float | None  # None when a person is needed
    so_far: float
    of: int  # of the assignment, essays included
    changed: str  # what is not as it was in the run before
    seconds: float


class StoredResult(Result):
    """A result with what it depends on (`key`, see `many`), and how it was obtained."""

    key: str
    tried: str  # the same, also where the grader could not finish
    basis: str
    version: int
    assignment: int
    isolation: str


def blank(submission: Submission, master: Master) -> Result:
    """The result of a submission that nothing is known about yet: it needs a person."""
    of = {id: sum(t.points for t in master.tests if t.id == id) for id in master.exercises}
    return {
        "student": submission.student,
        "file": shown.name("/".join([str(submission.path or ""), *submission.inside])),
        "seed": 0,
        "content": "",
        "status": PERSON,
        "reasons": [],
        "notes": list(submission.notes),
        "remarks": [],
        "exercises": {id: {"points": None, "of": of[id], "state": "no cell"} for id in of},
        "tests": [],
        "essays": [
            {"id": e.id, "of": e.points, "text": None, "points": None} for e in master.essays
        ],
        "errors": {},
        "lost": {},
        "answers": {},
        "used": {},
        "handed_in": None,
        "late_days": None,
        "feedback_as": submission.feedback,
        "comments": {},
        "points": None,
        "so_far": 0,
        "of": master.points,
        "changed": "",
        "seconds": 0.0,
        "log": "",
    }


def differences(old: Result, new: Result) -> list[str]:
    """What is not the same in two results of one student, a sentence for each test."""
    before = {test["name"]: test for test in old["tests"]}
    after = {test["name"]: test for test in new["tests"]}
    found = []
    for name in [*before, *(name for name in after if name not in before)]:
        was, now = before.get(name), after.get(name)
        if was is None or now is None:
            found.append(f"{name} is {'new' if was is None else 'gone'}.")
        elif was["passed"] != now["passed"]:
            found.append(f"{name} {'passed' if was['passed'] else 'failed'} before.")
        elif was["points"] != now["points"]:
            found.append(f"{name} is worth {now['points']} in place of {was['points']}.")
    return found
