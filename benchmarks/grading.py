"""Grading beside nbgrader and otter: seconds per submission, same notebooks, same run.

    python benchmarks/grading.py                                 eight copies of assignment 1
    python benchmarks/grading.py coursework/03_weighting.ipynb --submissions 20

All three grade the reference solution in the notebook that each hands out. The graders live in an
environment of their own, which tools/graders makes in _build/graders (some minutes the first time;
it needs a network). Times are wall time of whole commands, start-up told, divided by the number of
submissions. cliplab is timed one notebook at a time as well: nbgrader and otter know no other way.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "tools" / "graders"))

import environment  # in tools/graders
import nbformat
from planted import fill, solved

from classroom.coursework.master import Master
from classroom.coursework.reading import read_master
from classroom.coursework.release import release


def hand_in(master: Master, handout: Path, path: Path) -> None:
    """The reference solution, in the notebook that was handed out."""
    answers = {id: solved(cell) for id, cell in master.exercises.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(fill(handout.read_text(encoding="utf-8"), answers), path)


def cliplab(master: Master, count: int, folder: Path, jobs: int) -> float:
    release("student", folder / "handout", [master.path])
    for n in range(count):
        hand_in(master, folder / "handout" / master.path.name, folder / "submitted" / f"s{n}.ipynb")
    command = [sys.executable, "-m", "classroom", "grade", folder / "submitted"]
    command += ["--master", master.path, "--out", folder / "grades"]
    command += ["--jobs", jobs, "--timeout", 120]
    return timed(
        lambda: subprocess.run(
            [*map(str, command)], check=True, capture_output=True, cwd=environment.ROOT
        )
    )


def nbgrader(master: Master, count: int, folder: Path) -> float:
    name = f"assignment_{master.number}"
    release("nbgrader", folder / "handout", [master.path], folder / "source")
    (folder / "nbgrader_config.py").write_text("c = get_config()\nc.Execute.timeout = 300\n")
    environment.run("nbgrader", "generate_assignment", name, folder=folder)
    handout = folder / "handout" / name / master.path.name
    for n in range(count):
        hand_in(master, handout, folder / "submitted" / f"s{n}" / name / master.path.name)
    return timed(lambda: environment.run("nbgrader", "autograde", name, folder=folder))


def otter(master: Master, count: int, folder: Path) -> float:
    release("otter", folder / "handout", [master.path], folder / "source")
    source = folder / "source" / master.path.name
    environment.run("otter", "assign", source, folder / "dist", folder=folder)
    (archive,) = (folder / "dist" / "autograder").glob("*.zip")
    total = 0.0
    for n in range(count):
        path = folder / "submitted" / f"s{n}" / master.path.name
        hand_in(master, folder / "handout" / master.path.name, path)
        results = path.parent / "results"
        results.mkdir()
        command = ("otter", "run", "-a", archive, "-o", results, path)
        total += timed(lambda c=command, p=path: environment.run(*c, folder=p.parent))
    return total


def timed(call) -> float:
    start = time.monotonic()
    call()
    return time.monotonic() - start


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("master", nargs="?", type=Path, default="coursework/01_tokens.ipynb")
    parser.add_argument("--submissions", type=int, default=8)
    options = parser.parse_args()
    environment.make()
    master = read_master(options.master.resolve())
    processors = os.cpu_count() or 1
    ways = {
        "cliplab, one at a time": lambda *a: cliplab(*a, jobs=1),
        f"cliplab, {processors} at a time": lambda *a: cliplab(*a, jobs=processors),
        "nbgrader": nbgrader,
        "otter": otter,
    }
    count = options.submissions
    print(f"{master.path.name}, {count} submissions, load average {os.getloadavg()[0]:.1f}")
    print("Wall seconds per submission")
    for name, way in ways.items():
        folder = environment.BUILD / "benchmark"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        print(f"  {name:26}{way(master, count, folder) / count:8.2f}", flush=True)


if __name__ == "__main__":
    main()
