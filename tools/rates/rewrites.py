"""Right answers in other styles: what comes back stands in another container or number type, or the
function is written as another kind of callable."""

from __future__ import annotations

import functools
from collections import deque, namedtuple
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

Two = namedtuple("Two", "first second")


def deep(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A change of every part of what comes back, the innermost first."""

    def changed(value: Any) -> Any:
        if type(value) in (list, tuple):
            value = type(value)(map(changed, value))
        elif isinstance(value, dict):
            value = {key: changed(part) for key, part in value.items()}
        return change(value)

    return changed


def of_lists(make: Callable[[list], Any]) -> Callable[[Any], Any]:
    """A change of every list; a tuple of two results stays one."""
    return deep(lambda value: make(value) if isinstance(value, list) else value)


def of_tensors(make: Callable[[torch.Tensor], Any]) -> Callable[[Any], Any]:
    return deep(lambda value: make(value) if isinstance(value, torch.Tensor) else value)


def of_numbers(kind: type, make: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return deep(lambda value: make(value) if type(value) is kind else value)


def whole(value: list) -> Any:
    """A list of whole numbers as a tensor; other lists as they are."""
    return torch.tensor(value, dtype=torch.long) if all(type(x) is int for x in value) else value


def strided(tensor: torch.Tensor) -> torch.Tensor:
    """The same numbers, not next to each other in memory."""
    wide = torch.stack([tensor, tensor], dim=-1)
    return wide[..., 0]


VALUES: dict[str, Callable[[Any], Any]] = {
    "tuples": of_lists(tuple),
    "deques": of_lists(deque),
    "iterators": of_lists(iter),
    "generators": of_lists(lambda value: (x for x in value)),
    "arrays of objects": of_lists(
        lambda v: np.array(v, dtype=object) if v and not hasattr(v[0], "__len__") else v
    ),
    "a named tuple": lambda v: Two(*v) if type(v) in (list, tuple) and len(v) == 2 else v,
    "tensors of ids": of_lists(whole),
    "arrays of ids": of_lists(lambda v: whole(v).numpy() if torch.is_tensor(whole(v)) else v),
    "ids as int32": of_lists(lambda v: whole(v).int() if torch.is_tensor(whole(v)) else v),
    "numpy's whole numbers": of_numbers(int, np.int64),
    "numpy's floats": of_numbers(float, np.float64),
    "floats in tensors": of_numbers(float, lambda x: torch.tensor(x, dtype=torch.float64)),
    "a float in a tensor of one": lambda x: torch.tensor(x) if type(x) is float else x,
    "strided": of_tensors(strided),
    "with a gradient": of_tensors(
        lambda t: t.clone().requires_grad_() if t.is_floating_point() else t
    ),
    "arrays": of_tensors(lambda t: t.detach().numpy()),
    "in double precision": of_tensors(lambda t: t.double() if t.is_floating_point() else t),
    "nested lists": of_tensors(lambda t: t.tolist()),
}
# "The shape and the dtype of x": a tensor of that type, and nothing else.
NOT_ALLOWED = {"A2.1": {"in double precision", "nested lists", "arrays"}}


class Called:
    def __init__(self, function: Callable):
        self.function = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)


CALLABLES: dict[str, Callable[[Callable], Callable]] = {
    "a class with __call__": Called,
    "a partial": lambda f: functools.partial(f),
    "a lambda": lambda f: lambda *a: f(*a),
    "decorated": lambda f: functools.wraps(f)(lambda *a, **k: f(*a, **k)),
    "a bound method": lambda f: Called(f).__call__,
    "annotated": lambda f: _annotated(f),
}


def _annotated(function: Callable) -> Callable:
    def annotated(*arguments: Any) -> Any:
        return function(*arguments)

    annotated.__annotations__ = {"return": "list"}
    return annotated


def rewrites(id: str, function: Callable) -> dict[str, Callable]:
    """The answer in every style that the statement of the exercise allows."""

    def giving(change: Callable[[Any], Any]) -> Callable:
        return lambda *args, **kwargs: change(function(*args, **kwargs))

    found = {
        name: giving(change)
        for name, change in VALUES.items()
        if name not in NOT_ALLOWED.get(id, set())
    }
    return found | {name: make(function) for name, make in CALLABLES.items()}
