r"""From one syntax to another, where the meaning can be kept.

A conversion keeps the tokens and their weights, not what a tool then does with them: the same
weights are a different picture in each tool. To have one tool's picture from another's prompt, name
its operation: ``encode_prompt(…, method=…)``.

    read     the prompt by the source's grammar: blocks (77 rows each) of fragments
    say      each fragment in the target's notation, and read that back
    compare  the whole with what was meant: the same tokens, weights equal to 1e-12

So no rule for a bracket has to be trusted. What the target cannot say is refused, at its place.
"""

import math
import re
import warnings
from decimal import Decimal
from functools import cache, lru_cache

from ..tokenizer import CLIPTokenizer
from . import a1111, comfyui, compel
from .fragment import Fragment, PromptError, PromptWarning, require_prompt, without_gc
from .parse import SYNTAXES, parse_prompt

NAMES = {
    "a1111": "Automatic1111's syntax",
    "comfyui": "ComfyUI's syntax",
    "compel": "Compel's syntax",
    "lecture": "the lecture's notation",
    "plain": "a plain prompt",
}
WEIGHTED = {
    "a1111": "({text}:{weight})",
    "comfyui": "({text}:{weight})",
    "compel": "({text}){weight}",
    "lecture": "({text}){weight}",
    "plain": "{text}",
}
ESCAPES = {"a1111": a1111.escape, "comfyui": comfyui.escape, "compel": compel.escape}
# What a target takes for syntax though it has no escape for it, and the same tokens said otherwise:
# CLIP has no capitals and cuts at signs, and A1111's emphasis drops a lone backslash.
GUARDS = {
    "a1111": [
        (r"\b(BREAK|AND)\b", lambda m: m[0].lower()),
        (r"<(?=\w+:)", r"<\\"),
        (r":(?=\s*[-+]?[\d.]+\s*$)", r":\\"),
    ],
    "compel": [(r"(?<=[^\s+-])(?=[+-])", " ")],
}

INESCAPABLE = {
    "compel": ": + and - weigh the word before, and text in brackets is cut at commas and dots",
    "lecture": ": its brackets, and a plus after a word, always weigh",
}

Block = tuple[int, list[Fragment]]  # where it begins in the prompt, and what it holds


@without_gc
def convert_prompt(prompt: str, source: str, target: str) -> str:
    """Say a prompt of one syntax in another: the same tokens, in order, with the same weights.

    source, target  "a1111", "comfyui", "compel", "lecture" or "plain", as in ``parse_prompt``;
                    the source is read as its tool reads it, quirks included. A1111's BREAK and
                    Compel's ``.and()`` become one another.

    Raises PromptError, with the reason and the place in the source, for what the target cannot say:
    among them a negative weight in Compel, and the AND, schedules and `<lora:…>` of A1111. White
    space may change, for it means nothing to the encoder. Names of embeddings, and the comments of
    A1111 after a #, are taken for words. Errata E10, E13.
    """
    require_prompt(prompt)
    for syntax in (source, target):
        if syntax not in SYNTAXES:
            raise ValueError(f"A syntax is one of {', '.join(SYNTAXES)}; not {syntax!r}.")
    if source == target:
        return prompt
    blocks = _read(prompt, source)
    if len(blocks) > 1 and target not in ("a1111", "compel"):
        raise PromptError(
            f"Here a new block of 77 rows begins, and {NAMES[target]} has no way to say so.",
            prompt,
            blocks[1][0],
        )
    for _, fragments in blocks:
        for fragment in fragments:
            _refuse_weight(prompt, fragment, target)
    wanted = _weighted_tokens(blocks)
    for careful in (False, True):
        said = [[_say(prompt, f, target, careful) for f in fragments] for _, fragments in blocks]
        for spaced in (False, True):
            parts = [
                _joined(prompt, fragments, pieces, spaced)
                for (_, fragments), pieces in zip(blocks, said, strict=True)
            ]
            converted = _together(parts, target)
            if _reads_as(converted, target, wanted):
                return converted
    raise PromptError(
        f"Each fragment of this prompt can be said in {NAMES[target]}, but not the whole of it"
        f"{INESCAPABLE.get(target, '')}. Convert it part by part.",
        prompt,
        blocks[0][0],
    )


# Reading --------------------------------------------------------------------------------------


def _read(prompt: str, syntax: str) -> list[Block]:
    """The blocks of a prompt; PromptError for what is more than fragments in blocks."""
    if syntax == "a1111":
        return _read_a1111(prompt)
    if syntax == "compel":
        return _read_compel(prompt)
    return [(0, parse_prompt(prompt, syntax))]


def _read_a1111(prompt: str) -> list[Block]:
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
        if fragment.text == "BREAK" and fragment.weight == -1:
            blocks.append((fragment.start, []))
        else:
            blocks[-1][1].append(fragment)
    while len(blocks) > 1 and not _weighted_tokens(blocks[-1:])[0]:
        blocks.pop()  # a BREAK at the end begins nothing
    return blocks


def _read_compel(prompt: str) -> list[Block]:
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
def _tokenizer() -> CLIPTokenizer:
    return CLIPTokenizer()


def _weighted_tokens(blocks: list[Block]) -> list[list[tuple[int, float]]]:
    """For each block, the id and the weight of every token."""
    content = _tokenizer().content
    return [[(i, f.weight) for f in fragments for i in content(f.text)] for _, fragments in blocks]


def _reads_as(prompt: str, syntax: str, wanted: list[list[tuple[int, float]]]) -> bool:
    """Whether a prompt gives these tokens with these weights."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PromptWarning)  # the source has been warned of already
            found = _weighted_tokens(_read(prompt, syntax))
    except PromptError:
        return False
    return [len(block) for block in found] == [len(block) for block in wanted] and all(
        i == j and (math.isclose(v, w, rel_tol=1e-12) or (v != v and w != w))
        for one, other in zip(found, wanted, strict=True)
        for (i, v), (j, w) in zip(one, other, strict=True)
    )


# Writing --------------------------------------------------------------------------------------


def _say(prompt: str, fragment: Fragment, target: str, careful: bool) -> str:
    """One fragment in the target's notation, or a PromptError that says why there is none."""
    typed = prompt[fragment.start : fragment.end]
    said = _said(typed, fragment.text, fragment.weight, target, careful)
    if said is None:
        raise PromptError(
            f"{fragment.text.strip()[:40]!r}, at weight {fragment.weight:g}, would read otherwise "
            f"in {NAMES[target]}, which has no escape for it{INESCAPABLE.get(target, '')}.",
            prompt,
            fragment.start,
        )
    return said


@lru_cache(2**10)
def _said(typed: str, text: str, weight: float, target: str, careful: bool) -> str | None:
    """A text at a weight; careful: read back, guarded if it must be, and None if that fails too."""
    wanted = _tokenizer().content(text)
    if not wanted:
        return " "
    # What was typed has the better spaces, where it is nothing but the text: Compel cuts at commas.
    same = typed != text and _tokenizer().content(typed) == wanted
    plain = ESCAPES.get(target, str)(typed if same else text)
    guarded = plain
    for pattern, instead in GUARDS.get(target, []):
        guarded = re.sub(pattern, instead, guarded)
    for candidate in (plain, guarded):
        said = _weighted(candidate, weight, target)
        if not careful or _reads_as(said, target, [[(i, weight) for i in wanted]]):
            return said
    return None


def _weighted(text: str, weight: float, target: str) -> str:
    if weight == 1:
        return text
    return WEIGHTED[target].format(text=text, weight=_number(weight))


def _number(weight: float) -> str:
    """The shortest decimal that is this weight to 1e-12: 1.21 for 1.2100000000000002."""
    if not math.isfinite(weight):
        return str(weight)
    rounded = (f"{weight:.{digits}g}" for digits in range(1, 18))
    short = next(r for r in rounded if math.isclose(float(r), weight, rel_tol=1e-13))
    return f"{Decimal(short):f}"


def _joined(prompt: str, fragments: list[Fragment], pieces: list[str], spaced: bool) -> str:
    """A block: its pieces with a space between where one was typed, or everywhere."""
    out, end = [], None
    for fragment, piece in zip(fragments, pieces, strict=True):
        if out and not (out[-1][-1].isspace() or piece[0].isspace()):
            gap = prompt[end : fragment.start]
            out.append(" " if spaced or re.search(r"\s", gap) else "")
        out.append(piece)
        end = fragment.end
    return "".join(out).strip()


def _together(parts: list[str], target: str) -> str:
    if len(parts) == 1:
        return parts[0]
    if target == "a1111":
        return " BREAK ".join(parts)
    lines = (" ".join(part.split()) for part in parts)  # a quotation must end on its line
    return "(" + ", ".join(f'"{line}"' for line in lines) + ").and()"


def _refuse_weight(prompt: str, fragment: Fragment, target: str) -> None:
    """Raise where a target has no such weight."""
    text, weight, name = fragment.text.strip(), fragment.weight, NAMES[target]
    if not text or weight == 1 or target == "comfyui":
        return
    if target == "plain":
        rule = f"{name} has no weights"
    elif not math.isfinite(weight):
        rule = f"in {name} weights are finite"
    elif target == "compel" and weight < 0:
        rule = f"in {name} weights are 0 or more"
    elif target == "lecture" and weight <= 0:
        rule = f"in {name} weights are above 0"
    else:
        return
    raise PromptError(f"{text[:40]!r} has the weight {weight:g}; {rule}.", prompt, fragment.start)
