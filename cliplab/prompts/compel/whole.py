"""A whole prompt: which of Compel's three kinds it is, and where Compel gives up on it.

    whole = parts (".and" | ".add") "(" options ")"  anything, which is dropped
          | lora* parts ".blend" "(" options ")" lora*
          | prompt
    parts = "(" part ("," part)* ")"        part = target | '"' prompt '"'

Source: compel 2.5.1, prompt_parser.py: build_parser_syntax (blend, explicit_conjunction,
implicit_conjunction), make_operator_object.
"""

import re

from ..fragment import PromptError
from ..tree import Lora
from .nodes import Node, Tree, spaced
from .reader import LORA, Option, Reader

# The parts, the operator's match, options, marks.
Parts = tuple[list[list[Node]], re.Match[str], list[Option], tuple[tuple[int, int], ...]]
OPERATOR = re.compile(r"(\.blend|\.and|\.add)[ \t\r\n]*+\(")


def read(prompt: str) -> Tree:
    """The tree of a prompt. Raises PromptError where Compel raises anything."""
    reader = Reader(spaced(prompt), prompt)
    i = reader.skip(0)
    found = _parts(reader, i)
    if found and found[0][1][1] != ".blend":
        return _combined(reader, *found, [])
    before, i = _loras(reader, i)
    if before:
        found = _parts(reader, i)
    if found and found[0][1][1] == ".blend":
        return _combined(reader, *found, before)
    children, end = reader.read_prompt(i)
    _require_end(reader, end)
    return Tree("", 0, [children], [1.0], True, before, [], (), len(prompt))


def _parts(reader: Reader, i: int) -> tuple[Parts, int] | None:
    """Parts, and where they end; or None."""
    if not reader.at(i, "("):
        return None
    parts, end = list[list[Node]](), i
    while not parts or reader.at(end, ","):
        start = reader.skip(end + 1)
        part, end = reader.read_target(start) or (None, start)
        if not part and reader.at(start, '"'):  # a part may hold what no other quotes may
            part = reader.read_quote(start, anything=True)
            end = reader.ends.get(start, start)
        if not part:
            return None
        parts.append([part])
        end = reader.skip(end)
    operator = reader.at(end, ")") and OPERATOR.match(reader.text, reader.skip(end + 1))
    if not operator:
        return None
    options, close = reader.read_options(operator.end())
    if not reader.at(close, ")"):
        return None
    spans = (i, i + 1), (end, end + 1), operator.span(), (close, close + 1)
    marks = tuple((reader.places[a], reader.places[b]) for a, b in spans)
    return (parts, operator, options, marks), close + 1


def _combined(reader: Reader, found: Parts, end: int, before: list[Lora]) -> Tree:
    parts, match, options, marks = found
    operator, after = match[1].replace("add", "and"), list[Lora]()
    normalize = not (operator == ".blend" and options and options[-1][0] == "no_normalize")
    numbers = options if normalize else options[:-1]
    weights = [_number(reader, name, at) for name, _, at in numbers]
    place = reader.places[match.start()]
    if weights and len(weights) != len(parts):
        message = f"{match[1]}(…) has {len(weights)} weights for {len(parts)} parts,"
        advice = "and Compel stops here. Give one weight to each part, or none at all."
        raise PromptError(f"{message} {advice}", reader.prompt, place)
    if operator == ".blend":
        after, end = _loras(reader, end)
        _require_end(reader, end)
    weights = weights or [1.0] * len(parts)
    end = reader.places[end]
    return Tree(operator, place, parts, weights, normalize, before, after, marks, end)


def _loras(reader: Reader, i: int) -> tuple[list[Lora], int]:
    found = []
    while match := LORA.match(reader.text, reader.skip(i)):
        found.append(reader.lora(match))
        i = match.end()
    return found, reader.skip(i)


def _number(reader: Reader, written: str, place: int) -> float:
    try:
        return float(written)
    except ValueError:
        message = f"Compel crashes here: {written!r:.40} is no weight. Write a number, such as 0.5;"
        advice = "no_normalize stands last, and in .blend() alone."
        raise PromptError(f"{message} {advice}", reader.prompt, place) from None


def _require_end(reader: Reader, end: int) -> None:
    """Compel stops where its grammar ends before the prompt does."""
    if (end := reader.skip(end)) == len(reader.text):
        return
    char = reader.text[end]
    if char in "\v\f":
        message = f"Compel stops at a {char!r}. Write a space or a line break."
    else:
        message = (
            "Compel stops here: nothing may follow .blend(…) but withLora(…). Put these words into "
            "the parts of the blend."
        )
    raise PromptError(message, reader.prompt, reader.places[end])
