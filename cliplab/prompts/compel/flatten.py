"""From the tree of a prompt to its fragments: weights multiplied, equal neighbors joined.

Source: compel 2.5.1, prompt_parser.py: flatten, fuse_fragments, Fragment.
"""

import re
from typing import Any, NamedTuple

from ..fragment import Fragment
from ..tree import Lora, Swap
from .nodes import Group, Text

ESCAPES = re.compile(r'(\\+)([()"]?)')


class Run(NamedTuple):
    """Neighbors of one weight, on the way to a Fragment."""

    weight: float
    texts: list[Text]


def flatten(
    children: list[Any],
) -> tuple[list[Fragment | Swap], list[Lora], list[tuple[str, int]]]:
    """One prompt's fragments and swaps, its loras, its swaps' unknown options with their places.

    Weights multiply from the outermost bracket inward. One loop and a stack of what is half done,
    so that any depth is fine.
    """
    fragments: list[Any] = []
    loras, unknown = [], []
    lists = [(fragments, None)]
    stack = [(iter(children), 1.0, fragments)]
    while stack:
        nodes, scale, out = stack[-1]
        node = next(nodes, None)
        if node is None:
            stack.pop()
        elif isinstance(node, Text):
            last = out[-1] if out else None
            if isinstance(last, Run) and last.weight == scale:
                last.texts.append(node)
            else:
                out.append(Run(scale, [node]))
        elif isinstance(node, Group):
            weight = scale if node.weight is None else scale * node.weight
            stack.append((iter(node.children), weight, out))
        elif isinstance(node, Lora):
            loras.append(node)
        else:
            swap = Swap([], [], node.options, node.start, node.end)
            out.append(swap)
            unknown += node.unknown.items()
            for into, side, at in (
                (swap.edited, node.edited, node.inside),
                (swap.original, node.original, node.start),
            ):
                lists.append((into, at))
                stack.append((iter(side or [Text("", at, at)]), scale, into))
    for out, at in lists:
        out[:] = [item if isinstance(item, Swap) else join(*item) for item in out]
        if not out and at is not None:
            out.append(Fragment("", 1.0, at, at))  # whatever the weight around it
    return fragments, loras, unknown


def join(weight: float, texts: list[Text]) -> Fragment:
    r"""The fragment of a run: its texts with a space between.

    Compel unescapes a fragment's text each time it makes one: twice, and once more for each further
    text that joins it. So does this: from `\\(`, both backslashes go.
    """
    times = len(texts) + 2
    read = [unescape(text.text, times - max(n, 1)) for n, text in enumerate(texts)]
    return Fragment(" ".join(read), weight, texts[0].start, texts[-1].end)


def unescape(text: str, times: int = 1) -> str:
    r"""`\(`, `\)` and `\"` without their backslash; as often as that, where there are several."""
    if "\\" not in text:
        return text
    return ESCAPES.sub(lambda m: (m[1][times:] if m[2] else m[1]) + m[2], text)
