"""What Compel reads but cannot encode, and what it hands on to the pipeline."""

from collections.abc import Callable

from ..fragment import PromptError, PromptWarning, point_at, warn
from ..tree import Blend, Conjunction, Swap, prompts_of


def warn_of_pipeline(tree: Conjunction, prompt: str) -> None:
    """Compel hands swaps and loras on to the pipeline; the context holds neither."""
    items = [item for one in prompts_of(tree) for item in one.fragments]
    for swap in [item for item in items if isinstance(item, Swap)][:1]:
        message = "The context is that of the original of this .swap(); its edit is left out."
        warn(PromptWarning(f"{message}\n{point_at(prompt, swap.start)}"))
    for lora in tree.loras[:1]:
        message = "The context leaves out this LoRA: load it into the pipeline."
        warn(PromptWarning(f"{message}\n{point_at(prompt, lora.start)}"))


def refuse_unencodable(
    tree: Conjunction, prompt: str, content: Callable[[str], list[int]] | None
) -> None:
    """Raise PromptError where Compel crashes as it encodes.

    content  a text's ids, where weights below 1 want a token to weigh down
    """
    if not tree.prompts:
        raise PromptError("There is no prompt in here, and Compel stops with an error.", prompt, 0)
    for part in tree.prompts:
        if isinstance(part, Blend) and part.normalize and sum(part.weights) == 0:
            raise PromptError(
                "The weights of this blend add up to 0, by which it cannot be divided. Write "
                "others, or no_normalize after them.",
                prompt,
                tree.place,
            )
    for item in [item for one in prompts_of(tree) for item in one.fragments]:
        for read in item.original if isinstance(item, Swap) else [item]:
            if isinstance(read, Swap):
                raise PromptError("Compel crashes on a swap in a swap.", prompt, read.start)
            if content and read.weight < 1 and not content(read.text):
                raise PromptError("There is no token here to weigh down.", prompt, read.start)
