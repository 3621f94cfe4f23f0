"""A grade once more: the same notebook, the same tests, the same draws, on an appeal."""

from __future__ import annotations

from collections.abc import Iterable

from .. import CourseworkError
from ..master import Master
from . import marks
from .grade import grade
from .many import content_of, digest
from .nursery import Zygote
from .result import StoredResult, differences
from .submission import Submission


def again(
    student: str,
    submissions: Iterable[Submission],
    master: Master,
    results: Iterable[StoredResult],
    zygote: Zygote,
) -> tuple[str, bool]:
    """What a second grading with the seed of the first gave, in words, and whether it is the same.

    Raises CourseworkError where the student has no notebook or no grade.
    """
    wanted = marks.key(student)
    own = [s for s in submissions if marks.key(s.student) == wanted]
    before = [r for r in results if marks.key(r["student"]) == wanted]
    if not own or not before:
        missing = "no notebook among these" if not own else "no grade in this folder"
        raise CourseworkError(f"There is {missing} of the student {student!r}.")
    submission, content = content_of(own[0])
    if digest(content) != before[0]["content"]:
        raise CourseworkError(f"{own[0].path} is another file than the one that was graded.")
    now = grade(submission, content, master, zygote, before[0]["seed"])
    differ = differences(before[0], now)
    said = f"{submission.student}: {now['so_far']} points by tests, seed {now['seed']}"
    if differ:
        return f"{said}. Not as before: {' '.join(differ)}", False
    return f"{said}, as before, test by test ({len(now['tests'])}).", True
