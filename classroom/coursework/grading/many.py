"""Many submissions at once: a process for each, one result file for each, and no work twice.

A result is written under another name and then renamed, so that it is whole or not there. Whatever
ends a run, `kill -9` included, the same command goes on where it was: a result counts as long as
master, notebook and limits are the same, byte for byte.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from tqdm.auto import tqdm

from ..master import Master
from . import entries, shown
from .desk import write_whole
from .grade import grade
from .isolation import Limits
from .result import Result, StoredResult, blank
from .runner import Fault
from .student import Zygote
from .submission import Submission

VERSION = 3  # of the rules of grading: results of other rules are not taken over
PATIENCE = 60.0  # seconds beyond its budget after which a grading process is given up


def content_of(submission: Submission) -> tuple[Submission, bytes]:
    """A submission and the bytes of its notebook; what cannot be read becomes its problem."""
    if submission.path is None:
        return submission, b""
    try:
        return submission, entries.read(submission.path, submission.inside)
    except entries.Unreadable as problem:
        return replace(submission, problem=str(problem)), b""


def key_of(content: bytes, master: bytes, submission: Submission, limits: Limits) -> str:
    """What a result depends on, in short."""
    parts = (master, content, repr((VERSION, submission.problem, limits)).encode())
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def stored(path: Path) -> StoredResult | None:
    """The result in a file, if there is one."""
    try:
        result: StoredResult = json.loads(path.read_text(encoding="utf-8"))
        return result
    except (OSError, ValueError):
        return None


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
    tqdm.monitor_interval = 0  # its thread would be running when we fork
    bar = tqdm(total=len(submissions), unit="notebook", dynamic_ncols=True)
    running: dict[int, tuple[Path, Submission, float]] = {}
    results: dict[Path, Result] = {}
    waiting = list(zip(paths, submissions, strict=True))[::-1]
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                path, submission = waiting.pop()
                submission, content = content_of(submission)
                key = key_of(content, master_bytes, submission, zygote.limits)
                if (result := stored(path)) and result.get("key") == key:
                    results[path] = result
                    bar.update()
                    continue
                path.unlink(missing_ok=True)
                sys.stdout.flush()
                pid = os.fork()
                if pid == 0:
                    _grade_one(submission, content, master, zygote, path, key)
                late = time.monotonic() + zygote.limits.budget + PATIENCE
                running[pid] = (path, submission, late)
            for pid, (path, submission, late) in list(running.items()):
                if time.monotonic() > late:
                    os.kill(pid, signal.SIGKILL)
                if os.waitpid(pid, os.WNOHANG)[0]:
                    del running[pid]
                    results[path] = stored(path) or _given_up(submission, master)
                    bar.update()
            time.sleep(0.01)
    finally:
        bar.close()
        for pid in running:  # Ctrl-C: what they had is graded again next time
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    return [results[path] for path in paths]


def earlier(folder: Path, results: list[Result]) -> list[Result]:
    """Results of former runs, of students who are not in this one: a grade does not vanish."""
    now = {result["student"] for result in results}
    found = [stored(path) for path in sorted(folder.glob("*.json"))]
    note = "Graded in a former run; the notebook was not among those of the last."
    return [
        {**result, "notes": [*result["notes"], note]}
        for result in found
        if result and result.get("version") == VERSION and result["student"] not in now
    ]


def say_same(results: list[Result]) -> None:
    """Notes where students handed in the same file, byte for byte."""
    by_content: dict[str, list[Result]] = {}
    for result in results:
        if result["content"]:
            by_content.setdefault(result["content"], []).append(result)
    for same in by_content.values():
        for result in same if len(same) > 1 else ():
            others = [other["student"] for other in same if other is not result]
            some = ", ".join(others[:5]) + (" and others" if len(others) > 5 else "")
            result["notes"] = [*result["notes"], f"The same file, byte for byte, as {some}."]


def _given_up(submission: Submission, master: Master) -> Result:
    reason = "The grader's own process ended while it graded this notebook. Run the command again."
    return {**blank(submission, master), "reasons": [reason]}


def _grade_one(
    submission: Submission, content: bytes, master: Master, zygote: Zygote, path: Path, key: str
) -> NoReturn:
    """In a process of its own: grades, writes the result, and ends. Never returns."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)  # what tests print is for nobody
        os.dup2(nowhere, 2)
        try:
            result = grade(submission, content, master, zygote)
        except (Exception, Fault) as error:  # ours or the machine's: never a student's zero
            reason = f"The grader could not finish ({type(error).__name__}: {error})."
            result = {**blank(submission, master), "reasons": [reason]}
            key = ""  # so that the next run tries again
        about = {"key": key, "version": VERSION, "assignment": master.number}
        about |= {"isolation": zygote.level, "content": hashlib.sha256(content).hexdigest()}
        write_whole(path, json.dumps({**result, **about}, indent=1))
    finally:
        os._exit(0)
