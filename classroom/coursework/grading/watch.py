"""What a call costs and uses: processor time that no other program can stretch, and cliplab.

Time that a process has to wait for the processor, on a busy machine, is nobody's; time in which it
waits for anything else (`sleep`, `input()`) is its own, as is what it computes.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import cliplab

LIBRARY = str(Path(cliplab.__file__).parent)
AGAIN = 2.0  # seconds after which what swallowed the first signal is ended


class TooSlow(BaseException):
    """Raised inside the student's code when its time is up. What escapes it is ended."""


def worked() -> float:
    """Seconds that this process and its children that have ended have worked."""
    both = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in both)


def queued() -> float:
    """Seconds that this process has waited for a processor; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/schedstat").read_text().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


class Watch:
    """With it a block has so many seconds."""

    def __init__(self, seconds: float):
        self.seconds, self.told = seconds, False

    def __enter__(self) -> Watch:
        self.began = time.monotonic(), worked(), queued()
        signal.signal(signal.SIGPROF, self.up)
        signal.signal(signal.SIGALRM, self.look)
        signal.setitimer(signal.ITIMER_PROF, self.seconds, AGAIN)
        signal.setitimer(signal.ITIMER_REAL, min(self.seconds, 1.0), 1.0)
        # What computes outside of Python hears no signal, and is ended by the system.
        self.limits = resource.getrlimit(resource.RLIMIT_CPU)
        most = int(time.process_time() + self.seconds + AGAIN) + 1
        soft, hard = self.limits
        least = min((one for one in (most, soft) if one >= 0), default=most)
        resource.setrlimit(resource.RLIMIT_CPU, (least, hard))
        return self

    def __exit__(self, *_: Any) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.setitimer(signal.ITIMER_PROF, 0)
        resource.setrlimit(resource.RLIMIT_CPU, self.limits)

    @property
    def worked(self) -> float:
        """Seconds that the block has worked so far."""
        return worked() - self.began[1]

    def look(self, *_: Any) -> None:
        """Every second: has it waited for too long, for anything but a processor?"""
        wall, work, queue = self.began
        waited = (time.monotonic() - wall) - (worked() - work) - (queued() - queue)
        if waited > self.seconds:
            self.up()

    def up(self, *_: Any) -> NoReturn:
        if self.told:
            os._exit(1)
        self.told = True
        raise TooSlow


class Use:
    """With it a block's calls of cliplab are seen: `names` has the functions."""

    def __init__(self) -> None:
        self.names = set[str]()

    def __enter__(self) -> Use:
        sys.setprofile(self.see)
        return self

    def __exit__(self, *_: Any) -> None:
        sys.setprofile(None)

    def see(self, frame: FrameType, event: str, _: Any) -> None:
        """Notes a function of cliplab that other code than cliplab's calls."""
        if event != "call":
            return
        code, caller = frame.f_code, frame.f_back
        if not code.co_filename.startswith(LIBRARY):
            return
        if caller and not caller.f_code.co_filename.startswith(LIBRARY):
            name = code.co_qualname
            if not name.startswith(("<", "__getattr__")):
                self.names.add(f"{frame.f_globals.get('__name__')}.{name}")
