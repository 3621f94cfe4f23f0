"""One exercise: what its tests and its check say to wrong answers and to right ones.

A mutant is wrong when the oracle, the master's own solution, differs from it on one of so many
draws of the domain. Everything runs in this process, each answer within some processor seconds.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import inspect
import io
import random
import signal
import sys
import textwrap
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from classroom.compare import same
from classroom.coursework.grading import wire
from classroom.coursework.grading.draws import drawn_from
from classroom.coursework.master import Master
from classroom.coursework.reading import read_master
from classroom.exercises import verdict

from .domains import DOMAINS
from .mutants import mutants
from .rewrites import rewrites

ROOT = Path(__file__).resolve().parents[2]
ROUND = 250  # draws that are held at a time
TRIES = 3
LONGEST = 1.0  # seconds of an answer on one draw: a guard against what has no end
PATIENCE = 30.0  # seconds of a right answer, as in the grader
sys.path.append(str(ROOT / "tests"))


class Late(BaseException):
    """The answer's time is up."""


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    """Ends what takes longer, in seconds of the processor."""
    signal.setitimer(signal.ITIMER_PROF, seconds, 0.5)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Says nothing of what answers print and warn of, and hears when their time is up."""

    def up(*_: Any) -> None:
        raise Late

    before = signal.signal(signal.SIGPROF, up)
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings(action="ignore"):
            yield
    finally:
        signal.signal(signal.SIGPROF, before)


def elsewhere(answer: Callable) -> Callable:
    """The answer as the grader calls it: all values travel from process to process."""

    def sent(value: Any) -> Any:
        frame = wire.pack(value)
        text = wire.LENGTHS.unpack(frame[: wire.LENGTHS.size])[0] + wire.LENGTHS.size
        return wire.unpack(frame[wire.LENGTHS.size : text], frame[text:])

    def call(*args: Any, **kwargs: Any) -> Any:
        return sent(answer(*sent(args), **sent(kwargs)))

    return call


@dataclass
class Found:
    """What was measured for an exercise. styles: how many right answers there were in each."""

    id: str
    wrong: int = 0
    right: int = 0
    accepted: list[str] = field(default_factory=list)  # wrong, at full points
    refused: list[str] = field(default_factory=list)  # right, by a test
    unlike: list[str] = field(default_factory=list)  # the check says another thing than the tests
    equivalent: list[str] = field(default_factory=list)
    styles: dict[str, int] = field(default_factory=dict)
    seconds: int = 0


class Exercise:
    """An exercise of a master: its solution, its tests, and the answers that are recorded."""

    def __init__(self, master: Master, id: str, space: dict[str, Any]):
        self.master, self.id, self.space = master, id, space
        cell = master.exercises[id]
        (self.name,) = cell.names
        self.source = "\n".join(line for _, lines in cell.parts for line in lines)
        self.tests = [(test.name, compile(test.source, test.name, "exec"))
                      for test in master.tests if test.id == id]  # fmt: skip
        assert self.checks(self.solution), f"{id}: its check fails the solution"
        cost = {name: self.cost(name) for name, _ in self.tests}
        self.tests.sort(key=lambda test: cost[test[0]])  # what is wrong shows as cheaply as it can
        self.seconds = 0.1 + 3 * sum(cost.values())  # for what may have no end
        self.recorded = importlib.import_module(f"wrong_answers.a{master.number}")

    @property
    def solution(self) -> Callable:
        return self.space[self.name]

    def sources(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Right answers as text: its name, its text, and the names around it."""
        yield self.name, self.source, self.space
        for answer in self.recorded.RIGHT[self.id]:
            known = getattr(answer, "__name__", "") in vars(self.recorded)
            if inspect.isfunction(answer) and known and not answer.__closure__:
                source = textwrap.dedent(inspect.getsource(answer))
                yield answer.__name__, source, vars(self.recorded)

    def passes(
        self, answer: Any, seed: int = 0, seconds: float = PATIENCE, only: str | None = None
    ) -> bool:
        """Whether it passes all tests, or one, by draws that follow from the seed. Raises Late."""
        sent = elsewhere(answer)
        try:
            with within(seconds):
                for name, code in self.tests:
                    if only in (None, name):
                        with drawn_from(seed, name):
                            exec(code, {**self.space, self.name: sent})
        except (Exception, SystemExit):
            return False
        return True

    def cost(self, test: str) -> float:
        """Seconds that one of its tests takes for the solution, which passes it."""
        start = time.process_time()
        assert self.passes(self.solution, only=test), f"{test} fails the solution"
        return time.process_time() - start

    def checks(self, answer: Any) -> bool:
        try:
            with within(PATIENCE):
                return verdict(self.id, answer)[0] == "Correct"
        except Late:
            return False

    def differing(self, answers: Sequence[Callable], draws: int) -> list[bool]:
        """Of each answer whether it is another than the solution on one of so many draws.

        What is wrong shows early as a rule: draws come in rounds, and only answers that have not
        differed so far meet the next.
        """
        domain, stream = DOMAINS[self.id], random.Random(1)
        torch.manual_seed(1)
        found = [False] * len(answers)
        calls = -(-draws // domain.at_once)
        for begin in range(0, calls, ROUND):
            given = [domain.draw(stream) for _ in range(min(ROUND, calls - begin))]
            wanted = [domain.seen(self.solution, one) for one in given]
            for k, answer in enumerate(answers):
                pairs = zip(given, wanted, strict=True)
                found[k] = found[k] or any(
                    not self.agrees(answer, one, right) for one, right in pairs
                )
        return found

    def agrees(self, answer: Callable, given: tuple, wanted: Any) -> bool:
        """Whether it gives on this draw what the solution gives."""
        domain = DOMAINS[self.id]
        try:
            with within(LONGEST):
                return same(domain.seen(answer, given), wanted, domain.tolerance)
        except (Exception, SystemExit, Late):
            return False


def solved(master: Master) -> dict[str, Any]:
    """The names of the setup cell and of all solutions; no cell that only shows something."""
    space: dict[str, Any] = {"__name__": "__main__"}
    for cell in master.cells:
        if cell.type != "code" or cell.is_setup or cell.kind not in ("", "exercise"):
            continue
        body = ast.parse(cell.source).body
        imports = [node for node in body if isinstance(node, (ast.Import, ast.ImportFrom))]
        code = cell.source if cell.kind else ast.unparse(ast.Module(imports, []))
        exec(compile(code, str(cell), "exec"), space)
    return space


def exercises(number: int) -> Iterator[Exercise]:
    (path,) = (ROOT / "coursework").glob(f"{number:02}_*.ipynb")
    master = read_master(path)
    space = solved(master)
    for id in master.exercises:
        if id != "A4.5":
            yield Exercise(master, id, space)


def measure(exercise: Exercise, draws: int) -> Found:
    """The figures of an exercise."""
    found = Found(exercise.id)
    with quietly():
        try_wrong(exercise, found, draws)
        try_right(exercise, found)
    return found


def try_wrong(exercise: Exercise, found: Found, draws: int, most: int | None = None) -> None:
    """Mutants, of which so many are drawn, and the recorded wrong ones.

    Each has TRIES tries: what is accepted by luck once is accepted.
    """
    made = [
        (f"{name}, {what}", text, name, around)
        for name, source, around in exercise.sources()
        for text, what in mutants(source).items()
    ]
    told: list[tuple[str, Callable]] = []
    for what, text, name, around in made if most is None else random.Random(0).sample(made, most):
        space = dict(around)
        with contextlib.suppress(Exception, SystemExit, Late), within(LONGEST):
            exec(compile(text, "mutant", "exec"), space)
            told.append((what, space[name]))
    differ = exercise.differing([answer for _, answer in told], draws)
    recorded = exercise.recorded.WRONG[exercise.id]
    told += [(f"recorded: {reason}", answer) for answer, reason in recorded]
    for (what, answer), wrong in zip(told, differ + [True] * len(recorded), strict=True):
        tries = TRIES if wrong else 1
        passed = earns(exercise, answer, range(tries), exercise.seconds)
        if wrong:
            found.wrong += 1
            found.accepted += [f"{what} ({passed} of {tries} times)"] if passed else []
        else:
            found.equivalent += [what] if passed else []
            found.refused += [] if passed else [f"equivalent, and refused: {what}"]


def try_right(exercise: Exercise, found: Found, styles: Sequence[str] = ()) -> None:
    """The solution and the recorded right ones in every style; or the solution in some of them."""
    answers = [exercise.solution, *exercise.recorded.RIGHT[exercise.id]]
    for number, answer in enumerate(answers[:1] if styles else answers):
        name = getattr(answer, "__name__", "answer")
        for style, other in rewrites(exercise.id, answer).items():
            if styles and style not in styles:
                continue
            passes, checks = earns(exercise, other, [number], PATIENCE) > 0, exercise.checks(other)
            found.right += 1
            found.styles[style] = found.styles.get(style, 0) + 1
            found.refused += [] if passes else [f"{name} {number}, {style}"]
            if passes != checks:
                said = f"check {checks}, tests {passes}"
                found.unlike.append(f"{name} {number}, {style}: {said}")


def earns(exercise: Exercise, answer: Any, seeds: Iterable[int], seconds: float) -> int:
    """How often it earns all points. One that ran out of time once is not tried again."""
    try:
        return sum(exercise.passes(answer, seed, seconds) for seed in seeds)
    except Late:
        return 0
