"""False acceptance and false refusal of the assignments' tests, exercise by exercise.

    python -m tools.rates                     all assignments, into tests/grading_rates.md
    python -m tools.rates 1 --draws 1000      one, on the screen alone

About half an hour of one core. What was measured is kept in _build/rates, and measured anew where
something that it depends on has changed; so an interrupted run goes on where it was.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from pathlib import Path

import torch

from .measure import ROOT, Exercise, Found, exercises, measure
from .page import PAGE, faults, page, row

KEPT = ROOT / "_build" / "rates"
PARTS = ("measure", "mutants", "rewrites", "domains")
GRADING = Path("coursework", "grading")
DECIDE = ("compare.py", Path("exercises", "__init__.py"), GRADING / "wire.py", GRADING / "draws.py")


def key_of(exercise: Exercise, draws: int) -> str:
    """What its figures depend on, in short: tests, answers, check, comparison, and this command."""
    read = [Path(__file__).parent / f"{name}.py" for name in PARTS]
    read += sorted((ROOT / "classroom" / "exercises").glob(f"a{exercise.master.number}/*.py"))
    read += [ROOT / "classroom" / name for name in DECIDE] + [Path(str(exercise.recorded.__file__))]
    texts = [
        str(draws),
        exercise.source,
        *(t.source for t in exercise.master.tests if t.id == exercise.id),
    ]
    texts += [path.read_text(encoding="utf-8") for path in read]
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def measured(exercise: Exercise, draws: int) -> Found:
    """The figures of an exercise: kept ones where nothing has changed."""
    kept, key = KEPT / f"{exercise.id}.json", key_of(exercise, draws)
    if kept.exists():
        known = json.loads(kept.read_text(encoding="utf-8"))
        if known.pop("key") == key:
            return Found(**known)
    start = time.process_time()
    found = measure(exercise, draws)
    found.seconds = round(time.process_time() - start)
    KEPT.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps({**vars(found), "key": key}, indent=1), encoding="utf-8")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("assignments", nargs="*", type=int, default=[])
    parser.add_argument("--draws", type=int, default=10_000)
    options = parser.parse_args()
    torch.set_num_threads(1)
    all_found = []
    for number in options.assignments or (1, 2, 3, 4):
        for exercise in exercises(number):
            found = measured(exercise, options.draws)
            all_found.append(found)
            print(row(found).strip(), f"{found.seconds} s", flush=True)
            print(faults(found), end="", flush=True)
    if not options.assignments:
        PAGE.write_text(page(all_found, options.draws), encoding="utf-8")


if __name__ == "__main__":
    main()
