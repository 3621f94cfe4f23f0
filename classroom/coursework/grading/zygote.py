"""One process that has torch and cliplab ready, and forks a process for each submission.

It is started afresh, before any master is read, so that what it hands down to students' processes
holds no solution and no hidden test: `python -m classroom.coursework.grading.zygote FD FOLDER`.
Each request on the socket FD is one student's process: a JSON line, and three file descriptors (the
channel that calls travel on, the leash, and the log). Between the two stands a keeper, which ends
the student's process and all of its children as soon as the leash is let go, by whatever means.
FOLDER is for scratch folders, and is removed in the end.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import select
import shutil
import signal
import socket
import sys
from pathlib import Path
from typing import Any, NoReturn

from . import isolation, worker

READY = [
    *("torch.nn.functional", "numpy", "safetensors.torch", "matplotlib.pyplot", "cliplab"),
    *("cliplab.weighting", "cliplab.training"),
]


def main(descriptor: int, folder: str) -> None:
    _serve(descriptor)
    shutil.rmtree(folder, ignore_errors=True)  # here, as the grader itself may have been killed


def _serve(descriptor: int) -> None:
    for module in READY:
        importlib.import_module(module)
    importlib.import_module("cliplab").CLIPTokenizer()  # its tables are read, for all of them
    gc.collect()
    gc.freeze()  # what is there now is looked through by none of them
    importlib.import_module("torch").set_num_threads(1)  # a pool of threads does not survive a fork
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # keepers that end are not waited for
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the grader's: we end with its sockets
    requests = socket.socket(fileno=descriptor)
    while True:
        request, descriptors, _, _ = socket.recv_fds(requests, 1 << 16, 3)
        if not request:
            return
        if os.fork() == 0:
            requests.close()  # a student that held it could ask for a process without isolation
            _keep(json.loads(request), *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def _keep(request: dict[str, Any], channel: int, leash: int, log: int) -> NoReturn:
    """The keeper: starts the student's process, waits, and ends it. Never returns."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.environ["CLIPLAB_KEEPER"] = str(os.getpid())
    for standard, descriptor in ((0, os.open(os.devnull, os.O_RDONLY)), (1, log), (2, log)):
        os.dup2(descriptor, standard)
    try:
        os.setsid()
        isolation.adopt_orphans()
        if request["level"] == "namespaces":
            isolation.leave_shared_namespaces()
        child = os.fork()
        if child == 0:
            _first(request, channel, leash)
        os.close(channel)
        most, inherited = request["limits"]["memory"] * 2**30, isolation.own_memory(os.getpid())
        while not select.select([leash], [], [], 0.2)[0]:
            if os.waitpid(child, os.WNOHANG)[0]:
                break
            if isolation.memory_below(os.getpid(), inherited) > most:
                print("All processes together took more memory than one student has.", flush=True)
                break
        _end_all()
    except OSError as error:
        print(error, flush=True)
    os._exit(0)


def _end_all() -> None:
    """Ends every descendant. Children whose parents end become ours, level by level."""
    with contextlib.suppress(ChildProcessError):
        while True:
            for child in _children():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
            os.waitpid(-1, 0)
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _children() -> list[int]:
    me, found = str(os.getpid()), []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if stat.read_text(errors="replace").rpartition(")")[2].split()[1] == me:
                found.append(int(stat.parent.name))
    return found


def _first(request: dict[str, Any], channel: int, leash: int) -> NoReturn:
    """The first process behind the wall: builds it, and waits for the student's. Never returns."""
    level = request["level"]
    try:
        os.closerange(3, channel)
        os.closerange(channel + 1, 1024)
        isolation.die_with_parent()
        isolation.limit(level, isolation.Limits(**request["limits"]))
        folder = request["folder"]
        if level == "namespaces":
            isolation.enter_new_root(folder)
            folder = "/scratch"
            student = os.fork()
            if student:  # the first process of a namespace takes in orphans: wait for all of them
                os.close(channel)
                while os.wait()[0] != student:
                    pass
                os._exit(0)
        isolation.give_up_rights(level, folder)
        isolation.die_with_parent()  # changing the user has cleared it
        os.chdir(folder)
        os.environ.update(HOME=folder, TMPDIR=folder, USER="student", LOGNAME="student")
        worker.serve(socket.socket(fileno=channel))
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", flush=True)
    os._exit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
    os._exit(0)  # taking torch down takes a second, and nothing is left to do
