"""What a page's Python is given: stand-ins for what it lacks, and the course in an archive."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
import zipfile

import pytest
import regex

from classroom import page
from classroom.exercises import ids
from cliplab.tokenizer import WORD


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """The folder that the worker unpacks."""
    folder = tmp_path_factory.mktemp("page")
    page.write(folder)
    with zipfile.ZipFile(folder / "course.zip") as archive:
        archive.extractall(folder / "course")
    return folder / "course"


@pytest.fixture(scope="module")
def stand_in(course):
    """The module that stands for regex on a page."""
    spec = importlib.util.spec_from_file_location("regex_on_page", course / "regex.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_listed_exercises_exist():
    assert set(page.PLAIN) < set(ids())


def test_the_archive_is_the_same_on_every_run(course, tmp_path):
    page.write(tmp_path)
    assert (tmp_path / "course.zip").read_bytes() == (course.parent / "course.zip").read_bytes()


@pytest.mark.parametrize("pattern", [r"\p{L}", r"\p{N}", r"\s", r"[^\s\p{L}\p{N}]"])
def test_classes_of_characters_are_those_of_regex(stand_in, pattern):
    everything = "".join(map(chr, [*range(0xD800), *range(0xE000, 0x110000)]))
    found = stand_in.findall(pattern, everything)
    assert found == regex.findall(pattern, everything)
    assert len(found) > 10


@pytest.mark.parametrize(
    "text", ["a dog, isn't it?", "1920x1080 日本 café", "🐕‍🦺 [x] (y:1.3) ½ ٣"]
)
def test_words_are_those_of_regex(stand_in, text):
    assert stand_in.findall(WORD, text) == regex.findall(WORD, text)


def test_flags_are_refused(stand_in):
    with pytest.raises(NotImplementedError, match="no flags"):
        stand_in.compile(r"\p{L}", re.IGNORECASE)


def judged(course, *questions):
    """What a Python that has only the course says of each (id, code, answers)."""
    code = """
import sys, json
sys.path.insert(0, sys.argv[1])
import absent
absent.install()
import answer
for id, before, code, answers in json.loads(sys.argv[2]):
    print(answer.judged(id, answer.prepared(id, before), code, answers))
assert type(sys.modules["torch"]) is absent.AbsentModule
"""
    asked = json.dumps([(id, page.PLAIN[id], code, answers) for id, code, answers in questions])
    command = [sys.executable, "-I", "-c", code, str(course), asked]
    said = subprocess.run(command, capture_output=True, text=True)
    assert said.returncode == 0, said.stderr
    return [json.loads(line) for line in said.stdout.splitlines()]


def test_checks_run_without_torch(course):
    right = "def untrained(N):\n    return math.log(N)\n\ndef floor(N, d):\n    return math.log(d)"
    slots = "def free(text):\n    return max(0, 75 - len(tok.content(text)))"
    with_torch = "import torch\ndef scale(width, heads):\n    return torch.tensor(0.5)"
    first, second, third = judged(
        course,
        ("07.3", right, "untrained, floor"),
        ("03.1", slots, "free"),
        ("10.2", with_torch, "scale"),
    )
    assert (first["state"], second["state"]) == ("Correct", "Correct")
    assert third["state"] == "Almost"
    assert "torch is not there on this page, and tensor needs it" in third["message"]


@pytest.mark.parametrize(
    ("code", "state", "said"),
    [
        ("def scale(width, heads):\n    ...", "Not yet", "returns nothing"),
        ("def scale(width, heads)\n    ...", "Almost", "line 1 is not Python: expected ':'."),
        ("x = 1\ny = x / 0", "Almost", "line 2 of your code raised ZeroDivisionError"),
        ("x = 1", "Almost", "your code raised NameError: name 'scale' is not defined."),
        ("raise SystemExit", "Almost", "line 1 of your code raised SystemExit"),
    ],
)
def test_faults_are_said_with_their_line(course, code, state, said):
    (found,) = judged(course, ("10.2", code, "scale"))
    assert found["state"] == state
    assert said in found["message"]


def test_what_is_printed_is_told_and_cut(course):
    short, long = judged(
        course,
        ("10.2", "print('here')\ndef scale(width, heads): ...", "scale"),
        ("10.2", "print('here' * 9999)\ndef scale(width, heads): ...", "scale"),
    )
    assert short["printed"] == "here\n"
    assert len(long["printed"]) == 2000
