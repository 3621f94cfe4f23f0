"""A teacher's marks: `marks.csv`, which people fill in and the command only adds rows to.

    student,exercise,points,comment
    ada,A1.7,3,"The last sentence lacks a comparison."

It has a row for each essay to be read. A row of another exercise replaces what the tests gave, and
one without an exercise is a comment on the whole. Of several rows for the same, the last that says
something counts. Points that were typed into grades.csv are taken over into it.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ..master import HERE, Master
from . import shown, table
from .desk import Desk, write_whole
from .result import ABSENT, GRADED, WAITS, EssayResult, Result

FILE, GRADES = "marks.csv", "grades.csv"
COLUMNS = ("student", "exercise", "points", "comment")


@dataclass
class Mark:
    """What a person said of one exercise of one student."""

    points: float | None = None
    comment: str = ""


@dataclass
class Marks:
    """All marks, by (key of a student, exercise). faults: rows that cannot be taken, with why."""

    found: dict[tuple[str, str], Mark] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    table: table.Table = field(default_factory=lambda: table.Table(list(COLUMNS), []))


def key(student: str) -> str:
    """A student's name, as it is compared."""
    return " ".join(shown.name(student).replace("'", "").casefold().split())


def codes(desk: Desk, results: Iterable[Result]) -> dict[str, str]:
    """{student: a code that says nothing of the name}: the same whenever it is asked for."""
    path = desk.path(".codes")
    if not path.exists():
        write_whole(path, secrets.token_hex(16))
    salt = path.read_text()
    return {name: _code(salt, name) for name in (result["student"] for result in results)}


def _code(salt: str, student: str) -> str:
    number = int(hashlib.sha256(f"{salt}{student}".encode("utf-8", "replace")).hexdigest(), 16)
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
    return "".join(letters[number >> 5 * place & 31] for place in range(8))


def read(desk: Desk, results: Iterable[Result], master: Master) -> Marks:
    """The marks as they stand in the file. Raises CourseworkError for a file that is no table."""
    marks = Marks()
    if not desk.path(FILE).exists():
        return marks
    marks.table = table.read(desk.path(FILE).read_bytes(), str(desk.path(FILE)), COLUMNS)
    known = {key(code): key(name) for name, code in codes(desk, results).items()}
    known |= {key(result["student"]): key(result["student"]) for result in results}
    of = worth(master)
    for number, row in enumerate(marks.table.rows, 2):
        where = f"{FILE}, row {number} ({row['student']}, {row['exercise']})"
        student, exercise = known.get(key(row["student"])), row["exercise"].strip()
        try:
            points = points_in(row["points"], of.get(exercise))
        except ValueError as problem:
            marks.faults.append(f"{where}: {problem}.")
            continue
        if points is None and not row["comment"].strip():
            continue
        if student is None or (exercise and exercise not in of):
            what = f"no exercise {exercise}" if student else "no such student"
            marks.faults.append(f"{where}: there is {what}, so the mark counts for nobody.")
            continue
        mark = marks.found.setdefault((student, exercise), Mark())
        mark.points = mark.points if points is None else points
        mark.comment = row["comment"].strip() or mark.comment
    return marks


def worth(master: Master) -> dict[str, int]:
    """{exercise or essay: the points it is worth}"""
    ids = [*master.exercises, *(essay.id for essay in master.essays)]
    return {id: sum(c.points for c in master.cells if c.id == id) for id in ids}


def points_in(text: str, of: int | None) -> float | None:
    """The points that somebody typed, None for nothing. Raises ValueError with a sentence."""
    text = text.strip().lstrip("'")
    if not text:
        return None
    if of is None:
        raise ValueError("points need an exercise of this assignment")
    try:
        points = float(text.replace(",", "."))
    except ValueError:
        raise ValueError(f"{text!r} is no number of points") from None
    if not 0 <= points <= of:
        raise ValueError(f"{text} is not between 0 and the {of} points that it is worth")
    return int(points) if points.is_integer() else points


def take_over(desk: Desk, results: list[Result], master: Master, marks: Marks) -> None:
    """Points that a person typed into grades.csv become rows of marks.csv."""
    taken = []
    for student, id, old, new in _typed(desk, results, master):
        where = f"{GRADES}, {student}, {id}"
        try:
            points, before = points_in(new, worth(master)[id]), points_in(old, 10**9)
        except ValueError as problem:
            desk.said.append(f"{where}: {problem}.")
            continue
        mark = marks.found.get((key(student), id), Mark())
        if mark.points not in (None, before, points):
            desk.said.append(f"{where}: it says {new}, and {FILE} {mark.points}, which counts.")
        elif mark.points != points:
            taken.append({"student": student, "exercise": id, "points": new, "comment": ""})
            marks.found[key(student), id] = Mark(points, mark.comment)
    if taken:
        append(desk, marks, taken)
        many = "1 mark" if len(taken) == 1 else f"{len(taken)} marks"
        desk.said.append(f"{many} typed into {GRADES} now also stand in {FILE}.")


def _typed(
    desk: Desk, results: list[Result], master: Master
) -> Iterator[tuple[str, str, str, str]]:
    """Points of grades.csv that are not as the command wrote them: student, exercise, old, new.

    Where it is not known what the command wrote, those of essays, which it leaves empty.
    """
    if not desk.changed(GRADES):
        return
    former = desk.former(GRADES)
    before = table.read(former, GRADES).rows if former else []
    old = {(key(row["student"]), column): row[column] for row in before for column in row}
    students = {key(result["student"]): result["student"] for result in results}
    essays = {essay.id for essay in master.essays}
    for row in table.read(desk.path(GRADES).read_bytes(), str(desk.path(GRADES))).rows:
        student = students.get(key(row.get("student", "")))
        if student is None:
            continue
        for column, new in row.items():
            id = column.partition(" ")[0]
            then = old.get((key(student), column), "")
            if id in (worth(master) if former else essays) and new.strip() not in ("", then):
                yield student, id, then, new


def append(desk: Desk, marks: Marks, rows: list[dict[str, str]]) -> None:
    """Adds rows at the end of marks.csv; what stands in it stays, byte for byte."""
    path = desk.path(FILE)
    rows = [row | {"student": shown.cell(row["student"])} for row in rows]
    there = path.read_bytes() if path.exists() else b""
    write_whole(path, marks.table.added(there, rows) if there else marks.table.whole(rows))


def ask(desk: Desk, results: list[Result], marks: Marks, anonymous: bool) -> None:
    """A row for each essay that has none, so that there is a place for its points."""
    there = {(key(row["student"]), row["exercise"].strip()) for row in marks.table.rows}
    names = codes(desk, results)
    wanted = []
    for result in results:
        ways = (key(result["student"]), key(names[result["student"]]))
        for essay in result["essays"] if result["status"] != ABSENT else ():
            has_row = any((way, essay["id"]) in there for way in ways)
            if not has_row and (ways[0], essay["id"]) not in marks.found:
                name = names[result["student"]] if anonymous else result["student"]
                wanted.append({"student": name, "exercise": essay["id"]})
    if anonymous:
        wanted.sort(key=lambda row: (row["exercise"], row["student"]))
    if wanted:
        append(desk, marks, [row | {"points": "", "comment": ""} for row in wanted])


def merged(result: Result, marks: Marks, master: Master) -> Result:
    """A result with the marks in it: its points, its total, and what is still to be done."""
    mine = {id: mark for (student, id), mark in marks.found.items() if student == key_of(result)}
    exercises = dict(result["exercises"])
    for id, entry in exercises.items():
        points = mine.get(id, Mark()).points
        if points is not None:
            exercises[id] = {**entry, "points": points, "state": "by a person"}
    essays: list[EssayResult] = [
        {**essay, "points": _points_of(essay, mine.get(essay["id"], Mark()), master)}
        for essay in result["essays"]
    ]
    given = [*(e["points"] for e in exercises.values()), *(e["points"] for e in essays)]
    so_far, status = sum(points or 0 for points in given), result["status"]
    if all(entry["points"] is not None for entry in exercises.values()):  # else as it was
        status = WAITS if None in given else GRADED
    return {
        **result,
        "exercises": exercises,
        "essays": essays,
        "so_far": so_far,
        "points": so_far if status in (GRADED, WAITS) else None,
        "status": status,
        "comments": {id: mark.comment for id, mark in mine.items() if mark.comment},
    }


def _points_of(essay: EssayResult, mark: Mark, master: Master) -> float | None:
    """A person's points; without them 0 where nothing was written, and else none yet."""
    if mark.points is None and essay["text"] is not None:
        return None if written_in(essay["text"], master, essay["id"]) else 0
    return mark.points


def key_of(result: Result) -> str:
    return key(result["student"])


def written_in(text: str, master: Master, id: str) -> bool:
    """Whether there is more in an essay than what students are given."""
    given = next(essay.stub for essay in master.essays if essay.id == id)
    rest = text
    for line in (*given.splitlines(), HERE):
        rest = rest.replace(line, "") if line.strip() else rest
    return bool(rest.strip())
