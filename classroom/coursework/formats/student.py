"""A plain notebook: statements, stubs, checks and the visible tests.

A visible test fails until the stub is filled in, so it is tagged raises-exception, with which
nbval and "Run all" go on after it.
"""

from __future__ import annotations

from nbformat import NotebookNode

from ..master import Master
from .notebook import text, visible


def cells(master: Master) -> list[NotebookNode]:
    return [
        visible(cell, master, ("raises-exception",) if cell.kind == "test" else ())
        for cell in master.cells
        if cell.kind != "hidden" and not cell.is_setup
    ]


def handout(master: Master) -> dict[str, str]:
    return {master.path.name: text(cells(master))}
