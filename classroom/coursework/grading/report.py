"""What a run leaves behind: grades.csv, grades.json, pages of essays, and feedback per student.

Feedback shows which visible tests failed and why. Of hidden tests it says that one failed, for how
many points, and nothing of what is in it. grades.json, the folders `results` and `essays` have what
students must not see: they are the instructor's.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Sequence

from ..master import Master
from . import essays, marks, shown
from .desk import Desk
from .handed_in import Fate
from .isolation import LEVELS
from .nursery import Zygote
from .result import ABSENT, GRADED, PERSON, WAITS, Result, TestResult

WORDS = {
    GRADED: "graded",
    WAITS: "graded but for the essay",
    PERSON: "for a person to look at",
    ABSENT: "with nothing handed in",
}


def write_all(
    desk: Desk,
    results: list[Result],
    master: Master,
    zygote: Zygote,
    fates: Sequence[Fate] = (),
    anonymous: bool = False,
) -> list[Result]:
    """Writes all reports, with what people marked in them; gives the results with the marks."""
    given = marks.read(desk, results, master)
    desk.said += given.faults
    marks.take_over(desk, results, master, given)
    marks.ask(desk, results, given, anonymous)
    results = [marks.merged(result, given, master) for result in results]
    desk.write(marks.GRADES, grades_csv(results, master))
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
        "entries": [fate._asdict() for fate in fates],
        "students": results,
    }
    desk.write("grades.json", json.dumps(about, indent=1))
    desk.write("entries.csv", entries_csv(fates))
    codes = marks.codes(desk, results)
    names = codes if anonymous else {name: name for name in codes}
    for essay in master.essays:
        desk.write(f"essays/{essay.id}.html", essays.page(essay, results, names, master))
    for result in results:
        name = f"feedback/{shown.file_name(result['student'])}.md"
        desk.write_beside(name, feedback(result, master))
    return results


def grades_csv(results: Sequence[Result], master: Master) -> str:
    """One row per student. `total` has what tests and people gave, `out of` the whole's worth.

    The total stands empty when a person is needed. Points that are typed into this table are taken
    over by the next run, see `marks`.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    columns = [f"{essay.id} essay (of {essay.points})" for essay in master.essays]
    columns += ["total", "out of", "handed in", "late days", "status", "remarks", "seed"]
    table.writerow(["student", *master.exercises, *columns])
    for result in results:
        entries = [*result["exercises"].values(), *result["essays"], result]
        points = ["" if entry["points"] is None else entry["points"] for entry in entries]
        said = [*result["reasons"], *result["notes"], *result["remarks"]]
        remarks = shown.readable(" ".join(said), 2000)
        late = ["" if x is None else x for x in (result["handed_in"], result["late_days"])]
        row = [
            result["student"],
            *points,
            result["of"],
            *late,
            result["status"],
            remarks,
            result["seed"],
        ]
        table.writerow(shown.cell(x) if isinstance(x, str) else x for x in row)
    return text.getvalue()


def entries_csv(fates: Sequence[Fate]) -> str:
    """What became of everything that was in the folder."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(Fate._fields)
    table.writerows(map(shown.cell, fate) for fate in fates)
    return text.getvalue()


def feedback(result: Result, master: Master) -> str:
    """Markdown for one student."""
    lines = [f"# Assignment {master.number}: {master.title}", "", result["student"], ""]
    lines[2] = shown.marked_up(lines[2])
    if result["status"] == PERSON:
        lines += ["**A person has to look at this notebook before it has a grade.**", ""]
        lines += [f"- {shown.marked_up(reason)}" for reason in result["reasons"]]
    elif result["status"] == ABSENT:
        lines.append("**Nothing was handed in.**")
    else:
        lines.append(f"**{result['points']} of {result['of']} points**")
    if unread := [essay for essay in result["essays"] if essay["points"] is None]:
        some = ", ".join(f"{essay['id']} ({essay['of']} points)" for essay in unread)
        lines += ["", f"Still to be read by a person, and not in these points: {some}."]
    lines += _said(result, "")
    for id, entry in result["exercises"].items():
        tests = [test for test in result["tests"] if test["exercise"] == id]
        got = "not graded" if entry["points"] is None else f"{entry['points']} of {entry['of']}"
        by = ", by a person" if entry["state"] == "by a person" else ""
        lines += ["", f"## {id}: {got}{by}", *_said(result, id), ""]
        for test in tests:
            lines += _line(test)
    for essay in result["essays"]:
        if essay["points"] is not None:
            lines += ["", f"## {essay['id']}: {essay['points']} of {essay['of']}"]
            lines += _said(result, essay["id"])
    if result["remarks"]:
        remarks = (" ".join(remark.split()) for remark in result["remarks"])
        lines += ["", "## Remarks", "", *(f"- {shown.marked_up(remark)}" for remark in remarks)]
    if result["errors"]:
        lines += ["", "## Cells that ended with an error", ""]
        for number, error in result["errors"].items():
            lines += [f"- Cell {number} (counted from the top, text included):", _quoted(error)]
    return "\n".join(lines) + "\n"


def _said(result: Result, id: str) -> list[str]:
    """A person's comment."""
    comment = result["comments"].get(id)
    return ["", shown.readable(comment, 20_000)] if comment else []


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


def summary(
    results: Sequence[Result], fates: Sequence[Fate], zygote: Zygote, desk: Desk, master: Master
) -> str:
    """What the command says at the end: counts, who needs a person, and what was not isolated."""
    counts = Counter(result["status"] for result in results)
    lines = [", ".join(f"{counts[s]} {WORDS[s]}" for s in WORDS if counts[s]) + "."]
    for result in results:
        if result["status"] == PERSON:
            lines.append(f"  {result['student']}: {' '.join(result['reasons'])}")
    lines += [result["changed"] for result in results if result["changed"]]
    left = [fate for fate in fates if fate.became != GRADED]
    lines.append(f"Of {len(fates)} entries {len(fates) - len(left)} were graded.")
    told = {result["student"] for result in results if result["status"] == PERSON}
    lines += [f"  {fate.entry}: {fate.became}" for fate in left if fate.student not in told]
    lines += [f"Note: {said}" for said in dict.fromkeys(desk.said)]
    lines.append(f"Isolation: {zygote.level}. {LEVELS[zygote.level]}")
    lines += [f"No stronger one works here: {why}" for why in zygote.why_not]
    lines.append(f"Grades are in {desk.path(marks.GRADES)}, feedback in {desk.path('feedback')}.")
    if counts[WAITS]:
        pages = ", ".join(str(desk.path(f"essays/{essay.id}.html")) for essay in master.essays)
        lines.append(f"Essays are read in {pages} and marked in {desk.path(marks.FILE)}.")
    return "\n".join(lines)
