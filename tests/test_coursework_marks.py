"""The teacher's part of grading: marks, pages, tables, and that nothing anybody wrote is lost."""

import csv
import io
import json
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from classroom.coursework import CourseworkError
from classroom.coursework.grading import (
    essays,
    gradebook,
    many,
    marks,
    report,
    roster,
    shown,
    table,
)
from classroom.coursework.grading.desk import Desk
from classroom.coursework.grading.isolation import Limits
from classroom.coursework.grading.result import GRADED, PERSON, WAITS, blank
from classroom.coursework.grading.submission import Submission, SubmittedCell
from classroom.coursework.reading import read_master

MASTER = Path(__file__).parent / "data" / "coursework" / "09_small.ipynb"
GRADER = SimpleNamespace(level="limits", why_not=[], limits=Limits())

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="submissions are graded on Linux")


@pytest.fixture(scope="module")
def master():
    return read_master(MASTER)


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def result(master, student, points=(5, 8), text="Because of the causal mask."):
    """What grading gives: points by tests, and an essay that waits."""
    made = blank(Submission(student, Path(f"{student}.ipynb")), master)
    for entry, got in zip(made["exercises"].values(), points, strict=True):
        entry["points"] = got
    made["essays"][0]["text"] = text
    return made | {"status": PERSON if None in points else WAITS}


def run(desk, master, *results, **options):
    """One run of the command after the grading; the rows of grades.csv by student."""
    desk.said.clear()
    report.write_all(desk, list(results), master, GRADER, **options)
    return rows(desk)


def rows(desk, name="grades.csv"):
    found = table.read(desk.path(name).read_bytes(), name).rows
    return {row["student"]: row for row in found}


def fill(desk, text):
    desk.path("marks.csv").write_text("student,exercise,points,comment\n" + text)


ESSAY = "A9.3 essay (of 4)"


# Marks


def test_marks_and_comments_reach_total_and_feedback(desk, master):
    before = run(desk, master, result(master, "ada"), result(master, "bob"))
    assert (before["ada"]["total"], before["ada"]["out of"]) == ("13", "17")
    assert rows(desk, "marks.csv")["ada"] == {
        "student": "ada", "exercise": "A9.3", "points": "", "comment": "",
    }  # fmt: skip
    fill(
        desk,
        'ada,A9.3,"2,5",Say which row.\nbob,A9.1,4,"Your helper counts, too."\nada,,,Well done\n',
    )
    after = run(desk, master, result(master, "ada"), result(master, "bob", (0, 8)))
    assert (after["ada"]["total"], after["ada"]["status"]) == ("15.5", GRADED)
    assert (after["bob"]["A9.1"], after["bob"]["total"], after["bob"]["status"]) == (
        "4",
        "12",
        WAITS,
    )
    told = desk.path("feedback/ada.md").read_text()
    assert "**15.5 of 17 points**" in told
    assert "## A9.3: 2.5 of 4\n\nSay which row." in told
    assert "Well done" in told
    assert "## A9.1: 4 of 5, by a person\n\nYour helper" in desk.path("feedback/bob.md").read_text()


def test_a_late_submission_adds_rows_and_changes_none(desk, master):
    """Whatever program wrote the file, and whatever else stands in it."""
    run(desk, master, result(master, "ada"))
    mine = '\ufeffstudent;exercise;points;comment;reader\r\nada;A9.3;3,5;"gut; fast alles";JK\r\n'
    desk.path("marks.csv").write_bytes(mine.encode())
    after = run(desk, master, result(master, "ada"), result(master, "zoe"))
    now = desk.path("marks.csv").read_bytes()
    assert now == mine.encode() + b"zoe;A9.3;;;\r\n"
    assert (after["ada"][ESSAY], after["ada"]["total"]) == ("3.5", "16.5")
    assert after["zoe"]["status"] == WAITS
    run(desk, master, result(master, "ada"), result(master, "zoe"))
    assert desk.path("marks.csv").read_bytes() == now


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("ends", ["\n", ""])
def test_a_table_is_read_and_continued_in_its_own_encoding(encoding, ends):
    content = ("student\tpoints\nJosé\t3" + ends).encode(encoding)
    found = table.read(content, "it", ["points"])
    assert found.rows == [{"student": "José", "points": "3"}]
    longer = found.added(content, [{"student": "Zoë"}])
    assert longer.startswith(content)
    assert [row["student"] for row in table.read(longer, "it").rows] == ["José", "Zoë"]


def test_a_table_without_its_columns_is_refused_with_what_it_has():
    with pytest.raises(CourseworkError, match="no column points: it has"):
        table.read(b"name,mark\n", "it", ["points"])
    with pytest.raises(CourseworkError, match="empty"):
        table.read(b"", "it")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("ada,A9.3,5,", "not between 0 and the 4"),
        ("ada,A9.3,-1,", "not between 0"),
        ("ada,A9.3,nan,", "not between 0"),
        ("ada,A9.3,three,", "no number"),
        ("ada,A9.8,1,", "points need an exercise"),
        ("ada,,3,", "points need an exercise"),
        ("adda,A9.3,3,", "no such student"),
    ],
)
def test_a_mark_that_cannot_be_is_said_and_counts_for_nobody(desk, master, row, said):
    fill(desk, f"{row}\n")
    before = desk.path("marks.csv").read_bytes()
    after = run(desk, master, result(master, "ada"))
    assert (after["ada"][ESSAY], after["ada"]["total"]) == ("", "13")
    assert any(said in sentence and "row 2" in sentence for sentence in desk.said)
    assert desk.path("marks.csv").read_bytes().startswith(before)


def test_points_typed_into_the_grades_are_taken_over(desk, master):
    run(desk, master, result(master, "ada"), result(master, "bob"))
    path = desk.path("grades.csv")
    typed = path.read_text().replace("ada,5,8,,13", "ada,5,7,4,13")
    assert typed != path.read_text()
    path.write_text(typed.replace(",", ";"))  # saved again by a spreadsheet of another country
    after = run(desk, master, result(master, "ada"), result(master, "bob"), result(master, "cem"))
    assert [after["ada"][c] for c in ("A9.2", ESSAY, "total", "status")] == ["7", "4", "16", GRADED]
    assert after["cem"]["status"] == WAITS
    (kept,) = desk.path("kept").iterdir()
    assert kept.read_text() == typed.replace(",", ";")
    assert "2 marks typed into grades.csv" in " ".join(desk.said)
    again = run(desk, master, result(master, "ada"), result(master, "bob"))
    assert (again["ada"]["total"], desk.said) == ("16", [])


def test_of_two_marks_the_one_in_the_file_of_marks_counts(desk, master):
    run(desk, master, result(master, "ada"))
    fill(desk, "ada,A9.3,1,\n")
    path = desk.path("grades.csv")
    path.write_text(path.read_text().replace("ada,5,8,,", "ada,5,8,4,"))
    assert run(desk, master, result(master, "ada"))["ada"][ESSAY] == "1"
    assert "it says 4, and marks.csv 1, which counts" in " ".join(desk.said)


def test_a_page_that_a_person_changed_stays(desk, master):
    run(desk, master, result(master, "ada"))
    path = desk.path("feedback/ada.md")
    path.write_text(path.read_text() + "\nCome and see me.\n")
    mine = path.read_text()
    fill(desk, "ada,A9.3,4,\n")
    run(desk, master, result(master, "ada"))
    assert path.read_text() == mine
    assert "**17 of 17 points**" in desk.path("feedback/ada (new).md").read_text()
    assert "which stays as it is" in " ".join(desk.said)


def test_equal_files_are_said_and_missing_ones_are_not_equal(master):
    made = [result(master, name) for name in ("ada", "bob", "cem", "dee", "eve")]
    for one, content in zip(made, ("1", "1", "", "", many.digest(b"")), strict=True):
        one["content"] = content
    many.say_same([*made, dict(made[4])])
    assert [one["notes"] for one in made[:2]] == [
        ["The same file, byte for byte, as bob."], ["The same file, byte for byte, as ada."],
    ]  # fmt: skip
    assert [one["notes"] for one in made[2:]] == [[], [], []]


def test_students_read_remarks_on_their_cells_and_nothing_of_others(desk, master):
    ada = result(master, "ada") | {"notes": ["The same file, byte for byte, as bob."]}
    row = run(desk, master, ada | {"remarks": ["Cell 3 failed (<b>\n# no)."]})["ada"]
    assert "as bob. Cell 3 failed" in row["remarks"]
    feedback = desk.path("feedback/ada.md").read_text()
    assert "- Cell 3 failed (&lt;b&gt; \\# no)." in feedback
    assert "bob" not in feedback


def test_a_person_can_grade_what_the_command_cannot(desk, master):
    broken = result(master, "ada", (None, None), None) | {"reasons": ["It is a photo."]}
    assert run(desk, master, broken)["ada"]["total"] == ""
    fill(desk, "ada,A9.1,2,\nada,A9.2,3,\nada,A9.3,1,\n")
    row = run(desk, master, broken)["ada"]
    assert (row["total"], row["status"], row["remarks"]) == ("6", GRADED, "It is a photo.")


# Essays


def test_essays_are_read_under_names_or_codes(desk, master):
    texts = {"ada": "Ada's <script>alert(1)</script>", "bob": "Bob's", "cem": "", "dee": None}
    results = [result(master, name, text=text) for name, text in texts.items()]
    run(desk, master, *results)
    page = desk.path("essays/A9.3.html").read_text()
    assert "<h2>ada" in page
    assert "&lt;script&gt;" in page
    assert "<script" not in page
    assert "The causal mask hides all later positions" in page  # the model answer
    assert "Nothing written: 0 points</h2>\n<p>cem<" in page
    assert "No cell of it found</h2>\n<p>dee<" in page
    assert rows(desk)["cem"][ESSAY] == "0"
    assert rows(desk)["dee"][ESSAY] == ""


def test_anonymous_marks_find_their_students(desk, master):
    results = [result(master, name) for name in ("ada", "bob")]
    run(desk, master, *results, anonymous=True)
    page, asked = desk.path("essays/A9.3.html").read_text(), rows(desk, "marks.csv")
    assert "ada" not in page
    assert set(asked) == set(marks.codes(desk, results).values())
    assert not {"ada", "bob"} & set(asked)
    code = marks.codes(desk, results)["bob"]
    fill(desk, f"{code.lower()},A9.3,3,\n")
    after = run(desk, master, *results)
    assert (after["bob"][ESSAY], after["ada"][ESSAY]) == ("3", "")
    assert [row["student"] for row in table.read(desk.path("marks.csv").read_bytes(), "").rows] == [
        code.lower(), "ada",
    ]  # fmt: skip


def cells(*sources, tags=()):
    tags = [*tags, *[""] * len(sources)]
    return [
        SubmittedCell(number, source.startswith("x = "), source, (tag,) if tag else (), False)
        for number, (source, tag) in enumerate(zip(sources, tags, strict=False), 1)
    ]


STUB = "## A9.3 · In words\n\n4 points · 3 minutes\n\nYOUR ANSWER HERE"


@pytest.mark.parametrize(
    ("handed_in", "text"),
    [
        (cells("x = 1", "It hides.", tags=["", "essay:A9.3:4"]), "It hides."),
        (cells(STUB, "It hides.", "x = 1", "More", tags=["essay:A9.3:4"]), f"{STUB}\n\nIt hides."),
        (cells("It", "hides.", tags=["essay:A9.3", "essay:A9.3"]), "It\n\nhides."),
        (cells("x = 1", f"{STUB} It hides.", "More"), f"{STUB} It hides.\n\nMore"),
        (cells("x = 1", "It hides."), None),
    ],
    ids=["tagged", "in a new cell below", "a cell cut in two", "without tags", "lost"],
)
def test_an_essay_is_found_where_it_was_written(master, handed_in, text):
    assert essays.text_of(handed_in, master.essays[0], master) == text


# Rosters, and what goes back


PLAIN = (
    "student,email,deadline\nada,ada@uni.edu,\nbob,bob@uni.edu,2026-12-02 12:00\nzoe,z@uni.edu,\n"
)
WORKSHEET = (
    "Identifier,Full name,Email address,Grade,Maximum Grade,Last modified (submission),"
    "Feedback comments\n"
    'Participant 101,Ada Love,a@uni.edu,,17,"Monday, 30 November 2026, 11:59 PM",\n'
    "Participant 102,Ada Love,b@uni.edu,3,17,-,old\n"
    'Participant 103,Bob Ko,k@uni.edu,,17,"Tuesday, 1 December 2026, 12:01 AM",\n'
)
CANVAS = (
    "Student,ID,SIS User ID,SIS Login ID,Section,Assignment 9 (4711),Quiz\n"
    "    Points Possible,,,,,17,10\n"
    '"Love, Ada",101,s1,ada1,A,,3\n'
    '"Ko, Bob",102,s2,bko,A,,4\n'
)


def graded_with(desk, master, text, students, deadline="2026-11-30 23:59", at="2026-12-01 12:00"):
    """A run with a roster; the rows of grades.csv, and of gradebook.csv."""
    desk.path("roster.csv").write_text(text)
    listed = roster.read(desk.path("roster.csv"))
    found = [Submission(name, None, handed_in=roster.moment(at).timestamp()) for name in students]
    fill(desk, "".join(f"{name},A9.3,4,Well *done*\n" for name in students[:1]))
    results = [result(master, name) for name in students]
    results, people = roster.enrolled(results, found, listed, roster.moment(deadline), master)
    results = report.write_all(desk, results, master, GRADER)
    gradebook.write_table(desk, listed, people, results, master)
    return rows(desk), table.read(desk.path("gradebook.csv").read_bytes(), "").rows


def test_who_is_absent_or_late_stands_in_the_grades(desk, master):
    grades, book = graded_with(desk, master, PLAIN, ["ada", "Bob", "eve"])
    assert [grades[s]["late days"] for s in ("ada", "Bob", "eve", "zoe")] == ["1", "0", "1", ""]
    assert grades["zoe"]["status"] == "nothing handed in"
    assert (grades["zoe"]["total"], grades["zoe"]["out of"]) == ("", "17")
    assert grades["eve"]["remarks"] == "Not in the roster."
    assert [row["Assignment 9: Small"] for row in book] == ["17", "", ""]
    assert book[0]["Feedback comments"] == "A9.3: Well *done*"
    assert "zoe" not in desk.path("marks.csv").read_text()


def test_moodles_worksheet_comes_back_with_grades(desk, master):
    students = ["Ada Love_101", "Bob Ko_103"]
    grades, book = graded_with(desk, master, WORKSHEET, students, "2026-12-01 00:00")
    assert [grades[name]["late days"] for name in students] == ["0", "1"]
    assert grades["Ada Love"]["status"] == "nothing handed in"
    assert [row["Grade"] for row in book] == ["17", "", ""]
    assert list(book[0]) == WORKSHEET.splitlines()[0].split(",")
    assert "maximum" not in " ".join(desk.said)
    graded_with(desk, master, WORKSHEET.replace(",17,", ",100,"), students)
    assert "Moodle's maximum grade is 100; the assignment has 17." in desk.said


def test_canvas_gradebook_comes_back_with_this_assignment_alone(desk, master):
    _, book = graded_with(desk, master, CANVAS, ["loveada_101", "kobob_102"])
    assert list(book[0]) == CANVAS.splitlines()[0].split(",")[:6]
    assert [row["Assignment 9 (4711)"] for row in book] == ["17", "17", ""]
    assert "Love, Ada" in desk.path("gradebook.csv").read_text()


@pytest.mark.parametrize(
    "row",
    ["Ada Love,x", "x,ada.love@uni.edu", '"Love, Ada",x', "Åda Love,x", "x,ADA@uni.edu"],
)
def test_students_are_known_by_any_of_their_names(desk, row):
    desk.path("r.csv").write_text(f"name,email\nBob Ko,b@x\n{row}\n")
    people = roster.read(desk.path("r.csv"))
    known = [people.of(name) for name in ("ada", "Ada Love", "loveada_7", "ada.love", "ada-love")]
    assert people.people[1] in known
    assert people.people[0] not in known
    assert people.of("nobody") is None


def test_a_roster_that_names_nobody_and_a_time_that_is_none_are_refused(desk):
    desk.path("r.csv").write_text("color\nred\n")
    with pytest.raises(CourseworkError, match="names no students: it has the columns color"):
        roster.read(desk.path("r.csv"))
    with pytest.raises(CourseworkError, match="is no time"):
        roster.moment("tomorrow")
    assert roster.moment("2026-11-30").hour == 23


def test_feedback_goes_back_under_the_platforms_names(desk, master):
    name = "Ada Love_101_assignsubmission_file_feedback.md"
    run(desk, master, result(master, "Ada Love_101") | {"feedback_as": name}, result(master, "b"))
    results = [result(master, "Ada Love_101") | {"feedback_as": name}, result(master, "b")]
    gradebook.write_feedback(desk, results)
    with zipfile.ZipFile(desk.path("feedback.zip")) as archive:
        assert archive.namelist() == [name]
        assert archive.read(name) == desk.path("feedback/Ada Love_101.md").read_bytes()


# Names


NAMES = ["\x1b[2Jada", "bob\u202egpj", "=1+1", "bob;=1+1", "a\n@SUM(1)", "<img src=x>", "Jos\udce9"]


@pytest.mark.parametrize("raw", NAMES)
def test_a_name_is_harmless_wherever_it_is_shown(desk, master, raw):
    name = shown.name(raw)
    assert not set(name) & set("\x1b\n\u202e")
    run(desk, master, result(master, name))
    text = desk.path("grades.csv").read_text()
    for delimiter in ",;\t|":
        for line in csv.reader(io.StringIO(text), delimiter=delimiter):
            assert not [cell for cell in line if cell.lstrip(' "').startswith(("=", "+", "-", "@"))]
    (told,) = desk.path("feedback").iterdir()
    assert "<img" not in told.read_text()
    stored = json.loads(desk.path("grades.json").read_text())
    assert stored["students"][0]["student"] == name
    fill(desk, f'"{shown.cell(name)}",A9.3,3,\n')
    assert next(iter(run(desk, master, result(master, name)).values()))[ESSAY] == "3"


def test_names_of_files_are_short_and_never_twice():
    names = ["ada", "x" * 252, "x" * 251, "a/b", "a:b", "é" * 126, "..", "Ada "]
    files = [shown.file_name(name) for name in names]
    assert files[0] == "ada"
    assert len(set(files)) == len(names)
    assert all(len(f"{file}.json".encode()) < 200 and "/" not in file for file in files)
