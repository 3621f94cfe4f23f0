r"""Compel's grammar, read in linear time.

    prompt  = (lora | weighted | swap | bracket | quote | any run without a blank)*
    items   = (lora | weighted | swap | bracket | quote | word | "," | ".")*   no , . in a swap
    bracket = "(" items ")"
    quote   = '"' items '"'
    target  = bracket | quote | word
    weighted = (bracket | quote) ("+"… | "-"… | number)   no blank between
             | word ("+"… | "-"…)                         nor here
             | target ".attend(" ("+"… | "-"… | number) ")"
    swap    = target ".swap(" items ["," options] ")"

The first alternative that matches is taken, for good. Compel tries each of them anew, and so reads
a bracket's inside four or five times, at each depth. Here the brackets are read from the last to
the first: whatever a bracket holds has been read when its turn comes, so there is no recursion
either, and no character is looked at more than a few times.

Source: compel 2.5.1, prompt_parser.py: build_parser_syntax; pyparsing 3.3.3 for blanks and quotes.
"""

import re
from collections.abc import Callable
from typing import TypeVar

from ..fragment import PromptError
from ..tree import Lora
from .nodes import Exchange, Group, Node, Source, Text, unquoted

T = TypeVar("T")
Option = tuple[str, float | str, int]  # name, value, place
Replacement = tuple[list[Node], dict[str, float | str], dict[str, int], int]  # of a swap; its end

B = r"[ \t\r\n]*+"  # what pyparsing skips
NUMBER = r"(?:[+-]?(?:\d++\.\d*+|\.\d++)|-?[0-9]++)"
NAME = r"[A-Za-z0-9_-]++"

SKIP = re.compile(B)
OPENER = re.compile(r"(?<!\\)\(")
WORD = re.compile(r'(?:\\[()",.+=-]|[+-](?![ \t\r\n()",.+=-]|\Z)|[^\s()",.+=-])++', re.ASCII)
FREE_WORD = re.compile(r"[^ \t\n\r\v\f]++")
# pyparsing's White() passes over other blanks before its own; \f gets by in no other way.
GAP = re.compile(r"[\f\xa0\u1680\u180e\u2000-\u200b\u202f\u205f\u3000]*+[ \t\r\n]++")
WEIGHT = r"(\++|-+|\d++\.\d*+|\.\d++|[0-9]++)"
AFTER_WORD = re.compile(r"(\++|-+)")
AFTER_GROUP = re.compile(WEIGHT)
ATTEND = re.compile(rf"\.attend{B}\({B}{WEIGHT}{B}\)")
SWAP = re.compile(rf"\.swap{B}\(")
LORA = re.compile(rf"(?:useLora|withLora){B}\({B}({NAME})(?:{B},{B}({NUMBER}))?{B}\)")
OPTION = re.compile(rf"({NAME}){B}={B}(?:({NUMBER})|({NAME}))|({NUMBER})|({NAME})")

PLUS, MINUS = 1.1, 0.9
SWAP_OPTIONS = {"s_start": 0.0, "s_end": 0.0, "t_start": 0.2, "t_end": 1.0}  # and shape_freedom


def is_nothing(node: Node) -> bool:
    """Brackets with nothing in them, of which nothing is left."""
    return isinstance(node, Group) and node.weight is None and not node.children


class Reader:
    """Reads one text: a prompt, or what stands in quotes. ``prompt`` is for the errors."""

    def __init__(self, source: Source, prompt: str):
        self.text, self.places = source
        self.source, self.prompt = source, prompt
        # For each bracket and quote that opens: a group, None, or the crash of whoever comes by.
        self.groups: dict[int, Group | PromptError | None] = {}
        self.swaps: dict[int, Replacement | PromptError | None] = {}
        self.ends: dict[int, int] = {}
        if "(" in self.text:
            self.read_brackets()

    def read_brackets(self) -> None:
        swaps = {match.end() - 1 for match in SWAP.finditer(self.text)}
        for opener in reversed([match.start() for match in OPENER.finditer(self.text)]):
            self.groups[opener] = self.attempt(self.read_bracket, opener)
            if opener in swaps:
                self.swaps[opener] = self.attempt(self.read_swap, opener)

    def attempt(self, read: Callable[[int], T], opener: int) -> T | PromptError:
        try:
            return read(opener)
        except PromptError as crash:
            return crash

    def look_up(self, table: dict[int, T | PromptError], opener: int) -> T:
        found = table[opener]
        if isinstance(found, PromptError):
            raise found.with_traceback(None)
        return found

    def skip(self, i: int) -> int:
        return blanks.end() if (blanks := SKIP.match(self.text, i)) else i

    def at(self, i: int, char: str) -> bool:
        return self.text.startswith(char, i)

    def text_node(self, start: int, end: int) -> Text:
        return Text(self.text[start:end], self.places[start], self.places[end])

    def group(self, children: list[Node], start: int, end: int) -> Group:
        return Group(None, children, self.places[start], self.places[end], self.places[end])

    # Each of these gives (what it has read, where it ends), or None.

    def read_prompt(self, i: int) -> tuple[list[Node], int]:
        """Anything at all; it ends early only at a blank that is none for pyparsing."""
        children: list[Node] = []
        while (i := self.skip(i)) < len(self.text):
            found = self.read_item(i, commas=False)
            if not found or isinstance(found[0], Text):
                if word := FREE_WORD.match(self.text, i):
                    found = self.text_node(i, word.end()), word.end()
                elif gap := GAP.match(self.text, i):
                    i = gap.end()
                    continue
                else:
                    break
            node, i = found
            if not is_nothing(node):
                children.append(node)
        return children, i

    def read_items(self, i: int, commas: bool) -> tuple[list[Node], int]:
        children: list[Node] = []
        while found := self.read_item(i := self.skip(i), commas):
            node, i = found
            if not is_nothing(node):
                children.append(node)
        return children, i

    def read_item(self, i: int, commas: bool) -> tuple[Node, int] | None:
        if lora := LORA.match(self.text, i):
            return self.lora(lora), lora.end()
        if target := self.read_target(i):
            return self.read_suffix(*target, i)
        if commas and self.text[i : i + 1] in (",", "."):
            return self.text_node(i, i + 1), i + 1
        return None

    def lora(self, match: re.Match[str]) -> Lora:
        places = self.places[match.start()], self.places[match.end()]
        return Lora(match[1], float(match[2] or 1), *places)

    def read_target(self, i: int) -> tuple[Text | Group, int] | None:
        if self.at(i, "(") or self.at(i, '"'):
            if i not in self.groups:
                self.groups[i] = self.attempt(self.read_quote, i)
            group = self.look_up(self.groups, i)
            return (group, self.ends[i]) if group else None
        word = WORD.match(self.text, i)
        return (self.text_node(i, word.end()), word.end()) if word else None

    def read_suffix(self, node: Text | Group, end: int, start: int) -> tuple[Node, int]:
        """A weight or a swap after a target; the target itself if there is none."""
        weight = (AFTER_WORD if isinstance(node, Text) else AFTER_GROUP).match(self.text, end)
        if not weight and not self.at(after := self.skip(end), "."):
            return node, end
        if weight := weight or ATTEND.match(self.text, after):
            value, behind = self.weight(weight), self.places[weight.end()]
            if isinstance(node, Text):
                return Group(value, [node], -1, node.end, behind), weight.end()
            return node._replace(weight=value, end=behind), weight.end()
        swap = SWAP.match(self.text, after)
        if not swap or not (found := self.look_up(self.swaps, swap.end() - 1)):
            return node, end
        edited, options, unknown, close = found
        original: list[Node] = [] if is_nothing(node) else [node]
        places = (self.places[i] for i in (start, end, swap.end(), close))
        return Exchange(original, edited, options, unknown, *places), close

    def weight(self, match: re.Match[str]) -> float:
        written = match[1]
        if written[0] not in "+-":
            return float(written)
        try:
            return pow(PLUS if written[0] == "+" else MINUS, len(written))
        except OverflowError:
            message = (
                f"Compel crashes on {len(written)} plus signs: 1.1 to that power is beyond what a "
                "number holds. Write (words)1.5 with the weight that you mean."
            )
            raise PromptError(message, self.prompt, self.places[match.start(1)]) from None

    def read_bracket(self, opener: int) -> Group | None:
        children, end = self.read_items(opener + 1, commas=True)
        if not self.at(end, ")"):
            return None
        self.ends[opener] = end + 1
        return self.group(children, opener, end + 1)

    def read_quote(self, opener: int, anything: bool = False) -> Group | None:
        found = unquoted(self.source, opener)
        if not found:
            return None
        source, end = found
        if source.text.strip():
            inner = Reader(source, self.prompt)
            children, stop = inner.read_prompt(0) if anything else inner.read_items(0, commas=True)
            if stop < len(source.text):
                return None
        else:
            children = [Text("", source.places[0], source.places[0])]
        self.ends[opener] = end
        return self.group(children, opener, end)

    def read_swap(self, opener: int) -> Replacement | None:
        edited, end = self.read_items(opener + 1, commas=False)
        written: list[Option] = []
        if self.at(end, ","):
            written, end = self.read_options(end + 1)
        if not self.at(end, ")"):
            return None
        return edited, *self.swap_options(written), end + 1

    def swap_options(self, written: list[Option]) -> tuple[dict[str, float | str], dict[str, int]]:
        typed = {key: value for key, value, _ in written}
        unknown = {k: at for k, _, at in written if k not in SWAP_OPTIONS and k != "shape_freedom"}
        options = dict(SWAP_OPTIONS)
        freedom = typed.pop("shape_freedom", None)
        if isinstance(freedom, str):
            message = "Compel crashes here: shape_freedom wants a number. Write shape_freedom=0.5."
            place = next(at for key, _, at in reversed(written) if key == "shape_freedom")
            raise PromptError(message, self.prompt, place)
        if freedom is not None:
            options["s_end"] = 1.0 - freedom ** (1.0 / 3.0)
        return options | typed, unknown

    def read_options(self, i: int) -> tuple[list[Option], int]:
        """[(name, value, place), …]; a number alone is its own name, and a name alone has "" ."""
        found, end = [], i
        while option := OPTION.match(self.text, i := self.skip(i)):
            name, number, word, alone, flag = option.groups()
            name = name or flag or str(float(alone))
            value = float(number) if number else word or ""
            found.append((name, value, self.places[i]))
            end = i = self.skip(option.end())
            if not self.at(i, ","):
                break
            i += 1
        return found, self.skip(end)
