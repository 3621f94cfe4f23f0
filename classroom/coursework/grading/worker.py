"""The student's process: runs cells of a notebook, calls what they define, and sends values back.

Everything here belongs to the student's code, which may change all of it. What it can write into
the channel is one reply for each request, and a reply is a value or an error: a forged one must
still be right on inputs drawn just now. So nothing here needs to be defended.
"""

from __future__ import annotations

import builtins
import io
import os
import socket
import sys
import tempfile
import types
from typing import Any

from classroom.compare import settled

from . import absent, draws, wire
from .cells import Cells, statements
from .watch import Use, Watch

RUN_BODY = {"time", "timeit", "capture", "prun"}  # magics whose body is the student's answer


class Shell:
    """What `get_ipython()` gives: magics and shell lines say that they are left out."""

    def __init__(self, namespace: dict[str, Any]):
        self.namespace = namespace

    def run_cell_magic(self, name: str, line: str, body: str) -> None:
        self.run_line_magic(name, body) if name in RUN_BODY else self.system(f"%%{name}")

    def run_line_magic(self, name: str, line: str, *_: Any) -> None:
        if name in RUN_BODY:
            for error in statements(line, "<magic>", self.namespace):
                raise error
        else:
            self.system(f"%{name}")

    def system(self, line: str) -> None:
        print(f"Left out by the grader: {line}")

    getoutput = system


def serve(channel: socket.socket) -> None:
    """Answers requests until the other side has gone."""
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    cells, shell = Cells(module.__dict__), Shell(module.__dict__)
    module.__dict__.update(get_ipython=lambda: shell, display=print)
    vars(builtins).update(exit=sys.exit, quit=sys.exit)
    tempfile.tempdir = os.environ["TMPDIR"]
    assert isinstance(sys.stdout, io.TextIOWrapper)
    sys.stdout.reconfigure(line_buffering=True)
    absent.take_away()
    while True:
        try:
            request = wire.receive(channel)
        except EOFError:
            return
        watch, use = Watch(request["seconds"]), Use()
        try:
            with watch:  # what cannot be sent, or takes too long, is an error of the call
                frame = reply(request, watch, use, value=answer(request, cells, use))
        except BaseException as error:
            frame = reply(request, watch, use, error=describe(error))
        wire.send(channel, frame)


def reply(request: dict[str, Any], watch: Watch, use: Use, **said: Any) -> bytes:
    """The frame of a value or an error, with what the grader is told of the call beside it."""
    about = {"worked": watch.worked, "used": sorted(use.names)[:20]}
    return wire.pack({"id": request["id"], **said, "about": about})


def answer(request: dict[str, Any], cells: Cells, use: Use) -> Any:
    """The value that one request asks for: a cell run, a function called, or a name read."""
    if request["do"] == "seed":
        return draws.seed_everything(request["seed"])
    if request["do"] == "run":
        ran = cells.run(request["source"], request["number"], request["answers"])
        return {**ran, "errors": [describe(error) for error in ran["errors"][:5]]}
    with use:
        value = cells.value(request["name"], request["cell"])
        if request["do"] == "call":
            value = value(*request["args"], **request["kwargs"])
        value = settled(value)
    if value is ...:
        raise NotImplementedError("exercise")  # what stands in the stub of a plain value
    return value


def describe(error: BaseException) -> dict[str, str]:
    """An error as three texts: its type, what it says, and where in the notebook it was raised."""
    place, trace = "", error.__traceback__
    while trace:
        if trace.tb_frame.f_code.co_filename.startswith("cell "):
            place = f"{trace.tb_frame.f_code.co_filename}, line {trace.tb_lineno}"
        trace = trace.tb_next
    if isinstance(error, SyntaxError) and error.lineno:
        place = f"{error.filename}, line {error.lineno}"
    try:
        says = str(error)
    except Exception:
        says = ""
    return {"type": type(error).__name__, "says": says[:2000], "place": place}
