"""The ways to a grade: nbgrader, otter, and the course's own grader.

Each route takes the submissions, does what an instructor would do, and gives, for each submission,
points by test or (otter) by exercise. Each releases from the master, hands the release's own
notebooks to its students, and proves that what the real tool hands out gives nothing away either.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import nbformat
from environment import run
from planted import fill

from classroom.coursework.formats.notebook import key
from classroom.coursework.master import Master
from classroom.coursework.proof import prove
from classroom.coursework.release import release

Points = dict[str, dict[str, float]]

SCORES = """
import json
from nbgrader.api import Gradebook
with Gradebook("sqlite:///gradebook.db") as book:
    print(json.dumps({s.student_id: {g.name: g.score for n in s.notebooks for g in n.grades}
                      for s in book.assignment_submissions(NAME)}))
"""


def nbgrader(master: Master, answers: dict, folder: Path) -> Points:
    """generate_assignment, autograde, generate_feedback, export; points of each test cell."""
    name = f"assignment_{master.number}"
    release("nbgrader", folder / "handout", [master.path], folder / "source")
    (folder / "nbgrader_config.py").write_text("c = get_config()\nc.Execute.timeout = 300\n")
    run("nbgrader", "generate_assignment", name, folder=folder)
    prove(folder / "release", [master])
    ours = folder / "handout" / name / master.path.name
    same(ours, folder / "release" / name / master.path.name)
    for student, given in answers.items():
        write(ours, given, folder / "submitted" / key_of(student) / name / master.path.name)
    run("nbgrader", "autograde", name, folder=folder)
    run("nbgrader", "generate_feedback", name, folder=folder)
    run("nbgrader", "export", "--to", "grades.csv", folder=folder)
    rows = (folder / "grades.csv").read_text().splitlines()
    assert len(rows) == 1 + len(answers), "grades.csv has a row for every student"
    pages = [p for s in answers for p in (folder / "feedback" / key_of(s)).rglob("*.html")]
    assert len(pages) == len(answers), "every student has feedback"
    scores = json.loads(
        run("python", "-c", SCORES.replace("NAME", repr(name)), folder=folder).splitlines()[-1]
    )
    tests = {key(cell): cell.name for cell in master.cells if cell.kind in ("test", "hidden")}
    return {
        student: {tests[id]: score for id, score in scores[key_of(student)].items() if id in tests}
        for student in answers
    }


def otter(master: Master, answers: dict, folder: Path) -> Points:
    """assign, which runs the reference as well, and run; points of each exercise."""
    release("otter", folder / "handout", [master.path], folder / "source")
    run("otter", "assign", folder / "source" / master.path.name, folder / "dist", folder=folder)
    prove(folder / "dist" / "student", [master])
    ours = folder / "handout" / master.path.name
    same(ours, folder / "dist" / "student" / master.path.name)
    (archive,) = (folder / "dist" / "autograder").glob("*.zip")
    points: Points = {}
    for student, given in answers.items():
        path = folder / "submitted" / key_of(student) / master.path.name
        write(ours, given, path)
        results = path.parent / "results"
        results.mkdir()  # otter needs it to be there
        run("otter", "run", "-a", archive, "-o", results, path, folder=path.parent)
        found = json.loads((results / "results.json").read_text())["tests"]
        points[student] = {t["name"]: t["score"] for t in found if t["name"] in master.exercises}
    return points


def own(master: Master, answers: dict, folder: Path) -> Points:
    """python -m classroom grade; points of each test cell."""
    release("student", folder / "handout", [master.path])
    for student, given in answers.items():
        ours = folder / "handout" / master.path.name
        write(ours, given, folder / "submitted" / f"{key_of(student)}.ipynb")
    command = [sys.executable, "-m", "classroom", "grade", folder / "submitted"]
    command += ["--master", master.path, "--out", folder / "grades", "--timeout", "120"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr[-3000:])
    graded = json.loads((folder / "grades" / "grades.json").read_text())["students"]
    by_student = {result["student"]: result for result in graded}
    points: Points = {}
    for student in answers:
        result = by_student[key_of(student)]
        assert not result["reasons"], f"{student} is left to a person: {result['reasons']}"
        points[student] = {t["name"]: t["points"] * t["passed"] for t in result["tests"]}
    return points


ROUTES = {"nbgrader": nbgrader, "otter": otter, "cliplab": own}


def key_of(student: str) -> str:
    return student.replace(" ", "-")


def write(handed_out: Path, answers: dict[str, str], path: Path) -> None:
    """One submission: the notebook that was handed out, filled in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    notebook = fill(handed_out.read_text(encoding="utf-8"), answers)
    for cell in notebook.cells:
        if cell.id.endswith("-answer"):  # otter's cell for an essay
            cell.source = "An answer in words."
    nbformat.write(notebook, path)


def same(ours: Path, theirs: Path) -> None:
    """What we hand out is what the tool itself makes, but for its wording of stubs and marks."""
    pairs = []
    for path in (ours, theirs):
        notebook = nbformat.read(path, as_version=4)
        cells = []
        for cell in notebook.cells:
            metadata = dict(cell.metadata.get("nbgrader", {}))
            metadata.pop("checksum", None)
            source = re.sub(r"<!-- (BEGIN|END) QUESTION -->", "", cell.source)
            source = source.replace("# YOUR CODE HERE\n", "").strip()
            source = re.sub(r" *(raise NotImplementedError\(.*\)|\w+ = \.\.\.)", "(stub)", source)
            if source:
                cells.append((cell.cell_type, metadata, source))
        pairs.append((cells, notebook.metadata.get("otter")))
    (a, a_tests), (b, b_tests) = pairs
    assert a_tests == b_tests, f"{theirs}: other tests than in {ours}"
    differ = [(x, y) for x, y in zip(a, b, strict=True) if x != y]
    assert not differ, f"{theirs} differs from {ours}: {differ[0]}"
