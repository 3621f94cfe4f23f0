"""What the checks compare answers with: `expect`, `same`, and `why` an answer is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any


class Almost(Exception):
    """The answer is there and not right: the message says what is wrong with it, and where."""


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

    mistakes: what each would give, and the reason. One that gives what is wanted is passed over,
    and a right answer has none.
    """
    if same(got, wanted, tolerance):
        return ""
    told = ((wrong, reason) for wrong, reason in mistakes if not same(wrong, wanted, tolerance))
    return next((reason for wrong, reason in told if same(got, wrong, tolerance)), "")


def plain(value: Any) -> Any:
    """The list that a tuple, a tensor or an array stands for; anything else as it is."""
    if hasattr(value, "tolist"):
        return value.tolist()
    return list(value) if isinstance(value, tuple) else value


def _difference(got: Any, wanted: Any, tolerance: float) -> str:
    """What sets `got` apart from `wanted`, in words; empty when nothing does."""
    if not (hasattr(wanted, "shape") and hasattr(wanted, "dtype")):
        if hasattr(got, "tolist") and not isinstance(wanted, str):  # a number in a tensor will do
            got = got.tolist()
        same = abs(got - wanted) <= tolerance if _numbers(got, wanted) else got == wanted
        return "" if same is True else f"the answer is {show(got)}, and should be {show(wanted)}"
    import torch

    wanted = torch.as_tensor(wanted)
    try:
        got = torch.as_tensor(got)
    except (TypeError, ValueError, RuntimeError):
        return f"a tensor of shape {list(wanted.shape)} is asked for; this is {show(got)}"
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
        return f"the answer is {show(got.item())}, and should be {show(wanted.item())}"
    index = tuple((~close).nonzero()[0].tolist())
    wrong, total = int((~close).sum()), close.numel()
    return (
        f"{wrong} of {total} values differ: at {list(index)} stands "
        f"{show(got[index].item())}, and should stand {show(wanted[index].item())}"
    )


def _numbers(*values: Any) -> bool:
    return all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values)


def show(value: Any) -> str:
    """A short text for a value that is the same on every run (no addresses)."""
    if hasattr(value, "shape") and hasattr(value, "dtype") and len(value.shape):
        return f"a {type(value).__name__} of shape {list(value.shape)}"
    text = f"{value:.6g}" if isinstance(value, float) else re.sub(r" at 0x\w+", "", repr(value))
    return text if len(text) <= 80 else text[:77] + "…"
