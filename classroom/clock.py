"""Processor time: what a run costs, however busy the machine is.

start = processor_seconds()
train(…)
used = processor_seconds() - start
"""

import time

elsewhere = 0.0  # seconds that other processes have worked for this one: the grader's runner adds


def processor_seconds() -> float:
    """What this process, all of its threads together, has had of the processor so far."""
    return time.process_time() + elsewhere
