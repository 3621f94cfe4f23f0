"""From a notebook's file to a master: cells get their roles by their tags, and rules are held."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from . import CourseworkError
from .master import PICTURES, Cell, Master
from .rules import faults

TAG = re.compile(r"(exercise):(A\d\.\d+)|(test|hidden|essay):(A\d\.\d+):([1-9]\d*)")
# What else a cell of the course may be tagged with: how the site and nbval treat it.
PLAIN = {
    *(
        PICTURES,
        "check",
        "raises-exception",
        "nbval-skip",
        "nbval-ignore-output",
        "nbval-raises-exception",
    ),
    *(f"{verb}-{part}" for verb in ("remove", "hide") for part in ("cell", "input", "output")),
}


def read_master(path: Path | str) -> Master:
    """The assignment in that notebook, with every rule of masters held.

    Raises CourseworkError with one sentence per fault: which cell, what is wrong, what to write.
    """
    path = Path(path)
    cells = [read_cell(number, cell, path) for number, cell in enumerate(cells_in(path), start=1)]
    cells = named(cells)
    first = next((cell.source for cell in cells if cell.type == "markdown"), "")
    title = re.match(r"# Assignment (\d): (.+)", first)
    if not title:
        raise CourseworkError(
            f'{path}: the first markdown cell begins with "# Assignment 1: Title"; this one begins '
            f"{first[:40]!r}."
        )
    master = Master(path, int(title[1]), title[2].strip(), cells)
    if found := faults(master):
        raise CourseworkError("\n".join(f"{path}, {fault}" for fault in found))
    return master


def cells_in(path: Path) -> list[dict[str, Any]]:
    """The cells of a notebook's file. Raises CourseworkError.

    By json, since nbformat takes two seconds to come, for which every grading would wait.
    """
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        for number, cell in enumerate(cells, start=1):
            if not isinstance(cell, dict) or not {"cell_type", "source"} <= cell.keys():
                raise ValueError(f"cell {number} has no type, or no source")
        return [{"metadata": {}, **cell, "source": "".join(cell["source"])} for cell in cells]
    except OSError as error:
        raise CourseworkError(f"{path} cannot be read: {error.strerror or error}.") from None
    except ValueError as error:
        raise CourseworkError(f"{path} is not a notebook: {error}.") from None
    except (KeyError, TypeError):
        raise CourseworkError(f"{path} is not a notebook of format 4: no list of cells.") from None


def read_cell(number: int, cell: dict[str, Any], path: Path) -> Cell:
    """The cell with its role; refuses tags that are neither a role nor the course's own."""
    roles, tags = [], []
    for tag in cell["metadata"].get("tags", []):
        if match := TAG.fullmatch(tag):
            roles.append([part for part in match.groups() if part])
        elif tag in PLAIN:
            tags.append(tag)
        else:
            raise CourseworkError(
                f"{path}, cell {number}: the tag {tag!r} is unknown. Roles are exercise:A1.2, "
                "test:A1.2:POINTS, hidden:A1.2:POINTS and essay:A1.2:POINTS, with whole points "
                "above 0."
            )
    if len(roles) > 1:
        raise CourseworkError(f"{path}, cell {number}: it has two roles. Give each a cell.")
    kind, id, points = [*(roles[0] if roles else ["", ""]), 0][:3]
    return Cell(
        number=number,
        type=cell["cell_type"],
        source=cell["source"],
        kind=kind,
        id=id,
        points=int(points),
        tags=tuple(tags),
        attachments=cell.get("attachments"),
        outputs=tuple(cell.get("outputs", ())),
    )


def named(cells: list[Cell]) -> list[Cell]:
    """The cells with the names of their roles: tests are counted within their exercise."""
    count: Counter[str] = Counter()
    found = []
    for cell in cells:
        name = cell.id
        if cell.kind in ("test", "hidden"):
            name += " hidden" if cell.kind == "hidden" else " visible"
            count[name] += 1
            name += f" {count[name]}"
        found.append(replace(cell, name=name))
    return found
