r"""ComfyUI's prompt grammar: `(word:1.3)` sets a weight, `(word)` multiplies it by 1.1.

A weight is absolute: `(x:r)` weighs r whatever stands around it, so `((a:1.3) b:1.2)` is a@1.3,
b@1.2. The number is what follows the bracket's last colon, if Python's ``float`` reads it. `\(` and
`\)` are brackets of the text. Nothing else has a meaning here: `[ ]`, BREAK, AND and `+` are text
(`embedding:name` is the tokenizer's affair, and `{a|b}` the page's, not the grammar's).

Quirks, which ``quirks=False`` refuses:

    a stray )            what follows keeps weight 1 until a ( has made up for it: `a) (b:1.3)`
    an unclosed (        text, or, where the prompt ends in ), a bracket without its end
    ()                   gives nothing
    (:1.2)               the text ":1.2" at 1.1: a colon at the very front is no weight's
    (a:1,2)  (a:)        text at 1.1: float() does not read that
    (a:inf)  (a:1_5)     float() reads that: weights inf and 15. nan, inf: PromptWarning
    (ratio 16:9)         "ratio 16" at weight 9; write (16:9.0) where that is meant
    NUL \1, NUL \2       become brackets of the text, for the tool marks its escapes so

Source: ComfyUI a125cd84b054, comfy/sd1_clip.py: parse_parentheses, token_weights, escape_important.
The tool goes one call deeper for each bracket and reads its inside anew, so that deep nesting ends
in a RecursionError and takes time that grows with its square; this file reads any depth, in linear
time.
"""

import math
import re

from ..fragment import Fragment, PromptError, require_prompt, warn_at, without_gc

# An escaped bracket is matched first, and so is no mark; no more is a NUL with what it marks.
MARK = re.compile(r"\\[()]|[():]|\0[\1\2]")
ESCAPE = re.compile(r"\\([()])|\0([\1\2])")
# After a colon, this was meant as a number: one word that begins with a digit, or no word at all.
NUMBER_MEANT = re.compile(r"\s*[-+]?[.,]?\d\S*\s*|[\s\d.,+\-%]*")

MESSAGES = {
    "no number": "ComfyUI finds no number after this colon, or nothing before it, so that it stays "
    "text with what follows, at 1.1. Write (word:1.2), or leave out the colon.",
    "odd number": "ComfyUI takes {word!r} for the weight {number}. Write a finite number, in "
    "digits, such as 1.2.",
    "ratio": "ComfyUI takes :{word} for a weight. Write :{word}.0) if it is one, and :{word}:1.1) "
    "if it is text.",
    "NUL": "A NUL before \\1 or \\2 is how ComfyUI marks an escaped bracket: it comes out as one. "
    "Leave out the NUL.",
    ")": "This ) closes nothing, and ComfyUI then passes over the next bracket's weight. Write "
    r"\) for a bracket of the text.",
    "()": "ComfyUI reads nothing in (). Leave it out.",
    "(": "This ( is never closed, and ComfyUI reads no weight in it as it is meant. Close it, or "
    r"write \( for a bracket of the text.",
}


@without_gc
def fragments(prompt: str, quirks: bool = True) -> list[Fragment]:
    """A prompt's fragments as ComfyUI reads them, in order; none at all for "" and "()".

    quirks=False raises PromptError at the quirks that the module's docstring lists. Warns
    PromptWarning where a word is taken for a weight that is not finite: `(a:nan)`. Linear.
    Source: sd1_clip.py: token_weights(escape_important(text), 1.0).
    """
    require_prompt(prompt)
    marks, pair = _marks(prompt, quirks)
    found = []

    def text(start: int, end: int, weight: float) -> None:
        if start < end:
            found.append(Fragment(unescape(prompt[start:end]), weight, start, end))

    # Stretches still to read, the next one last: marks[i:j] are its colons and brackets.
    todo = [(0, len(marks), 0, len(prompt), 1.0)]
    while todo:
        i, j, start, end, weight = todo.pop()
        while i < j and prompt[marks[i]] == ":":
            i += 1
        if i == j:
            text(start, end, weight)
            continue
        left = marks[i]  # what a stretch closes it has opened, so its first bracket is a (
        text(start, left, weight)
        close = pair.get(i)
        if close is None:  # never closed: it reaches to the stretch's end
            if marks[j - 1] != end - 1 or prompt[end - 1] != ")":
                text(left, end, weight)
                continue
            close = j - 1  # … and takes the last ) there from the bracket that it belonged to
            del pair[pair[close]]
        right = marks[close]
        todo.append((close + 1, j, right + 1, end, weight))
        todo.append((i + 1, close, left + 1, right, weight * 1.1))
        # A number has no brackets in it: only a colon that is the last mark can stand before one.
        colon = marks[close - 1]
        if prompt[colon] == ":":
            number = _number(prompt, left, colon, right, quirks)
            if number is not None:
                todo[-1] = (i + 1, close - 1, left + 1, colon, number)
    return found


def escape(text: str) -> str:
    r"""A text as one writes it in a ComfyUI prompt so that it means itself: `(` becomes `\(`."""
    return re.sub(r"[()]", r"\\\g<0>", text)


def unescape(text: str) -> str:
    r"""What the tokenizer gets: `\(` and `\)` without backslash, ( for NUL \2, ) for NUL \1."""
    return ESCAPE.sub(lambda m: m[1] or ")("[ord(m[2]) - 1], text)


def _marks(prompt: str, quirks: bool) -> tuple[list[int], dict[int, int]]:
    """Places of the brackets and colons, and which two brackets, by their number there, are a pair.

    A stray ) puts the tool's counter below zero, and a ( after it only counts up again: neither is
    a mark. Without quirks, a bracket that stands alone or empty, and a byte that turns into one,
    are refused.
    """

    def refuse(quirk: str, position: int) -> None:
        if not quirks:
            raise PromptError(MESSAGES[quirk], prompt, position)

    marks: list[int] = []
    pair: dict[int, int] = {}
    open_: list[int] = []
    below = 0
    for match in MARK.finditer(prompt):
        mark, at = match[0], match.start()
        if mark[0] == "\0":
            refuse("NUL", at)
        elif mark == "(" and below:
            below -= 1
        elif mark == ")" and not open_:
            refuse(")", at)
            below += 1
        elif len(mark) == 1:
            if mark == "(":
                open_.append(len(marks))
            elif mark == ")":
                left = open_.pop()
                if marks[left] + 1 == at:
                    refuse("()", marks[left])
                pair[left] = len(marks)
            marks.append(at)
    if open_:
        refuse("(", marks[open_[-1]])
    return marks, pair | {close: left for left, close in pair.items()}


def _number(prompt: str, left: int, colon: int, right: int, quirks: bool) -> float | None:
    """The weight between a bracket's last colon and its end, or None where ComfyUI finds none."""
    typed = prompt[colon + 1 : right]
    try:
        number = float(typed) if colon > left + 1 else None
    except ValueError:
        number = None
    word, finite = typed.strip()[:20], number is None or math.isfinite(number)
    if quirks:
        if not finite:
            message = f"ComfyUI takes {word!r} for the weight {number}, not for a word."
            warn_at(message, prompt, colon + 1)
    elif number is None and NUMBER_MEANT.fullmatch(typed):
        raise PromptError(MESSAGES["no number"], prompt, colon)
    elif not finite or (number is not None and "_" in typed):
        message = MESSAGES["odd number"].format(word=word, number=number)
        raise PromptError(message, prompt, colon + 1)
    elif typed.isdigit() and prompt[colon - 1].isdigit():
        raise PromptError(MESSAGES["ratio"].format(word=word), prompt, colon)
    return number
