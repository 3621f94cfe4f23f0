"""From a folder as it comes to one submission for each student, and a word for every entry."""

import io
import json
import os
import sys
import zipfile
from pathlib import Path

import pytest

from classroom.coursework import CourseworkError
from classroom.coursework.grading import entries, many
from classroom.coursework.grading.handed_in import find
from classroom.coursework.reading import read_master

MASTER = Path(__file__).parent / "data" / "coursework" / "09_small.ipynb"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="submissions are graded on Linux")


@pytest.fixture(scope="module")
def master():
    return read_master(MASTER)


def notebook(source="def real(ids, pad): ..."):
    cell = {"cell_type": "code", "source": source, "metadata": {}}
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4}).encode()


def put(folder, files, at=1_700_000_000):
    """Files under names as bytes or text, each a minute newer than the one before."""
    for number, (name, content) in enumerate(files.items()):
        path = os.path.join(os.fsencode(folder), os.fsencode(name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)
        os.utime(path, (at + 60 * number,) * 2)


def zipped(files):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for number, (name, content) in enumerate(files.items()):
            archive.writestr(zipfile.ZipInfo(name, (2026, 11, 30, 8, number, 0)), content)
    return made.getvalue()


def found(folder, master, **options):
    """{student: (what was chosen, problem, notes)}, and {entry: what became of it}."""
    submissions, fates = find([folder], master, **options)
    chosen = {s.student: (s.inside[-1] if s.inside else s.path and s.path.name,
                          s.problem, " ".join(s.notes)) for s in submissions}  # fmt: skip
    return chosen, {Path(fate.entry).name: fate.became for fate in fates}


def test_every_entry_is_accounted_for(tmp_path, master):
    put(tmp_path, {
        "ada.ipynb": notebook(), "Bob.IPYNB": notebook(), "cem.ipynb.txt": notebook(),
        "dee.json": notebook(), "eve.py": b"x = 1", "fay.pdf": b"%PDF", "gus.txt": b"Sorry!",
        "hal/09_small.ipynb": notebook(), "ida/notes.txt": b"", ".DS_Store": b"",
        "Thumbs.db": b"", "__MACOSX/._ada.ipynb": b"", "jo.ipynb": b"", "kim.tar.gz": b"",
        "lee.zip": zipfile.ZIP_STORED.to_bytes(9, "big"),
        "mia.zip": zipped({"work/09_small.ipynb": notebook(), "work/plot.png": b""}),
    })  # fmt: skip
    (tmp_path / "nan").mkdir()
    (tmp_path / "oz.ipynb").symlink_to(tmp_path / "ada.ipynb")
    (tmp_path / "pia").symlink_to(tmp_path / "hal")
    os.mkfifo(tmp_path / "quy.ipynb")
    (tmp_path / "ron").mkdir()
    (tmp_path / "ron" / "x.ipynb").symlink_to(MASTER)
    chosen, became = found(tmp_path, master)
    assert set(became) == {path.name for path in tmp_path.iterdir()}
    graded = {name for name, (file, _, _) in chosen.items() if file}
    assert graded == {"ada", "Bob", "cem", "dee", "hal", "jo", "mia"}
    assert {became[f"{name}"] for name in ("ada.ipynb", "hal", "mia.zip")} == {"graded"}
    for litter in (".DS_Store", "Thumbs.db", "__MACOSX"):
        assert "a system's own file" in became[litter]
    assert "cem.ipynb.txt was read as the notebook" in chosen["cem"][2]
    assert "plot.png" in chosen["mia"][2]
    for name in ("oz", "pia", "ron"):
        assert "a link, which is not followed" in chosen[name][1]
    assert "no file that can be read" in chosen["quy"][1]
    assert "eve.py is no notebook" in chosen["eve"][1]
    assert "cannot be read" in chosen["lee"][1]
    assert chosen["nan"][1] == "There is no notebook."


def test_of_several_the_newest_of_this_assignment_is_proposed_and_said(tmp_path, master):
    put(tmp_path, {
        "ada/09_small.ipynb": notebook(), "ada/09_small (1).ipynb": notebook("def real(): 2"),
        "ada/01_tokens.ipynb": notebook("def merged(): ..."),
        "bob/final.ipynb": notebook(), "bob/.ipynb_checkpoints/09_small.ipynb": notebook(),
        "flo/09_small.ipynb": notebook(), "flo/09_small (1).ipynb": b"{}",
        "cem.ipynb": notebook(), "cem (2).ipynb": notebook(), "dee (1).ipynb": notebook(),
    })  # fmt: skip
    chosen, _ = found(tmp_path, master)
    assert chosen["ada"][0] == "09_small (1).ipynb"
    assert "Of 09_small (1).ipynb, 09_small.ipynb the newest was graded: " in chosen["ada"][2]
    assert chosen["bob"] == ("final.ipynb", "", "")
    assert chosen["cem"][0] == "cem (2).ipynb"
    assert chosen["flo"][0] == "09_small.ipynb"
    assert chosen["flo"][2] == "Not of this assignment, and not graded: 09_small (1).ipynb."
    assert set(chosen) == {"ada", "bob", "cem", "dee (1)", "flo"}
    for rule, file in (("name", "09_small.ipynb"), ("ask", None)):
        assert found(tmp_path, master, several=rule)[0]["ada"][0] == file


@pytest.mark.parametrize("names", [("a.ipynb", "b.ipynb"), ("x (1).ipynb", "y (1).ipynb")])
def test_two_of_one_time_are_for_a_person(tmp_path, master, names):
    put(tmp_path / "dee", {names[0]: notebook()})
    put(tmp_path / "dee", {names[1]: notebook()})
    chosen, became = found(tmp_path, master)
    assert (
        chosen["dee"][1]
        == f"It is not clear which notebook to grade: {', '.join(names)}. Keep one."
    )
    assert became["dee"] == chosen["dee"][1]


def test_a_copy_has_a_number_where_times_say_nothing(tmp_path, master):
    for name in ("09_small (1).ipynb", "09_small (2).ipynb", "09_small.ipynb"):
        put(tmp_path / "ada", {name: notebook()})
    assert found(tmp_path, master)[0]["ada"][0] == "09_small (2).ipynb"


MOODLE = {
    "Ada Love_101_assignsubmission_file_/09_small.ipynb": notebook(),
    "Ada Love_102_assignsubmission_file_/09_small.ipynb": notebook(),
    "Bob Ko_103_assignsubmission_file_09_small.ipynb": notebook(),
    "Bob Ko_103_assignsubmission_onlinetext_onlinetext.html": b"<p>",
    "Cem O_104_assignsubmission_file/work.zip": zipped({"09_small.ipynb": notebook()}),
}
CANVAS = {
    "loveada_101_9001_09_small.ipynb": notebook(),
    "kobob_LATE_102_9002_09_small-1.ipynb": notebook(),
    "kobob_LATE_102_9003_09_small-2.ipynb": notebook(),
}


@pytest.mark.parametrize("way", ["the archive", "in a folder", "unpacked"])
def test_archives_of_platforms_are_read_as_they_are(tmp_path, master, way):
    for name, files in (("moodle", MOODLE), ("canvas", CANVAS)):
        if way == "unpacked":
            put(tmp_path / name, files)
        else:
            put(tmp_path / name, {"all.zip": zipped(files)})
    inside = "all.zip" if way == "the archive" else ""
    submissions, fates = find([tmp_path / "moodle" / inside], master)
    assert {s.student: s.feedback for s in submissions if not s.problem} == {
        "Ada Love_101": "Ada Love_101_assignsubmission_file_feedback.md",
        "Ada Love_102": "Ada Love_102_assignsubmission_file_feedback.md",
        "Bob Ko_103": "Bob Ko_103_assignsubmission_file_feedback.md",
        "Cem O_104": "Cem O_104_assignsubmission_file_feedback.md",
    }
    assert len(fates) == 5
    assert all(many.content_of(s)[1] == notebook() for s in submissions)
    bob, ada = find([tmp_path / "canvas" / inside], master)[0]
    assert (ada.student, ada.feedback) == ("loveada_101", "loveada_101_9001_feedback.md")
    assert bob.student == "kobob_102"
    assert bob.notes[0] == "Canvas marks it as late."
    assert "-2.ipynb" in (bob.inside[-1] if bob.inside else bob.path.name)


def test_an_archive_of_a_folder_of_students_is_that_folder(tmp_path, master):
    many_students = {"in/ada.ipynb": notebook(), "in/bob.ipynb": notebook()}
    one_student = {"ada/09_small.ipynb": notebook(), "ada/09_small(1).ipynb": b""}
    put(tmp_path, {"in.zip": zipped(many_students), "ada.zip": zipped(one_student)})
    assert [s.student for s in find([tmp_path / "in.zip"], master)[0]] == ["ada", "bob"]
    assert [s.student for s in find([tmp_path / "ada.zip"], master)[0]] == ["ada"]


def test_archives_are_read_within_limits_and_lead_nowhere(tmp_path, master, monkeypatch):
    link = zipfile.ZipInfo("link.ipynb")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "ada.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../up.ipynb", notebook())
        archive.writestr("/etc/root.ipynb", notebook())
        archive.writestr(link, str(MASTER))
    put(tmp_path, {"bob.zip": zipped({"a.zip": zipped({"b.zip": zipped({"c.zip": zipped({})})})})})
    monkeypatch.setattr(entries, "MOST_BYTES", 1000)
    with zipfile.ZipFile(tmp_path / "cem.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.ipynb", notebook("#" * 10**6))
    submissions, _ = find([tmp_path], master)
    ada, bob, cem = submissions
    assert "no file that can be read" in ada.problem
    assert "a link, which is not followed" in ada.problem
    assert bob.problem
    assert len(entries.read(cem.path, cem.inside, entries.MOST_BYTES + 1)) == 1001
    monkeypatch.setattr(entries, "MOST_MEMBERS", 2)
    assert "has 3 members; 2 are read" in find([tmp_path], master)[0][0].problem


def test_names_of_any_bytes_stop_nobody(tmp_path, master):
    long = "x" * 246 + ".ipynb"
    names = [b"Jos\xe9.ipynb", b"Jos\xe8/09_small.ipynb", long, "a\x1bb.ipynb", "a\x1cb.ipynb"]
    put(tmp_path, dict.fromkeys(names, notebook()))
    chosen, _ = found(tmp_path, master)
    assert {"Jos\\xe9", "Jos\\xe8", "x" * 246} < set(chosen)
    assert len(chosen) == 5  # two names that look alike are of two students
    submissions, _ = find([tmp_path], master)
    assert all(many.content_of(s)[1] == notebook() for s in submissions)


def test_what_is_given_twice_counts_once_and_what_is_not_there_is_said(tmp_path, master):
    put(tmp_path, {"eve.ipynb": notebook()})
    submissions, fates = find([tmp_path, tmp_path / "eve.ipynb"], master)
    assert len(submissions) == len(fates) == 1
    with pytest.raises(CourseworkError, match="no file and no folder"):
        find([tmp_path / "nowhere"], master)
    (tmp_path / "empty").mkdir()
    with pytest.raises(CourseworkError, match="There is no notebook in"):
        find([tmp_path / "empty"], master)
