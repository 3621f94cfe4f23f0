"""The two lines around a solution, in the one form that every grader reads alike.

nbgrader takes any line that contains BEGIN SOLUTION; otter takes `# BEGIN SOLUTION` at the start of
a line, crashes on three hashes, and reads what follows the words as options.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .master import Cell

MARKERS = {
    "code": ("# BEGIN SOLUTION", "# END SOLUTION"),
    "markdown": ("<!-- BEGIN SOLUTION -->", "<!-- END SOLUTION -->"),
}
# What some grader, or a person, may take for a marker.
LIKE_A_SOLUTION = re.compile(r"\b(BEGIN|END)[\s_-]*SOLUTIONS?\b|^[^'\"]*#+\s*SOLUTION\b", re.I)
LIKE_ANOTHER = re.compile(
    r"\b(BEGIN|END)\s+(HIDDEN\s+TESTS?|MARK\s+SCHEME|PROMPT|QUESTION|TESTS?|TEST\s+CONFIG)\b"
    r"|#+\s*(HASHED\s+)?AUTOTEST\b|^\s*#+\s*HIDDEN\s*$|#\s*(IGNORE|SEED)\s*$|^\s*```otter\b"
)
HERE = "YOUR ANSWER HERE"  # nbgrader's own words: an essay that still says so earns 0 by itself


def faults_of_markers(cell: Cell) -> list[str]:
    """What is wrong with the markers of a cell, one sentence each; it may have none at all."""
    lines = cell.source.splitlines()
    found = [
        f"line {n}: {line.strip()!r} is a marker of one grader. Leave it away; cell tags say it all"
        for n, line in enumerate(lines, start=1)
        if LIKE_ANOTHER.search(line)
    ]
    marked = [(n, line) for n, line in enumerate(lines, start=1) if LIKE_A_SOLUTION.search(line)]
    if marked and cell.kind not in ("exercise", "essay"):
        n, line = marked[0]
        return [*found, f"line {n}: {line.strip()!r} stands outside an exercise or essay cell"]
    begin, end = MARKERS.get(cell.type, ("", ""))
    opened = None
    for n, line in marked:
        if line.strip() not in (begin, end) or line != line.rstrip():
            found.append(
                f"line {n}: graders disagree on {line.strip()!r}. Write {begin!r} or {end!r}, and "
                "nothing else on that line"
            )
        elif line.strip() == begin:
            if opened:
                found.append(f"line {n}: a solution begins inside the one of line {opened[0]}")
            opened = n, line
        elif not opened:
            found.append(f"line {n}: {end!r} ends a solution that did not begin")
        else:
            inside = [text for text in lines[opened[0] : n - 1] if text.strip()]
            indent = opened[1][: -len(begin)]
            if line != indent + end:
                found.append(f"line {n}: {end!r} is not indented as its {begin!r} is")
            elif not inside or not all(text.startswith(indent) for text in inside):
                found.append(f"line {n}: the solution is empty, or stands left of its markers")
            opened = None
    if opened:
        found.append(f"line {opened[0]}: the solution does not end. Write {end!r} after it")
    if cell.kind == "essay" and marked and (len(marked) > 2 or lines[marked[-1][0] :]):
        found.append("an essay has one model answer, and nothing after it")
    return found


def parts(cell: Cell) -> list[tuple[str, list[str]]]:
    """The cell's lines in pieces: ("given", lines) or ("solution", lines without the markers)."""
    begin, end = MARKERS[cell.type]
    found: list[tuple[str, list[str]]] = [("given", [])]
    for line in cell.source.splitlines():
        if line.strip() in (begin, end):
            found.append(("solution" if line.strip() == begin else "given", []))
        else:
            found[-1][1].append(line)
    return [(kind, lines) for kind, lines in found if lines]


def solution_lines(cell: Cell) -> list[str]:
    """The lines between the markers."""
    if cell.kind not in ("exercise", "essay"):
        return []
    return [line for kind, lines in parts(cell) if kind == "solution" for line in lines]


def without_solution(cell: Cell) -> str:
    """The cell's text with a stub in place of each solution."""
    if cell.kind not in ("exercise", "essay"):
        return cell.source
    lines: list[str] = []
    for kind, some in parts(cell):
        lines += some if kind == "given" else stub(cell, some)
    return "\n".join(lines)


def stub(cell: Cell, solution: list[str]) -> list[str]:
    """What stands in a solution's place: an error in a function, `name = ...` for a value."""
    if cell.type == "markdown":
        return [HERE]
    first = next(line for line in solution if line.strip())
    indent = first[: len(first) - len(first.lstrip())]
    if indent:
        return [f'{indent}raise NotImplementedError("exercise {cell.id}")']
    return [f"{name} = ..." for name in values("\n".join(solution))]


def values(code: str) -> list[str]:
    """The names that code gives values, when that is all it does; ValueError if it is not."""
    names = []
    for node in ast.parse(code).body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if not targets or not all(isinstance(target, ast.Name) for target in targets):
            raise ValueError(
                "a solution stands in a function's body, or is plain values (name = …) and nothing "
                "else"
            )
        names += [target.id for target in targets]
    return list(dict.fromkeys(names))
