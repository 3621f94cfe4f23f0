"""Show the package's own code in a notebook, so that no chapter holds a second copy of it."""

import ast
import inspect
import re
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parent


class Source:
    """The code of a class or function, highlighted wherever a notebook is read."""

    def __init__(self, path: str, code: str):
        self.path, self.code = path, code

    def _repr_markdown_(self) -> str:
        return f"From `{self.path}`:\n\n```python\n{self.code}\n```"

    def __repr__(self) -> str:
        return f"# From {self.path}\n{self.code}"


def show_source(thing: type | Callable[..., Any], docstring: bool = False) -> Source:
    """The source of a class or function of cliplab, as it runs; the last line of a cell.

    Docstrings are left out unless asked for. Raises ValueError for what is not cliplab's.
    """
    path = Path(inspect.getfile(thing))
    if PACKAGE not in path.parents:
        raise ValueError(f"{thing!r} is not of cliplab; show_source shows the package's own code.")
    code = textwrap.dedent(inspect.getsource(thing))
    # A file has room to set equation numbers in a column of their own, and for what is said to the
    # type checker; a page has not.
    code = re.sub(r"(?<=#)(.*?\S) {3,}(?=eqs?\b)", r"\1  ", code)
    code = re.sub(r"  # type: ignore.*", "", code)
    if not docstring:
        code = without_docstrings(code)
    return Source(f"cliplab/{path.relative_to(PACKAGE).as_posix()}", code.rstrip())


def without_docstrings(code: str) -> str:
    """Drop the docstrings, each with a blank line after it, and leave all else alone."""
    lines, left_out = code.splitlines(), set[int]()
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, kinds) and ast.get_docstring(node) is not None:
            text = node.body[0]
            end = text.end_lineno or text.lineno
            blank = end < len(lines) and not lines[end].strip()
            left_out.update(range(text.lineno - 1, end + blank))
    return "\n".join(line for i, line in enumerate(lines) if i not in left_out)
