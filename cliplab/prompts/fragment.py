"""What every grammar gives, and how it complains: fragments, and errors that point at a place."""

from typing import NamedTuple

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


def require_prompt(prompt) -> None:
    """Refuse what is no text."""
    if not isinstance(prompt, str):
        raise TypeError(f"A prompt is a str; this is {type(prompt).__name__}: {prompt!r:.60}")
