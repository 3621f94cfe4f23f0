"""Settings: what a tool or a method lets its users choose, each checked by its type."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from ..checks import one_of

T = TypeVar("T", bound="Settings")


@dataclass(frozen=True)
class Settings:
    """A value whose fields are settings: each has a default, and is a Literal, a bool or an int.

    Raises ValueError for a value that is not of its field's type.
    """

    def __post_init__(self) -> None:
        kinds = get_type_hints(type(self))
        for name in names_of(self):
            value, kind = getattr(self, name), kinds[name]
            if get_origin(kind) is Literal:
                one_of(name, value, get_args(kind))
            elif type(value) is not kind:
                what = {bool: "True or False", int: "a whole number"}[kind]
                raise ValueError(f"{name} is {what}; not {value!r}.")


def names_of(holder: Settings) -> list[str]:
    """The names of its settings."""
    return [field.name for field in fields(holder)]


def require_known(who: str, settings: Mapping[str, Any], *holders: Settings) -> None:
    """Refuse a setting that no holder has. Raises TypeError, which lists those that there are."""
    known = [name for holder in holders for name in names_of(holder)]
    for name in settings:
        if name not in known:
            raise TypeError(
                f"{who} has no setting {name!r}; it has {', '.join(known) if known else 'none'}."
            )


def with_settings(holder: T, settings: Mapping[str, Any]) -> T:
    """The holder with those of the settings that are its own."""
    own = {name: settings[name] for name in names_of(holder) if name in settings}
    return replace(holder, **own) if own else holder
