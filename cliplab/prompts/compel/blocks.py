"""A Compel prompt as blocks of 77 rows, for a conversion: each part of an `.and()` is one."""

from typing import NoReturn

from ..fragment import Fragment, PromptError
from ..tool import Block
from ..tree import Blend, Conjunction, Swap


def read_blocks(prompt: str, tree: Conjunction) -> list[Block]:
    """The blocks of a prompt; PromptError for all that is more than fragments and their weights."""

    def refuse(message: str, position: int) -> NoReturn:
        raise PromptError(f"{message} Only fragments and their weights convert.", prompt, position)

    if not tree.prompts:
        refuse("There is no prompt here.", 0)
    for lora in tree.loras:
        refuse("This loads a network, and is no text.", lora.start)
    blocks: list[Block] = []
    for part, weight in zip(tree.prompts, tree.weights, strict=True):
        if isinstance(part, Blend):
            refuse("`.blend` adds contexts up.", tree.place)
        fragments: list[Fragment] = []
        for item in part.fragments:
            if isinstance(item, Swap):
                refuse("`.swap` edits the picture's cross-attention.", item.start)
            fragments.append(item)
        if weight != 1:
            refuse("This `.and` weighs whole prompts.", tree.place)
        blocks.append((fragments[0].start, fragments))
    return blocks


def join_blocks(parts: list[str]) -> str:
    """Several texts as one prompt. A quotation must end on its line."""
    lines = (" ".join(part.split()) for part in parts)
    return "(" + ", ".join(f'"{line}"' for line in lines) + ").and()"
