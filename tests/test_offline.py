"""The archive for a room without network: what is in it, what is not, and that it can be used."""

from __future__ import annotations

import ast
import fnmatch
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import cliplab
from classroom.coursework.proof import Leak, bare, secrets_of
from classroom.coursework.reading import read_master
from classroom.coursework.release import MASTERS, release
from tools import offline

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("cliplab", "classroom")


@pytest.fixture(scope="module")
def masters():
    return [read_master(path) for path in sorted(MASTERS.glob("*.ipynb"))]


@pytest.fixture(scope="module")
def secrets(masters):
    """Lines that may stand nowhere in the archive."""
    return secrets_of(masters, offline.public())


def make_site(folder: Path, text: str = "<h1>The book</h1>") -> Path:
    (folder / "_static").mkdir(parents=True)
    (folder / "index.html").write_text(text, encoding="utf-8")
    (folder / "_static" / "demo.js").write_text("export default {};", encoding="utf-8")
    (folder / ".built").touch()
    return folder


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """An archive of everything but the real book; and the sentence of the proof."""
    folder = tmp_path_factory.mktemp("offline")
    return offline.build(make_site(folder / "site"), folder / "out")


@pytest.fixture(scope="module")
def files(built):
    """Name → bytes of all files in it."""
    with zipfile.ZipFile(built[0]) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def wheel(files):
    (name,) = fnmatch.filter(files, "wheel/cliplab-*.whl")
    with zipfile.ZipFile(io.BytesIO(files[name])) as opened:
        yield opened


@pytest.fixture
def quick(monkeypatch):
    """Building in a moment: a small wheel, and no assignments."""

    def small_wheel(source: Path, to: Path) -> Path:
        to.mkdir()
        with zipfile.ZipFile(to / "cliplab-0-py3-none-any.whl", "w") as opened:
            opened.writestr("cliplab/__init__.py", "")
        return to / "cliplab-0-py3-none-any.whl"

    monkeypatch.setattr(offline, "build_wheel", small_wheel)
    monkeypatch.setattr(offline, "release", lambda to, out: out.mkdir(parents=True))


# What is in it


def test_all_of_the_course_is_in_it(built, files):
    archive, proved = built
    assert archive.name == f"cliplab-course-{cliplab.__version__}.zip"
    assert [path.name for path in archive.parent.iterdir()] == [archive.name]
    assert {name.partition("/")[0] for name in files} == {
        "site", "chapters", "coursework", "wheel", "requirements.txt", "constraints.txt",
        "LICENSE", "LICENSE-TEXT", "README.txt",
    }  # fmt: skip
    assert fnmatch.filter(files, "site/*") == ["site/_static/demo.js", "site/index.html"]
    for path in [*(ROOT / "chapters").glob("*.ipynb"), ROOT / "constraints.txt"]:
        assert files[path.relative_to(ROOT).as_posix()] == path.read_bytes()
    assert proved.startswith(f"Proved: {len(files)} files hold none of ")


def test_the_wheel_holds_every_file_of_the_packages(wheel):
    there = {name for name in wheel.namelist() if ".dist-info/" not in name}
    paths = [p.relative_to(ROOT) for name in PACKAGES for p in (ROOT / name).rglob("*")]
    files = [path for path in paths if (ROOT / path).is_file()]
    assert there == {path.as_posix() for path in files if "__pycache__" not in path.parts}
    for kind in (
        "cliplab/assets/*.safetensors",
        "cliplab/assets/emoji/*",
        "cliplab/demos/*.js",
        "cliplab/demos/*.css",
        "classroom/quizzes/*.json",
        "classroom/exercises/*.py",
    ):
        assert fnmatch.filter(there, kind), kind
    vocabulary = "cliplab/assets/clip_bpe.json"
    assert wheel.read(vocabulary) == (ROOT / vocabulary).read_bytes()


def test_commands_in_the_readme_name_what_is_there(files):
    text = files["README.txt"].decode()
    commands = [line.split() for line in text.splitlines() if re.match(r" {4}\S", line)]
    assert len(commands) == 6
    folders = {part for name in files for part in (name, name.partition("/")[0])}
    named = {word for command in commands for word in command if word[0] not in ".-"}
    named -= {"python", "http.server", "pip", "download", "install", "venv", "trust", "lab"}
    named -= {"wheels", "cliplab"}  # the folder to be filled, and the package by its name
    assert named == {word for word in named if fnmatch.filter(folders, word)}, (
        "README.txt names files that are not in the archive."
    )
    assert {"site", "wheel", "requirements.txt", "constraints.txt", "chapters/*.ipynb"} <= named


# What is not


def test_assignments_are_those_of_students(files, tmp_path):
    release("student", tmp_path / "students")
    handed_out = {
        f"coursework/{path.name}": path.read_bytes() for path in (tmp_path / "students").iterdir()
    }
    assert len(handed_out) == 4
    assert {name: files[name] for name in fnmatch.filter(files, "coursework/*")} == handed_out


def test_no_master_and_no_hidden_test_is_in_it(files, wheel):
    everything = files | {name: wheel.read(name) for name in wheel.namelist()}
    answers = {path.read_bytes() for path in MASTERS.glob("*.ipynb")}
    assert [name for name, data in everything.items() if data in answers] == []
    assert fnmatch.filter(everything, "*wrong_answers*") == []
    for name in fnmatch.filter(everything, "*.ipynb"):
        cells = json.loads(everything[name])["cells"]
        tags = [tag for cell in cells for tag in cell["metadata"].get("tags", [])]
        assert not [tag for tag in tags if tag.startswith("hidden:")], name


def test_chapters_and_package_give_no_assignment_away(masters, secrets):
    """Single lines that they share with a solution are no secret; nobody may find all of one."""
    whole = secrets_of(masters)
    for cell in (cell for master in masters for cell in master.cells):
        if cell.kind == "hidden":
            lines, all_of, kept = cell.source.splitlines(), whole.hidden, secrets.hidden
        else:
            lines, all_of, kept = cell.solution, whole.solutions, secrets.solutions
        telling = {bare(line) for line in lines} & set(all_of)
        assert len(telling) < 2 or telling & set(kept), f"Everything stands there: {lines}"


def test_a_leak_leaves_no_archive(quick, secrets, tmp_path):
    line = next(iter(secrets.solutions.values()))
    site = make_site(tmp_path / "site", f"<pre>{line}</pre>")
    with zipfile.ZipFile(site / "extra.zip", "w") as packed:
        packed.writestr("notes.py", line)
    out = tmp_path / "out"
    with pytest.raises(Leak, match=r"site/extra.zip holds the solution .* site/index.html holds"):
        offline.build(site, out)
    assert list(out.iterdir()) == []


# Writing it


def test_no_book_is_said(tmp_path):
    with pytest.raises(ValueError, match=r"There is no book in .*: make book"):
        offline.build(tmp_path, tmp_path / "out")


def test_packages_come_along_when_asked_for(quick, monkeypatch, tmp_path):
    def pip(verb, *arguments):
        assert verb == "download"
        (to,) = [path for path in arguments if Path(path).name == "wheels"]
        to.mkdir()
        for name in ("torch-9-py3-none-any.whl", Path(arguments[-1]).name):
            (to / name).write_bytes(b"PK")

    monkeypatch.setattr(offline, "pip", pip)
    monkeypatch.setattr(offline, "prove", lambda *_: "Not the matter here.")
    out = tmp_path / "out"
    archive, _ = offline.build(make_site(tmp_path / "site"), out, packages=True)
    assert "-py3." in archive.name
    with zipfile.ZipFile(archive) as opened:
        wheels = fnmatch.filter(opened.namelist(), "wheel*/*.whl")
    assert wheels == ["wheel/cliplab-0-py3-none-any.whl", "wheels/torch-9-py3-none-any.whl"]
    offline.build(tmp_path / "site", out)
    assert len(list(out.iterdir())) == 2  # neither overwrites the other


def test_what_pip_says_is_passed_on(tmp_path):
    with pytest.raises(ValueError, match=r"(?s)pip wheel did not work.*no-such-folder"):
        offline.pip("wheel", "--no-index", tmp_path / "no-such-folder")


def test_bytes_depend_on_contents_alone(wheel, tmp_path):
    folder = make_site(tmp_path / "site")
    offline.write_zip(folder, tmp_path / "one.zip")
    os.utime(folder / "index.html", (1e9, 1e9))
    (folder / "index.html").chmod(0o600)
    offline.write_zip(folder, tmp_path / "two.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    assert {each.date_time for each in wheel.infolist()} == {offline.LONG_AGO}


# The wheel with nothing but what it asks for


BARE = """
import ast, importlib.machinery, json, sys

class Bare(importlib.machinery.PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.partition(".")[0] not in OPTIONAL:
            return super().find_spec(name, path, target)

sys.meta_path[:] = [*sys.meta_path[:2], Bare]  # after what is built in
lines, space, lost = json.load(sys.stdin), {}, set()
for line in lines:
    names = [node for node in ast.walk(ast.parse(line)) if isinstance(node, ast.Name)]
    makes = {name.id for name in names if isinstance(name.ctx, ast.Store)}
    if lost & {name.id for name in names}:
        lost |= makes
        continue
    try:
        exec(line, space)
    except ImportError as error:
        print(json.dumps([line, str(error)]))
        lost |= makes
import cliplab, classroom
print(json.dumps([cliplab.__file__, classroom.__file__]))
"""
OPTIONAL = {"diffusers", "transformers", "huggingface_hub", "tqdm", "matplotlib", "anywidget",
            "traitlets", "nbformat", "IPython"}  # fmt: skip


def run_bare(wheel: zipfile.ZipFile, folder: Path, lines: list[str]) -> dict[str, str]:
    """Line → what it said, of those that a bare installation of the wheel does not run."""
    wheel.extractall(folder)
    done = subprocess.run(
        [sys.executable, "-P", "-c", f"OPTIONAL = {OPTIONAL}\n{BARE}"],
        input=json.dumps(lines),
        env=os.environ | {"PYTHONPATH": str(folder)},
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert not done.returncode, done.stderr
    *said, places = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    assert all(Path(place).is_relative_to(folder) for place in places)
    return dict(said)


def test_a_bare_wheel_runs_the_readme_or_names_the_extra(wheel, tmp_path):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    lines = [ast.unparse(line) for block in blocks for line in ast.parse(block).body]
    assert len(lines) > 15
    assert run_bare(wheel, tmp_path, lines) == {
        "pipe = cliplab.load_pipeline('mini')": 'diffusers is not installed: pip install "cliplab'
        '[pipeline]".'
    }


def test_every_part_names_its_extra(wheel, tmp_path):
    release_lines = "from classroom.coursework.release import release\nrelease('student', 'out')"
    wanted = {
        "from cliplab import plots": "notebooks",
        "import cliplab\ncliplab.demo('merges')": "notebooks",
        "import cliplab\ncliplab.load_text_encoder('sd15')": "pipeline",
        "from classroom import check, quiz\nquiz('03')": None,
        release_lines: "grading",
    }
    said = run_bare(wheel, tmp_path, [*wanted])
    named = {line: re.search(r"cliplab\[(\w+)\]", said.get(line, "")) for line in wanted}
    assert {line: found and found[1] for line, found in named.items()} == wanted
