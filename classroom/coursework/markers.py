"""The rules for the two lines around a solution, on which graders disagree.

nbgrader takes any line that contains BEGIN SOLUTION; otter takes `# BEGIN SOLUTION` at the start of
a line, crashes on three hashes, and reads what follows the words as options.
"""

from __future__ import annotations

import re

from .master import MARKERS, Cell

# What some grader, or a person, may take for a marker.
LIKE_A_SOLUTION = re.compile(r"\b(BEGIN|END)[\s_-]*SOLUTIONS?\b|^[^'\"]*#+\s*SOLUTION\b", re.I)
LIKE_ANOTHER = re.compile(
    r"\b(BEGIN|END)\s+(HIDDEN\s+TESTS?|MARK\s+SCHEME|PROMPT|QUESTION|TESTS?|TEST\s+CONFIG)\b"
    r"|#+\s*(HASHED\s+)?AUTOTEST\b|^\s*#+\s*HIDDEN\s*$|#\s*(IGNORE|SEED)\s*$|^\s*```otter\b"
)


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
