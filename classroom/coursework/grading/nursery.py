"""The grader's handle on the zygote, from which students' processes are forked.

It is started before all else, and gets ready while the grader itself does. So nothing is imported
here that takes long.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cliplab

from .. import CourseworkError
from . import isolation
from .isolation import LEVELS, Limits

if TYPE_CHECKING:
    from .student import Student


class Zygote:
    """The process that students' processes are forked from, and what keeps them in.

    Use it as a context. `why_not`: what the system said to stronger isolation than `level`.
    """

    def __init__(self, limits: Limits):
        self.limits = limits

    def __enter__(self) -> Zygote:
        if sys.platform != "linux":
            raise CourseworkError(
                "Submissions are graded on Linux, whose kernel keeps students' code in: on Windows "
                "in WSL, on a Mac in a container or a virtual machine."
            )
        self.folder = tempfile.mkdtemp(prefix="cliplab-grading-")
        os.chmod(self.folder, 0o711)  # a scratch folder inside it belongs to another user
        walls = [isolation.bubblewrap(self.folder)] if shutil.which("bwrap") else []
        self.why_not: list[str] = [] if walls else ["bubblewrap: it is not installed."]
        self.walls = [*walls, []]
        self._begin(self.walls[0])
        return self

    @cached_property
    def level(self) -> str:
        """The strongest isolation that works here, found when it is first asked for.

        Raises CourseworkError where not even limits work.
        """
        for wall in self.walls:
            if wall is not self.walls[0]:
                self._end()
                self._begin(wall)
            for level in ["bubblewrap"] if wall else list(LEVELS)[1:]:
                if level == "user" and os.geteuid() != 0:
                    continue
                try:
                    self.start(level=level).stop()
                    return level
                except (RuntimeError, OSError) as problem:
                    ended = self.process.poll()
                    said = f"it ended at once, exit code {ended}; its own words stand above."
                    self.why_not.append(f"{level}: {problem if ended is None else said}")
        why = " ".join(self.why_not)
        raise CourseworkError(f"Students' code cannot be run on this machine. {why}")

    def _begin(self, wall: list[str]) -> None:
        """Starts the process, behind a wall of its own or without one."""
        self.requests, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # Nothing of the environment is handed down that could be a secret.
        kept = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "TZ")}
        one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        above = str(Path(cliplab.__file__).parents[1])
        path = os.pathsep.join([above, *filter(None, [os.environ.get("PYTHONPATH")])])
        command = [sys.executable, "-P", "-m", f"{__package__}.zygote"]
        self.process = subprocess.Popen(
            [*wall, *command, str(theirs.fileno()), self.folder],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            cwd="/",
            env=kept
            | one
            | {"PYTHONPATH": path, "MPLBACKEND": "agg", "HF_HUB_OFFLINE": "1"}
            | {"PYTHONDONTWRITEBYTECODE": "1", "OMP_WAIT_POLICY": "PASSIVE"}
            | {"PYTHONHASHSEED": "0"},  # the order of a set is the same, whenever it is graded
        )
        theirs.close()

    def _end(self) -> None:
        self.requests.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        self.process.kill()
        self.process.wait()

    def __exit__(self, *_: Any) -> None:
        self._end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, seed: int = 0, level: str | None = None) -> Student:
        """A new process for a student's code, known to answer. seed: of its own draws.

        Raises RuntimeError if it does not: then the machine is at fault, and no student.
        """
        from .student import Lost, Student, StudentError

        student = Student(self.requests, self.folder, self.limits, level or self.level)
        try:
            student.ask({"do": "seed", "seed": seed}, 60)
        except (Lost, StudentError) as problem:
            raise RuntimeError(
                f"No process for a student's code could be started. {problem} {student.stop()}"
            ) from None
        return student
