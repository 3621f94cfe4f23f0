"""False acceptance and false refusal of the assignments' tests, exercise by exercise.

    python -m tools.rates                     all assignments, into findings/grading_rates.md
    python -m tools.rates 1 --draws 1000      one, on the screen alone

About an hour of one core.
"""

from __future__ import annotations

import argparse
import sys
import time

import torch

from .measure import ROOT, Found, exercises, measure

PAGE = ROOT / "findings" / "grading_rates.md"
HEAD = """# False acceptance and false refusal

Written by `python -m tools.rates`. Wrong answers are mutants of each solution and of every recorded
right answer (one thing changed), and all recorded wrong ones; a mutant is wrong when it differs
from the solution on one of {draws} draws of the stated domain. Right answers are the solution and
the recorded ones in other styles of container, number type and callable. A3.4 has no one answer:
its check is the oracle. A4.5 has none either, and is not among them. "Unlike" are right answers of
which the check and the tests say different things.

| exercise | wrong | accepted | right | refused | unlike | equivalent |
|---|---|---|---|---|---|---|
"""


def row(found: Found) -> str:
    counts = [found.wrong, len(found.accepted), found.right, len(found.refused)]
    counts += [len(found.unlike), len(found.equivalent)]
    return f"| {found.id} | " + " | ".join(map(str, counts)) + " |\n"


def details(found: Found) -> str:
    text = ""
    for title in ("accepted", "refused", "unlike", "equivalent"):
        if lines := getattr(found, title):
            text += f"\n## {found.id}: {title}\n\n" + "".join(f"- `{line}`\n" for line in lines)
    return text


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
            start = time.process_time()
            found = measure(exercise, options.draws)
            all_found.append(found)
            print(row(found).strip(), f"{time.process_time() - start:.0f} s", flush=True)
            print(details(found), file=sys.stderr, flush=True)
    if not options.assignments:
        text = HEAD.format(draws=options.draws) + "".join(map(row, all_found))
        PAGE.write_text(text + "".join(map(details, all_found)), encoding="utf-8")


if __name__ == "__main__":
    main()
