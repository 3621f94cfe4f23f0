"""What a tool does with a prompt outside its encoder, and this does not: said in a warning."""

import warnings

from ..prompts import PromptWarning, a1111, compel
from ..prompts.fragment import point_at, warn


def warn_of_a1111(prompt: str) -> None:
    """A1111 takes these out of a prompt before its encoder sees it; they are encoded as words."""
    found = [f"<{network.name}:…>" for network in a1111.extra_networks(prompt)[1]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PromptWarning)  # one warning is enough: the one below
        parts, steps = a1111.split_and(prompt), a1111.schedule(prompt, steps=20)
    if len(parts) > 1:
        found.append("AND")
    elif parts[0].text != prompt.rstrip():
        found.append(f"{prompt[parts[0].end :].strip()}, the weight of the whole prompt,")
    if [step.text for step in steps] != [prompt]:
        found.append("a schedule in square brackets")
    if found:
        warn(
            PromptWarning(
                f"A1111 would take {', '.join(dict.fromkeys(found)):.200} out of this prompt "
                "before encoding it; here it is encoded as words. cliplab.prompts.a1111 has "
                "extra_networks, split_and and schedule."
            )
        )


def warn_of_compel(parsed: compel.Conjunction, prompt: str) -> None:
    """Compel hands these on to the pipeline; the context holds neither."""
    prompts = [p for part in parsed.prompts for p in getattr(part, "prompts", [part])]
    swaps = [item for p in prompts for item in p.fragments if isinstance(item, compel.Swap)]
    for item in swaps[:1]:
        message = "The context is that of the original of this .swap(); its edit is left out."
        warn(PromptWarning(f"{message}\n{point_at(prompt, item.start)}"))
    for lora in parsed.loras[:1]:
        message = "The context leaves out this LoRA: load it into the pipeline."
        warn(PromptWarning(f"{message}\n{point_at(prompt, lora.start)}"))
