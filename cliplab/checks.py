"""What callers choose, looked at: a whole number in a range, a name from a list; a list, said; and
a message of the library, said by a command."""

import math
import re
from argparse import ArgumentParser
from collections.abc import Iterable, Sequence
from numbers import Integral


def whole_number(name: str, value: object, least: int, most: int | float = math.inf) -> int:
    """The value as an int. Raises ValueError where it is none in the range; a bool is none."""
    whole = int(value) if isinstance(value, Integral) and not isinstance(value, bool) else None
    if whole is None or not least <= whole <= most:
        limits = f"of at least {least:,}" if most == math.inf else f"from {least:,} to {most:,}"
        raise ValueError(f"{name} is a whole number {limits}; not {value!r}.")
    return whole


def one_of(name: str, value: object, allowed: Iterable[str]) -> None:
    """Refuse what is not among the allowed. Raises ValueError."""
    if value not in (names := tuple(allowed)):
        raise ValueError(f"{name} is one of {', '.join(names)}; not {value!r}.")


def listed(names: Sequence[str], most: int = 8) -> str:
    """The first names of a list that may be long, and how many more there are."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def as_options(message: str, parser: ArgumentParser) -> str:
    """A message that names arguments of functions, table=… or on_bad="skip", as a command says it:
    by the options that it has, --table … and --on-bad skip, or else as a thing of Python."""
    options = re.findall(r"--[\w-]+", parser.format_usage())

    def said(found: re.Match) -> str:
        option = f"--{found[1].replace('_', '-')}"
        value = found[2].strip('"')
        if option in options:
            return f"{option} {value}"
        return f"{found[0]} in Python" if value == "…" else found[0]  # else a line of code

    return re.sub(r'\b([a-z_]+)=(…|"\w+")', said, message)
