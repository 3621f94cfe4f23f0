"""A submission at work: its cells run from top to bottom, its functions called for the tests.

A process that dies is started again, and its cells run anew, so that one endless loop does not cost
the exercises after it. What ended the process is remembered: a cell is then left out, and a
function that did it twice is not called again. All together stays within the submission's budget.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Set
from typing import Any

from classroom import clock

from .nursery import Zygote
from .shown import readable
from .student import Lost, Student, StudentError, TookTooLong
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

    answers: the names that are asked for, and how many arguments each takes. choose: from what each
    cell defined, {cell: {name: may it be the answer}}, the cell that answers, for each name.

    errors  what each cell that failed said, by the number of the cell
    lost    the names that it would have defined
    cell    the cell that answers, by name
    used    the functions of cliplab that each name called
    """

    def __init__(
        self,
        zygote: Zygote,
        cells: list[SubmittedCell],
        answers: dict[str, int] | None = None,
        choose: Callable[[dict[int, dict[str, bool]]], dict[str, int]] = lambda _: {},
        seed: int = 0,
    ):
        self.zygote, self.cells, self.limits = zygote, cells, zygote.limits
        self.answers, self.choose = answers or {}, choose
        self.seed, self.has_run = seed, False
        self.left = zygote.limits.budget
        self.errors: dict[int, str] = {}
        self.lost: dict[int, set[str]] = {}
        self.cell: dict[str, int] = {}
        self.used: dict[str, set[str]] = {}
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
        student = None
        try:
            student = self.process()
            return self._timed(student, {**request, "cell": self.cell.get(name)})
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
        finally:
            if student:
                self.used.setdefault(name, set()).update(student.used)

    def _timed(self, student: Student, request: dict[str, Any]) -> Any:
        """Asks within what is left of the submission's processor time."""
        try:
            return student.ask(request, max(min(self.limits.seconds, self.left), 0.1))
        finally:
            self.left -= student.worked
            clock.elsewhere += student.worked

    def process(self) -> Student:
        """The process, its cells run; started if need be."""
        if self.left <= 0:
            raise NoAnswer(f"The {self.limits.budget:.0f} s of the submission were used up.")
        while self._student is None:
            self._student, self.has_run = self.zygote.start(self.seed), True
            defined = dict[int, dict[str, bool]]()
            for cell in self.cells:
                if cell.number not in self._deadly:
                    defined[cell.number] = self._run(cell, self._student)
                if cell.number in self._deadly and cell.number in defined:
                    self.stop()
                    break
            else:
                self.cell = self.choose(defined)
        return self._student

    def _run(self, cell: SubmittedCell, student: Student) -> dict[str, bool]:
        """Runs a cell; the names asked for that it defined, and whether each may be the answer."""
        request = {"do": "run", "number": cell.number, "source": cell.source}
        try:
            reply = self._timed(student, {**request, "answers": self.answers})
        except StudentError as error:
            self._failed(cell, str(error), cell.names)
            return {}
        except Lost as lost:
            self._failed(cell, str(lost), cell.names)
            self._deadly.add(cell.number)
            return {}
        match reply:
            case {"errors": list(raised), "defined": dict(defined), "lost": list(names)}:
                for first in raised[:1]:
                    told = student.error(first) if isinstance(first, dict) else "It failed."
                    self._failed(cell, str(told), {readable(name, 80) for name in names[:100]})
                return {name: defined[name] is True for name in defined if name in self.answers}
        return {}

    def _failed(self, cell: SubmittedCell, error: str, lost: Set[str]) -> None:
        self.errors.setdefault(cell.number, error)
        self.lost.setdefault(cell.number, set(lost))

    def stop(self) -> None:
        if self._student is not None:
            self.log = (self.log + self._student.stop())[-2000:]
            self._student = None
