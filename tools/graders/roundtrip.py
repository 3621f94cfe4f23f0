"""Every assignment through nbgrader, otter and the course's own grader, with known submissions.

    python tools/graders/roundtrip.py                                  all of coursework/
    python tools/graders/roundtrip.py coursework/01_tokens.ipynb       one
    python tools/graders/roundtrip.py --rounds 2 --routes otter        two wrong answers an exercise

The graders get an environment of their own in _build/graders (some minutes the first time; it
needs a network). Each submission must earn in every route what its cells earn in plain Python: the
reference all points, the empty copy none, planted wrong answers what they deserve. Tests draw their
inputs, so a wrong answer can be lucky in one route; that it can earn what it got there is shown by
drawing again.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import environment
from planted import deserved, outcomes, submissions
from routes import ROUTES, Points

from classroom.coursework.master import Master
from classroom.coursework.reading import read_master

AT_ONCE = 2  # routes


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("masters", nargs="*", type=Path, help="all of coursework/, if not given")
    parser.add_argument("--rounds", type=int, metavar="N", help="wrong submissions, at most")
    parser.add_argument("--routes", nargs="+", choices=ROUTES, default=list(ROUTES))
    options = parser.parse_args()
    environment.make()
    paths = options.masters or sorted(environment.ROOT.glob("coursework/[0-9][0-9]_*.ipynb"))
    failed = [path for path in paths if not roundtrip(path.resolve(), options)]
    print(f"{len(paths) - len(failed)} of {len(paths)} assignments: every route agrees.")
    return 1 if failed else 0


def roundtrip(path: Path, options: argparse.Namespace) -> bool:
    """Whether every submission of an assignment earns what it deserves in every route."""
    master = read_master(path)
    answers = submissions(master, options.rounds)
    wanted = {name: deserved(given, master) for name, given in answers.items()}
    of = sum(test.points for test in master.tests)
    assert sum(wanted["reference"].values()) == of, f"{path}: the reference fails its own tests"
    assert not any(wanted["empty"].values()), f"{path}: an empty copy earns points"
    with ThreadPoolExecutor(AT_ONCE) as pool:  # what takes time are processes of their own
        points = pool.map(lambda route: grade(route, master, answers), options.routes)
        got = dict(zip(options.routes, points, strict=True))
    return table(master, answers, wanted, got)


def grade(route: str, master: Master, answers: dict) -> Points:
    """Points by one route, in a fresh folder of its own."""
    folder = environment.BUILD / f"{master.number}-{route}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    began = time.monotonic()
    points = ROUTES[route](master, answers, folder)
    seconds = (time.monotonic() - began) / len(answers)
    print(f"{master.path.stem}, {route}: {seconds:.1f} s a submission", flush=True)
    return points


def table(master: Master, answers: dict, wanted: Points, got: dict[str, Points]) -> bool:
    """Print what each submission earned by each route; whether that is what it deserves."""
    of = sum(test.points for test in master.tests)
    print(f"\nAssignment {master.number}: {master.title}, {of} points by tests")
    print(f"{'':12}{'deserves':>9}" + "".join(f"{route:>10}" for route in got))
    right = True
    for name, tests in wanted.items():
        row = f"{name:12}{sum(tests.values()):>9}"
        wrong = []
        for route, points in got.items():
            found = differences(master, answers[name], tests, points[name])
            lucky = "" if found is None else "*"
            row += f"{sum(points[name].values()):>9g}{lucky:1}"
            wrong += [f"{route}: {difference}" for difference in found or ()]
        right = right and not wrong
        print(row + "".join(f"\n    {difference}" for difference in wrong))
    unseen = [
        f"{id} in {name!r}"
        for name, tests in wanted.items()
        for id in master.exercises
        if name.startswith("wrong") and by_exercise(master, tests)[id] == points_of(master)[id]
    ]
    if unseen:
        print(f"Full points for a wrong answer, which a test should know: {', '.join(unseen)}")
    print("* with other inputs: a wrong answer can be lucky\n")
    return right


def differences(master: Master, answers: dict, wanted: dict, got: dict) -> list[str] | None:
    """None where a route gave what is deserved; else what it gave that no draw of inputs gives.

    By tests, or by exercises where a route only tells those.
    """
    if set(got) == set(master.exercises):
        wanted = by_exercise(master, wanted)
    others = [name for name, points in wanted.items() if got.get(name) != points]
    if not others:
        return None
    return [
        f"{name} earns {got.get(name, 'nothing')} and deserves {wanted[name]}"
        for name in others
        if got.get(name) not in outcomes(answers, master, name)
    ]


def by_exercise(master: Master, tests: dict) -> dict[str, int]:
    found = dict.fromkeys(master.exercises, 0)
    for test in master.tests:
        found[test.id] += tests[test.name]
    return found


def points_of(master: Master) -> dict[str, int]:
    return by_exercise(master, {test.name: test.points for test in master.tests})


if __name__ == "__main__":
    sys.exit(main())
