"""The lecture's notation for weights, as equations 15–20 print it.

    (span)      λ = 1.1, and λⁿ for n pairs of brackets                        Lecture eq. 15
    [span]      0.9, and 0.9ⁿ: the example before the definition (erratum E10: no tool has it)
    (span: r)   r, where r > 1                                                 Lecture eq. 16
    span+       λ, and λⁿ for n plus signs; the span is one word               Lecture eq. 17
    (span)r     r, where r > 1, or 0 < r < 1                                   Lecture eqs 18, 20

Brackets that carry a number weigh that number, not λ times it. What stands inside one another
multiplies, as equation 15 has it. Nothing else is defined, so nothing else is read: a number that
the equations exclude, such as `(x: 0.8)` (erratum E31), and brackets without a partner are errors.
The remark at equation 20 does set `(some phrase: 0.9)` beside `[some phrase]`, against equation 16,
and equation 19 is missing. There are no escapes: a bracket is always a bracket.
"""

import math
import re
from typing import NoReturn

from .a1111.tool import CutsAtCommas
from .fragment import Fragment, PromptError, require_prompt, without_gc

LAMBDA, BRACKET = 1.1, 0.9

# What looks like a number is taken as one, so that a wrong one is an error and not a word.
NUMBER = r"[-+]?\.?\d\w*(?:[.,]\w+)*"
TOKEN = re.compile(
    rf"(?P<left>[(\[])"
    rf"|(?::\s*(?P<inside>{NUMBER})\s*)?(?P<right>[)\]])(?P<after>{NUMBER}|\++)?"
    r"|(?P<word>[^\s()\[\]+,:]+)(?P<plus>\+*)"
)
MESSAGES = {
    "weight": "So many brackets or plus signs come to weight {weight:g}, by equations 15 and 17; "
    "the lecture's weights are finite and above 0. Write fewer.",
    "closing": "This {bracket} does not close the last bracket that stands open; equations 15–20 "
    "know only pairs. Open it before, or leave it out.",
    "empty": "There is no span in these brackets for equations 15–20 to weigh. Write one.",
    "open": "This bracket is never closed; equations 15–20 know only pairs. Close it, or leave it "
    "out.",
    "square": "The lecture's [span] weighs 0.9 and carries no number or plus; numbers are for "
    "round brackets, equations 16, 18 and 20.",
    "plus": "Equation 17 puts a plus after a word. After brackets it could mean λ or, with "
    "equation 15, λ·λ: write (span)1.1 or ((span)) instead.",
    "both": "Equations 16 and 18 each give these brackets a weight. Write one of them.",
    "inside": "In (span: r) equation 16 asks for a number r > 1. A smaller one, above 0, is "
    "written (span)r, equation 20.",
    "after": "In (span)r equation 18 asks for a number r > 1, equation 20 for 0 < r < 1. For text "
    "after brackets write a space between.",
}
PLAIN_NUMBER = re.compile(r"\d+(\.\d*)?|\.\d+")


@without_gc
def fragments(prompt: str, quirks: bool = True) -> list[Fragment]:
    """A prompt's fragments by Lecture eqs 15–18, 20, in order.

    ``quirks`` is there for the other grammars' sake and changes nothing: there is no tool behind
    these equations that could have any. Raises PromptError, with the equation, for whatever they do
    not define. Errata E10, E31. Linear.
    """
    require_prompt(prompt)
    tokens = list(TOKEN.finditer(prompt))
    factor = _factors(prompt, tokens)
    found, weights, start = [], [1.0], 0

    def text(end: int, weight: float) -> None:
        if not 0 < weight < math.inf:
            raise PromptError(MESSAGES["weight"].format(weight=weight), prompt, start)
        if start < end:
            found.append(Fragment(prompt[start:end], weight, start, end))

    for i, token in enumerate(tokens):
        if token["plus"] == "":
            continue
        text(token.start(), weights[-1])
        start = token.start()
        if token["left"]:
            weights.append(weights[-1] * factor[i])
        elif token["right"]:
            weights.pop()
        else:
            raised = math.prod([LAMBDA] * len(token["plus"]), start=weights[-1])
            text(token.end("word"), raised)
        start = token.end()
    text(len(prompt), weights[-1])
    return found


def _factors(prompt: str, tokens: list[re.Match[str]]) -> dict[int, float]:
    """Each pair's own weight, under the number of its left bracket among the tokens."""
    factor: dict[int, float] = {}
    open_: list[int] = []
    for i, token in enumerate(tokens):
        if token["left"]:
            open_.append(i)
        elif token["right"]:
            left = tokens[open_[-1]] if open_ else None
            if left is None or left[0] + token["right"] not in ("()", "[]"):
                message = MESSAGES["closing"].format(bracket=token["right"])
                raise PromptError(message, prompt, token.start("right"))
            if left.end() == token.start():
                raise PromptError(MESSAGES["empty"], prompt, left.start())
            factor[open_.pop()] = _factor(prompt, token)
    if open_:
        raise PromptError(MESSAGES["open"], prompt, tokens[open_[-1]].start())
    return factor


def _factor(prompt: str, token: re.Match[str]) -> float:
    """The weight of a pair of brackets, from its right one and the number that it may carry."""

    def refuse(message: str, group: str) -> NoReturn:
        raise PromptError(MESSAGES[message], prompt, token.start(group))

    inside, after = token["inside"], token["after"]
    group = "inside" if inside else "after"
    if token["right"] == "]":
        if inside or after:
            refuse("square", group)
        return BRACKET
    if after and after.startswith("+") and not after.strip("+"):
        refuse("plus", "after")
    if inside and after:
        refuse("both", "after")
    if not (inside or after):
        return LAMBDA
    typed = token[group]
    number = float(typed) if PLAIN_NUMBER.fullmatch(typed) else 0.0
    if inside and not 1 < number < math.inf:
        refuse("inside", group)
    if after and not (0 < number < math.inf and number != 1):
        refuse("after", group)
    return number


class Lecture(CutsAtCommas):
    """The lecture's notation. Of prompts beyond 77 tokens it says nothing; A1111 cuts for it."""

    title = "the lecture's notation"
    method = "scale"
    weighted = "({text}){weight}"
    inescapable = ": its brackets, and a plus after a word, always weigh"
    fragments = staticmethod(fragments)

    def refusal(self, weight: float) -> str | None:
        return super().refusal(weight) or (
            f"in {self.title} weights are above 0" if weight <= 0 else None
        )


TOOL = Lecture()
