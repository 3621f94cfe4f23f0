"""A prompt of any syntax as blocks of 77 rows, each a list of fragments: what `convert` compares.

A1111's BREAK and Compel's `.and()` begin a block; what is more than fragments in blocks is refused.
"""

import math
import warnings
from functools import cache

from ..tokenizer import CLIPTokenizer
from . import a1111, compel
from .fragment import Fragment, PromptError, PromptWarning
from .parse import parse_prompt

Block = tuple[int, list[Fragment]]  # where it begins in the prompt, and what it holds


def read_blocks(prompt: str, syntax: str) -> list[Block]:
    """The blocks of a prompt; PromptError for what is more than fragments in blocks."""
    if syntax == "a1111":
        return read_a1111(prompt)
    if syntax == "compel":
        return read_compel(prompt)
    return [(0, parse_prompt(prompt, syntax))]


def read_a1111(prompt: str) -> list[Block]:
    def refuse(message: str, position: int):
        raise PromptError(f"{message} Convert the texts on their own.", prompt, position)

    _, networks = a1111.extra_networks(prompt)
    if networks:
        refuse("This tag loads a network, and is no text.", networks[0].start)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PromptWarning)  # what they warn of is refused here
        parts, (first, *_) = a1111.split_and(prompt), a1111.schedule(prompt, 1)
    if len(parts) > 1:
        refuse("AND joins prompts that the denoiser reads, each on its own.", parts[1].start - 3)
    if parts[0].text != prompt.rstrip():
        refuse("A number after a colon at the end weighs the whole prompt.", parts[0].end)
    if first.text != prompt:
        pairs = enumerate(zip(prompt, first.text, strict=False))
        at = next((i for i, (typed, read) in pairs if typed != read), len(first.text))
        refuse("Here the prompt changes from step to step.", at)
    blocks = [(0, [])]
    for fragment in a1111.fragments(prompt):
        if a1111.is_break(fragment):
            blocks.append((fragment.start, []))
        else:
            blocks[-1][1].append(fragment)
    while len(blocks) > 1 and not weighted_tokens(blocks[-1:])[0]:
        blocks.pop()  # a BREAK at the end begins nothing
    return blocks


def read_compel(prompt: str) -> list[Block]:
    def refuse(message: str, position: int):
        raise PromptError(f"{message} Only fragments and their weights convert.", prompt, position)

    parsed = compel.parse(prompt)
    if not parsed.prompts:
        refuse("There is no prompt here.", 0)
    for lora in parsed.loras:
        refuse("This loads a network, and is no text.", lora.start)
    blocks = []
    for part, weight in zip(parsed.prompts, parsed.weights, strict=True):
        if isinstance(part, compel.Blend):
            refuse("`.blend` adds contexts up.", max(0, prompt.find(".blend")))
        for item in part.fragments:
            if isinstance(item, compel.Swap):
                refuse("`.swap` edits the picture's cross-attention.", item.start)
        if weight != 1:
            refuse("This `.and` weighs whole prompts.", max(0, prompt.find(".and")))
        blocks.append((part.fragments[0].start, part.fragments))
    return blocks


@cache
def tokenizer() -> CLIPTokenizer:
    return CLIPTokenizer()


def weighted_tokens(blocks: list[Block]) -> list[list[tuple[int, float]]]:
    """For each block, the id and the weight of every token."""
    content = tokenizer().content
    return [[(i, f.weight) for f in fragments for i in content(f.text)] for _, fragments in blocks]


def reads_as(prompt: str, syntax: str, wanted: list[list[tuple[int, float]]]) -> bool:
    """Whether a prompt gives these tokens with these weights."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PromptWarning)  # the source has been warned of already
            found = weighted_tokens(read_blocks(prompt, syntax))
    except PromptError:
        return False
    return [len(block) for block in found] == [len(block) for block in wanted] and all(
        i == j and (math.isclose(v, w, rel_tol=1e-12) or (v != v and w != w))
        for one, other in zip(found, wanted, strict=True)
        for (i, v), (j, w) in zip(one, other, strict=True)
    )
