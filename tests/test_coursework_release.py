"""Masters and their releases: the rules, the four forms, the proof, and folders left as they were.

What the real nbgrader and otter make of the same master is tried by tools/graders/roundtrip.py.
"""

from __future__ import annotations

import doctest
import io
import json
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest

from classroom.__main__ import main
from classroom.coursework import CourseworkError, formats
from classroom.coursework.formats import site
from classroom.coursework.master import Cell
from classroom.coursework.proof import Leak, prove
from classroom.coursework.reading import read_master
from classroom.coursework.release import MASTERS, release
from tools.graders.planted import deserved, fill, solved, submissions

SMALL = Path(__file__).parent / "data" / "coursework" / "09_small.ipynb"
SECRETS = [
    "differing",
    "keepdim=True",
    "LIMIT = 77",
    "causal mask hides",
    "50_000",
    "lengths_found",
]


@pytest.fixture(scope="module")
def small():
    return read_master(SMALL)


@pytest.fixture
def edited(tmp_path):
    """A function: the small master with one change → the path of the changed one."""

    def edit(change) -> Path:
        notebook = nbformat.read(SMALL, as_version=4)
        change(notebook.cells)
        nbformat.write(notebook, tmp_path / SMALL.name)
        return tmp_path / SMALL.name

    return edit


def of(cells, tag: str):
    """The first cell with that tag."""
    return next(cell for cell in cells if tag in cell.metadata.get("tags", []))


def swap(tag: str, old: str, new: str):
    """A change: other words in the cell with that tag."""

    def change(cells):
        cell = of(cells, tag)
        assert old in cell.source
        cell.source = cell.source.replace(old, new)

    return change


def retag(old: str, *new: str):
    return lambda cells: of(cells, old).metadata.update(tags=list(new))


def drop(words: str):
    """A change: without the cell that begins so."""

    def change(cells):
        (at,) = [i for i, cell in enumerate(cells) if cell.source.startswith(words)]
        del cells[at]

    return change


def add_code(*sources: str):
    """A change: cells at the end, of which the first only shows pictures."""

    def change(cells):
        made = [nbformat.v4.new_code_cell(source) for source in sources]
        made[0].metadata.update(tags=["pictures"])
        cells += made

    return change


def read(path: Path) -> nbformat.NotebookNode:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return notebook


# The master


def test_a_master_is_read(small):
    assert (small.number, small.title, small.points) == (9, "Small", 17)
    assert small.names == {"real": "A9.1", "unit": "A9.2", "LIMIT": "A9.2"}
    assert [test.name for test in small.tests if test.id == "A9.1"] == [
        "A9.1 visible 1", "A9.1 hidden 1", "A9.1 hidden 2",
    ]  # fmt: skip
    assert [essay.points for essay in small.essays] == [4]
    assert small.exercises["A9.2"].stub.splitlines() == [
        "import torch", "", "",
        "def unit(rows):", '    raise NotImplementedError("exercise A9.2")', "", "",
        "LIMIT = ...",
    ]  # fmt: skip


BEGIN, END = "    # BEGIN SOLUTION\n", "    # END SOLUTION"
FAULTS = {
    "pictures with a role": (retag("exercise:A9.1", "exercise:A9.1", "pictures"), "without a role"),
    "pictures that are used": (add_code("seen = 1", "print(seen)"), "uses seen"),
    "three hashes": (swap("exercise:A9.1", BEGIN, "    ### BEGIN SOLUTION\n"), "graders disagree"),
    "no space": (swap("exercise:A9.1", BEGIN, "    #BEGIN SOLUTION\n"), "graders disagree"),
    "text after": (swap("exercise:A9.1", BEGIN, BEGIN[:-1] + " NO PROMPT\n"), "nothing else on"),
    "a space after": (swap("exercise:A9.1", END, END + " "), "graders disagree"),
    "lower case": (swap("exercise:A9.1", BEGIN, BEGIN.lower()), "graders disagree"),
    "a line's marker": (swap("exercise:A9.1", "len(differing)", "0 # SOLUTION"), "disagree"),
    "nested": (swap("exercise:A9.1", BEGIN, 2 * BEGIN), "begins inside"),
    "unclosed": (swap("exercise:A9.1", END, ""), "does not end"),
    "unopened": (swap("exercise:A9.1", BEGIN, ""), "did not begin"),
    "other indent": (swap("exercise:A9.1", END, END[4:]), "not indented"),
    "markers in a test": (swap("test:A9.1:1", "assert", "# BEGIN SOLUTION\nassert"), "outside"),
    "nbgrader's own": (swap("hidden:A9.2:2", "as", "### BEGIN HIDDEN TESTS\nas"), "of one grader"),
    "otter's own": (swap("exercise:A9.1", "len(differing)", "0  # IGNORE"), "of one grader"),
    "essay goes on": (swap("essay:A9.3:4", "-->\nThe", "-->\nx\n<!-- END SOLUTION -->\nT"), "did"),
    "after an essay": (swap("essay:A9.3:4", "END SOLUTION -->", "END SOLUTION -->\nx"), "after it"),
    "no solution": (swap("exercise:A9.1", BEGIN, "# x\n"), "did not begin"),
    "def in the solution": (
        swap("exercise:A9.2", "LIMIT = 77", "LIMIT = 77\ndef more(): ..."),
        "plain values",
    ),
    "half a statement": (
        swap("exercise:A9.2", "return rows", "return (rows") , "not Python"
    ),
    "unknown tag": (retag("test:A9.1:1", "tests:A9.1:1"), "is unknown"),
    "no points": (retag("test:A9.1:1", "test:A9.1:0"), "is unknown"),
    "half points": (retag("test:A9.1:1", "test:A9.1:1.5"), "is unknown"),
    "two roles": (retag("test:A9.1:1", "test:A9.1:1", "hidden:A9.1:1"), "two roles"),
    "other points": (retag("test:A9.1:1", "test:A9.1:2"), "promises 5 points"),
    "same id": (retag("exercise:A9.2", "exercise:A9.1"), "already"),
    "another assignment": (retag("exercise:A9.2", "exercise:A1.2"), "ids here begin with A9"),
    "test of nothing": (retag("hidden:A9.2:2", "hidden:A9.7:2"), "no exercise A9.7 stands before"),
    "essay in code": (retag("hidden:A9.2:2", "essay:A9.4:2"), "is for markdown cells"),
    "no hidden test": (drop("import torch\n\nrows"), "its cells give 4"),
    "no check": (drop('check("A9.1"'), "no check"),
    "no statement": (drop("## A9.2"), "no markdown cell before it has the heading"),
    "no title": (drop("# Assignment"), "begins with"),
    "broken code": (swap("test:A9.1:1", "assert", "asert"), "not Python"),
    "bare expression": (swap("hidden:A9.2:4", "rows =", "torch.manual_seed(0)\nrows ="), "line 3"),
    "bare in a loop": (swap("hidden:A9.1:2", "    assert", "    ids.sort()\n    assert"), "bare"),
    "silent assert": (swap("test:A9.1:1", ', "two of [5, 6, 0] are no padding"', ""), "message"),
    "no assert": (swap("test:A9.1:1", "assert real", "_ = real"), "asserts nothing"),
    "asks nothing": (swap("hidden:A9.2:2", "LIMIT == 77", "77 == 77"), "everybody would pass"),
    "no import": (swap("hidden:A9.2:4", "import torch\n", ""), "which only"),
    "another test's": (swap("hidden:A9.2:2", "== 77", "== 77 + len(ids)"), "(hidden A9.1) knows"),
    "nobody's": (swap("hidden:A9.2:2", "== 77", "== 77 + nobody"), "which nothing defines"),
    "a later exercise's": (swap("test:A9.1:1", "== 2", "== 2 + 0 * LIMIT"), "later cell"),
    "taken apart": (
        swap("hidden:A9.2:2", "assert", "try:\n    x = 1\nexcept (ValueError, OSError):\n"
        "    x = 2\nassert"),
        "otter would take line 1 apart",
    ),
    "hidden and visible": (
        lambda cells: of(cells, "hidden:A9.2:4").update(source=of(cells, "test:A9.2:2").source),
        "stands in cell",
    ),
    "solution in a hint": (
        swap("exercise:A9.1", "no padding.", "no padding.\n\n    lengths = rows.square().sum(dim="
        "-1, keepdim=True).sqrt()\n    return rows / lengths\n    "),
        "stands in cell 4",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_refused_with_a_sentence(fault, edited):
    change, word = FAULTS[fault]
    path = edited(change)
    with pytest.raises(CourseworkError) as refused:
        read_master(path)
    assert word in str(refused.value)
    for line in str(refused.value).splitlines():
        assert line.startswith(str(path))
        assert line.endswith((".", ".'")), line


def test_two_hidden_tests_of_one_exercise_may_go_but_not_the_last(edited):
    def change(cells):
        retag("hidden:A9.2:4", "test:A9.2:4")(cells)
        retag("hidden:A9.2:2", "test:A9.2:2")(cells)

    with pytest.raises(CourseworkError, match="no hidden test"):
        read_master(edited(change))


def test_what_is_no_notebook_is_said_to_be_none(tmp_path):
    (tmp_path / "x.ipynb").write_text("{")
    with pytest.raises(CourseworkError, match="is not a notebook"):
        read_master(tmp_path / "x.ipynb")
    (tmp_path / "x.ipynb").write_text('{"cells": [{"cell_type": "code", "source": ""}, {}]}')
    with pytest.raises(CourseworkError, match=r"notebook: cell 2 has no type, or no source\.$"):
        read_master(tmp_path / "x.ipynb")
    with pytest.raises(CourseworkError, match="cannot be read"):
        read_master(tmp_path / "y.ipynb")


# The forms


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    """The small master in every form: handed out in `to`, the instructor's in `to`-answers."""
    folder = tmp_path_factory.mktemp("released")
    for to in formats.FORMATS:
        answers = folder / f"{to}-answers" if to in ("nbgrader", "otter") else None
        said = release(to, folder / to, [SMALL], answers)
        assert said == "Proved: 1 file holds none of 6 solution lines and 10 hidden-test lines."
    return folder


@pytest.mark.parametrize("to", formats.FORMATS)
def test_nothing_handed_out_holds_an_answer(to, released):
    for path in (released / to).rglob("*.*"):
        text = path.read_text(encoding="utf-8")
        assert [secret for secret in SECRETS if secret in text] == []
        cells = read(path).cells
        stub = '    raise NotImplementedError("exercise A9.1")'
        assert any(cell.source.endswith(stub) for cell in cells)


@pytest.mark.parametrize("to", formats.FORMATS)
def test_a_second_run_writes_the_same_bytes(to, released, tmp_path):
    release(to, tmp_path / "again", [SMALL])
    for path in (released / to).rglob("*.ipynb"):
        again = tmp_path / "again" / path.relative_to(released / to)
        assert again.read_bytes() == path.read_bytes()


def test_the_student_copy_runs_and_says_not_yet(released, capsys):
    cells = read(released / "student" / SMALL.name).cells
    tests = [cell for cell in cells if cell.metadata.get("tags", [""])[0].startswith("test:")]
    assert [cell.metadata.tags for cell in tests] == [
        ["test:A9.1:1", "raises-exception"],
        ["test:A9.2:2", "raises-exception"],
    ]
    namespace: dict = {}
    for cell in cells:
        if cell.cell_type == "code" and "raises-exception" not in cell.metadata.get("tags", []):
            exec(cell.source, namespace)
    said = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in said] == ["Not yet", "Not yet"]
    with pytest.raises(NotImplementedError, match=r"exercise A9\.1"):
        exec(tests[0].source, namespace)


def test_the_site_begins_as_the_chapters_do(released):
    first, *others = read(released / "site" / SMALL.name).cells
    chapter = nbformat.read(min(site.CHAPTERS.glob("*.ipynb")), as_version=4).cells[0]
    assert (first.source, first.metadata) == (chapter.source, chapter.metadata)
    assert others == read(released / "student" / SMALL.name).cells


def test_pages_show_what_cells_print_without_an_answer(small):
    shown = {"output_type": "stream", "name": "stdout", "text": "shown"}
    sources = ["a = 1", "b = real([a], 0)", "c = b", "d = a", 'check("A9.1", real)']
    plain = [Cell(100 + n, "code", source, outputs=(shown,)) for n, source in enumerate(sources)]
    more = replace(small, cells=[*small.cells, *plain])
    assert list(site.outputs(more)) == ["a9-100", "a9-103"]


def test_the_pages_of_the_site_are_todays(tmp_path):
    """`assignments/` is what a release to the site writes; CONTRIBUTING says how to renew it."""
    release("site", tmp_path / "site")
    fresh = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "site").iterdir()}
    there = MASTERS.parent / "assignments"
    assert fresh == {path.name: path.read_text(encoding="utf-8") for path in there.iterdir()}


def test_nbgrader_knows_every_role(released):
    handed_out = read(released / "nbgrader" / "assignment_9" / SMALL.name).cells
    known = {c.metadata.nbgrader.grade_id: c for c in handed_out if "nbgrader" in c.metadata}
    assert list(known) == [
        "A9-1", "A9-1-visible-1", "A9-1-hidden-1", "A9-1-hidden-2",
        "A9-2", "A9-2-visible-1", "A9-2-hidden-1", "A9-2-hidden-2", "A9-3",
    ]  # fmt: skip
    points = {id: cell.metadata.nbgrader.get("points") for id, cell in known.items()}
    assert (points["A9-1"], points["A9-1-hidden-2"], points["A9-3"]) == (None, 2, 4)
    assert {cell.metadata.nbgrader.schema_version for cell in known.values()} == {3}
    hidden = known["A9-1-hidden-1"]
    assert hidden.source.startswith("#")
    assert hidden.metadata.nbgrader.locked
    assert hidden.metadata.editable is False
    answers = read(released / "nbgrader-answers" / "assignment_9" / SMALL.name).cells
    whole = {c.metadata.nbgrader.grade_id: c for c in answers if "nbgrader" in c.metadata}
    assert "### BEGIN HIDDEN TESTS\nimport random" in whole["A9-1-hidden-1"].source
    assert whole["A9-1-hidden-1"].source.endswith("\n### END HIDDEN TESTS")
    assert "# BEGIN SOLUTION" in whole["A9-2"].source


def test_otter_gets_its_raw_cells_and_students_its_doctests(released, small):
    raw = [c.source for c in read(released / "otter-answers" / SMALL.name).cells]
    raw = [source for source in raw if source.startswith("# ")]
    assert raw[1:8] == [
        "# Assignment 9: Small\n\n" + small.cells[0].source.partition("\n\n")[2],
        '# BEGIN QUESTION\nname: "A9.1"', "# BEGIN SOLUTION", "# END SOLUTION", "# BEGIN TESTS",
        "# END TESTS", "# END QUESTION",
    ]  # fmt: skip
    handed_out = read(released / "otter" / SMALL.name)
    assert [c.source for c in handed_out.cells if c.source.startswith("grader.")] == [
        'grader.check("A9.1")', 'grader.check("A9.2")',
    ]  # fmt: skip
    cases = handed_out.metadata.otter.tests["A9.2"].suites[0].cases
    namespace: dict = {}
    exec(solved(small.exercises["A9.2"]), namespace)
    test = doctest.DocTestParser().get_doctest(cases[0].code, namespace, "A9.2", None, 0)
    assert doctest.DocTestRunner(verbose=False).run(test) == (0, 2)


# The proof


LINE = "    lengths = rows.square().sum(dim=-1, keepdim=True).sqrt()"


def zipped(text: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner/tests.py", text)
    return data.getvalue()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("plain.py", LINE.encode()),
        ("again.py", b"lengths=rows.square().sum( dim = -1,\n   keepdim=True).sqrt()"),
        ("meta.ipynb", json.dumps({"metadata": {"old": {"x": LINE}}, "cells": []}).encode()),
        ("output.ipynb", json.dumps({"cells": [{"outputs": [{"text": ["a", LINE]}]}]}).encode()),
        ("deep.zip", zipped(LINE)),
        ("nested.zip", zipped("x" * 5) + b""),
        ("page.html", b"<b>lengths</b> <i>=</i> rows<u>.</u>square().sum(dim=-1,keepdim=True)"
         b".sqrt()"),
        ("test.py", b"'>>> lengths_found = (unit(rows).norm(dim=-1))'"),
        ("words.md", b"The causal mask hides all later positions from the end token,\nwhose row is "
         b"the pooled vector."),
    ],
)  # fmt: skip
def test_the_proof_finds_a_line_wherever_it_stands(name, data, tmp_path, small):
    (tmp_path / "fine.txt").write_text("import random\n")
    (tmp_path / name).write_bytes(data)
    if name == "nested.zip":
        assert prove(tmp_path, [small]).startswith("Proved: 2 files hold none of 6 ")
    else:
        with pytest.raises(Leak, match=f"{name} holds the .* line"):
            prove(tmp_path, [small])


def test_a_leak_is_refused_and_nothing_of_it_stays(tmp_path, monkeypatch):
    from classroom.coursework.formats import student

    whole = {SMALL.name: SMALL.read_text(encoding="utf-8")}
    monkeypatch.setattr(student, "handout", lambda master: whole)
    with pytest.raises(Leak, match="holds the solution line 'differing = "):
        release("student", tmp_path / "out", [SMALL])
    assert list(tmp_path.iterdir()) == []


# Folders


def test_a_folder_with_other_things_is_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(CourseworkError, match=r"holds other things \(notes.txt\)"):
        release("student", tmp_path, [SMALL])
    with pytest.raises(CourseworkError, match="is a file"):
        release("student", tmp_path / "notes.txt", [SMALL])
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_masters_and_work_are_never_written_over(tmp_path):
    (tmp_path / SMALL.name).write_bytes(SMALL.read_bytes())
    with pytest.raises(CourseworkError, match="not what would be written"):
        release("student", tmp_path, [tmp_path / SMALL.name])
    assert (tmp_path / SMALL.name).read_bytes() == SMALL.read_bytes()


def test_answers_and_handouts_have_folders_apart(tmp_path):
    for answers in (tmp_path / "out", tmp_path / "out" / "answers", tmp_path):
        with pytest.raises(CourseworkError, match="neither may lie in the other"):
            release("nbgrader", tmp_path / "out", [SMALL], answers)
    with pytest.raises(CourseworkError, match="site needs no input"):
        release("site", tmp_path / "out", [SMALL], tmp_path / "answers")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_nothing_half_written_stays(error, tmp_path, monkeypatch):
    write, count = Path.write_text, iter(range(9))

    def full(path, *args, **kwargs):
        if next(count) == 1:
            write(path, "half", encoding="utf-8")
            raise error
        return write(path, *args, **kwargs)

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(type(error)):  # the second folder cannot be written, so neither appears
        release("nbgrader", tmp_path / "out", [SMALL], tmp_path / "answers")
    assert list(tmp_path.iterdir()) == []


# The command


def test_the_command_says_what_it_proved(tmp_path, capsys):
    with pytest.raises(SystemExit) as done:
        main(["release", "--to", "student", str(tmp_path / "out"), str(SMALL)])
    assert done.value.code == 0
    assert "Proved: 1 file holds none of 6 solution lines and 10 hidden" in capsys.readouterr().out


def test_the_command_fails_with_one_sentence(tmp_path):
    command = [sys.executable, "-m", "classroom", "release", "--to", "student", tmp_path]
    done = subprocess.run([*command, tmp_path / "no.ipynb"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"{tmp_path / 'no.ipynb'} cannot be read: No such file or directory.\n"


def test_the_package_does_not_load_notebook_tools():
    code = "import sys, classroom.coursework; print({'nbformat', 'torch'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


# Planted answers, and the course's own masters


def test_planted_answers_earn_what_they_deserve(small, released):
    """By hand, so that the round trips compare with something that is known: cell by cell."""
    points = {n: [*deserved(a, small).values()] for n, a in submissions(small).items()}
    assert points == {
        "reference": [1, 2, 2, 2, 4, 2],
        "empty": [0, 0, 0, 0, 0, 0],
        "wrong 1": [0, 2, 0, 2, 0, 2],
        "wrong 2": [1, 2, 0, 2, 4, 0],
        "wrong 3": [1, 0, 0, 0, 0, 2],
    }
    text = (released / "student" / SMALL.name).read_text(encoding="utf-8")
    filled = fill(text, submissions(small)["wrong 1"])
    assert sum("known" in cell.source for cell in filled.cells) == 2


@pytest.mark.parametrize("to", formats.FORMATS)
def test_the_course_own_masters_are_released(to, tmp_path):
    proved = release(to, tmp_path / "out")
    assert proved.startswith(f"Proved: {len([*MASTERS.glob('*.ipynb')])} file")
