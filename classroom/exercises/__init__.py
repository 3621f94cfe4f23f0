"""Instant checks for the exercises: `check("03.1", my_function)` says how an answer is doing.

One module or package per chapter (`ch03.py` for the exercises "03.1", "03.2", …) and per assignment
(`a1/` for "A1.1", …), read when first asked for.
An exercise is a function that takes the learner's answer, raises `Almost("…")` with the reason
when it is not right yet, and returns the sentence that is said when it is:

    @exercise("03.1", title="Count the tokens")
    def count_tokens(answer):
        call = trying(answer)
        expect(call("a dog"), 4, "for 'a dog'", hint="BOS and EOS count as well")
        return "BOS and EOS take two of the 77 slots."
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ..compare import Almost, expect, plain, same, settled, show, why

if TYPE_CHECKING:
    import torch

__all__ = [
    "Almost",
    "Exercise",
    "check",
    "exercise",
    "expect",
    "get",
    "ids",
    "plain",
    "random",
    "same",
    "trying",
    "why",
]


class NotYet(Exception):
    """There is no answer yet: the stub stands as it was."""


class Exercise(NamedTuple):
    """One exercise: `grade` takes the answer(s), raises `Almost`, or returns the praise."""

    id: str
    title: str
    grade: Callable[..., str]


_registry: dict[str, Exercise] = {}


def exercise(id: str, title: str) -> Callable[[Callable[..., str]], Callable[..., str]]:
    """Enters the decorated function as exercise `id`: "03.1" in chapter 3, "A1.2" in a1/."""
    if not re.fullmatch(r"(\d\d|A\d)\.\d+", id):
        raise ValueError(
            f"An exercise id looks like '03.1' (chapter, dot, number) or 'A1.1' (assignment, dot, "
            f"number); got {id!r}."
        )

    def enter(grade: Callable[..., str]) -> Callable[..., str]:
        known = _registry.get(id)
        if known and known.grade.__qualname__ != grade.__qualname__:
            raise ValueError(f"Two exercises have the id {id}: {known.title!r} and {title!r}.")
        _registry[id] = Exercise(id, title, grade)
        return grade

    return enter


def modules() -> list[str]:
    """Names of the modules that exist: "ch03" of a chapter, "a1" of an assignment."""
    names = (module.name for module in pkgutil.iter_modules(__path__))
    return sorted(name for name in names if re.fullmatch(r"ch\d\d|a\d", name))


def module_of(id: str) -> str:
    """The name of the module that an exercise stands in."""
    return id[:2].lower() if id.startswith("A") else f"ch{id[:2]}"


def ids() -> list[str]:
    """Ids of all exercises: those of the chapters first, each sorted by number."""
    for name in modules():
        importlib.import_module(f"{__name__}.{name}")
    return sorted(_registry, key=lambda id: (id[:2], int(id[3:])))


def get(id: str) -> Exercise:
    """The exercise of that id. Raises KeyError with a sentence that lists its neighbors."""
    if id not in _registry and module_of(id) in modules():
        importlib.import_module(f"{__name__}.{module_of(id)}")
    if id not in _registry:
        near = [i for i in ids() if i[:2] == id[:2]] or ids()
        raise KeyError(f"There is no exercise {id!r}. Those that exist: {', '.join(near)}.")
    return _registry[id]


def check(id: str, *answers: Any) -> None:
    """Prints one of three states for the answer: Not yet, Almost (and why), or Correct.

    An answer is whatever the exercise asks for: a function, a tensor, a number, a string. A fault
    in the learner's code is reported as "Almost", never raised. Only an unknown id raises.
    """
    state, message = verdict(id, *answers)
    print(f"{state}: {message}")


def verdict(id: str, *answers: Any) -> tuple[str, str]:
    """What `check` prints, as (state, message)."""
    grade = get(id).grade
    if any(answer is None or answer is ... for answer in answers):
        return "Not yet", "there is no answer here so far. Fill in the stub and run the cell again."
    try:
        return "Correct", grade(*answers)
    except NotYet:
        return "Not yet", "the function returns nothing so far. Replace the stub and run again."
    except Almost as reason:
        return "Almost", str(reason)
    except (Exception, SystemExit) as error:  # of a kind that the exercise did not think of
        return "Almost", f"the answer is not of the kind asked for ({_error(error)})."


def trying(function: Any, kept: Sequence[str] = ()) -> Callable[..., Any]:
    """Wraps the learner's function so that what goes wrong inside it becomes a sentence.

    A call that raises is `Almost` and names the error and the input; a call that raises
    NotImplementedError (bare, or "exercise 03.1"), or returns None or `...`, is no answer yet.
    The function gets copies: whatever it does to them, the check compares with what it gave.
    kept: the arguments' names, where they must stay as they are; one changed in place is `Almost`.
    """
    if not callable(function):
        raise Almost(f"a function is asked for; this is {show(function)}.")

    def call(*args: Any, **kwargs: Any) -> Any:
        given = ", ".join([show(a) for a in args] + [f"{k}={show(v)}" for k, v in kwargs.items()])
        copies = _copied(args)
        try:
            value = function(*copies, **_copied(kwargs))
        except (Exception, SystemExit) as error:
            if _is_stub(error):
                raise NotYet from None
            raise Almost(f"your function raised {_error(error)} on the input {given}.") from error
        if value is None or value is ...:
            raise NotYet
        value = settled(value)
        for name, copy, arg in zip(kept, copies, args, strict=False):
            if not same(copy, arg, tolerance=0):
                what = f"{name} itself was changed in place"
                raise Almost(f"{what}: make a new one, or work on a clone.")
        return value

    return call


def random(*shape: int, seed: int) -> torch.Tensor:
    """Normal numbers of this shape, the same on every run."""
    import torch

    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def _copied(value: Any) -> Any:
    """A copy of a tensor or array, or of a list, tuple or dict of them; all else as it is.

    Gradients flow through the copy of a tensor to the tensor itself.
    """
    if type(value) in (list, tuple):  # a named tuple is more than its parts
        return type(value)(map(_copied, value))
    if isinstance(value, dict):
        return {key: _copied(part) for key, part in value.items()}
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return value.clone() if hasattr(value, "clone") else value.copy()
    return value


def _is_stub(error: BaseException) -> bool:
    """Whether this is the stub's own NotImplementedError (torch raises that type as well)."""
    said = str(error).lower()
    return isinstance(error, NotImplementedError) and (not said or said.startswith("exercise"))


def _error(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return type(error).__name__ + (f": {text[:200]}" if text else "")
