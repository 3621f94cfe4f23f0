"""From a prompt to its tree, and to its fragments where it is one plain prompt.

Source of the second half: compel 2.5.1, prompt_parser.py: flatten, fuse_fragments, Fragment.
"""

import re
from typing import Any, NamedTuple

from ..fragment import Fragment, PromptError, require_prompt, warn_at, without_gc
from ..tree import Blend, Conjunction, Lora, Prompt, Swap, encoded, prompts_of
from .nodes import Group, Node, Text, Tree
from .quirks import refuse_quirks
from .whole import read

ESCAPES = re.compile(r'(\\+)([()"]?)')


@without_gc
def parse(prompt: str, quirks: bool = True) -> Conjunction:
    """A prompt as Compel reads it: its parts with their weights, and its loras.

    quirks=False raises PromptError at the first quirk that the package's docstring lists. A part
    without words is no part, so there may be none: `()`, `withLora(a)`. Raises PromptError where
    Compel raises anything; warns PromptWarning where it drops words. Linear.
    Source: compel 2.5.1, prompt_parser.py: parse_conjunction. Lecture eqs 17–18, 20.
    """
    require_prompt(prompt)
    return _conjunction(prompt, _read(prompt, quirks))


@without_gc
def fragments(prompt: str, quirks: bool = True) -> list[Fragment]:
    """The fragments of a prompt that is one plain prompt, with weights and places, in order.

    A swap gives its original's fragments, as Compel's encoding does, and a lora nothing; both warn
    PromptWarning. Raises PromptError as ``parse`` does, and for several parts or a blend, which
    ``parse`` reads, and for what Compel reads but cannot encode: no words at all, a swap in a swap.
    """
    require_prompt(prompt)
    tree = _read(prompt, quirks)
    found = _conjunction(prompt, tree)
    prompts, weights, _, _ = found
    parts = [part for part in prompts if isinstance(part, Prompt)]
    if parts != prompts or weights not in ([], [1.0]):
        message = f"With {tree.operator}(…) this is more than one list of fragments."
        advice = "cliplab.prompts.compel.parse reads it."
        raise PromptError(f"{message} {advice}", prompt, tree.place)
    require_encodable(found, prompt)
    return encoded(parts[0].fragments)


def require_encodable(tree: Conjunction, prompt: str) -> None:
    """Refuse what Compel reads but cannot encode; warn (PromptWarning) of what is left out."""
    if not tree.prompts:
        message = "There are no words in this prompt, and Compel crashes when it encodes it."
        advice = 'Write some, or "" for the empty prompt.'
        raise PromptError(f"{message} {advice}", prompt, len(prompt) - len(prompt.lstrip()))
    swaps = [item for one in prompts_of(tree) for item in one.fragments if isinstance(item, Swap)]
    for swap in swaps:
        if any(isinstance(inner, Swap) for inner in swap.original + swap.edited):
            message = "Compel crashes when it encodes a swap in a swap. Write one of them."
            raise PromptError(message, prompt, swap.start)
    if swaps:
        message = "Of this .swap() the original is encoded; its edit happens in the U-Net."
        warn_at(message, prompt, swaps[0].start)
    if tree.loras:
        names = ", ".join(repr(lora.name) for lora in tree.loras)
        message = f"Encoders leave out the LoRA {names:.80}: load it into the pipeline."
        warn_at(message, prompt, tree.loras[0].start)


def escape(text: str) -> str:
    r"""A text as one writes it between Compel's brackets: `(`, `)` and `"` get a backslash.

    No others can be had: in `\+ \- \, \. \=` the backslash stays in the text. So a word that ends
    in a sign, like c++, cannot be written at weight 1, nor a backslash before a bracket.
    """
    return re.sub(r'[()"]', r"\\\g<0>", text)


def _read(prompt: str, quirks: bool) -> Tree:
    if not prompt.strip():
        return Tree("", 0, [[Text("", 0, 0)]], [1.0], True, [], [], (), len(prompt))
    tree = read(prompt)
    if not quirks:
        refuse_quirks(prompt, tree)
    return tree


def _conjunction(prompt: str, tree: Tree) -> Conjunction:
    prompts: list[Prompt] = []
    weights, loras, dropped = [], [*tree.before], []
    for part, weight in zip(tree.parts, tree.weights, strict=True):
        found, named, unknown = flatten(part)
        loras += named
        dropped += unknown
        if found:
            prompts.append(Prompt(found))
            weights.append(weight)
    parts: list[Prompt | Blend] = [*prompts]
    if tree.operator == ".blend":
        items = [item for part in prompts for item in part.fragments]
        if len(prompts) < len(tree.parts) or any(isinstance(item, Swap) for item in items):
            message = "A part of this blend is a swap, or holds no words, and Compel stops here."
            advice = 'Write words, or "" for the empty prompt.'
            raise PromptError(f"{message} {advice}", prompt, tree.place)
        parts, weights = [Blend(prompts, weights, tree.normalize)], [1.0]
    if dropped:
        names = ", ".join(repr(name) for name, _ in dropped)
        message = f"Compel takes {names:.80} for options of .swap(), not for words."
        warn_at(message, prompt, dropped[0][1])
    if rest := prompt[tree.end :].strip():
        warn_at(f"Compel drops what comes after .and(…): {rest!r:.80}", prompt, tree.end)
    return Conjunction(parts, weights, loras + tree.after, tree.place)


# From the tree to fragments: weights multiplied, equal neighbors joined ---------------------------


class Run(NamedTuple):
    """Neighbors of one weight, on the way to a Fragment."""

    weight: float
    texts: list[Text]


def flatten(
    children: list[Node],
) -> tuple[list[Fragment | Swap], list[Lora], list[tuple[str, int]]]:
    """One prompt's fragments and swaps, its loras, its swaps' unknown options with their places.

    Weights multiply from the outermost bracket inward. One loop and a stack of what is half done,
    so that any depth is fine.
    """
    fragments: list[Any] = []
    loras, unknown = list[Lora](), list[tuple[str, int]]()
    lists: list[tuple[list[Any], int | None]] = [(fragments, None)]
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
    for out, place in lists:
        out[:] = [item if isinstance(item, Swap) else join(*item) for item in out]
        if not out and place is not None:
            out.append(Fragment("", 1.0, place, place))  # whatever the weight around it
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
