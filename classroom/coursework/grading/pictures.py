"""Cells that only show pictures: where a student left them as they were, they are not run.

A master marks them with the tag `pictures`. They give no points, and some paint for half a minute.
One is run all the same when it was changed, or when code that is run uses a name that it binds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..master import Master
from ..names import bound, free_names
from .submission import NOT_PYTHON, SubmittedCell


def left_out(cells: Sequence[SubmittedCell], master: Master) -> list[SubmittedCell]:
    """The cells without those that only show pictures."""
    untouched = {cell.source.strip() for cell in master.cells if cell.pictures}
    out = [cell for cell in cells if cell.source.strip() in untouched]
    kept = [cell for cell in cells if cell not in out]
    while needed := [cell for cell in out if bound(cell.source) & _used(kept)]:
        out = [cell for cell in out if cell not in needed]
        kept += needed
    return [cell for cell in cells if cell not in out]


def _used(cells: Sequence[SubmittedCell]) -> set[str]:
    """Names that code takes from elsewhere; of what is no Python, all its words."""
    found: set[str] = set()
    for cell in cells:
        try:
            found |= free_names(cell.source)
        except NOT_PYTHON:
            found |= set(re.findall(r"\w+", cell.source))
    return found
