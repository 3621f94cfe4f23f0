"""Automatic1111 as a `Tool`: where it cuts; what it reads before the weights is warned of."""

import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from ..fragment import Fragment, PromptError, PromptWarning, warn
from ..tool import (
    NUMBER,
    Block,
    Chunks,
    Mark,
    Token,
    Tool,
    Vocabulary,
    tokens_of,
    weighted_tokens,
)
from .composition import extra_networks, split_and
from .emphasis import escape, fragments, is_break
from .schedule import schedule

BREAK = Token(-1)  # between tokens: the chunk ends here
AND_ALONE = r"(?<![A-Z])(?<![A-Z] )\bAND\b(?! [A-Z]{2})"  # and not in ROCK AND ROLL
MARKS = {
    "weight": Mark(
        re.compile(rf"(?<!\\)\([^()]*[^()\d\s:\\]\s*:\s*{NUMBER}\s*\)"),
        "(word:1.3) is a weight for Automatic1111 and ComfyUI",
    ),
    "emphasis": Mark(
        re.compile(r"(?<!\\)\(\([^()]+\)\)(?![\d.+-])"),
        "((word)) is a weight for Automatic1111 and ComfyUI",
    ),
    "square": Mark(
        re.compile(r"(?<!\\)\[\s*[^\s\[\]][^\[\]]*(?<!\\)\]"),
        "Square brackets are a weight or a schedule for Automatic1111",
    ),
    "join": Mark(
        re.compile(rf"\bBREAK\b|{AND_ALONE}"),
        "BREAK and AND part a prompt for Automatic1111",
    ),
    "network": Mark(
        re.compile(r"<\w+:[^<>]+>"),
        "<lora:…> loads a network for Automatic1111",
        "Load the network into the pipeline, and convert the rest with cliplab.convert_prompt.",
    ),
}


def cut_at_commas(
    tokens: Sequence[Token], room: int, comma: int | None, backtrack: int = 20
) -> Chunks:
    """Cut when 75 are full; if a comma stands among the last `backtrack`, right after it.

    BREAK ends a chunk wherever it stands. Source: A1111 v1.10.1 modules/sd_hijack_clip.py,
    tokenize_line; setting "Prompt word wrap length limit" (20).
    """
    chunks: Chunks = []
    chunk: list[Token] = []
    after_comma = None
    for token in tokens:
        full = len(chunk) == room and token is not BREAK
        if token.id == comma:
            after_comma = len(chunk) + 1
        elif full and after_comma and room - after_comma < backtrack:
            chunks.append(chunk[:after_comma])
            chunk, after_comma = chunk[after_comma:], None
        if len(chunk) == room or token is BREAK:
            chunks.append(chunk)
            chunk, after_comma = [], None
        if token is not BREAK:
            chunk.append(token)
    return [*chunks, chunk] if chunk or not chunks else chunks


def taken_out(prompt: str) -> Iterator[tuple[str, str, int]]:
    """What the web UI takes out before it encodes: in short, why it is no text, and its place."""
    for network in extra_networks(prompt)[1]:
        yield f"<{network.name}:…>", "This tag loads a network, and is no text.", network.start
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PromptWarning)  # who asks will say all of it at once
        (first, *others), steps = split_and(prompt), schedule(prompt, steps=20)
    if others:
        why = "AND joins prompts that the denoiser reads, each on its own."
        yield "AND", why, others[0].start - 3
    elif first.text != prompt.rstrip():
        what = f"{prompt[first.end :].strip()}, the weight of the whole prompt,"
        yield what, "A number after a colon at the end weighs the whole prompt.", first.end
    if (read := steps[0].text) != prompt:  # a switch or an alternation leaves its brackets out
        pairs = enumerate(zip(prompt, read, strict=False))
        place = next((i for i, (typed, shown) in pairs if typed != shown), len(read))
        yield "a schedule in square brackets", "Here the prompt changes from step to step.", place


@dataclass(frozen=True)
class CutsAtCommas(Tool):
    """A tool that cuts as A1111 does.

    comma_backtrack  how far back a comma may stand for a chunk to end there; 0: nowhere
    """

    comma_backtrack: int = 20

    def cut(self, fragments: Sequence[Fragment], vocabulary: Vocabulary, room: int) -> Chunks:
        tokens = tokens_of(fragments, vocabulary)
        return cut_at_commas(tokens, room, vocabulary.comma, self.comma_backtrack)


@dataclass(frozen=True)
class A1111(CutsAtCommas):
    """The web UI v1.10.1."""

    title = "Automatic1111's syntax"
    method = "restore_mean"
    weighted = "({text}:{weight})"
    says_blocks = True
    same_ids = zero_negative = True
    marks: ClassVar = MARKS
    reads = ()
    fragments = staticmethod(fragments)
    escape = staticmethod(escape)

    def cut(self, fragments: Sequence[Fragment], vocabulary: Vocabulary, room: int) -> Chunks:
        tokens: list[Token] = []
        for k, fragment in enumerate(fragments):
            ids = vocabulary.content(fragment.text)
            tokens += [BREAK] if is_break(fragment) else [Token(i, fragment.weight, k) for i in ids]
        return cut_at_commas(tokens, room, vocabulary.comma, self.comma_backtrack)

    def warn(self, prompt: str) -> None:
        if found := dict.fromkeys(what for what, _, _ in taken_out(prompt)):
            warn(
                f"A1111 would take {', '.join(found):.200} out of this prompt "
                "before encoding it; here it is encoded as words. cliplab.prompts.a1111 has "
                "extra_networks, split_and and schedule."
            )

    def guard(self, text: str) -> str:
        """CLIP has no capitals and cuts at signs, and emphasis drops a lone backslash."""
        text = re.sub(r"\b(BREAK|AND)\b", lambda m: m[0].lower(), text)
        text = re.sub(r"<(?=\w+:)", r"<\\", text)
        return re.sub(r":(?=\s*[-+]?[\d.]+\s*$)", r":\\", text)

    def blocks(self, prompt: str) -> list[Block]:
        for _, why, place in taken_out(prompt):
            raise PromptError(f"{why} Convert the texts on their own.", prompt, place)
        blocks: list[Block] = [(0, [])]
        for fragment in fragments(prompt):
            if is_break(fragment):
                blocks.append((fragment.start, []))
            else:
                blocks[-1][1].append(fragment)
        while len(blocks) > 1 and not weighted_tokens(blocks[-1:])[0]:
            blocks.pop()  # a BREAK at the end begins nothing
        return blocks

    def join_blocks(self, parts: list[str]) -> str:
        return " BREAK ".join(parts)


TOOL = A1111()
