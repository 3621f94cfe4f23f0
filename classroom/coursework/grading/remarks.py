"""Which cell answers an exercise, and what a person should know about how it came to its points.

All of it is read from the cells' text and from what they said when they ran: no code runs here.
"""

from __future__ import annotations

import ast
import importlib.metadata
import re
from collections.abc import Iterable, Mapping

from ..master import Master
from ..names import free_names
from .submission import NOT_PYTHON, SubmittedCell


def arguments_of(master: Master) -> dict[str, int]:
    """How many arguments each name of the exercises takes; -1 for a value."""
    found = dict.fromkeys(master.names, -1)
    for exercise in master.exercises.values():
        for node in ast.parse(exercise.source).body:
            if isinstance(node, ast.FunctionDef):
                found[node.name] = len(node.args.posonlyargs) + len(node.args.args)
    return found


def answering(
    master: Master, cells: list[SubmittedCell], defined: dict[int, dict[str, bool]]
) -> dict[str, int]:
    """The cell that answers, for each name: the last one that defines it.

    A cell that answers another exercise, a stub, and what cannot be the answer (a name reused for a
    number, or for a function of other arguments) count where there is nothing else. defined: what
    each cell gave a value, and whether it may be the answer.
    """
    by_number = {cell.number: cell for cell in cells}
    found: dict[str, int] = {}
    for name, id in master.names.items():
        best = (-1, 0)
        for number, names in sorted(defined.items()):
            if name in names and number in by_number:
                cell = by_number[number]
                others = [t for t in cell.tags if t.startswith("exercise:") and t[9:] != id]
                rank = 4 * names[name] + 2 * (not is_stub(cell, name)) + (not others)
                best = max(best, (rank, number))
        if best[0] >= 0:
            found[name] = best[1]
    return found


def is_stub(cell: SubmittedCell, name: str) -> bool:
    """Whether the cell leaves a name as it was handed out."""
    if re.search(rf"^{name} *= *\.\.\. *$", cell.source, re.M):
        return True
    try:
        body = ast.parse(cell.source).body
    except NOT_PYTHON:
        return False
    last = [n for n in body if isinstance(n, ast.FunctionDef) and n.name == name][-1:]
    return any("raise NotImplementedError(" in ast.unparse(n.body[-1]) for n in last)


def needed(cell: SubmittedCell, cells: Iterable[SubmittedCell]) -> set[str]:
    """The names that a cell needs from others, and those that these need in turn."""
    whole, todo = set[str](), _free(cell)
    while todo - whole:
        new = todo - whole
        whole |= new
        todo = {n for other in cells if other.names & new for n in _free(other)}
    return whole


def _free(cell: SubmittedCell) -> set[str]:
    try:
        return free_names(cell.source)
    except NOT_PYTHON:  # a magic, or what is no Python at all: by its words
        return set(re.findall(r"[^\W\d]\w*", cell.source)) - cell.names


def of_late_helpers(answers: dict[str, int], cells: list[SubmittedCell]) -> list[str]:
    """A remark for each answer that uses what only a later cell defines."""
    notes = []
    for name, number in answers.items():
        before = {n for cell in cells if cell.number <= number for n in cell.names}
        for cell in cells:
            late = (_free_of(number, cells) - before) & cell.names
            if cell.number > number and late:
                notes.append(
                    f"`{name}` in cell {number} uses {quoted(late)}, which cell {cell.number} "
                    "defines below it."
                )
                before |= late
    return notes


def _free_of(number: int, cells: list[SubmittedCell]) -> set[str]:
    return next((_free(cell) for cell in cells if cell.number == number), set())


def of_failures(
    master: Master,
    cells: list[SubmittedCell],
    answers: Mapping[str, int],
    errors: Mapping[int, str],
    lost: Mapping[int, Iterable[str]],
) -> list[str]:
    """A remark for each cell that failed: why, and which points hang on it."""
    by_number = {cell.number: cell for cell in cells}
    points = {id: sum(t.points for t in master.tests if t.id == id) for id in master.exercises}
    notes = []
    for number, error in sorted(errors.items()):
        hang = set()
        for name, id in master.names.items():
            own = by_number.get(answers.get(name, -1))
            needs = needed(own, cells) if own else set()
            if {name, *needs} & set(lost.get(number, ())):
                hang.add(id)
        hanging = ", ".join(f"{id} ({points[id]} points)" for id in master.exercises if id in hang)
        if package := re.search(r"No module named '([\w.]+)'", error):
            error = f"there is no package {package[1]} here; there are {', '.join(packages())}"
        verb = "hangs" if len(hang) == 1 else "hang"
        told = f"{hanging} {verb} on it." if hang else "No points hang on it."
        notes.append(f"Cell {number} failed ({error.rstrip('.')}). {told}")
    return notes


def packages() -> list[str]:
    """The packages that the course has, by name."""
    try:
        wanted = importlib.metadata.requires("cliplab") or []
    except importlib.metadata.PackageNotFoundError:
        wanted = []
    names = {re.split(r"[^\w-]", line)[0] for line in wanted} - {"cliplab"}
    return sorted(name for name in names if _installed(name))


def _installed(name: str) -> bool:
    try:
        return bool(importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return False


def of_use(used: Mapping[str, Iterable[str]], master: Master) -> list[str]:
    """A remark for each answer that had cliplab do the work."""
    return [
        f"{master.names[name]}: `{name}` calls {', '.join(sorted(functions)[:5])}. An answer is "
        "asked to call nothing of cliplab."
        for name, functions in used.items()
        if functions and name in master.names
    ]


def quoted(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))
