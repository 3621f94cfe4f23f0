"""The student's process: runs cells of a notebook, calls what they define, and sends values back.

Everything here belongs to the student's code, which may change all of it. What it can write into
the channel is one reply for each request, and a reply is a value or an error: a forged one must
still be right on inputs drawn just now. So nothing here needs to be defended.
"""

from __future__ import annotations

import builtins
import io
import linecache
import os
import signal
import socket
import sys
import tempfile
import types
from typing import Any, NoReturn

from IPython.core.inputtransformer2 import TransformerManager

from . import draws, wire

RUN_BODY = {"time", "timeit", "capture", "prun"}  # magics whose body is the student's answer


class TooSlow(BaseException):
    """Raised inside the student's code when its time is up. What escapes it is killed."""


class Shell:
    """What `get_ipython()` gives: magics and shell lines say that they are left out."""

    def __init__(self, namespace: dict[str, Any]):
        self.namespace = namespace

    def run_cell_magic(self, name: str, line: str, body: str) -> None:
        self.run_line_magic(name, body) if name in RUN_BODY else self.system(f"%%{name}")

    def run_line_magic(self, name: str, line: str, *_: Any) -> None:
        if name in RUN_BODY:
            execute(line, "<magic>", self.namespace)
        else:
            self.system(f"%{name}")

    def system(self, line: str) -> None:
        print(f"Left out by the grader: {line}")

    getoutput = system


def execute(source: str, name: str, namespace: dict[str, Any]) -> None:
    """Runs the source of a cell as a notebook does."""
    source = TransformerManager().transform_cell(source)
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    exec(compile(source, name, "exec", dont_inherit=True), namespace)


def serve(channel: socket.socket) -> None:
    """Answers requests until the other side has gone."""
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    shell = Shell(module.__dict__)
    module.__dict__.update(get_ipython=lambda: shell, display=print)
    vars(builtins).update(exit=sys.exit, quit=sys.exit)
    tempfile.tempdir = os.environ["TMPDIR"]
    assert isinstance(sys.stdout, io.TextIOWrapper)
    sys.stdout.reconfigure(line_buffering=True)
    signal.signal(signal.SIGALRM, _too_slow)
    while True:
        try:
            request = wire.receive(channel)
        except EOFError:
            return
        reply = {"id": request["id"]}
        try:
            signal.setitimer(signal.ITIMER_REAL, request["seconds"])
            try:
                reply["value"] = answer(request, module.__dict__)
                frame = wire.pack(reply)
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        except BaseException as error:
            frame = wire.pack({"id": request["id"], "error": describe(error)})
        wire.send(channel, frame)


def answer(request: dict[str, Any], namespace: dict[str, Any]) -> Any:
    """The value that one request asks for: a cell run, a function called, or a name read."""
    if request["do"] == "seed":
        return draws.seed_everything(request["seed"])
    if request["do"] == "run":
        return execute(request["source"], request["name"], namespace)
    if request["name"] not in namespace:
        raise NameError(f"name {request['name']!r} is not defined")
    value = namespace[request["name"]]
    if request["do"] == "call":
        value = value(*request["args"], **request["kwargs"])
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


def _too_slow(*_: Any) -> NoReturn:
    raise TooSlow
