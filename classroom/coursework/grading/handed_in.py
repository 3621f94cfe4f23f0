"""Who handed in what: from folders and archives to one submission for each student.

In a folder every file is of the student that it is named after, and every folder is a student with
files inside, as nbgrader lays out `submitted/STUDENT/ASSIGNMENT/x.ipynb`. Archives are read as
Moodle and Canvas give them, and a student's own. Of several notebooks of one student those of this
assignment count, and of these the newest; `several` sets another rule. Every entry is accounted
for: graded, of a student whom a person must look at, or left out with the reason.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from .. import CourseworkError
from ..master import Master
from . import shown
from .entries import FILE, FOLDER, LINK, OTHER, Entry, Unreadable, on_disk
from .result import GRADED, PERSON, Result
from .submission import Submission

SEVERAL = {
    "newest": "the newest of this assignment",
    "name": "the one that is named as the master",
    "ask": "none: a person decides",
}
CLOCK = 2.0  # seconds to which an archive knows when a file was written
MOODLE = re.compile(r"(?P<who>[^_]+_(?P<id>\d+))_assignsubmission_[a-z]+(_|$)(?P<rest>.*)", re.S)
CANVAS = re.compile(r"(?P<who>[^_]+_(?P<late>LATE_)?(?P<id>\d+))_\d+_(?P<rest>.+)", re.S)
COPY = re.compile(r"(?: ?\((\d+)\)|-(\d+)| ?- ?[Cc]opy(?: ?\(?(\d+)\)?)?)$")


class Fate(NamedTuple):
    """What became of one entry of the folder."""

    entry: str
    student: str
    became: str


@dataclass
class Pile:
    """All that one student handed in. `feedback`: the name that feedback has in an archive."""

    student: str
    entries: list[Entry] = field(default_factory=list)
    feedback: str = ""
    notes: list[str] = field(default_factory=list)


def find(
    paths: Iterable[Path], master: Master, several: str = "newest"
) -> tuple[list[Submission], list[Fate]]:
    """All submissions, by student, and what became of every entry.

    several: a key of SEVERAL. Raises CourseworkError where there is nothing to grade.
    """
    entries: dict[str, Entry] = {}
    for path in paths:
        if not path.exists() and not path.is_symlink():
            raise CourseworkError(f"There is no file and no folder {path}.")
        entry = on_disk(path)
        if path.is_dir():  # the instructor's own, who may have made it a link
            entry = Entry(path.name, FOLDER, path)
        for one in _opened(entry, master):
            entries[one.place] = one
    piles, fates = _piles([_spread(entry) for entry in entries.values()])
    submissions = []
    for pile in piles:
        submission = _submission(pile, master, several)
        submissions.append(submission)
        chosen = "/".join([str(submission.path), *submission.inside])
        for entry in pile.entries:
            took = entry.kind in (FILE, FOLDER) and chosen.startswith(entry.place)
            became = GRADED if took else "not graded: another file counts"
            became = submission.problem or became
            fates.append(Fate(shown.name(entry.place), pile.student, became))
    if not submissions:
        raise CourseworkError(f"There is no notebook in {', '.join(map(str, paths))}.")
    submissions.sort(key=lambda submission: submission.student)
    return submissions, sorted(fates)


def outcomes(fates: Iterable[Fate], results: Iterable[Result]) -> list[Fate]:
    """The fates, now that it is known which notebooks could not be graded."""
    person = {r["student"]: " ".join(r["reasons"]) for r in results if r["status"] == PERSON}
    return [
        fate._replace(became=person[fate.student])
        if fate.became == GRADED and fate.student in person
        else fate
        for fate in fates
    ]


def _opened(entry: Entry, master: Master) -> list[Entry]:
    """The entries of what the command was given: a folder's, an archive's, or this one file."""
    try:
        bulk = entry.kind == FOLDER or (entry.is_zip and _is_bulk(entry, master))
        return _collected(entry, master) if bulk else [entry]
    except Unreadable as problem:
        if entry.kind == FOLDER:
            raise CourseworkError(str(problem)) from None
        return [entry]  # one that cannot be opened is somebody's all the same


def _is_bulk(archive: Entry, master: Master) -> bool:
    """Whether an archive that the instructor names holds many students' work, and not one's."""
    top = [entry for entry in archive.children() if not entry.is_litter]
    if any(_platform(entry) for entry in top):
        return True
    alike = [entry for entry in top if _base(entry.name) == master.path.stem.casefold()]
    return not alike and sum(map(_may_be_notebook, archive.files())) != 1


def _collected(folder: Entry, master: Master) -> list[Entry]:
    """The entries of a folder of submissions; of an archive that wraps one folder, its entries."""
    top = folder.children()
    kept = [entry for entry in top if not entry.is_litter]
    wrapped = len(kept) == 1 and kept[0].kind == FOLDER and kept[0].inside
    if wrapped and not _platform(kept[0]):
        inner = kept[0].children()
        if all(_base(entry.name) != master.path.stem.casefold() for entry in inner):
            return inner
    return top


def _spread(entry: Entry) -> list[Entry]:
    """A platform's archive among the entries is all that it holds; everything else is itself."""
    if entry.is_zip:
        try:
            top = entry.children()
        except Unreadable:
            return [entry]
        if any(_platform(one) for one in top):
            return top
    return [entry]


def _platform(entry: Entry) -> re.Match[str] | None:
    return MOODLE.fullmatch(entry.name) or CANVAS.fullmatch(entry.name)


def _piles(spread: Iterable[list[Entry]]) -> tuple[list[Pile], list[Fate]]:
    """Entries by student, and what became of those of nobody."""
    entries = [entry for group in spread for entry in group]
    fates = [
        Fate(shown.name(entry.place), "", "left out: a system's own file")
        for entry in entries
        if entry.is_litter
    ]
    entries = [entry for entry in entries if not entry.is_litter]
    stems = {_stem(entry) for entry in entries}
    piles: dict[str, Pile] = {}
    for entry in entries:
        stem = who = _stem(entry)
        match = _platform(entry)
        if match:
            who = match["who"].replace("_LATE", "")
        elif (copy := COPY.search(stem)) and stem[: copy.start()] in stems:
            who = stem[: copy.start()]  # a browser's second download of the same student's
        pile = piles.setdefault(who, Pile(who))
        pile.entries.append(entry)
        if match:
            file = (
                match["who"] + "_assignsubmission_file_"
            )  # which Moodle knows of online texts too
            file = file if match.re is MOODLE else entry.name[: match.start("rest")]
            pile.feedback = f"{file}feedback.md"
            if match.re is CANVAS and match["late"]:
                pile.notes.append("Canvas marks it as late.")
    names: dict[str, str] = {}
    for raw, pile in sorted(piles.items()):
        pile.student = shown.name(raw)
        if names.setdefault(pile.student, raw) != raw:  # different bytes that look alike
            pile.student += (
                f" ({hashlib.sha256(raw.encode(errors='surrogateescape')).hexdigest()[:6]})"
            )
    return list(piles.values()), fates


def _stem(entry: Entry) -> str:
    """The name without what makes it a file: `Ada` of `Ada.IPYNB`, of `Ada.ipynb.txt`, of `Ada`."""
    if entry.kind == FOLDER:
        return entry.name
    at = entry.name.casefold().find(".ipynb")
    return entry.name[:at] if at > 0 else Path(entry.name).stem


def _base(name: str) -> str:
    """A file's name as it is compared: without its end, and without the number of a copy."""
    at = name.casefold().find(".ipynb")
    return COPY.sub("", name[:at] if at > 0 else Path(name).stem).casefold()


def _may_be_notebook(entry: Entry) -> bool:
    """Whether a file is a notebook, by its name or, whatever it is called, by what it holds."""
    if entry.kind != FILE:
        return False
    name = entry.name.casefold()
    if ".ipynb" in name:
        return True
    if Path(name).suffix not in ("", ".json", ".txt"):
        return False
    try:
        start = entry.read(1 << 20)
    except Unreadable:
        return False
    return start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") and b'"cells"' in start


def _submission(pile: Pile, master: Master, several: str) -> Submission:
    """What is graded of all that a student handed in, or why nothing can be."""
    student, notes = pile.student, list(pile.notes)

    def problem(sentence: str) -> Submission:
        return Submission(student, None, sentence, tuple(notes), feedback=pile.feedback)

    try:
        files = _files(pile.entries)
    except Unreadable as error:
        return problem(str(error))
    notebooks = [file for file in files if _may_be_notebook(file)]
    others = [shown.name(file.name) for file in files if file not in notebooks]
    if not notebooks:
        odd = [f"{shown.name(f.name)} is {_what(f)}." for f in files]
        return problem(" ".join(["There is no notebook.", *odd[:10]]))
    if others:
        notes.append(f"Also handed in, and not graded: {', '.join(others[:10])}.")
    chosen, said = _one_of(notebooks, master, several)
    if chosen is None:
        return problem(said)
    notes += [said] if said else []
    if not chosen.name.endswith(".ipynb"):
        notes.append(f"{shown.name(chosen.name)} was read as the notebook that it is.")
    return Submission(
        student, chosen.path, "", tuple(notes), chosen.inside, chosen.time, pile.feedback
    )


def _files(entries: Iterable[Entry]) -> list[Entry]:
    """All files of a student, with those in folders and archives."""
    files: list[Entry] = []
    for entry in entries:
        below = [entry] if entry.kind != FOLDER else entry.files()
        for file in below:
            files += file.files() if file.is_zip else [file]
    return files


def _what(file: Entry) -> str:
    return {
        LINK: "a link, which is not followed",
        OTHER: "no file that can be read",
    }.get(file.kind, "no notebook")


def _one_of(notebooks: list[Entry], master: Master, several: str) -> tuple[Entry | None, str]:
    """The notebook to grade, and what is to be said of the choice."""
    if len(notebooks) == 1:
        return notebooks[0], ""
    own = [one for one in notebooks if _of_assignment(one, master)] or notebooks
    if len(own) == 1:
        others = ", ".join(shown.name(one.name) for one in notebooks if one is not own[0])
        return own[0], f"Not of this assignment, and not graded: {others}."
    ordered = sorted(own, key=lambda one: (one.time, _copy(one)))
    listed = ", ".join(shown.name("/".join(one.inside) or one.name) for one in own)
    ask = f"It is not clear which notebook to grade: {listed}. Keep one."
    if several == "name":
        same = [one for one in own if one.name.casefold() == master.path.name.casefold()]
        said = f"Of {listed} the one named as the master was graded."
        return (same[0], said) if len(same) == 1 else (None, ask)
    newest = [one for one in own if ordered[-1].time - one.time <= CLOCK]
    newest.sort(key=_copy)
    if several == "ask" or (len(newest) > 1 and _copy(newest[-1]) == _copy(newest[-2])):
        return None, ask
    return newest[-1], f"Of {listed} the newest was graded: {shown.name(newest[-1].name)}."


def _of_assignment(notebook: Entry, master: Master) -> bool:
    """Whether a notebook speaks of any exercise of this assignment."""
    try:
        content = notebook.read()
    except Unreadable:
        return False
    signs = [f"exercise:{id}" for id in master.exercises]
    signs += [f"def {name}(" for name in master.names]
    return any(sign.encode() in content for sign in signs)


def _copy(notebook: Entry) -> int:
    """The number that a browser, a system or Canvas gave a later copy."""
    found = COPY.search(_stem(notebook))
    return int(next(filter(None, found.groups()), 1)) if found else 0
