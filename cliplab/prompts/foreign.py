"""Marks by which a prompt shows that it was written for another tool.

A tool takes what it does not know for words, and says nothing. So does this package, whose answers
are the tool's; but it warns once a prompt, at the first such mark. What can stand in plain English
is no mark: a comma, a single plus, round brackets.
"""

import re
from typing import NamedTuple

from .fragment import warn_at


class Mark(NamedTuple):
    """What another tool reads; `source` is the syntax that `convert_prompt` reads it in."""

    pattern: re.Pattern[str]
    says: str
    source: str | None


NUMBER = r"(?:\d+(?:\.\d*)?|\.\d+)"
ENDS = r"(?=[\s,.;:!?)]|$)"
MARKS = {
    "weight": Mark(
        re.compile(rf"(?<!\\)\([^()]*[^()\d\s:\\]\s*:\s*{NUMBER}\s*\)"),
        "(word:1.3) is a weight for Automatic1111 and ComfyUI",
        "a1111",
    ),
    "emphasis": Mark(
        re.compile(r"(?<!\\)\(\([^()]+\)\)(?![\d.+-])"),
        "((word)) is a weight for Automatic1111 and ComfyUI",
        "a1111",
    ),
    "square": Mark(
        re.compile(r"(?<!\\)\[\s*[^\s\[\]][^\[\]]*(?<!\\)\]"),
        "Square brackets are a weight or a schedule for Automatic1111",
        "a1111",
    ),
    "join": Mark(
        re.compile(r"\bBREAK\b|(?<![A-Z])(?<![A-Z] )\bAND\b(?! [A-Z]{2})"),
        "BREAK and AND part a prompt for Automatic1111",
        "a1111",
    ),
    "network": Mark(
        re.compile(r"<\w+:[^<>]+>"),
        "<lora:…> loads a network for Automatic1111: load it into the pipeline, and take this out",
        "a1111",
    ),
    "suffix": Mark(
        re.compile(rf"(?<!\\)\)(?:{NUMBER}|\++|-+){ENDS}"),
        "(word)1.3 and (word)++ are weights for Compel",
        "compel",
    ),
    "plus": Mark(  # and no name of a language or an editor
        re.compile(rf"\b(?!(?:notepad|[cg])\+)[^\W\d_]+\+{{2,}}{ENDS}", re.IGNORECASE),
        "word++ is a weight for Compel",
        "compel",
    ),
    "call": Mark(
        re.compile(r"\)\s*\.(?:blend|and|add)\s*\(|[\w\")]\.swap\s*\("),
        ".blend(…), .and(…) and .swap(…) are Compel's",
        "compel",
    ),
    "misplaced": Mark(
        re.compile(r"\)\s*\.(?:blend|and|add)\s*\("),
        'Compel reads .blend(…) and .and(…) after a whole prompt alone: ("…", "…").blend(…)',
        None,
    ),
    "embedding": Mark(
        re.compile(r"\bembedding:[^\s,()]+"),
        "embedding:NAME is a learned word for ComfyUI, and this encoder knows none by that name",
        None,
    ),
}


def warn_of_foreign(prompt: str, marks: tuple[str, ...], syntax: str) -> None:
    """Warn (PromptWarning) at the first of these marks in a prompt, once."""
    found = {m: match.start() for m in marks if (match := MARKS[m].pattern.search(prompt))}
    if not found:
        return
    name = min(found, key=lambda mark: found[mark])
    _, says, source = MARKS[name]
    if source:
        advice = (
            f'Name the syntax that the prompt is written in, "{source}", or convert what can be '
            f'kept: cliplab.convert_prompt(prompt, "{source}", "{syntax}").'
        )
    else:
        advice = "cliplab.convert_prompt, too, takes it for words."
    warn_at(f'{says}. Read as "{syntax}" it is words. {advice}', prompt, found[name])
