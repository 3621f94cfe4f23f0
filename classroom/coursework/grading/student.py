"""The grader's side: a process with a student's code, asked one thing at a time."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import socket
import tempfile
import time
from dataclasses import asdict
from typing import Any

from . import wire
from .isolation import WALLED, Limits

# A call has so many seconds of the processor, which the process itself watches over. By the clock,
# on a machine that is busy, it may take that many times as long before it is taken for dead.
BUSY = 20


class Lost(Exception):
    """The process is of no more use; the message says why. It has been ended."""


class StudentError(Exception):
    """The student's code raised something: `kind` is its type, `place` the cell and line."""

    def __init__(self, kind: str, says: str, place: str = ""):
        super().__init__(says)
        self.kind, self.says, self.place = kind, says, place

    def __str__(self) -> str:
        where = f" ({self.place})" if self.place else ""
        return f"{self.kind}: {self.says}{where}" if self.says else f"{self.kind}{where}"


class Student:
    """One process; `ask` it, and `stop` it in the end.

    worked, used: the seconds of the last call, and the functions of cliplab that it called.
    """

    def __init__(self, requests: socket.socket, above: str, limits: Limits, level: str):
        """requests: where the zygote hears of it; above: the folder of scratch folders."""
        self.worked, self.used = 0.0, set[str]()
        self.folder = tempfile.mkdtemp(dir=above)
        self.log = tempfile.TemporaryFile()  # noqa: SIM115 - it is closed by `stop`
        self.channel, theirs = socket.socketpair()
        self.leash, held = socket.socketpair()
        inside = "namespaces" if level in WALLED else level
        request = {"level": inside, "limits": asdict(limits)}
        request["folder"] = self.folder
        ends = [theirs.fileno(), held.fileno(), self.log.fileno()]
        socket.send_fds(requests, [json.dumps(request).encode()], ends)
        theirs.close()
        held.close()

    def ask(self, request: dict[str, Any], seconds: float) -> Any:
        """The value of one request to the worker, which may take so many seconds.

        Raises StudentError for what the student's code raised, Lost when no answer came in time, or
        one that is none, and wire.Unsendable for arguments that are no plain data.
        """
        number = secrets.token_hex(8)
        frame = wire.pack({**request, "id": number, "seconds": seconds})
        end = time.monotonic() + BUSY * seconds
        self.worked, self.used = seconds, set()
        try:
            wire.send(self.channel, frame, end)
            reply = wire.receive(self.channel, end)
        except TimeoutError:
            raise Lost(f"It did not answer within {BUSY * seconds:.0f} s.") from None
        except (EOFError, OSError):
            raise Lost(
                "Its process ended: a limit stopped it (processor time, memory), it crashed, or it "
                "left on its own."
            ) from None
        except wire.Malformed as problem:
            raise Lost(str(problem)) from None
        match reply:
            case {"id": str(same), "value": value, "about": about} if same == number:
                self._note(about, seconds)
                return value
            case {
                "id": str(same),
                "error": {"type": str(), "says": str()} as told,
                "about": about,
            } if same == number:
                self._note(about, seconds)
                raise self.error(told, seconds)
        raise Lost("What arrived is no answer to what was asked.")

    @staticmethod
    def error(told: dict[str, Any], seconds: float = 0) -> StudentError:
        """What the process said that its code raised."""
        kind, says, place = (wire.readable(told.get(key, "")) for key in ("type", "says", "place"))
        if kind == "TooSlow":
            says = f"It took longer than {seconds:.0f} s of processor time."
            return TookTooLong(kind, says)
        return StudentError(kind[:60], says, place[:60])

    def _note(self, about: Any, seconds: float) -> None:
        """What the process says of a call. One that lies gains time up to its limit, no more."""
        match about:
            case {"worked": int() | float() as worked, "used": list(used)} if worked >= 0:
                self.worked = min(worked, seconds)
                self.used = {wire.readable(name, 80) for name in used[:20]}

    def stop(self) -> str:
        """Ends the process and all of its children, and gives the end of what it printed."""
        self.leash.shutdown(socket.SHUT_WR)
        self.leash.settimeout(5)
        with contextlib.suppress(OSError):
            self.leash.recv(1)  # the keeper lets go when the last of them has ended
        self.leash.close()
        self.channel.close()
        self.log.seek(max(self.log.seek(0, os.SEEK_END) - 2000, 0))
        with self.log as log:
            said = wire.readable(log.read(2000).decode(errors="replace"), 2000)
        shutil.rmtree(self.folder, ignore_errors=True)
        return said.strip()


class TookTooLong(StudentError):
    """The student's code was interrupted when its time was up; its process lives on."""

    def __str__(self) -> str:
        return self.says
