"""Back to the platform: the roster with grades in it, and feedback as Moodle and Canvas take it.

`gradebook.csv` has the rows and columns of the roster that was given. Moodle takes a worksheet, and
any table with addresses, Canvas its own gradebook. A grade is entered when it is whole: where an
essay waits or a person is needed, the cell stands empty, and the platform leaves what it has.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import replace

from ..master import Master
from . import shown
from .desk import Desk
from .result import GRADED, Result
from .roster import NO_STUDENT, Person, Roster

CANVAS = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
COMMENTS = "Feedback comments"


def write_table(
    desk: Desk,
    roster: Roster,
    people: Mapping[str, Person],
    results: Iterable[Result],
    master: Master,
) -> None:
    """Writes gradebook.csv."""
    column, header = _columns(roster, master)
    whose = {id(person.row): student for student, person in people.items()}
    graded = {result["student"]: result for result in results if result["status"] == GRADED}
    rows, most = [], set()
    for row in roster.table.rows:
        result = graded.get(whose.get(id(row), ""))
        grade = "" if result is None else str(result["points"])
        if NO_STUDENT in row.get("Student", "").casefold():
            grade = str(master.points)
        comments = _comments(result) if result else row.get(COMMENTS, "")
        full = row | {column: grade} | ({COMMENTS: comments} if COMMENTS in header else {})
        rows.append({name: shown.cell(text) for name, text in full.items()})
        most.add(row.get("Maximum Grade", "").strip())
    for other in sorted(most - {"", str(master.points), f"{master.points}.00"}):
        desk.said.append(f"Moodle's maximum grade is {other}; the assignment has {master.points}.")
    desk.write("gradebook.csv", replace(roster.table, header=header).whole(rows))


def _columns(roster: Roster, master: Master) -> tuple[str, list[str]]:
    """The column of the grade, and all columns."""
    header, title = roster.table.header, f"Assignment {master.number}: {master.title}"
    if "Identifier" in header and "Grade" in header:  # Moodle's worksheet
        return "Grade", header
    if "SIS Login ID" in header or ("Student" in header and "ID" in header):
        ours = rf"assignment {master.number}\b|{re.escape(master.title.casefold())}"
        same = [name for name in header if re.search(ours, name.casefold())]
        column = same[0] if same else title
        return column, [*(name for name in CANVAS if name in header), column]
    return title, [*header, title, COMMENTS]


def _comments(result: Result) -> str:
    """What people said, exercise by exercise, on one line each."""
    return "\n".join(f"{id}: {text}" if id else text for id, text in result["comments"].items())


def write_feedback(desk: Desk, results: Iterable[Result]) -> None:
    """Writes the archive of feedback, where notebooks came in an archive of Moodle's or Canvas's.

    Its files have the names by which the platform knows whose they are.
    """
    pages = {result["feedback_as"]: result for result in results if result["feedback_as"]}
    if not pages:
        return
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(pages):
            page = desk.path(f"feedback/{shown.file_name(pages[name]['student'])}.md")
            archive.writestr(zipfile.ZipInfo(name), page.read_bytes(), zipfile.ZIP_DEFLATED)
    desk.write("feedback.zip", made.getvalue())
