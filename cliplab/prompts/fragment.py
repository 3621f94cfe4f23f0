"""What every grammar gives, and how it complains: fragments, and errors that point at a place."""

import functools
import gc
import sys
import warnings
from collections.abc import Callable
from types import FrameType
from typing import NamedTuple, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
SHOWN = 72  # characters of a prompt that an error shows around the place it points at


class Fragment(NamedTuple):
    """A stretch of a prompt with one weight.

    text    what the tokenizer gets: without brackets, weights and escapes
    weight  1.0 where nothing was said
    start, end  its place in the prompt as it was typed, prompt[start:end]
    """

    text: str
    weight: float
    start: int
    end: int


class PromptError(ValueError):
    """A prompt that cannot be read; ``position`` is the index in ``prompt`` where it fails."""

    def __init__(self, message: str, prompt: str, position: int):
        super().__init__(f"{message}\n{point_at(prompt, position)}")
        self.prompt, self.position = prompt, position


class PromptWarning(UserWarning):
    """Said where a tool reads a prompt otherwise than it looks, or leaves out what was typed."""


def point_at(prompt: str, position: int) -> str:
    """The prompt, or the stretch of it around a position, over a caret: two lines of text."""
    first = max(0, min(position - SHOWN // 2, len(prompt) - SHOWN))
    shown = prompt[first : first + SHOWN]
    before, after = "…" if first else "", "…" if first + SHOWN < len(prompt) else ""
    # One column per character: a line break or a tab would part the caret from its place.
    line = "".join(c if c.isprintable() else "·" for c in shown)
    return f"    {before}{line}{after}\n    {' ' * (len(before) + position - first)}^"


def warn_at(message: str, prompt: str, position: int) -> None:
    """Warn (PromptWarning) of a place in a prompt."""
    warn(f"{message}\n{point_at(prompt, position)}")


def warn(warning: str | Warning) -> None:
    """Say a warning of the line that called cliplab, however deep inside it comes up.

    A text is a PromptWarning's.
    """
    package, level = __name__.partition(".")[0], 1
    frame: FrameType | None = sys._getframe()
    while frame and frame.f_globals.get("__name__", "").partition(".")[0] == package:
        level, frame = level + 1, frame.f_back
    warnings.warn(warning, PromptWarning, stacklevel=level)


def require_prompt(prompt: object) -> None:
    """Refuse what is no text."""
    if not isinstance(prompt, str):
        raise TypeError(f"A prompt is a str; this is {type(prompt).__name__}: {prompt!r:.60}")


def without_gc(read: Callable[P, T]) -> Callable[P, T]:
    """A reader of prompts that Python's garbage collector leaves alone while it reads.

    A long prompt makes some hundred thousand small objects and drops none of them in a circle, yet
    the collector would look through all objects of the process again and again: where torch is
    loaded, for longer than the reading takes.
    """

    @functools.wraps(read)
    def reader(*arguments: P.args, **options: P.kwargs) -> T:
        collecting = gc.isenabled()
        gc.disable()
        try:
            return read(*arguments, **options)
        finally:
            if collecting:
                gc.enable()

    return reader
