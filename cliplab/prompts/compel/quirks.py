"""quirks=False: what looks like syntax and was not read as such, or the other way around."""

import re
from collections.abc import Iterator

from ..fragment import PromptError
from ..tree import Lora
from .nodes import Exchange, Text, Tree

SUSPECT = re.compile(
    r"""(?P<escape>\\[()"]) | (?P<backslash>\\) | (?P<bracket>[()]) | (?P<quote>")
    | (?P<square>[][]) | (?P<marker>\b(?:BREAK|AND)\b) | (?P<tag><\w++:[^<>]*+>)
    | (?P<operator>\.(?:attend|swap|blend|and|add)\s*+\( | (?:use|with)Lora\s*+\()
    | (?P<sign>(?!(?<=\w)\+\w) (?:\++ | --+))  # but a single plus inside a word is a letter
    """,
    re.VERBOSE,
)
MESSAGES = {
    "escape": r'This \" ends the quotes, for no other " stands on its line. Write that one.',
    "backslash": "Compel leaves this backslash in the text, or makes a blank of it and its letter: "
    r"only \( \) and \" lose theirs. Leave it out.",
    "bracket": "Compel reads this bracket as a letter, or finds nothing in it: it is glued to a "
    "word, or has no other half, or something does not fit between them. Write "
    r"\( or \) for a bracket of the text.",
    "quote": "Compel reads this quote as a letter: it is glued to a word, or nothing ends it on "
    r"its line, or something does not fit in it. Write \" for a quote of the text.",
    "square": "Square brackets are letters to Compel. Write (words)0.9 or word- for less weight.",
    "marker": 'BREAK and AND are words to Compel. Write ("…", "…").and() for several parts.',
    "tag": "Compel reads this tag as text. Write withLora(name, 0.8).",
    "operator": "Compel reads this as text: it follows no word, bracket or quotes, or something in "
    "it does not fit, such as a signed weight. .blend(…) and .and(…) stand after one (…) that "
    "holds the whole prompt.",
    "options": ".swap() has no option {name!r:.40}: s_start, s_end, t_start, t_end, shape_freedom.",
    "number": "An option of this .swap() is no number. Write s_start=0.1, for instance.",
    "marks": "In brackets and quotes, Compel sets these marks apart by spaces.",
    "sign": "Compel reads this as text: a weight stands at its word, bracket or quotes without a "
    "space, and has signs of one kind. Write word++ or (words)1.2.",
}
COLON = re.compile(r":\s*+[+-]?[\d.]++\s*+\)")
SPACED = re.compile(r'\s++((?:\d*+\.\d++|\++|--++)(?=[\s,)"]|\Z)|\d++(?=\s*+(?:[,)"]|\Z)))')
MARK = re.compile(r'[^\w\s()"\\]')
GLUED = re.compile(r"[\w+-]|\.\d")


def refuse_quirks(prompt: str, tree: Tree) -> None:
    """Raise PromptError at the first place that Compel reads otherwise than it looks."""
    found = min(_quirks(prompt, tree), default=None)
    if found:
        raise PromptError(found[1], prompt, found[0])


def _quirks(prompt: str, tree: Tree) -> Iterator[tuple[int, str]]:
    """(place, message) of every quirk, in no order."""
    if prompt[tree.end :].strip():
        yield tree.end, "Compel drops what comes after .and(…). Put it into one of the parts."
    read = bytearray(len(prompt) + 1)  # 1: a character that was read as syntax

    def mark(start: int, end: int) -> None:
        read[start:end] = b"\1" * (end - start)

    for start, end in tree.marks:
        mark(start, end)
    points, plain = [], set()
    todo = [*tree.before, *tree.after, *(node for part in tree.parts for node in part)]
    while todo:
        node = todo.pop()
        if isinstance(node, Text):
            if node.text in (",", "."):
                points.append(node)
        elif isinstance(node, Lora):
            mark(node.start, node.end)
        elif isinstance(node, Exchange):
            todo += node.original + node.edited
            mark(node.close, node.inside)
            mark(node.end - 1, node.end)
            for name, at in node.unknown.items():
                yield at, MESSAGES["options"].format(name=name)
            if not node.unknown and not all(isinstance(v, float) for v in node.options.values()):
                yield node.start, MESSAGES["number"]
        else:
            todo += node.children
            mark(node.close, node.end)
            if node.open >= 0:
                read[node.open] = read[node.close - 1] = 1
            if node.weight is not None:
                if GLUED.match(prompt, node.end):
                    yield node.end, "The weight ends here; the rest is text. Put a space between."
                continue
            plain.add(node.end)
            if spaced := SPACED.match(prompt, node.end):
                yield spaced.start(1), MESSAGES["sign"]
            elif prompt[node.end : node.end + 1].isalnum():
                yield node.end, "Compel puts a space here, so that a word falls in two. Write it."
    for match in SUSPECT.finditer(prompt):
        kind, at = match.lastgroup or "", match.start()
        if kind == "escape":
            if read[at + 1]:
                yield at, MESSAGES[kind]
        elif not read[at]:
            yield at, MESSAGES[kind]
    for match in COLON.finditer(prompt):
        if match.end() in plain:
            yield match.start(), "A colon is a letter to Compel. Write (words)1.2 for a weight."
    for point in points:
        for at in (point.start - 1, point.end):
            if at >= 0 and not read[at] and MARK.match(prompt, at):
                yield point.start, MESSAGES["marks"]
