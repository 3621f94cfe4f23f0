"""The roster: who should hand in, until when, and which row of a platform's gradebook is whose.

Any table with a column that names students will do: `student`, a name, an address, a user name, a
number. A worksheet or a list of participants of Moodle and a gradebook of Canvas are such tables. A
column `deadline` has an extension; `handed in` or Moodle's `Last modified (submission)` the time of
handing in, where the platform knows it better than a file does.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from .. import CourseworkError
from ..master import Master
from . import shown, table
from .result import ABSENT, Result, blank
from .submission import Submission

NAMES = [
    *(
        "student",
        "name",
        "full name",
        "username",
        "user name",
        "email",
        "email address",
        "login id",
    ),
    *("sis login id", "sis user id", "id number", "student id", "integration id"),
]
NUMBERS = ["id", "identifier", "user id"]  # of Moodle's participants, and of Canvas's users
GIVEN, FAMILY = ["first name", "firstname"], ["last name", "surname", "lastname"]
TIMES = ["handed in", "last modified (submission)"]
FORMS = ["%A, %d %B %Y, %I:%M %p", "%A, %d %B %Y, %H:%M", "%d/%m/%Y %H:%M", "%d.%m.%Y %H:%M"]
DAY = timedelta(days=1)
NO_STUDENT = "points possible"  # the row that Canvas puts first


@dataclass(frozen=True)
class Person:
    """A row of the roster: its cells by the name of the column, in small letters."""

    row: dict[str, str]
    cells: dict[str, str]

    @property
    def name(self) -> str:
        """What the person is called in the grades when nothing was handed in."""
        full = " ".join(self.cells.get(c, "") for c in (*GIVEN, *FAMILY)).strip()
        found = [self.cells.get(c, "") for c in NAMES[:3]] + [full]
        found += [self.cells.get(c, "") for c in (*NAMES, *NUMBERS)]
        return shown.name(next(filter(None, found), ""))

    @property
    def keys(self) -> set[str]:
        """Everything by which a submission can be known as this person's."""
        found = [self.cells[c] for c in NAMES if c in self.cells]
        found += [text.partition("@")[0] for text in found if "@" in text]
        given = next((self.cells[c] for c in GIVEN if c in self.cells), "")
        family = next((self.cells[c] for c in FAMILY if c in self.cells), "")
        found += [given + family, family + given] if given and family else []
        found += [b + a for a, c, b in (text.partition(", ") for text in found) if c]
        found += [re.sub(r"\D", "", self.cells[c]) for c in NUMBERS if c in self.cells]
        return {plain(text) for text in found} - {""}

    def time(self, columns: Iterable[str]) -> datetime | None:
        """The time in the first of these columns that has one. Raises CourseworkError."""
        text = next(filter(None, (self.cells.get(c, "") for c in columns)), "")
        return moment(text, f"the roster, {self.name}") if text.strip(" -") else None


@dataclass(frozen=True)
class Roster:
    table: table.Table
    people: list[Person]

    def of(self, student: str) -> Person | None:
        """The person who handed in under this name; None for nobody, or for more than one."""
        who, _, number = student.rpartition("_")
        by_number = [number] if who and number.isdecimal() else []
        for text in (*by_number, student, who):
            found = [person for person in self.people if text and plain(text) in person.keys]
            if len(found) == 1:
                return found[0]
        return None


def read(path: Path) -> Roster:
    """The roster in a file. Raises CourseworkError."""
    try:
        found = table.read(path.read_bytes(), f"The roster {path}")
    except OSError as error:
        raise CourseworkError(f"The roster {path} cannot be read: {error.strerror}.") from None
    people = [
        Person(row, {c.casefold(): text.strip() for c, text in row.items()}) for row in found.rows
    ]
    people = [
        p for p in people if p.keys and NO_STUDENT not in p.cells.get("student", "").casefold()
    ]
    if not people:
        raise CourseworkError(
            f"The roster {path} names no students: it has the columns {', '.join(found.header)}, "
            f"and one of {', '.join(NAMES)} is needed."
        )
    return Roster(found, people)


def plain(text: str) -> str:
    """A name as it is compared: letters and digits, without accents."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in letters if c.isalnum())


def moment(text: str, where: str = "--deadline") -> datetime:
    """A time, of this machine's zone where it names none. Raises CourseworkError."""
    text = text.strip()
    for form in FORMS:
        try:
            return datetime.strptime(text, form).astimezone()
        except ValueError:
            continue
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise CourseworkError(
            f"{where}: {text!r} is no time that is understood. Write 2026-11-30 23:59."
        ) from None
    if len(text) == len("2026-11-30"):
        found = found.replace(hour=23, minute=59, second=59)
    return found.astimezone()


def enrolled(
    results: list[Result],
    submissions: Iterable[Submission],
    roster: Roster | None,
    deadline: datetime | None,
    master: Master,
) -> tuple[list[Result], dict[str, Person]]:
    """Results with lateness, and with those who handed in nothing; and {student: person}."""
    people: dict[str, Person] = {}
    files = {submission.student: submission.handed_in for submission in submissions}
    found: list[Result] = []
    for result in results:
        student = result["student"]
        person = roster.of(student) if roster else None
        notes = list(result["notes"])
        if person:
            people[student] = person
        elif roster:
            notes.append("Not in the roster.")
        at = person.time(TIMES) if person else None
        if at is None and files.get(student) is not None:
            at = datetime.fromtimestamp(files[student] or 0).astimezone()
        until = (person.time(["deadline"]) if person else None) or deadline
        if at and until:
            late = max(math.ceil((at - until) / DAY), 0)
            result |= {"handed_in": at.isoformat(" ", "minutes"), "late_days": late}
        found.append(result | {"notes": notes})
    for person in roster.people if roster else ():
        if person not in people.values():
            absent = Submission(person.name, None)
            found.append(blank(absent, master) | {"status": ABSENT})
            people[person.name] = person
    return found, people
