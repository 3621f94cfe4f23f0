"""Notebooks made of a master's cells: the same bytes each time, no outputs, ids that stay."""

from __future__ import annotations

from typing import Any

import nbformat
from nbformat import NotebookNode

from ..master import PICTURES, Cell, Master

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python", "file_extension": ".py"},  # which nbconvert goes by
}


def make(type: str, source: str, id: str, metadata: dict[str, Any] | None = None) -> NotebookNode:
    """A cell without outputs."""
    new = {
        "code": nbformat.v4.new_code_cell,
        "markdown": nbformat.v4.new_markdown_cell,
        "raw": nbformat.v4.new_raw_cell,
    }[type]
    return new(source, id=id, metadata=metadata or {})


def id_of(cell: Cell, master: Master) -> str:
    """A cell's id in every release: that of its role, or else its number: a1-007."""
    if cell.name:
        return key(cell)
    return f"a{master.number}-{cell.number:03d}"


def key(cell: Cell) -> str:
    """A role's name in letters, digits and dashes: "A1-2-hidden-1"."""
    return cell.name.replace(".", "-").replace(" ", "-")


def visible(cell: Cell, master: Master, tags: tuple[str, ...] = ()) -> NotebookNode:
    """The cell as students see it: solutions are stubs, and tags say what it is."""
    role = ":".join(str(part) for part in (cell.kind, cell.id, cell.points) if part)
    all_tags = [*([role] if role else []), *(t for t in cell.tags if t != PICTURES), *tags]
    made = make(cell.type, cell.stub, id_of(cell, master), {"tags": all_tags} if all_tags else {})
    if cell.attachments:
        made["attachments"] = cell.attachments
    return made


def text(cells: list[NotebookNode], metadata: dict[str, Any] | None = None) -> str:
    """The bytes-to-be of a notebook file, after nbformat found nothing wrong with it."""
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=METADATA | (metadata or {}))
    nbformat.validate(notebook)
    return nbformat.writes(notebook).rstrip() + "\n"
