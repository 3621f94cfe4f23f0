"""Calls that take turns, so that whatever else the machine does falls on all of them alike."""

import os
import statistics
import time
from collections.abc import Callable

Times = dict[str, list[float]]  # of each call, by its name: its seconds, round by round


def take_turns(calls: dict[str, Callable], rounds: int, warm_up: int = 1) -> tuple[Times, Times]:
    """CPU and wall seconds of each call, in every round after the first ones, which warm up."""
    cpu: Times = {name: [] for name in calls}
    wall: Times = {name: [] for name in calls}
    for n in range(warm_up + rounds):
        for name in list(calls)[:: 1 if n % 2 else -1]:  # take turns in going first
            w, c = time.perf_counter(), time.process_time()
            calls[name]()
            if n >= warm_up:
                cpu[name].append(time.process_time() - c)
                wall[name].append(time.perf_counter() - w)
    return cpu, wall


def beside(times: Times, figure: Callable[[float], float], digits: int = 1) -> str:
    """Two calls in a row of a table: a figure of each, and the ratio; of the minimum and median."""
    row = ""
    for statistic in (min, statistics.median):
        a, b = (figure(statistic(one)) for one in times.values())
        row += f"  {a:8.{digits}f} {b:8.{digits}f} {a / b:7.3f}"
    return row


def milliseconds(seconds: float) -> float:
    return 1e3 * seconds


def load_average() -> str:
    """How busy the machine is, to be said after what was measured on it."""
    return f"; load average {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
