"""One comparison for checks, tests and the grader: is an answer what is wanted?

What is wanted says what counts:

    text             the same text
    a bool           the same bool
    a whole number   the same number, and no bool; in a list (of ids, of places) of a type of whole
                     numbers, where 3.0 is not 3
    a float          a number within the tolerance, and no bool; NaN only where NaN is wanted
    a list           as many parts in the same order, in any ordered container, each compared so
    a dict           the same keys, and under each of them what is wanted there
    a set            a set of the same things
    a tensor, array  the same shape and kind (bool, whole, real), and every value as above; it may
                     come as a tensor, an array or nested lists, in any precision

Nothing is broadcast, and nothing is right because it is empty. A number may stand in a tensor
without dimensions. The tolerance is absolute up to 1, and relative to what is wanted above. Plain
values are compared without torch.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, MappingView, Sequence, Set
from decimal import Decimal
from itertools import islice
from numbers import Integral, Real
from typing import Any

LONG = 20  # parts of a list; of a longer one the first difference is shown, and not all of it
MOST = 1_000_000  # parts of a container that are looked at: some have no end


class Almost(Exception):
    """The answer is there and not right: the message says what is wrong with it, and where."""


def expect(got: Any, wanted: Any, where: str = "", hint: str = "", tolerance: float = 1e-5) -> None:
    """Raises `Almost` unless `got` is `wanted`, and says what sets them apart.

    `where` names the input ("for 'a dog'"), `hint` is added after a colon.
    """
    problem = difference(got, wanted, tolerance)
    if problem:
        raise Almost(f"{where} {problem}".strip() + (f": {hint.rstrip('.')}." if hint else "."))


def same(got: Any, wanted: Any, tolerance: float = 1e-5) -> bool:
    """Whether an answer is what is wanted."""
    return not difference(got, wanted, tolerance)


def why(got: Any, wanted: Any, mistakes: Iterable[tuple[Any, str]], tolerance: float = 1e-5) -> str:
    """The reason of the first known mistake that an answer is, as a hint for `expect`; or "".

    mistakes: what each would give, and the reason. One that gives what is wanted is passed over,
    and a right answer has none.
    """
    if same(got, wanted, tolerance):
        return ""
    told = ((wrong, reason) for wrong, reason in mistakes if not same(wrong, wanted, tolerance))
    return next((reason for wrong, reason in told if same(got, wrong, tolerance)), "")


def parts(value: Any) -> list | None:
    """What an ordered container holds: a list, tuple, tensor, array, range, deque, generator …

    None for what is none: a number, text, a set, a dict, and a tensor of more than MOST numbers.
    """
    if isinstance(value, (list, tuple)):
        return list(value)
    if hasattr(value, "tolist"):
        if math.prod(getattr(value, "shape", ())) > MOST:
            return None
        listed = value.tolist()
        return listed if isinstance(listed, list) else None
    if isinstance(value, (str, bytes, bytearray)):
        return None
    if isinstance(value, (Sequence, Iterator, MappingView)):
        # Every view of a mapping can be walked, which the type of all of them does not say.
        return list(islice(value, MOST))  # type: ignore[arg-type]
    return None


def plain(value: Any) -> Any:
    """The list that an ordered container stands for; anything else as it is."""
    listed = parts(value)
    return value if listed is None else listed


def settled(value: Any) -> Any:
    """The value, with lists in the place of what can be read only once, inside of it too."""
    if isinstance(value, (Iterator, MappingView)):
        value = plain(value)
    if type(value) in (list, tuple):  # a named tuple is more than its parts
        return type(value)(map(settled, value))
    return value


def shaped(value: Any) -> bool:
    """Whether it is a tensor or an array with at least one dimension."""
    return hasattr(value, "dtype") and len(getattr(value, "shape", ())) > 0


def number(value: Any) -> bool | int | float | None:
    """The bool, whole number or float that a value is, in a tensor of one too; None if it is none.

    Fractions and decimals are numbers as well, complex ones and text are not.
    """
    if hasattr(value, "tolist") and math.prod(getattr(value, "shape", ())) == 1:
        value = value.reshape(()).tolist()
    if isinstance(value, bool):
        return value
    if isinstance(value, Integral):
        return int(value)
    return float(value) if isinstance(value, (Real, Decimal)) else None


def difference(got: Any, wanted: Any, tolerance: float = 1e-5) -> str:
    """What sets `got` apart from `wanted`, in words; empty when nothing does."""
    if shaped(wanted):
        return _of_tensors(got, wanted, tolerance)
    wanted = wanted.tolist() if hasattr(wanted, "dtype") else wanted
    count = type(wanted) is int and not isinstance(got, bool)
    if _right(got, float(wanted) if count else wanted, 0 if count else tolerance):
        return ""
    found, listed = parts(got), parts(wanted)
    if found and listed and len(found) == len(listed) > LONG:
        wrong = [n for n, pair in enumerate(zip(found, listed, strict=True))
                 if not _part(*pair, tolerance)]  # fmt: skip
        return _differ(len(wrong), len(listed), wrong[:1], found[wrong[0]], listed[wrong[0]])
    shape = list(getattr(got, "shape", []))
    if number(wanted) is not None and shape:
        return f"the shape is {shape}, and should be []"
    return f"the answer is {show(plain(got))}, and should be {show(wanted)}"


def _right(got: Any, wanted: Any, tolerance: float) -> bool:
    """Whether a plain value is what is wanted, part by part."""
    if type(got) is type(wanted) and type(wanted) in (str, bool, int):  # long lists are of these
        return bool(got == wanted)
    if isinstance(wanted, str):
        return isinstance(got, str) and str(got) == wanted
    if isinstance(wanted, Mapping):
        return (
            isinstance(got, Mapping)
            and got.keys() == wanted.keys()
            and all(_part(got[key], wanted[key], tolerance) for key in wanted)
        )
    if (listed := parts(wanted)) is not None:
        found = parts(got)
        if found is None or len(found) != len(listed):
            return False
        pairs = zip(found, listed, strict=True)
        return all(_part(one, right, tolerance) for one, right in pairs)
    if isinstance(wanted, Set):
        return isinstance(got, Set) and got == wanted
    right = number(wanted)
    if right is None:
        return got is wanted or (type(got) is type(wanted) and bool(got == wanted))
    one = None if shaped(got) else number(got)
    if one is None or isinstance(one, bool) != isinstance(right, bool):
        return False
    if isinstance(right, float):
        return _near(one, right, tolerance)
    return type(one) is type(right) and one == right


def _part(got: Any, wanted: Any, tolerance: float) -> bool:
    return (
        not _of_tensors(got, wanted, tolerance)
        if shaped(wanted)
        else _right(got, wanted, tolerance)
    )


def _near(got: float, wanted: float, tolerance: float) -> bool:
    if not math.isfinite(wanted):
        return got == wanted or (math.isnan(wanted) and math.isnan(got))
    return abs(got - wanted) <= tolerance * max(1.0, abs(wanted))  # False for NaN


def _of_tensors(got: Any, wanted: Any, tolerance: float) -> str:
    import torch

    wanted = torch.as_tensor(wanted).detach()
    found = _tensor(got)
    if found is None:
        return f"a tensor of shape {list(wanted.shape)} is asked for; this is {show(got)}"
    if found.shape != wanted.shape:
        return f"the shape is {list(found.shape)}, and should be {list(wanted.shape)}"
    if _kind(found) not in KINDS[_kind(wanted)] and found.numel():
        return f"the type is {found.dtype}, and should be {wanted.dtype}"
    if _kind(wanted) == "real":
        exact, most = wanted.double(), wanted.double().abs().clamp(min=1) * tolerance
        close = (found.double() - exact).abs() <= most  # False for NaN
        odd = ~exact.isfinite()
        close[odd] = (found.double() == exact)[odd] | (exact.isnan() & found.isnan())[odd]
    else:
        close = found.long() == wanted.long()
    if close.all():
        return ""
    index = tuple((~close).nonzero()[0].tolist())
    wrong, total = int((~close).sum()), close.numel()
    return _differ(wrong, total, list(index), found[index].item(), wanted[index].item())


def _differ(wrong: int, total: int, place: list[int], got: Any, wanted: Any) -> str:
    return (
        f"{wrong} of {total} values differ: at {place} stands {show(got)}, and should stand "
        f"{show(wanted)}"
    )


# What may stand where numbers of a kind are wanted.
KINDS = {"bool": {"bool"}, "whole": {"whole"}, "real": {"real", "whole"}}


def _kind(tensor: Any) -> str:
    import torch

    if tensor.dtype == torch.bool:
        return "bool"
    if tensor.is_floating_point():
        return "real"
    return "complex" if tensor.is_complex() else "whole"


def _tensor(value: Any) -> Any:
    """The tensor that a tensor, an array or nested lists of numbers stand for, or None."""
    import torch

    try:
        return torch.as_tensor(value).detach()
    except (TypeError, ValueError, RuntimeError):
        return None


def show(value: Any) -> str:
    """A short text for a value that is the same on every run (no addresses)."""
    if shaped(value):
        return f"a {type(value).__name__} of shape {list(value.shape)}"
    text = f"{value:.6g}" if isinstance(value, float) else re.sub(r" at 0x\w+", "", repr(value))
    return text if len(text) <= 80 else text[:77] + "…"
