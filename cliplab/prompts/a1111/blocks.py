"""An A1111 prompt as blocks of 77 rows, for a conversion: BREAK begins one."""

import warnings
from typing import NoReturn

from ..blocks import weighted_tokens
from ..fragment import PromptError, PromptWarning
from ..tool import Block
from .composition import extra_networks, split_and
from .emphasis import fragments, is_break
from .schedule import schedule


def read_blocks(prompt: str) -> list[Block]:
    """The blocks of a prompt; PromptError for what the web UI reads before the weights."""

    def refuse(message: str, position: int) -> NoReturn:
        raise PromptError(f"{message} Convert the texts on their own.", prompt, position)

    _, networks = extra_networks(prompt)
    if networks:
        refuse("This tag loads a network, and is no text.", networks[0].start)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PromptWarning)  # what they warn of is refused here
        parts, (first, *_) = split_and(prompt), schedule(prompt, 1)
    if len(parts) > 1:
        refuse("AND joins prompts that the denoiser reads, each on its own.", parts[1].start - 3)
    if parts[0].text != prompt.rstrip():
        refuse("A number after a colon at the end weighs the whole prompt.", parts[0].end)
    if first.text != prompt:
        pairs = enumerate(zip(prompt, first.text, strict=False))
        at = next((i for i, (typed, read) in pairs if typed != read), len(first.text))
        refuse("Here the prompt changes from step to step.", at)
    blocks: list[Block] = [(0, [])]
    for fragment in fragments(prompt):
        if is_break(fragment):
            blocks.append((fragment.start, []))
        else:
            blocks[-1][1].append(fragment)
    while len(blocks) > 1 and not weighted_tokens(blocks[-1:])[0]:
        blocks.pop()  # a BREAK at the end begins nothing
    return blocks
