"""What stands beside the text of a prompt: extra networks, and prompts joined by AND."""

import re
from typing import NamedTuple

from ..fragment import require_prompt, warn_at

TAG = re.compile(r"<(\w++):([^>]++)>")
AND, BREAK = re.compile(r"\bAND\b"), re.compile(r"\bBREAK\b")
WEIGHT = re.compile(r"[-+]?(?:\d+\.?|\d*\.\d+)")


class Network(NamedTuple):
    """A tag, `<lora:ink:0.8>`: name "lora", arguments ("ink", "0.8"), and its place."""

    name: str
    arguments: tuple[str, ...]
    start: int
    end: int


class Part(NamedTuple):
    """One of the prompts that AND joins, the weight of its guidance, and the place of its text."""

    text: str
    weight: float
    start: int
    end: int


def extra_networks(prompt: str) -> tuple[str, list[Network]]:
    """A prompt without its tags, and the tags: `<name:argument:argument…>`, wherever they stand.

    What a tag does (a LoRA's weight, say) is for the network; no encoder sees it. Source: A1111
    v1.10.1 ``extra_networks.py:parse_prompt``.
    """
    require_prompt(prompt)
    last = prompt.rfind(">") + 1  # beyond the last ">" no tag ends, and none is looked for
    found = TAG.finditer(prompt, 0, last)
    networks = [Network(m[1], tuple(m[2].split(":")), *m.span()) for m in found]
    return TAG.sub("", prompt[:last]) + prompt[last:], networks


def split_and(prompt: str) -> list[Part]:
    """A prompt cut at the word AND; each part may end in `:weight`, 1.0 where it does not.

    For positive prompts; the web UI does not read AND in negative ones. The denoiser adds the parts
    up: uncond + Σ weight · scale · (cond − uncond). As in the tool, brackets do not keep AND from
    cutting, and white space at the end of a part goes. The rule for the
    number holds for a prompt without AND too: of "time 12:30" the web UI encodes "time 12"; that
    is warned of (PromptWarning). Source: A1111 v1.10.1
    ``prompt_parser.py:get_multicond_prompt_list``.
    """
    require_prompt(prompt)
    marks = list(AND.finditer(prompt))
    starts, ends = [0, *(m.end() for m in marks)], [*(m.start() for m in marks), len(prompt)]
    parts = [part(prompt, a, b) for a, b in zip(starts, ends, strict=True)]
    if not marks and (colon := weight_mark(prompt)) is not None:
        message = (
            f"The web UI does not encode {prompt[colon:].rstrip()!r:.40}: a number after a colon "
            "at the end is the weight of the whole prompt."
        )
        warn_at(message, prompt, colon)
    return parts


def part(prompt: str, start: int, end: int) -> Part:
    """The part prompt[start:end], without its weight and the white space before that."""
    text, weight = prompt[start:end], 1.0
    if (colon := weight_mark(text)) is not None:
        text, weight = text[:colon], float(text[colon + 1 :].strip())
    text = text.rstrip()
    return Part(text, weight, start, start + len(text))


def weight_mark(text: str) -> int | None:
    """Where the colon of a closing `:number` stands, if the text ends in one."""
    colon = text.rfind(":")
    return colon if colon >= 0 and WEIGHT.fullmatch(text[colon + 1 :].strip()) else None
