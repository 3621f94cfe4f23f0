r"""Prompts that change while an image is made: `[from:to:when]` and `[a|b]`.

Automatic1111 reads them with an ambiguous grammar, whose answer comes to four rules:

    1  A backslash takes the next character, as in `\[`, and both stay in the text.
    2  A pair of brackets means something if it directly holds
           ( … )   at most one `:`, and no `|`
           [ … ]   neither; or `|`, an alternation; or one or two `:` and then a number, a switch
    3  All other brackets are text, and so is every bracket around them.
    4  A `|` in no alternation, or a backslash that has nothing to take: the whole prompt is text.

One case is open in the tool: of a switch with a bracket or colon of text right behind it, such as
`[a:b:3]]` or `[a:b:3]: c`, one start of the web UI reads a switch and the next one text (its parser
picks from a Python set, whose order the process draws anew). Here it is always a switch.
"""

import functools
import re
from itertools import compress
from typing import NamedTuple

import numpy as np

from ...checks import whole_number
from ..fragment import PromptError, require_prompt, warn, without_gc

TOKEN = re.compile(r"[][():|]|(?:[^][():|\\]++|\\.)++|\\")
NUMBER = re.compile(r"\s*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\s*")
PARTNER = {")": "(", "]": "["}


class Step(NamedTuple):
    """The text that holds up to and including a step; the first step is 1."""

    end: int
    text: str


class Choice(NamedTuple):
    """An alternation or a switch: the numbers of its tokens `[`, each `|` or `:`, and `]`."""

    marks: list[int]
    when: int | None  # the last step of "from"; None in an alternation


@without_gc
def schedule(prompt: str, steps: int) -> list[Step]:
    """The text of a prompt at each of ``steps`` sampling steps (the web UI has 1–150).

    `[from:to:when]` switches after step ``when``: a whole number counts steps, one with a dot is a
    fraction of them. `[to:when]` and `[from::when]` have nothing on one side; `[a|b]` takes turns.
    A prompt that never changes is one Step. Neighboring texts may be equal, as in the tool.

    Warns (PromptWarning) of words that no step shows, as in `[cat:1.2]`, which is no weight. Raises
    PromptError for a number that overflows, which crashes the tool; ValueError for steps that are
    no positive whole number. Source: A1111 v1.10.1
    ``prompt_parser.py:get_learned_conditioning_prompt_schedules``, without a hires pass.
    """
    require_prompt(prompt)
    steps = whole_number("steps", steps, 1)
    tokens = TOKEN.findall(prompt)
    choices = [Choice(m, last_step(prompt, tokens, m, steps)) for m in read(tokens)]
    turns = {steps, *(c.when for c in choices if c.when is not None and c.when >= 1)}
    if any(choice.when is None for choice in choices):
        turns.update(range(1, steps + 1))
    ends = np.array(sorted(turns))
    shown = stand(tokens, choices, ends)
    warn_of_lost(tokens, choices, shown, steps)
    return [
        Step(end, "".join(compress(tokens, column.tobytes())))
        for end, column in zip(ends.tolist(), shown.T, strict=True)
    ]


def read(tokens: list[str]) -> list[list[int]]:
    """The marks of every alternation and switch of a prompt; none where all of it is text."""
    found, opened = [], []
    for i, token in enumerate(tokens):
        if token in ("(", "["):
            opened.append([i])
        elif token in (":", "|") and opened:
            opened[-1].append(i)
        elif token in PARTNER:
            paired = opened and tokens[opened[-1][0]] == PARTNER[token]
            marks = [*opened.pop(), i] if paired else []
            between = "".join(tokens[mark] for mark in marks[1:-1])
            if paired and token == "]" and is_choice(tokens, marks, between):
                found.append(marks)
            elif not paired or between not in ("", ":" if token == ")" else ""):
                opened.clear()  # text, and so is every bracket around it
    bars = sum(tokens[mark] == "|" for marks in found for mark in marks)
    return [] if "\\" in tokens or bars < tokens.count("|") else found


def is_choice(tokens: list[str], marks: list[int], between: str) -> bool:
    """Whether square brackets, with these `|` and `:` directly in them, mean something."""
    if between in (":", "::"):
        *_, colon, close = marks
        return close == colon + 2 and NUMBER.fullmatch(tokens[colon + 1]) is not None
    return between != "" and set(between) == {"|"}


def last_step(prompt: str, tokens: list[str], marks: list[int], steps: int) -> int | None:
    """The step after which a switch turns, below 1 for before the first; None in an alternation."""
    *_, mark, close = marks
    if tokens[mark] == "|":
        return None
    text = tokens[close - 1].strip()
    try:
        return min(steps, int(float(text) * steps if "." in text else float(text)))
    except OverflowError:
        message = (
            f"{text:.40} is too great a number, and the web UI stops at it: write a step from 1 to "
            f"{steps}, or a fraction such as 0.5."
        )
        raise PromptError(message, prompt, sum(map(len, tokens[: close - 1]))) from None


def stand(tokens: list[str], choices: list[Choice], ends: np.ndarray) -> np.ndarray:
    """Whether each token stands in the text, at each of the steps: bool [tokens, ends]."""
    always, never = ends > 0, ends < 0

    @functools.cache  # choices of one kind share their options
    def options(count: int, when: int | None) -> list[np.ndarray]:
        if when is None:
            return list((ends - 1) % count == np.arange(count)[:, None])
        return [*[ends <= when, ends > when][1 - count :], never]  # never: the number

    # Where a choice shows other words: the steps at which the words from here on stand.
    turns: dict[int, np.ndarray] = {}
    for marks, when in choices:
        turns.update(zip(marks, [*options(len(marks) - 1, when), always], strict=True))
    shown = np.zeros((len(tokens), len(ends)), bool)
    around, now = [], always
    for i, token in enumerate(tokens):
        if i not in turns:
            shown[i] = now
            continue
        if token == "[":
            around.append(now)
        now = around[-1] & turns[i]
        if token == "]":
            around.pop()
    return shown


def warn_of_lost(tokens: list[str], choices: list[Choice], shown: np.ndarray, steps: int) -> None:
    """Say which words no step shows."""
    syntax = {mark for choice in choices for mark in choice.marks}
    syntax |= {choice.marks[-1] - 1 for choice in choices if choice.when is not None}
    lost = [i for i in np.flatnonzero(~shown.any(axis=1)).tolist() if i not in syntax]
    words = [repr(tokens[i].strip()) for i in lost if tokens[i].strip()]
    if words:
        warn(
            f"No step from 1 to {steps} shows {', '.join(words):.80}. In [from:to:when] the number "
            "is a step, or with a dot a fraction of them, and no weight; [a|b] shows one a step."
        )
