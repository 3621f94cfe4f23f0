"""One exercise: what its tests and its check say to wrong answers and to right ones.

A mutant is wrong when the oracle, the master's own solution, differs from it on one of so many
draws of the domain. Everything runs in this process, each answer within some processor seconds.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import importlib
import inspect
import io
import random
import signal
import sys
import textwrap
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from classroom.compare import same, settled
from classroom.coursework.grading import wire
from classroom.coursework.master import Master
from classroom.coursework.reading import read_master
from classroom.exercises import verdict

from .domains import DOMAINS
from .mutants import mutants
from .rewrites import rewrites

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests"))


class Late(BaseException):
    """The answer's time is up."""


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    """Ends what takes longer, and says nothing of what it prints."""

    def up(*_: Any) -> None:
        raise Late

    before = signal.signal(signal.SIGPROF, up)
    signal.setitimer(signal.ITIMER_PROF, seconds, 0.5)
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings(action="ignore"):
            yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
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
    """What was measured for an exercise. kinds: how many answers of each kind were tried."""

    id: str
    wrong: int = 0
    right: int = 0
    accepted: list[str] = field(default_factory=list)  # wrong, at full points
    refused: list[str] = field(default_factory=list)  # right, by a test
    unlike: list[str] = field(default_factory=list)  # the check says another thing than the tests
    equivalent: list[str] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)


class Exercise:
    """An exercise of a master: its solution, its tests, and the answers that are recorded."""

    def __init__(self, master: Master, id: str, space: dict[str, Any]):
        self.master, self.id, self.space = master, id, space
        cell = master.exercises[id]
        (self.name,) = cell.names
        self.source = "\n".join(line for _, lines in cell.parts for line in lines)
        self.tests = [test for test in master.tests if test.id == id]
        self.seconds = 60.0
        start = time.process_time()
        assert self.passes(self.solution), f"{id}: its tests fail the solution"
        assert self.checks(self.solution), f"{id}: its check fails the solution"
        self.seconds = 0.5 + 5 * (time.process_time() - start)
        self.recorded = importlib.import_module(f"wrong_answers.a{master.number}")

    @property
    def solution(self) -> Callable:
        return self.space[self.name]

    def sources(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Right answers as text: its name, its text, and the names around it."""
        yield self.name, self.source, self.space
        for answer in self.recorded.RIGHT[self.id]:
            if inspect.isfunction(answer) and answer.__name__ in vars(self.recorded):
                source = textwrap.dedent(inspect.getsource(answer))
                yield answer.__name__, source, vars(self.recorded)

    def passes(self, answer: Any) -> bool:
        """Whether it earns all points."""
        try:
            with within(self.seconds):
                for test in self.tests:
                    space = {**self.space, self.name: elsewhere(answer)}
                    exec(compile(test.source, test.name, "exec"), space)
        except (Exception, SystemExit, Late):
            return False
        return True

    def checks(self, answer: Any) -> bool:
        try:
            with within(self.seconds):
                return verdict(self.id, answer)[0] == "Correct"
        except Late:
            return False

    def differs(self, answer: Any, draws: int, seed: int = 1) -> bool:
        """Whether it gives another thing than the solution on one of so many draws."""
        if self.id not in DOMAINS:
            return not self.checks(answer)
        draw, tolerance = DOMAINS[self.id]
        stream = random.Random(seed)
        torch.manual_seed(seed)
        for _ in range(draws):
            given = draw(stream)
            wanted = self.solution(*copy.deepcopy(given))
            try:
                with within(0.5):
                    got = settled(answer(*copy.deepcopy(given)))
                if not same(got, settled(wanted), tolerance):
                    return True
            except (Exception, SystemExit, Late):
                return True
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


def measure(exercise: Exercise, draws: int, most: int | None = None, seed: int = 0) -> Found:
    """most: mutants and rewrites that are tried, drawn from all of them."""
    found, chosen = Found(exercise.id), random.Random(seed)

    def some(answers: list) -> list:
        return answers if most is None else chosen.sample(answers, min(most, len(answers)))

    made = []
    for name, source, around in exercise.sources():
        made += [(name, *pair, around) for pair in mutants(source).items()]
    for name, text, what, around in some(made):
        space = dict(around)
        try:
            with within(1.0):
                exec(compile(text, "mutant", "exec"), space)
        except (Exception, SystemExit, Late):
            continue
        judge(exercise, space[name], f"{name}, {what}", found, draws)
    for answer, reason in exercise.recorded.WRONG[exercise.id]:
        found.wrong += 1
        found.kinds["recorded"] += 1
        if exercise.passes(answer):
            found.accepted.append(f"recorded: {reason}")
    styles = []
    for answer in [exercise.solution, *exercise.recorded.RIGHT[exercise.id]]:
        label = getattr(answer, "__name__", "answer")
        styles += [(label, *pair) for pair in rewrites(exercise.id, answer).items()]
    for label, style, answer in some(styles):
        found.right += 1
        found.kinds[style] += 1
        passes, checks = exercise.passes(answer), exercise.checks(answer)
        if not passes:
            found.refused.append(f"{label}, {style}")
        if passes != checks:
            found.unlike.append(f"{label}, {style}: check {checks}, tests {passes}")
    return found


def judge(exercise: Exercise, answer: Any, what: str, found: Found, draws: int) -> None:
    """Enters a mutant as wrong or equivalent, and what the tests make of it."""
    passes = exercise.passes(answer)
    if exercise.differs(answer, draws):
        found.wrong += 1
        found.kinds["mutant"] += 1
        if passes:
            found.accepted.append(what)
    elif passes:
        found.equivalent.append(what)
    else:
        found.refused.append(f"equivalent, and refused: {what}")
