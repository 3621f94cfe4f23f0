"""Instant checks for the exercises: `check("03.1", my_function)` says how an answer is doing.

One module per chapter (`ch03.py` for the exercises "03.1", "03.2", …) and one package per
assignment (`a1/` for "A1.1", …), read when first asked for.
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
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

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


class Almost(Exception):
    """The answer is there and not right: the message says what is wrong with it, and where."""


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


def trying(function: Any) -> Callable[..., Any]:
    """Wraps the learner's function so that what goes wrong inside it becomes a sentence.

    A call that raises is `Almost` and names the error and the input; a call that raises
    NotImplementedError (bare, or "exercise 03.1"), or returns None or `...`, is no answer yet.
    """
    if not callable(function):
        raise Almost(f"a function is asked for; this is {_show(function)}.")

    def call(*args: Any, **kwargs: Any) -> Any:
        given = ", ".join([_show(a) for a in args] + [f"{k}={_show(v)}" for k, v in kwargs.items()])
        try:
            value = function(*args, **kwargs)
        except (Exception, SystemExit) as error:
            if _is_stub(error):
                raise NotYet from None
            raise Almost(f"your function raised {_error(error)} on the input {given}.") from error
        if value is None or value is ...:
            raise NotYet
        return value

    return call


def expect(got: Any, wanted: Any, where: str = "", hint: str = "", tolerance: float = 1e-5) -> None:
    """Raises `Almost` unless `got` is `wanted`: type first, then shape, then values.

    Tensors and arrays are compared by shape and then by value within `tolerance` (NaN equals NaN,
    bool and integers exactly); everything else with ==. `where` names the input ("for 'a dog'"),
    `hint` is added after a colon.
    """
    problem = _difference(got, wanted, tolerance)
    if problem:
        raise Almost(f"{where} {problem}".strip() + (f": {hint.rstrip('.')}." if hint else "."))


def same(got: Any, wrong: Any, tolerance: float = 1e-5) -> bool:
    """Whether an answer is this known wrong one: of its kind and shape, with its values."""
    return not _difference(got, wrong, tolerance)


def why(got: Any, wanted: Any, mistakes: Iterable[tuple[Any, str]], tolerance: float = 1e-5) -> str:
    """The reason of the first known mistake that an answer is, as a hint for `expect`; or "".

    mistakes: what each would give, and the reason. One that gives what is wanted is passed over.
    """
    told = ((wrong, reason) for wrong, reason in mistakes if not same(wrong, wanted, tolerance))
    return next((reason for wrong, reason in told if same(got, wrong, tolerance)), "")


def plain(value: Any) -> Any:
    """The list that a tuple, a tensor or an array stands for; anything else as it is."""
    if hasattr(value, "tolist"):
        return value.tolist()
    return list(value) if isinstance(value, tuple) else value


def random(*shape: int, seed: int):
    """Normal numbers of this shape, the same on every run."""
    import torch

    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def _difference(got: Any, wanted: Any, tolerance: float) -> str:
    """What sets `got` apart from `wanted`, in words; empty when nothing does."""
    if not (hasattr(wanted, "shape") and hasattr(wanted, "dtype")):
        if hasattr(got, "tolist") and not isinstance(wanted, str):  # a number in a tensor will do
            got = got.tolist()
        same = abs(got - wanted) <= tolerance if _numbers(got, wanted) else got == wanted
        return "" if same is True else f"the answer is {_show(got)}, and should be {_show(wanted)}"
    import torch

    wanted = torch.as_tensor(wanted)
    try:
        got = torch.as_tensor(got)
    except (TypeError, ValueError, RuntimeError):
        return f"a tensor of shape {list(wanted.shape)} is asked for; this is {_show(got)}"
    if got.shape != wanted.shape:
        return f"the shape is {list(got.shape)}, and should be {list(wanted.shape)}"
    if (got.dtype == torch.bool) != (wanted.dtype == torch.bool):
        return f"the type is {got.dtype}, and should be {wanted.dtype}"
    exact = not wanted.is_floating_point()
    close = torch.isclose(
        got.double(), wanted.double(), 0, 0 if exact else tolerance, equal_nan=True
    )
    if close.all():
        return ""
    if not wanted.ndim:
        return f"the answer is {_show(got.item())}, and should be {_show(wanted.item())}"
    index = tuple((~close).nonzero()[0].tolist())
    wrong, total = int((~close).sum()), close.numel()
    return (
        f"{wrong} of {total} values differ: at {list(index)} stands "
        f"{_show(got[index].item())}, and should stand {_show(wanted[index].item())}"
    )


def _numbers(*values: Any) -> bool:
    return all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values)


def _is_stub(error: Exception) -> bool:
    """Whether this is the stub's own NotImplementedError (torch raises that type as well)."""
    said = str(error).lower()
    return isinstance(error, NotImplementedError) and (not said or said.startswith("exercise"))


def _error(error: Exception) -> str:
    text = " ".join(str(error).split())
    return type(error).__name__ + (f": {text[:200]}" if text else "")


def _show(value: Any) -> str:
    """A short text for a value that is the same on every run (no addresses)."""
    if hasattr(value, "shape") and hasattr(value, "dtype") and getattr(value, "ndim", 0):
        return f"a {type(value).__name__} of shape {list(value.shape)}"
    text = f"{value:.6g}" if isinstance(value, float) else re.sub(r" at 0x\w+", "", repr(value))
    return text if len(text) <= 80 else text[:77] + "…"
