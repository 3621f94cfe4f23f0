"""The grade of one submission: the master's tests, run here, on functions that run elsewhere.

Each test and hidden cell of the master is executed in a fresh namespace of this process, in which
the names that exercise cells define are proxies: calling one sends the arguments to the student's
process and brings back a value. So a test compares in a process that no student's code has touched,
on inputs drawn just now: whoever patches `np.allclose`, prints "passed" or forges a reply has
changed nothing here, and a value earns its points by being right.
"""

from __future__ import annotations

import ast
import hashlib
import re
import signal
import time
from collections.abc import Callable
from typing import Any

from classroom.compare import Almost

from ..master import Master, Test
from . import draws, essays, pictures, remarks, wire
from .entries import Unreadable
from .nursery import Zygote
from .result import GRADED, WAITS, Ran, Result, TestResult, blank
from .runner import NoAnswer, Runner
from .student import StudentError
from .submission import Submission, SubmittedCell, read_cells


def grade(
    submission: Submission,
    content: bytes,
    master: Master,
    zygote: Zygote,
    seed: int | None = None,
    known: Result | None = None,
) -> Result:
    """The result of one submission. content: the bytes of its notebook; seed: of what tests draw.

    known: a former result of this notebook, whose tests are not run again where they are the same.
    Raises runner.Fault when the grader or the machine is at fault.
    """
    began = time.monotonic()
    seed = draws.new_seed() if seed is None else seed
    result = blank(submission, master) | {"seed": seed}
    if submission.problem:
        return {**result, "reasons": [submission.problem]}
    try:
        cells = read_cells(content)
    except Unreadable as problem:
        return {**result, "reasons": [str(problem)]}
    missing, notes = _look_for_exercises(cells, master)
    to_run = pictures.left_out(_to_run(cells, master), master)
    runner = Runner(
        zygote,
        to_run,
        remarks.arguments_of(master),
        lambda defined: remarks.answering(master, to_run, defined),
        draws.derived(seed, "student"),
    )
    told = {test["source"]: test for test in known["tests"]} if known else {}
    try:
        result["tests"] = _run_tests(master, missing, runner, seed, told)
    finally:
        runner.stop()
    ran = _ran(runner, known)
    result |= ran
    result["notes"] += notes
    result["remarks"] = [
        *remarks.of_failures(master, to_run, ran["answers"], ran["errors"], ran["lost"]),
        *remarks.of_late_helpers(ran["answers"], to_run),
        *remarks.of_use(ran["used"], master),
    ]
    for id in master.exercises:
        if id not in missing:
            mine = [test for test in result["tests"] if test["exercise"] == id]
            entry = result["exercises"][id]
            entry["points"] = sum(test["points"] for test in mine if test["passed"])
            entry["state"] = "graded"
    result["so_far"] = sum(e["points"] or 0 for e in result["exercises"].values())
    for essay in result["essays"]:
        cell = next(cell for cell in master.essays if cell.id == essay["id"])
        essay["text"] = essays.text_of(cells, cell, master)
    if len(missing) == len(master.exercises):
        result["reasons"] = ["It holds none of the answers. Is it another assignment's notebook?"]
    elif missing:
        result["reasons"] = list(missing.values())
    else:
        result["points"] = result["so_far"]
        result["status"] = WAITS if master.essays else GRADED
    return {**result, "seconds": round(time.monotonic() - began, 2)}


def _look_for_exercises(
    cells: list[SubmittedCell], master: Master
) -> tuple[dict[str, str], list[str]]:
    """{id: why a person is needed}, and notes: by tag first, by the names a cell defines second."""
    code = [cell for cell in cells if cell.code]
    here = {name for cell in code for name in cell.names}
    missing: dict[str, str] = {}
    untagged = []
    for id in master.exercises:
        names = [name for name, of in master.names.items() if of == id]
        absent = [f"`{name}`" for name in names if name not in here]
        tagged = any(f"exercise:{id}" in cell.tags for cell in code)
        if absent and tagged:
            missing[id] = f"The cell of {id} does not define {', '.join(absent)}: renamed?"
        elif absent:
            missing[id] = f"No cell defines {', '.join(absent)} of {id}: deleted or renamed?"
        elif not tagged:
            untagged.append(id)
    notes = []
    if untagged:
        notes.append(f"Found by the names they define, as tags are gone: {', '.join(untagged)}.")
    return missing, notes


def _to_run(cells: list[SubmittedCell], master: Master) -> list[SubmittedCell]:
    """The student's own code: all but tests and requests for feedback, which may hang on it."""
    given = {" ".join(test.source.split()) for test in master.tests}

    def own(cell: SubmittedCell) -> bool:
        if cell.names & set(master.names):
            return True
        is_test = cell.is_test or " ".join(cell.source.split()) in given
        return not is_test and not cell.only_checks

    return [cell for cell in cells if cell.code and cell.source.strip() and own(cell)]


def _ran(runner: Runner, known: Result | None) -> Ran:
    """What the cells did; of a former run what is as true of this one, where none was made."""
    now: Ran = {
        "errors": runner.errors,
        "lost": {number: sorted(names) for number, names in runner.lost.items()},
        "answers": runner.cell,
        "used": {name: sorted(used) for name, used in runner.used.items() if used},
        "log": runner.log,
    }
    if known is None:
        return now
    last: Ran = now if runner.has_run else known
    used = {name: [*now["used"].get(name, []), *was] for name, was in known["used"].items()}
    used = {name: sorted(set(found)) for name, found in {**now["used"], **used}.items()}
    return {
        "errors": last["errors"],
        "lost": last["lost"],
        "answers": last["answers"],
        "used": used,
        "log": last["log"],
    }


def _run_tests(
    master: Master,
    missing: dict[str, str],
    runner: Runner,
    seed: int,
    known: dict[str, TestResult],
) -> list[TestResult]:
    """Visible tests first: what a student's code says there can tell nothing of the hidden ones.

    known: what a test gave before, by its text.
    """
    functions = _functions(master)
    told: dict[str, TestResult] = {}
    for test in sorted(master.tests, key=lambda test: test.hidden):
        if test.id not in missing:
            source = hashlib.sha256(f"{test.id} {test.source}".encode()).hexdigest()
            if source in known:
                reason = known[source]["reason"] or None
            else:
                with draws.drawn_from(seed, test.name):
                    reason = _run_test(test, master, functions, runner)
            told[test.name] = {
                "name": test.name,
                "source": source,
                "exercise": test.id,
                "hidden": test.hidden,
                "points": test.points,
                "passed": reason is None,
                "reason": reason or "",
            }
    return [told[test.name] for test in master.tests if test.name in told]


def _functions(master: Master) -> set[str]:
    bodies = [ast.parse(exercise.source).body for exercise in master.exercises.values()]
    return {node.name for body in bodies for node in body if isinstance(node, ast.FunctionDef)}


def _run_test(test: Test, master: Master, functions: set[str], runner: Runner) -> str | None:
    """Why a test fails, as a plain sentence; None when it passes."""
    namespace: dict[str, Any] = {"__name__": "__main__"}

    def out_of_time(*_: Any) -> None:
        raise NoAnswer("Comparing the answer took too long: it may be far too large.")

    previous = signal.signal(signal.SIGPROF, out_of_time)
    signal.setitimer(signal.ITIMER_PROF, runner.limits.seconds)
    try:
        for name in master.names:
            if name in functions:
                namespace[name] = _proxy(name, runner)
            elif re.search(rf"\b{name}\b", test.source):
                namespace[name] = runner.get(name)
        exec(compile(test.source, test.name, "exec", dont_inherit=True), namespace)
    except NoAnswer as reason:
        return str(reason)
    except StudentError as error:
        if error.kind == "NotImplementedError" and error.says.startswith("exercise"):
            return "Not answered yet: the function is still the stub."
        if error.kind == "Unsendable":
            return f"The answer is not of the kind asked for. {error.says}"
        return f"Your code raised {error}"
    except (AssertionError, Almost) as error:
        return wire.readable(error) or "The answer is not right."
    except Exception as error:
        kind = f"{type(error).__name__}: {error}"
        return wire.readable(f"The answer is not of the kind asked for ({kind}).")
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, previous)
    return None


def _proxy(name: str, runner: Runner) -> Callable[..., Any]:
    def call(*arguments: Any, **keywords: Any) -> Any:
        return runner.call(name, arguments, keywords)

    call.__name__ = call.__qualname__ = name
    return call
