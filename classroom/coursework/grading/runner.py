"""A submission at work: its cells run from top to bottom, its functions called for the tests.

A process that dies is started again, and its cells run anew, so that one endless loop does not cost
the exercises after it. What ended the process is remembered: a cell is then left out, and a
function that did it twice is not called again. All together stays within the submission's budget.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

from .student import Lost, Student, StudentError, TookTooLong, Zygote
from .submission import SubmittedCell

CHANCES = 2
# What a test may expect a wrong input to raise. Not StopIteration, which would end a test's loop.
KINDS: list[type[Exception]] = [
    *(ValueError, TypeError, KeyError, IndexError, ZeroDivisionError, OverflowError),
    *(NotImplementedError, RuntimeError),
]
RAISED = {
    kind.__name__: type(
        f"Students{kind.__name__}", (StudentError, kind), {"__str__": StudentError.__str__}
    )
    for kind in KINDS
}


class NoAnswer(BaseException):
    """A call that gave no answer. No test can catch it by chance and take it for an error."""


class Fault(BaseException):
    """The grader or the machine is at fault, not the student: nothing may be scored after it."""


class Runner:
    """The names that a submission defines, behind `call` and `get`.

    errors  what each cell that failed said, by the number of the cell
    """

    def __init__(self, zygote: Zygote, cells: list[SubmittedCell], seed: int = 0):
        self.zygote, self.cells, self.limits = zygote, cells, zygote.limits
        self.seed, self.has_run = seed, False
        self.until = time.monotonic() + self.limits.budget
        self.errors: dict[int, str] = {}
        self.log = ""
        self._deadly: set[int] = set()
        self._failures: Counter[str] = Counter()
        self._student: Student | None = None

    def call(self, name: str, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """What the student's function gives for these arguments.

        Raises StudentError (of the builtin kind that was raised, where that is one of KINDS),
        NoAnswer, and Fault.
        """
        return self._ask({"do": "call", "name": name, "args": arguments, "kwargs": keywords})

    def get(self, name: str) -> Any:
        """The plain value that the student's code gave this name."""
        return self._ask({"do": "get", "name": name})

    def _ask(self, request: dict[str, Any]) -> Any:
        name = request["name"]
        if self._failures[name] >= CHANCES:
            raise NoAnswer(
                f"`{name}` took too long or ended its process {CHANCES} times before, and was not "
                "called again."
            )
        try:
            return self.process().ask(request, self._seconds())
        except TookTooLong as slow:
            self._failures[name] += 1
            raise NoAnswer(f"`{name}`: {slow}") from None
        except Lost as lost:
            self._failures[name] += 1
            self.stop()
            raise NoAnswer(f"`{name}`: {lost}") from None
        except StudentError as error:
            kind = RAISED.get(error.kind, StudentError)
            raise kind(error.kind, error.says, error.place) from None
        except Exception as error:  # no process could be started; a test sends what cannot be sent
            raise Fault(f"{type(error).__name__}: {error}") from error

    def _seconds(self) -> float:
        return max(min(self.limits.seconds, self.until - time.monotonic()), 0.1)

    def process(self) -> Student:
        """The process, its cells run; started if need be."""
        if time.monotonic() > self.until:
            raise NoAnswer(f"The {self.limits.budget:.0f} s of the submission were used up.")
        while self._student is None:
            self._student, self.has_run = self.zygote.start(self.seed), True
            for cell in self.cells:
                if cell.number not in self._deadly and not self._run(cell, self._student):
                    self._deadly.add(cell.number)
                    self.stop()
                    break
        return self._student

    def _run(self, cell: SubmittedCell, student: Student) -> bool:
        """Runs a cell; whether the process outlived it."""
        request = {"do": "run", "name": f"cell {cell.number}", "source": cell.source}
        try:
            student.ask(request, self._seconds())
        except StudentError as error:
            self.errors.setdefault(cell.number, str(error))
        except Lost as lost:
            self.errors[cell.number] = str(lost)
            return False
        return True

    def stop(self) -> None:
        if self._student is not None:
            self.log = (self.log + self._student.stop())[-2000:]
            self._student = None
