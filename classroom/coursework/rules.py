"""What holds for every master, with a sentence for each fault: where, what, what to write."""

from __future__ import annotations

import ast
import builtins
import re
import symtable
from collections.abc import Iterator

from .markers import faults_of_markers
from .master import PICTURES, Cell, Master
from .names import bound, defined, free_names
from .proof import bare, shown

KNOWN = {*dir(builtins), "__name__"}
LONG = 16  # letters of a solution that cannot stand elsewhere by chance
# Lines of one statement that otter does not take for the next one.
CONTINUES = re.compile(r"[ \t]|elif |else:|finally:|except[\s\w]*:")


def faults(master: Master) -> list[str]:
    """Every fault of a master, in the order of its cells."""
    found = [f"{cell}: {f}." for cell in master.cells for f in faults_of_markers(cell)]
    found += [f"{cell}: {f}." for cell in master.cells for f in faults_of_form(cell, master)]
    if not found:  # what follows reads code, which must be readable
        found = [f"{cell}: {f}." for cell in master.cells for f in faults_of_code(cell, master)]
    if not found:  # and what follows reads stubs, which must be there
        found = [f"{f}." for f in [*faults_of_whole(master), *faults_of_secrecy(master)]]
    return found


def faults_of_form(cell: Cell, master: Master) -> Iterator[str]:
    """A cell of the right type, of this assignment, once."""
    if cell.pictures:
        yield from faults_of_pictures(cell, master)
    if not cell.kind:
        return
    wanted = "markdown" if cell.kind == "essay" else "code"
    if cell.type != wanted:
        yield f"the role {cell.kind} is for {wanted} cells; this is a {cell.type} cell"
        return
    if not cell.id.startswith(f"A{master.number}."):
        yield f"the id {cell.id} is of another assignment; ids here begin with A{master.number}."
    if cell.type == "code":
        try:
            ast.parse(cell.source)
        except SyntaxError as error:
            yield f"line {error.lineno} is not Python ({error.msg})"
            return
    if cell.kind in ("exercise", "essay"):
        same = [c for c in master.cells if c.id == cell.id and c.kind in ("exercise", "essay")]
        if same[0] is not cell:
            yield f"the id {cell.id} is that of {same[0]} already"
    elif not any(c.id == cell.id for c in master.exercises.values() if c.number < cell.number):
        yield f"no exercise {cell.id} stands before it"


def faults_of_pictures(cell: Cell, master: Master) -> Iterator[str]:
    """Code without a role, of which nothing but other pictures takes a name."""
    if cell.kind or cell.type != "code":
        yield f"the tag {PICTURES} is for code without a role"
        return
    for other in master.cells:
        if other.type != "code" or other.pictures:
            continue
        try:
            taken = sorted(bound(cell.source) & free_names(other.source))
        except SyntaxError:  # a magic of a plain cell; a role's is found elsewhere
            continue
        if taken:
            yield f"the grader leaves out what is tagged {PICTURES}, and {other} uses {taken[0]}"


def faults_of_code(cell: Cell, master: Master) -> Iterator[str]:
    if cell.kind in ("exercise", "essay"):
        yield from faults_of_solution(cell)
    elif cell.kind in ("test", "hidden"):
        yield from faults_of_test(cell, master)


def faults_of_solution(cell: Cell) -> Iterator[str]:
    """There is one, and its stub is code that defines the same names."""
    if not cell.solution:
        yield "it has no solution between markers, so students would get it as it is"
        return
    if cell.kind == "essay":
        return
    try:
        names = defined(cell.stub)
    except SyntaxError as error:
        yield f"its stub is not Python ({error.msg}): mark whole statements"
    except ValueError as error:
        yield str(error)
    else:
        if set(names) != set(cell.names):
            lost = ", ".join(sorted(set(cell.names) - set(names)))
            yield f"its stub no longer defines {lost}: mark the body, not the def line"


def faults_of_test(cell: Cell, master: Master) -> Iterator[str]:
    """Asserts with a message that ask something of the student and lean on nothing else."""
    tree = ast.parse(cell.source)
    if lines := [str(line) for line in bare_expressions(tree)]:
        yield (
            f"line {', '.join(lines)} is a bare expression, which otter takes for a printed "
            "result: write `_ = …`, or assert something"
        )
    for statement in tree.body:
        if not all(CONTINUES.match(line) for line in ast.unparse(statement).splitlines()[1:]):
            yield (
                f"otter would take line {statement.lineno} apart, as a part of it begins at the "
                "margin: put it into a function"
            )
    asserts = [node for node in ast.walk(tree) if isinstance(node, ast.Assert)]
    if not asserts:
        yield "it asserts nothing"
    if silent := [str(node.lineno) for node in asserts if node.msg is None]:
        yield f"line {', '.join(silent)} asserts without a message that says what is wrong"
    before = {n for e in master.exercises.values() if e.number < cell.number for n in e.names}
    used = free_names(cell.source)
    if not used & {name for name, id in master.names.items() if id == cell.id}:
        yield f"it uses nothing that exercise {cell.id} defines, so everybody would pass"
    for name in sorted(used - KNOWN - before):
        yield f"it uses {name}, {whence(name, cell, master)}"


def whence(name: str, cell: Cell, master: Master) -> str:
    """Where a name that a test cell may not use comes from."""
    for other in master.cells:
        if other.type != "code" or other is cell:
            continue
        try:
            known = name in symtable.symtable(other.source, "", "exec").get_identifiers()
        except SyntaxError:  # a magic of a plain cell
            continue
        if known and other.kind == "exercise":
            return f"which only the later {other} defines"
        if known:
            return f"which only {other} knows: import or define it in the test cell itself"
    return "which nothing defines: import or define it in the test cell itself"


def bare_expressions(tree: ast.AST) -> Iterator[int]:
    """Lines of expressions that a doctest would print: all but those inside functions."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Expr):
            yield node.lineno
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield from bare_expressions(node)


def faults_of_whole(master: Master) -> Iterator[str]:
    """Every exercise is stated, checked and tested; points on paper are the points given."""
    text = {cell.number: cell.source for cell in master.cells if cell.type == "markdown"}
    for cell in [*master.exercises.values(), *master.essays]:
        given = sum(c.points for c in master.cells if c.id == cell.id)
        heading = re.compile(rf"^## {re.escape(cell.id)} · .+\n+(\d+) points?\b", re.M)
        said = [m for n in text if n <= cell.number for m in heading.findall(text[n])]
        if not said:
            yield (
                f"{cell}: no markdown cell before it has the heading '## {cell.id} · Title' and "
                f"under it the line '{given} points · M minutes · difficulty ●●○'"
            )
        elif int(said[0]) != given:
            yield f"{cell}: its statement promises {said[0]} points, its cells give {given}"
    for cell in master.exercises.values():
        if not any(c.kind == "hidden" and c.id == cell.id for c in master.cells):
            yield f"{cell}: no hidden test. Tag a cell hidden:{cell.id}:POINTS"
        if not any(checks(c, cell.id) for c in master.cells if c.number > cell.number):
            yield f'{cell}: no check. Write an untagged cell check("{cell.id}", …) after it'
    if not master.exercises:
        yield "it has no exercise: tag a cell exercise:A1.1"
    total = re.findall(r"\b(\d+) points\b", text[min(text)])
    if str(master.points) not in total:
        yield f"cell {min(text)}: it does not say that all of it is worth {master.points} points"


def faults_of_secrecy(master: Master) -> Iterator[str]:
    """No solution and no hidden test stands, as a whole, in a cell that students see."""
    seen = [(cell, bare(shown(cell))) for cell in master.cells]
    for cell in master.cells:
        secret = [text for text in map(bare, secrets(cell)) if len(text) >= LONG]
        for other, text in seen:
            if other is not cell and any(hidden in text for hidden in secret):
                yield f"{cell}: what it hides stands in {other} as well, where students see it"


def secrets(cell: Cell) -> list[str]:
    """The texts of a cell that students do not see, each as a whole."""
    if cell.kind == "hidden":
        return [cell.source]
    if cell.kind in ("exercise", "essay"):
        return ["\n".join(lines) for kind, lines in cell.parts if kind == "solution"]
    return []


def checks(cell: Cell, id: str) -> bool:
    """Whether a cell is the learner's check of that exercise."""
    return not cell.kind and cell.type == "code" and cell.source.startswith(f'check("{id}", ')
