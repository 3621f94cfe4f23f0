"""The names in code: what it defines, what it binds, and what it needs from elsewhere."""

from __future__ import annotations

import ast
import symtable


def defined(source: str) -> list[str]:
    """Functions, classes and values that code defines at its top level, in order.

    Imports are none, nor is what only a loop or a condition would set. Raises SyntaxError for what
    is no Python.
    """
    found = []
    for node in ast.parse(source).body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.append(node.name)
        elif isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
            stored = (n for n in ast.walk(node) if isinstance(n, ast.Name))
            found += [n.id for n in stored if isinstance(n.ctx, ast.Store) and n.id != "_"]
    return list(dict.fromkeys(found))


def bound(source: str) -> set[str]:
    """Every name that code gives a value at its top level, by whatever statement.

    Raises SyntaxError for what is no Python.
    """
    symbols = symtable.symtable(source, "cell", "exec").get_symbols()
    return {s.get_name() for s in symbols if s.is_assigned() or s.is_imported()}


def free_names(source: str) -> set[str]:
    """Names that code uses and does not bind: builtins, and what must be there before it."""
    top = symtable.symtable(source, "cell", "exec")
    used = {s.get_name() for s in top.get_symbols() if s.is_referenced()}
    tables = top.get_children()
    while tables:
        table = tables.pop()
        tables += table.get_children()
        used |= {s.get_name() for s in table.get_symbols() if s.is_global() and s.is_referenced()}
    return used - bound(source)
