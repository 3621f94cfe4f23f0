"""A student's cells at work: statement by statement, and what the namespace was after each answer.

A statement that fails takes along what needs it, and nothing else: those after it are run as well.
A function of an answer sees the names as the cell that defines it left them, whatever later cells
make of them; a name that came later is seen where there was none.
"""

from __future__ import annotations
import __future__

import ast
import asyncio
import builtins
import inspect
import linecache
from typing import Any

from IPython.core.inputtransformer2 import TransformerManager

from ..names import bound

FUTURES = sum(getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)
NOTHING = object()


def statements(source: str, name: str, namespace: dict[str, Any]) -> list[Exception]:
    """Runs the source of a cell as a notebook does, magics and `await` at the top included.

    What its statements raised, in order. Raises SyntaxError for what is no Python.
    """
    source = TransformerManager().transform_cell(source)
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    flags, errors = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, []
    for node in ast.parse(source, name).body:
        try:
            code = compile(ast.Module([node], []), name, "exec", flags, dont_inherit=True)
            flags |= code.co_flags & FUTURES
            if code.co_flags & inspect.CO_COROUTINE:
                loop().run_until_complete(eval(code, namespace))
            else:
                exec(code, namespace)
        except Exception as error:
            errors.append(error)
    return errors


def loop() -> asyncio.AbstractEventLoop:
    """The one loop that all cells await in."""
    try:
        return asyncio.get_event_loop_policy().get_event_loop()
    except RuntimeError:
        asyncio.set_event_loop(asyncio.new_event_loop())
        return loop()


class Cells:
    """The namespace of a notebook, and what it was after each cell that defined an answer."""

    def __init__(self, namespace: dict[str, Any]):
        self.namespace = namespace
        self.after: dict[int, dict[str, Any]] = {}
        self.now: int | None = None  # the cell whose names stand in the namespace

    def run(self, source: str, number: int, answers: dict[str, int]) -> dict[str, Any]:
        """Runs a cell. answers: the names that are asked for, and how many arguments each takes.

        errors  what its statements raised
        defined  of the names asked for those that the cell gave a value: may it be the answer?
        lost     the names that it would have given a value
        """
        before = {name: self.namespace.get(name, NOTHING) for name in answers}
        errors = statements(source, f"cell {number}", self.namespace)
        new = {n: v for n in answers if (v := self.namespace.get(n, NOTHING)) is not before[n]}
        if new:
            self.after[number] = dict(self.namespace)
        lost = []
        if errors:
            here = bound(TransformerManager().transform_cell(source))
            lost = sorted(here - self.namespace.keys())
        return {
            "errors": errors,
            "defined": {name: _takes(value, answers[name]) for name, value in new.items()},
            "lost": lost,
        }

    def value(self, name: str, number: int | None) -> Any:
        """What a name stands for after that cell; the last value of all for None."""
        self.enter(number)
        if name not in self.namespace:
            raise NameError(f"name {name!r} is not defined")
        return self.namespace[name]

    def enter(self, number: int | None) -> None:
        """Puts the names of a cell in place. What calls change stays with that cell's names."""
        if number == self.now or number not in self.after:
            return
        if self.now is None:
            self.end = dict(self.namespace)
        else:
            self.after[self.now] = dict(self.namespace)
        later = {name: value for name, value in self.end.items() if not hasattr(builtins, name)}
        names = {**later, **self.after[number]}
        self.namespace.clear()
        self.namespace.update(names)
        self.now = number


def _takes(value: Any, arguments: int) -> bool:
    """Whether a value may be the answer: a function of so many arguments; -1 for any value."""
    if arguments < 0:
        return value is not NOTHING
    if not callable(value):
        return False
    try:
        inspect.signature(value).bind(*[None] * arguments)
    except TypeError:
        return False
    except ValueError:  # it does not say what it takes
        pass
    return True
