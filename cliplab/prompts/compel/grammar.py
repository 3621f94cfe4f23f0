"""From a prompt to its tree, and to its fragments where it is one plain prompt."""

import re

from ..fragment import (
    Fragment,
    PromptError,
    PromptWarning,
    point_at,
    require_prompt,
    warn,
    without_gc,
)
from ..tree import Blend, Conjunction, Prompt, Swap, encoded
from .flatten import flatten
from .nodes import Text, Tree
from .quirks import refuse_quirks
from .whole import read


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
    prompts, weights, loras, _ = _conjunction(prompt, tree)
    first = len(prompt) - len(prompt.lstrip())
    if not prompts:
        raise PromptError(
            "There are no words in this prompt, and Compel crashes when it encodes it. Write some, "
            'or "" for the empty prompt.',
            prompt,
            first,
        )
    if weights != [1.0] or isinstance(prompts[0], Blend):
        raise PromptError(
            f"With {tree.operator}(…) this is more than one list of fragments. "
            "cliplab.prompts.compel.parse reads it.",
            prompt,
            tree.place,
        )
    swap = None
    for item in prompts[0].fragments:
        if isinstance(item, Swap):
            swap = item
            if any(isinstance(inner, Swap) for inner in item.original + item.edited):
                message = "Compel crashes when it encodes a swap in a swap. Write one of them."
                raise PromptError(message, prompt, item.start)
    if swap:
        message = "The fragments have the original of this .swap(); its edit happens in the U-Net."
        _warn(message, prompt, swap.start)
    if loras:
        names = ", ".join(repr(lora.name) for lora in loras)
        _warn(f"The fragments leave out the LoRA {names:.80}.", prompt, loras[0].start)
    return encoded(prompts[0].fragments)


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
        if len(prompts) < len(tree.parts) or any(
            isinstance(item, Swap) for part in prompts for item in part.fragments
        ):
            raise PromptError(
                "A part of this blend is a swap, or holds no words, and Compel stops here. "
                'Write words, or "" for the empty prompt.',
                prompt,
                tree.place,
            )
        parts, weights = [Blend(prompts, weights, tree.normalize)], [1.0]
    if dropped:
        names = ", ".join(repr(name) for name, _ in dropped)
        _warn(
            f"Compel takes {names:.80} for options of .swap(), not for words.",
            prompt,
            dropped[0][1],
        )
    if rest := prompt[tree.end :].strip():
        _warn(f"Compel drops what comes after .and(…): {rest!r:.80}", prompt, tree.end)
    return Conjunction(parts, weights, loras + tree.after, tree.place)


def _warn(message: str, prompt: str, place: int) -> None:
    warn(PromptWarning(f"{message}\n{point_at(prompt, place)}"))
