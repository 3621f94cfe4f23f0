"""ARCHITECTURE.md, held to the code: its rooms, their order, and what no file may import."""

from __future__ import annotations

import ast
import re
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("cliplab", "classroom")
PICTURES = {"matplotlib", "IPython", "anywidget", "traitlets", "ipywidgets"}


def rooms() -> dict[str, list[str]]:
    """The tables of ARCHITECTURE.md: heading → names of rooms, in the order of the page."""
    found: dict[str, list[str]] = {}
    heading = ""
    for line in (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ")
        elif room := re.match(r"\| `(\w+)(?:/|\.py)` \|", line):
            found.setdefault(heading, []).append(room[1])
    return found


LIBRARY, ROOFS, COMMANDS, SCHOOL = (
    rooms()[heading] for heading in ("The library", "Roofs", "Commands", "The school")
)


def modules(package: str) -> dict[str, Path]:
    """Dotted name → file, of all modules of a package."""
    found = {}
    for path in sorted((ROOT / package).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


ALL = {name: path for package in PACKAGES for name, path in modules(package).items()}


@cache
def imports(name: str) -> frozenset[str]:
    """The modules that a module imports at its top or in any function, by their full names.

    `from .masks import mask_pad` counts as the module `masks`; a name of another project stays as
    it is written.
    """
    path, found = ALL[name], set()
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *filter(None, [node.module])])
            names = [f"{module}.{alias.name}" for alias in node.names]
            found |= {one if one in ALL else module for one in names}
    return frozenset(found)


def room(name: str) -> str:
    """The first name below the package: "weighting" for cliplab.weighting.encoder."""
    return [*name.split("."), ""][1]


def test_the_page_names_every_room():
    for package, named in (("cliplab", [*LIBRARY, *ROOFS, *COMMANDS]), ("classroom", SCHOOL)):
        there = {room(name) for name in ALL if name.startswith(package)}
        assert len(named) == len(set(named))
        assert {*named} == there - {"", "__main__"}


def test_imports_follow_the_order():
    seen = 0
    for name in modules("cliplab"):
        if room(name) not in LIBRARY:
            continue
        allowed = LIBRARY[: LIBRARY.index(room(name)) + 1]
        for other in imports(name):
            if other.startswith("cliplab."):
                seen += 1
                assert room(other) in allowed, f"{name} imports {other}, which comes later."
    assert seen > 100


def test_the_library_does_not_know_the_school():
    for name in modules("cliplab"):
        assert not {other for other in imports(name) if other.split(".")[0] == "classroom"}, name
    taken = {other for name in modules("classroom") for other in imports(name)}
    assert "cliplab.training" in taken


def test_the_library_draws_nothing():
    """Figures, notebooks and browsers are the roofs' business."""
    for name in modules("cliplab"):
        if room(name) in [*LIBRARY, *COMMANDS]:
            found = {other.split(".")[0] for other in imports(name)} & PICTURES
            assert not found, f"{name} imports {found}."
    pages = [p for p in (ROOT / "cliplab").rglob("*") if p.suffix in (".js", ".css", ".html")]
    assert {path.relative_to(ROOT / "cliplab").parts[0] for path in pages} == {"demos"}


@pytest.mark.parametrize("package", PACKAGES)
def test_no_file_imports_itself_through_others(package):
    edges = {name: imports(name) & {*ALL} - {name} for name in modules(package)}
    assert sum(map(len, edges.values())) > len(edges) > 20
    TopologicalSorter(edges).prepare()  # raises CycleError, which names the circle
