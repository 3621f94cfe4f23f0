r"""What ``quirks=False`` refuses: prompts that the web UI reads otherwise than they look.

(a   a)   [a)   ([a)]     brackets that do not pair: they reach to the end, or are text
(a BREAK b)               in brackets, BREAK is a word with a negative weight
(a:1e3)  (a:1,2)          no weight to the web UI: text, and the bracket counts 1.1
[a:0.9]  [a:b:5]  [a|b]   read before the weights: a switch at a step, an alternation
a AND b  <lora:a:1>  #a   read before the weights as well; here they would be words
time 12:30                at the end, `:30` is the weight of the whole prompt
(ratio 16:9)              "ratio 16" at weight 9; a weight after a digit wants a dot, `16:9.0`
a\b                       a backslash goes where it protects nothing
(a:1.2)(b:1.2)            "ab", one word
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from ..fragment import Fragment, PromptError
from .composition import AND, BREAK, TAG, weight_mark

PARTNER = {")": "(", "]": "["}
LIKE_NUMBER = re.compile(r"\s*[-+]*(?:\.?\d[\d.,_eE%+-]*|inf(?:inity)?|nan)\s*", re.IGNORECASE)
MESSAGES = {
    "tag": "This tag is not text: take it out with extra_networks(prompt).",
    "weight": "A number after a colon at the end is the weight of the whole prompt: "
    "split_and(prompt) reads it; any sign after the number makes it text.",
    "backslash": "The web UI drops this backslash: write two of them, or none.",
    "closing": "This bracket closes nothing: write \\{last} if it is text, or {partner} before "
    "what it weights.",
    "open": "This bracket is not closed, and reaches to the end: close it, or write \\{bracket} if "
    "it is text.",
    "step": "In square brackets this is the step of a switch, not a weight: write (word:0.9) for "
    "the weight; schedule(prompt, steps) reads switches.",
    "text": "The web UI takes this for text: a weight is digits with at most one dot, and a sign "
    "at most, as in (word:1.2).",
    "ratio": "The web UI takes :{weight:.20} for a weight: write :{weight:.20}.0) if it is one, "
    "and :{weight:.20}:1.1) if it is text.",
    "AND": "AND joins prompts of their own: split_and(prompt) parts them; in lower case it is a "
    "word.",
    "#": "The web UI takes # for the start of a comment, and drops the rest of the line.",
    "|": "In square brackets, | is for alternations: schedule(prompt, steps) reads them.",
    "BREAK": "In brackets, BREAK is a word with a negative weight: close the brackets before it "
    "and open them again after it.",
    "glue": "{left!r} and {right!r} have one weight and become one word: put a space or a comma "
    "between them.",
}


def check_tokens(prompt: str, tokens: list[re.Match[str]]) -> None:
    """Raise PromptError at the first token that misleads. Linear."""
    if tag := TAG.search(prompt, 0, prompt.rfind(">") + 1):
        raise PromptError(MESSAGES["tag"], prompt, tag.start())
    for position, message in surprises(prompt, tokens):
        raise PromptError(message, prompt, position)
    if (colon := weight_mark(prompt)) is not None:
        raise PromptError(MESSAGES["weight"], prompt, colon)


def surprises(prompt: str, tokens: list[re.Match[str]]) -> Iterator[tuple[int, str]]:
    """Places and messages, in order: the brackets, and what stands between them."""
    opened = []
    for i, match in enumerate(tokens):
        token, start, last = match[0], match.start(), match[0][-1]
        if token == "\\":
            yield start, MESSAGES["backslash"]
        elif match["escaped"]:
            continue
        elif token in ("(", "["):
            opened.append(match)
        elif last in PARTNER:
            if not opened or opened[-1][0] != PARTNER[last]:
                message = MESSAGES["closing"].format(last=last, partner=PARTNER[last])
                yield match.end() - 1, message
            yield from misread_number(prompt, tokens[max(0, i - 2) : i + 1])
            opened.pop()
        else:
            yield from misread_words(match, [bracket[0] for bracket in opened[-1:]])
    if opened:
        yield opened[-1].start(), MESSAGES["open"].format(bracket=opened[-1][0])


def misread_number(prompt: str, tokens: list[re.Match[str]]) -> Iterator[tuple[int, str]]:
    """A number before a closing bracket that is no weight, or a weight that may be none."""
    *before, closing = tokens
    start, weight = closing.start(), closing["weight"]
    after_colon = len(before) == 2 and before[0][0] == ":"
    if not weight and after_colon and LIKE_NUMBER.fullmatch(before[1][0]):
        yield before[1].start(), MESSAGES["step" if closing[0] == "]" else "text"]
    if weight and weight.isdigit() and prompt[start - 1].isdigit():
        yield start, MESSAGES["ratio"].format(weight=weight)


def misread_words(match: re.Match[str], bracket: list[str]) -> Iterator[tuple[int, str]]:
    """AND, comments, `|` and BREAK in a stretch of plain text, directly in this bracket or none."""
    token, start = match[0], match.start()
    if word := AND.search(token):
        yield start + word.start(), MESSAGES["AND"]
    if "#" in token:
        yield start + token.index("#"), MESSAGES["#"]
    if bracket == ["["] and "|" in token:
        yield start + token.index("|"), MESSAGES["|"]
    if bracket and (word := BREAK.search(token)):
        yield start + word.start(), MESSAGES["BREAK"]


def check_joints(prompt: str, runs: list[list[Fragment]]) -> None:
    """Raise PromptError where two brackets' words become one: merged, with nothing between them."""
    for run in runs:
        for left, right in pairwise(piece for piece in run if piece.text):
            syntax = prompt[left.end : right.start]
            if re.search(r"[)\]].*[(\[]", syntax, re.DOTALL) and glue(left.text[-1], right.text[0]):
                message = MESSAGES["glue"].format(left=left.text[-20:], right=right.text[:20])
                raise PromptError(message, prompt, right.start)


def glue(left: str, right: str) -> bool:
    """Whether two characters can stand in one word of CLIP's: two letters, or two signs."""
    return not (left.isspace() or right.isspace()) and left.isalnum() == right.isalnum()
