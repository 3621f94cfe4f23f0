"""What a run leaves behind: grades.csv for a gradebook, grades.json, and feedback per student.

Feedback shows which visible tests failed and why. Of hidden tests it says that one failed, for how
many points, and nothing of what is in it. grades.json and the folder `results` have the reasons of
both: they are the instructor's.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ..master import Master
from .isolation import LEVELS
from .many import write_whole
from .result import GRADED, PERSON, WAITS, Result, TestResult
from .student import Zygote


def write_all(out: Path, results: Sequence[Result], master: Master, zygote: Zygote) -> None:
    """Writes the three kinds of report into the folder `out`."""
    write_whole(out / "grades.csv", grades_csv(results, master))
    about = {
        "assignment": master.number,
        "title": master.title,
        "isolation": {
            "level": zygote.level,
            "not_isolated": LEVELS[zygote.level],
            "why_no_stronger": zygote.why_not,
        },
        "limits": {
            "seconds": zygote.limits.seconds,
            "budget": zygote.limits.budget,
            "memory_gb": zygote.limits.memory,
        },
        "students": results,
    }
    write_whole(out / "grades.json", json.dumps(about, indent=1))
    folder = out / "feedback"
    folder.mkdir(exist_ok=True)
    for result in results:
        write_whole(folder / f"{result['student']}.md", feedback(result, master))


def grades_csv(results: Sequence[Result], master: Master) -> str:
    """One row per student. `total` is what the tests gave; it stands empty when a person is needed.

    Essays' columns stand empty, to be filled in by whoever reads them: their points are not in the
    total.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    essays = [f"{essay.id} essay (of {essay.points})" for essay in master.essays]
    table.writerow(["student", *master.exercises, *essays, "total", "out of", "status", "remarks"])
    for result in results:
        points = [result["exercises"][id]["points"] for id in master.exercises]
        table.writerow(
            [_cell(result["student"]), *("" if p is None else p for p in points)]
            + [""] * len(essays)
            + ["" if result["points"] is None else result["points"], result["of"]]
            + [result["status"], _cell(" ".join(result["reasons"] + result["notes"]))]
        )
    return text.getvalue()


def _cell(text: str) -> str:
    """Text that a spreadsheet does not take for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def feedback(result: Result, master: Master) -> str:
    """Markdown for one student."""
    lines = [f"# Assignment {master.number}: {master.title}", ""]
    if result["status"] == PERSON:
        lines += ["**A person has to look at this notebook before it has a grade.**", ""]
        lines += [f"- {reason}" for reason in result["reasons"]]
    else:
        lines.append(f"**{result['points']} of {result['of']} points**")
    if result["essays"]:
        essays = ", ".join(f"{essay['id']} ({essay['of']} points)" for essay in result["essays"])
        lines += ["", f"Still to be read by a person, and not in these points: {essays}."]
    for id, entry in result["exercises"].items():
        tests = [test for test in result["tests"] if test["exercise"] == id]
        got = "not graded" if entry["points"] is None else f"{entry['points']} of {entry['of']}"
        lines += ["", f"## {id}: {got}", ""]
        for test in tests:
            lines += _line(test)
    if result["notes"]:
        lines += ["", "## Remarks", "", *(f"- {note}" for note in result["notes"])]
    if result["errors"]:
        lines += ["", "## Cells that ended with an error", ""]
        for number, error in result["errors"].items():
            lines += [f"- Cell {number} (counted from the top, text included):", _quoted(error)]
    return "\n".join(lines) + "\n"


def _line(test: TestResult) -> list[str]:
    points = f"{test['points']} point{'s' if test['points'] != 1 else ''}"
    if test["hidden"]:
        how = "passed" if test["passed"] else "failed"
        return [f"- A hidden test of {test['exercise']} ({points}) {how}."]
    if test["passed"]:
        return [f"- {test['name']} ({points}) passed."]
    return [f"- {test['name']} ({points}) failed:", _quoted(test["reason"])]


def _quoted(text: str) -> str:
    """Text in a code block of its own, which it cannot end."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join(f"  {line}" for line in (f"{fence}text", *text.splitlines(), fence))


def summary(results: Sequence[Result], zygote: Zygote, out: Path) -> str:
    """What the command says at the end: counts, who needs a person, and what was not isolated."""
    counts = Counter(result["status"] for result in results)
    words = {GRADED: "graded", WAITS: "graded but for the essay", PERSON: "for a person to look at"}
    lines = [", ".join(f"{counts[s]} {words[s]}" for s in words if counts[s]) + "."]
    for result in results:
        if result["status"] == PERSON:
            lines.append(f"  {result['student']}: {' '.join(result['reasons'])}")
    lines.append(f"Isolation: {zygote.level}. {LEVELS[zygote.level]}")
    lines += [f"No stronger one works here: {why}" for why in zygote.why_not]
    lines.append(f"Grades are in {out / 'grades.csv'}, feedback in {out / 'feedback'}.")
    return "\n".join(lines)
