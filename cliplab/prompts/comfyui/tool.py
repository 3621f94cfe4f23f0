"""ComfyUI as a `Tool`: where it cuts, and what its page and its tokenizer do beside the grammar."""

import math
import re
from collections.abc import Sequence
from typing import ClassVar

from ..fragment import Fragment, warn_at
from ..tool import Block, Chunks, Mark, Token, Tool, Vocabulary, first_mark
from .grammar import escape, fragments
from .page import LINE, LONE, typed

BEFORE_EMBEDDING = re.compile(r"[ \n](?=embedding:)")  # a new segment begins there
EMBEDDING = Mark(
    re.compile(r"\bembedding:[^\s,()]+"),
    "embedding:NAME is a learned word for ComfyUI, and this encoder knows none by that name",
    "cliplab.convert_prompt, too, takes it for words.",
)
SENT = (
    "cliplab.prompts.comfyui.page(prompt) is what the page sends, and comfyui.typed(prompt) what "
    "to type there to have this sent; without the page, a prompt stays as it is."
)
BRACES = Mark(
    re.compile(r"(?<!\\)(?:\\\\)*\{"),
    "ComfyUI's page draws one of the options in { } and leaves out the braces",
    SENT,
)
BACKSLASH = Mark(re.compile(r"\\[{}|]"), "ComfyUI's page takes out this backslash", SENT)
UNDEFINED = Mark(LONE, 'ComfyUI\'s page writes "undefined" after a lone backslash at the end', SENT)
LINE_COMMENT = Mark(LINE, "ComfyUI's page takes out // and the rest of the line", SENT)
COMMENT = Mark(re.compile(r"/\*"), "ComfyUI's page takes out /* and what follows, up to */", SENT)
CHOICE = Mark(
    re.compile(r"(?<!\\)\{[^{}|]*\|[^{}]*\}"),
    "{a|b} is a choice for ComfyUI's page",
    "cliplab.prompts.comfyui.page(prompt) draws one of the options.",
)
SHORT = 8  # a segment is kept together that has fewer tokens


def cut_between_segments(segments: Sequence[Sequence[Token]], room: int) -> Chunks:
    """Keep a weighted segment whole if it has fewer than 8 tokens, else cut it where 75 are full.

    Source: comfy/sd1_clip.py, SDTokenizer.tokenize_with_weights.
    """
    chunks: Chunks = [[]]
    for segment in segments:
        while len(chunks[-1]) + len(segment) > room:
            fits = room - len(chunks[-1]) if len(segment) >= min(SHORT, room + 1) else 0
            chunks[-1] += segment[:fits]
            segment = segment[fits:]
            chunks.append([])
        chunks[-1] += segment
    return chunks


def rewritten(prompt: str) -> list[Mark]:
    """Marks of what the page would not send as it stands; none where it sends the prompt itself."""
    marks = [BRACES, BACKSLASH, UNDEFINED, LINE_COMMENT]
    start = prompt.find("/*")
    return [*marks, COMMENT] if 0 <= start < prompt.rfind("*/") - 1 else marks


class ComfyUI(Tool):
    """Prompts get one length by repeating each as a whole; a weight is what float() reads."""

    title = "ComfyUI's syntax"
    method = "from_empty"
    weighted = "({text}:{weight})"
    same_ids = True
    marks: ClassVar = {"embedding": EMBEDDING, "choice": CHOICE}
    reads = ("weight", "emphasis")
    fragments = staticmethod(fragments)
    escape = staticmethod(escape)

    def cut(self, fragments: Sequence[Fragment], vocabulary: Vocabulary, room: int) -> Chunks:
        segments = [
            [Token(i, fragment.weight, k) for i in vocabulary.content(text)]
            for k, fragment in enumerate(fragments)
            for text in BEFORE_EMBEDDING.split(fragment.text)
        ]
        return cut_between_segments(segments, room)

    def misplaced(self, prompt: str) -> list[Mark]:
        # The program's tokenizer would put in rows that are not here.
        return [EMBEDDING, *rewritten(prompt)]

    def repeats(self, chunks: Sequence[int]) -> list[tuple[int, int]]:
        return [(math.lcm(*chunks) // count, 0) for count in chunks]

    def refusal(self, weight: float) -> str | None:
        return None

    def blocks(self, prompt: str) -> list[Block]:
        if found := first_mark(rewritten(prompt), prompt):
            place, mark = found
            warn_at(f"{mark.says}. It is converted as the server reads it. {SENT}", prompt, place)
        return super().blocks(prompt)

    def typed(self, prompt: str) -> str:
        return typed(prompt)


TOOL = ComfyUI()
