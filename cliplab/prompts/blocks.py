"""What a conversion has to keep: blocks of 77 rows, the tokens of each, and their weights."""

import math
import warnings
from functools import cache

from ..tokenizer import CLIPTokenizer
from .fragment import PromptError, PromptWarning
from .tool import Block, Tool

Weighted = list[tuple[int, float]]  # ids and weights of tokens


@cache
def tokenizer() -> CLIPTokenizer:
    return CLIPTokenizer()


def weighted_tokens(blocks: list[Block]) -> list[Weighted]:
    """For each block, the id and the weight of every token."""
    content = tokenizer().content
    return [[(i, f.weight) for f in fragments for i in content(f.text)] for _, fragments in blocks]


def reads_as(prompt: str, tool: Tool, wanted: list[Weighted]) -> bool:
    """Whether a prompt gives these tokens with these weights."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PromptWarning)  # the source has been warned of already
            found = weighted_tokens(tool.blocks(prompt))
    except PromptError:
        return False
    return [len(block) for block in found] == [len(block) for block in wanted] and all(
        i == j and (math.isclose(v, w, rel_tol=1e-12) or (v != v and w != w))
        for one, other in zip(found, wanted, strict=True)
        for (i, v), (j, w) in zip(one, other, strict=True)
    )
