"""Many submissions at once: a process for each, one result file for each, and no work twice.

A result is written under another name and then renamed, so that it is whole or not there. Whatever
ends a run, `kill -9` included, the same command goes on where it was: a result counts as long as
master, notebook and limits are the same, byte for byte.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import select
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from tqdm.auto import tqdm

from ..master import Master
from . import entries, isolation, remarks, shown
from .desk import write_whole
from .grade import grade
from .isolation import Limits
from .nursery import Zygote
from .result import Result, StoredResult, blank, differences
from .runner import Fault
from .student import BUSY
from .submission import Submission

VERSION = 4  # of the rules of grading: results of other rules are not taken over
PATIENCE = 60.0  # seconds by the clock, beyond its budget on a busy machine, until it is given up


def content_of(submission: Submission) -> tuple[Submission, bytes]:
    """A submission and the bytes of its notebook; what cannot be read becomes its problem."""
    if submission.path is None:
        return submission, b""
    try:
        return submission, entries.read(submission.path, submission.inside)
    except entries.Unreadable as problem:
        return replace(submission, problem=str(problem)), b""


def digest(*parts: bytes) -> str:
    """Bytes in short."""
    if len(parts) > 1:
        parts = (b"".join(hashlib.sha256(part).digest() for part in parts),)
    return hashlib.sha256(parts[0]).hexdigest()


def basis_of(content: bytes, master: Master, submission: Submission, limits: Limits) -> str:
    """What every test of a submission depends on besides itself, in short."""
    asked = (master.names, remarks.arguments_of(master))  # by which the answers' cells are found
    rules = (VERSION, submission.problem, submission.notes, limits, asked)
    return digest(content, repr(rules).encode())


def stored(path: Path) -> StoredResult | None:
    """The result in a file, if there is one of these rules."""
    try:
        result: StoredResult = json.loads(path.read_text(encoding="utf-8"))
        if result["version"] != VERSION:
            return None
        # JSON turns the numbers of cells into text.
        result["errors"] = {int(number): said for number, said in result["errors"].items()}
        result["lost"] = {int(number): names for number, names in result["lost"].items()}
        return result
    except (OSError, ValueError, TypeError, KeyError):
        return None


def all_stored(folder: Path) -> list[StoredResult]:
    """All results in a folder."""
    return list(filter(None, map(stored, sorted(folder.glob("*.json")))))


def grade_all(
    submissions: list[Submission],
    master: Master,
    master_bytes: bytes,
    folder: Path,
    zygote: Zygote,
    jobs: int,
) -> list[Result]:
    """Results of all submissions, in their order; those that `folder` holds are not made again."""
    folder.mkdir(parents=True, exist_ok=True)
    for part in folder.glob(".*.part"):  # what a killed run was writing
        part.unlink()
    paths = [folder / f"{shown.file_name(submission.student)}.json" for submission in submissions]
    gc.collect()
    gc.freeze()  # what is there now is not looked through again by each child
    tqdm.monitor_interval = 0  # its thread would be running when we fork
    bar = tqdm(total=len(submissions), unit="notebook", dynamic_ncols=True)
    # Each process holds a pipe that nobody writes to: it ends when the process does.
    running: dict[int, tuple[int, Path, Submission, str, float]] = {}
    results: dict[Path, Result] = {}
    waiting = list(zip(paths, submissions, strict=True))[::-1]
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                path, submission = waiting.pop()
                submission, content = content_of(submission)
                basis = basis_of(content, master, submission, zygote.limits)
                key = digest(basis.encode(), master_bytes)
                former = stored(path)
                if former and former["key"] == key:
                    results[path] = former
                    bar.update()
                    continue
                sys.stdout.flush()
                end, held = os.pipe()
                pid = os.fork()
                if pid == 0:
                    _grade_one(submission, content, master, zygote, path, basis, key, former)
                os.close(held)
                late = time.monotonic() + BUSY * zygote.limits.budget + PATIENCE
                running[end] = (pid, path, submission, key, late)
            for pid, *_, late in running.values():
                if time.monotonic() > late:
                    os.kill(pid, signal.SIGKILL)
            for end in select.select(list(running), [], [], 1.0 if running else 0)[0]:
                pid, path, submission, key, _ = running.pop(end)
                os.close(end)
                os.waitpid(pid, 0)
                made = stored(path)
                done = made and made["tried"] == key
                results[path] = made if made and done else _given_up(submission, master)
                bar.update()
    finally:
        gc.unfreeze()
        bar.close()
        for pid, *_ in running.values():  # Ctrl-C: what they had is graded again next time
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    return [results[path] for path in paths]


def earlier(folder: Path, results: list[Result]) -> list[Result]:
    """Results of former runs, of students who are not in this one: a grade does not vanish."""
    now = {result["student"] for result in results}
    note = "Graded in a former run; the notebook was not among those of the last."
    found = [result for result in all_stored(folder) if result["student"] not in now]
    for result in found:
        result["notes"] = [*result["notes"], note]
    return [*found]


def say_same(results: list[Result]) -> None:
    """Notes where students handed in the same file, byte for byte."""
    by_content: dict[str, list[Result]] = {}
    for result in results:
        if result["content"] not in ("", digest(b"")):
            by_content.setdefault(result["content"], []).append(result)
    for same in by_content.values():
        for result in same if len(same) > 1 else ():
            others = [other["student"] for other in same if other is not result]
            some = ", ".join(others[:5]) + (" and others" if len(others) > 5 else "")
            result["notes"] = [*result["notes"], f"The same file, byte for byte, as {some}."]


def changed(former: StoredResult | None, result: Result, content: str) -> str:
    """Whose grade is not as it was, and how; "" where it is, or where there was none."""
    differ = differences(former, result) if former else []
    if former is None or not (differ or former["so_far"] != result["so_far"]):
        return ""
    anew = " after it was handed in anew" if former["content"] != content else ""
    points = f"{former['so_far']} → {result['so_far']} points by tests{anew}."
    return " ".join([f"{result['student']}: {points}", *differ])


def _given_up(submission: Submission, master: Master) -> Result:
    reason = "The grader's own process ended while it graded this notebook. Run the command again."
    return {**blank(submission, master), "reasons": [reason]}


def _grade_one(
    submission: Submission,
    content: bytes,
    master: Master,
    zygote: Zygote,
    path: Path,
    basis: str,
    key: str,
    former: StoredResult | None,
) -> NoReturn:
    """In a process of its own: grades, writes the result, and ends. Never returns.

    Of the former result what is still true is taken over: the seed for the same notebook, and the
    tests that have not changed.
    """
    try:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)  # what tests print is for nobody
        os.dup2(nowhere, 2)
        done = key
        isolation.limit_memory(zygote.limits.memory)
        try:
            same = former and former["content"] == digest(content)
            seed = former["seed"] if former and same else None
            known = former if former and former["basis"] == basis else None
            result = grade(submission, content, master, zygote, seed, known)
        except (Exception, Fault) as error:  # ours or the machine's: never a student's zero
            reason = f"The grader could not finish ({type(error).__name__}: {error})."
            result = {**blank(submission, master), "reasons": [reason]}
            done = ""  # so that the next run tries again
        about = {
            "key": done,
            "tried": key,
            "basis": basis if done else "",
            "version": VERSION,
            "assignment": master.number,
            "isolation": zygote.level,
            "content": digest(content),
            "changed": changed(former, result, digest(content)),
        }
        write_whole(path, json.dumps({**result, **about}, indent=1))
    finally:
        os._exit(0)
