"""The demos, and what they need together: each declares its own in the `Live` of its folder."""

from functools import cache
from importlib import import_module

NAMES = (  # in the order in which they are shown
    "journey",
    "merges",
    "slots",
    "encoder",
    "weights",
    "similarity",
    "zero_shot",
    "picture",
    "regions",
)


def live(name: str) -> type:
    """The class of that demo, a `Demo`. Raises ValueError for an unknown name."""
    if name not in NAMES:
        raise ValueError(f"There is no demo {name!r}. There are: {', '.join(NAMES)}.")
    return import_module(f"{__package__}.{name}").Live


@cache
def all_graphs() -> dict:
    """The graphs of all demos: name → Graph."""
    return {graph: what for name in NAMES for graph, what in live(name).graphs.items()}


@cache
def all_data() -> dict:
    """The data of all demos: name → a function that gives bytes."""
    return {data: make for name in NAMES for data, make in live(name).data.items()}
