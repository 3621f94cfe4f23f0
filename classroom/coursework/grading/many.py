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
from pathlib import Path
from typing import NoReturn

from tqdm.auto import tqdm

from ..master import Master
from .grade import grade
from .isolation import Limits
from .result import Result, StoredResult, blank
from .runner import Fault
from .student import BUSY, Zygote
from .submission import MOST_BYTES, Submission

VERSION = 3  # of the rules of grading: results of other rules are not taken over
PATIENCE = 60.0  # seconds by the clock, beyond its budget on a busy machine, until it is given up


def write_whole(path: Path, text: str) -> None:
    """A file that is there whole or not at all, whenever the power goes."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    with part.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def content_of(submission: Submission) -> tuple[Submission, bytes]:
    """A submission and the bytes of its notebook; what cannot be read becomes its problem."""
    if submission.path is None:
        return submission, b""
    try:
        with submission.path.open("rb") as file:
            return submission, file.read(MOST_BYTES + 1)
    except OSError as error:
        problem = f"The file cannot be read: {error.strerror}."
        return Submission(submission.student, submission.path, problem), b""


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
    paths = [folder / f"{submission.student}.json" for submission in submissions]
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
                late = time.monotonic() + BUSY * zygote.limits.budget + PATIENCE
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
        about = {"key": key, "assignment": master.number, "isolation": zygote.level}
        write_whole(path, json.dumps({**result, **about}, indent=1))
    finally:
        os._exit(0)
