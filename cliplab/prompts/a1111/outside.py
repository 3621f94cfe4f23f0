"""What Automatic1111 does with a prompt before its encoder sees it, said in a warning."""

import warnings

from ..fragment import PromptWarning, warn
from .composition import extra_networks, split_and
from .schedule import schedule


def warn_of_stages(prompt: str) -> None:
    """A1111 takes these out of a prompt before encoding it; here they are encoded as words."""
    found = [f"<{network.name}:…>" for network in extra_networks(prompt)[1]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PromptWarning)  # one warning is enough: the one below
        parts, steps = split_and(prompt), schedule(prompt, steps=20)
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
