"""A demo's state: what a field holds is declared once, as a trait, and checked in both languages.

In Python a trait refuses what does not fit. The page gets `describe(…)` and checks with it what a
link brings, which anyone may have written.
"""

from __future__ import annotations

import traitlets


class Text(traitlets.Unicode):
    """A text of at most `most` characters, which the reader types."""

    def __init__(self, default: str = "", *, most: int, help: str = ""):
        super().__init__(default, help=help)
        self.most = most
        self.tag(sync=True)

    def validate(self, obj, value):
        value = super().validate(obj, value)
        if len(value) > self.most:
            raise traitlets.TraitError(
                f"{self.name} has {len(value)} characters; this demo takes at most {self.most}."
            )
        return value


class Texts(traitlets.List):
    """From `least` to `length` texts, of at most `most` characters each."""

    def __init__(self, default: list[str], *, most: int, length: int, least: int = 1):
        super().__init__(Text(most=most), default_value=default, minlen=least, maxlen=length)
        self.most, self.length, self.least = most, length, least
        self.tag(sync=True)


def whole(default: int, least: int, most: int) -> traitlets.Int:
    """A whole number from `least` to `most`."""
    return traitlets.Int(default, min=least, max=most).tag(sync=True)


def number(default: float, least: float, most: float) -> traitlets.Float:
    """A number from `least` to `most`."""
    return traitlets.Float(default, min=least, max=most).tag(sync=True)


def switch(default: bool) -> traitlets.Bool:
    """On or off."""
    return traitlets.Bool(default).tag(sync=True)


def choice(default: str, values: tuple[str, ...]) -> traitlets.Enum:
    """One of several words."""
    return traitlets.Enum(values, default_value=default).tag(sync=True)


def describe(trait: traitlets.TraitType) -> dict:
    """What the page needs to know of a field, as JSON."""
    match trait:
        case Text():
            return {"kind": "text", "most": trait.most}
        case Texts():
            bounds = {"most": trait.most, "length": trait.length, "least": trait.least}
            return {"kind": "texts", **bounds}
        case traitlets.Bool():
            return {"kind": "switch"}
        case traitlets.Enum():
            return {"kind": "choice", "values": list(trait.values)}
        case traitlets.Int():
            return {"kind": "whole", "least": trait.min, "most": trait.max}
        case traitlets.Float():
            return {"kind": "number", "least": trait.min, "most": trait.max}
    raise TypeError(f"A demo's field cannot be a {type(trait).__name__}.")
