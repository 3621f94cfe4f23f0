"""ComfyUI as a `Tool`: its grammar, where it cuts, how it brings prompts to one length."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ..chunks import Token, Vocabulary
from ..fragment import Fragment
from ..tool import Tool
from .grammar import escape, fragments

SHORT = 8  # a segment is kept together that has fewer tokens
BEFORE_EMBEDDING = re.compile(r"[ \n](?=embedding:)")  # a new segment begins there


def cut_between_segments(segments: Sequence[Sequence[Token]], room: int) -> list[list[Token]]:
    """Keep a weighted segment whole if it has fewer than 8 tokens, else cut it where 75 are full.

    Source: ComfyUI a125cd8 comfy/sd1_clip.py, SDTokenizer.tokenize_with_weights.
    """
    chunks: list[list[Token]] = [[]]
    for segment in segments:
        while len(chunks[-1]) + len(segment) > room:
            fits = room - len(chunks[-1]) if len(segment) >= min(SHORT, room + 1) else 0
            chunks[-1] += segment[:fits]
            segment = segment[fits:]
            chunks.append([])
        chunks[-1] += segment
    return chunks


@dataclass(frozen=True)
class ComfyUI(Tool):
    """ComfyUI a125cd8. Prompts get one length by repeating each as a whole."""

    title: ClassVar[str] = "ComfyUI's syntax"
    method: ClassVar[str] = "from_empty"
    weighted: ClassVar[str] = "({text}:{weight})"

    def fragments(self, prompt: str, quirks: bool = True) -> list[Fragment]:
        return fragments(prompt, quirks)

    def cut(
        self, fragments: Sequence[Fragment], vocabulary: Vocabulary, room: int
    ) -> list[list[Token]]:
        segments = [
            [Token(i, fragment.weight, k) for i in vocabulary.content(text)]
            for k, fragment in enumerate(fragments)
            for text in BEFORE_EMBEDDING.split(fragment.text)
        ]
        return cut_between_segments(segments, room)

    def repeats(self, chunks: Sequence[int]) -> list[tuple[int, int]]:
        common = math.lcm(*chunks)
        return [(common // count, 0) for count in chunks]

    def escape(self, text: str) -> str:
        return escape(text)

    def refusal(self, weight: float) -> str | None:
        return None  # float() reads it, whatever it is


TOOL = ComfyUI()
