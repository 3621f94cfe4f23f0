"""What holds for the repository as a whole: clean files, one address, light imports, true pins."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from tools import doctor

ROOT = Path(__file__).resolve().parent.parent
VENDORED = "book/assets/vendor/"
ADDRESS = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"]


@pytest.fixture(scope="module")
def files():
    """Paths of the repository's own files: what git tracks, or would if asked to."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    paths = [ROOT / name for name in listed.stdout.splitlines()]
    return [path for path in paths if path.is_file()]


@pytest.fixture(scope="module")
def texts(files):
    """Name → text of every file that is text and not vendored."""
    found = {}
    for path in files:
        name = path.relative_to(ROOT).as_posix()
        if not name.startswith(VENDORED) and b"\0" not in (data := path.read_bytes()):
            found[name] = data.decode("utf-8")
    return found


# Files


def test_no_trace_of_the_machine(texts):
    here = re.compile(r"(?<![\w.~-])/(?:work|root|home|tmp|opt)/\w|file:///\w")
    found = [f"{name}: {m[0]}" for name, text in texts.items() for m in here.finditer(text)]
    assert found == []


def test_nothing_left_undone(texts):
    mark = re.compile(r"\b(?:TO" r"DO|FIX" r"ME)\b")
    assert [name for name, text in texts.items() if mark.search(text)] == []


def test_files_are_small(files):
    """Trained weights may be larger than the rest; data and weights together stay below 40 MB."""
    sizes = {p.relative_to(ROOT).as_posix(): p.stat().st_size for p in files}
    weights = {name for name in sizes if re.match(r"cliplab/assets/.*\.safetensors$", name)}
    large = [name for name, size in sizes.items() if size > 1_500_000 and name not in weights]
    assert [name for name in large if not name.startswith(VENDORED)] == []
    assert all(sizes[name] < 8_000_000 for name in weights)
    assert sum(size for name, size in sizes.items() if name.startswith("cliplab/assets/")) < 40e6


def test_the_address_stands_in_one_place(texts):
    """Apart from _config.yml, the notebooks' first cells name it, which are stamped from there, and
    the package's own links, which must be the same."""
    repository = ADDRESS.partition("://")[2]
    found = {name: text.count(repository) for name, text in texts.items() if repository in text}
    assert found.pop("_config.yml") == 1
    links = project()["urls"].values()
    assert found.pop("pyproject.toml") == len(links)
    assert all(link.startswith(ADDRESS) for link in links)
    notebook = re.compile(r"((chapters|assignments)/\d\d_\w+|book/questions)\.ipynb$")
    assert all(map(notebook.match, found)), found
    assert set(found.values()) <= {1}


# The package


def run_python(code: str) -> str:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_import_is_light():
    heavy = {"torch", "numpy", "transformers", "diffusers", "matplotlib", "IPython"}
    loaded = json.loads(run_python("import cliplab, json, sys; print(json.dumps([*sys.modules]))"))
    assert heavy & set(loaded) == set()


def test_no_public_name_asks_the_network():
    code = """
import sys
def hook(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "urllib.Request"):
        print(event, args)
sys.addaudithook(hook)
import cliplab, classroom.exercises, cliplab.plots
for name in cliplab.__all__:
    getattr(cliplab, name)
"""
    assert run_python(code) == ""


# Versions


def requirements(text: str) -> dict[str, Requirement]:
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    found = [Requirement(line) for line in lines if line]
    return {re.sub(r"[-_.]+", "-", each.name).lower(): each for each in found}


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def extras() -> dict[str, dict[str, Requirement]]:
    """Name of an extra → what it asks for, cliplab's other extras aside."""
    found = {}
    for extra, lines in project()["optional-dependencies"].items():
        found[extra] = requirements("\n".join(lines))
        own = found[extra].pop("cliplab", None)
        assert own is None or own.extras < {*project()["optional-dependencies"]}
    return found


def test_pins_lie_in_the_ranges():
    pins = requirements((ROOT / "constraints.txt").read_text())
    asked = [requirements((ROOT / "requirements.txt").read_text())]
    asked += [requirements("\n".join(project()["dependencies"])), *extras().values()]
    for name, wanted in ((name, wanted) for some in asked for name, wanted in some.items()):
        assert name in pins, f"{name} has no pin in constraints.txt."
        (pin,) = pins[name].specifier
        assert pin.operator == "=="
        assert pin.version in wanted.specifier, f"{name}: {pin} is not in {wanted.specifier}."


def test_the_package_asks_for_little():
    """On Colab, installing the package must not bring the book's tools or another torch."""
    assert {extra: set(names) for extra, names in extras().items()} == {
        "pipeline": {"transformers", "diffusers"},
        "training": {"tqdm"},
        "notebooks": {"matplotlib", "anywidget"},
        "grading": {"nbformat", "ipython"},
    }
    base = requirements("\n".join(project()["dependencies"]))
    assert set(base) == {"torch", "numpy", "safetensors", "regex", "ftfy", "pillow"}
    asked = [*base.values(), *(each for names in extras().values() for each in names.values())]
    assert all("==" not in str(each.specifier) for each in asked)
    assert project()["dynamic"] == ["version"]  # it stands in cliplab/__init__.py


def test_the_requirements_have_what_the_extras_ask_for():
    """`make` installs requirements.txt and the package without extras."""
    there = requirements((ROOT / "requirements.txt").read_text())
    asked = {name: each for names in extras().values() for name, each in names.items()}
    assert {name: str(there.get(name)) for name in asked} == {n: str(e) for n, e in asked.items()}


def test_every_extra_that_code_needs_exists():
    calls = [
        node
        for package in ("cliplab", "classroom")
        for path in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "need"
    ]
    assert {call.args[1].value for call in calls} <= set(extras())
    assert len(calls) > 5


# The doctor


def test_doctor_can_be_read_by_an_old_python():
    source = (ROOT / "tools" / "doctor.py").read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 6))
    imports = {
        n.names[0].name.split(".")[0]
        for n in ast.walk(ast.parse(source))
        if isinstance(n, ast.Import)
    }
    assert imports <= sys.stdlib_module_names


@pytest.mark.parametrize(
    ("version", "modules", "others", "said"),
    [
        ((3, 9, 2), ["venv", "ensurepip"], [], "This is Python 3.9; the course needs 3.11"),
        ((3, 9, 2), ["venv", "ensurepip"], ["python3.12"], "run `make PYTHON=python3.12 …`"),
        ((3, 11, 2), ["venv"], [], "apt-get install python3.11-venv"),
        ((3, 99, 0), ["venv", "ensurepip"], [], "This is Python 3.99"),
    ],
)
def test_doctor_says_what_is_wrong_with_python(version, modules, others, said):
    assert said in doctor.python_problem(version, modules, others)


def test_doctor_is_content():
    assert doctor.python_problem(sys.version_info, ["venv", "ensurepip"], []) is None


def test_doctor_names_the_missing_browser(monkeypatch):
    monkeypatch.setenv("CHROMIUM", "no-such-browser")
    assert "CHROMIUM is set to no-such-browser" in doctor.check_browser()
    monkeypatch.delenv("CHROMIUM")
    monkeypatch.setattr(doctor.shutil, "which", lambda name: None)
    assert "CLIPLAB_SKIP_BROWSER=1 make test" in doctor.check_browser()
