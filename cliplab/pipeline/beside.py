"""What lies beside a pipeline's weights: the steps and guidance that suit it, and its words.

A model that learned from millions of captions knows more words than anyone can list. A miniature
knows those of its grammar, and its folder lists them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..checkpoints.files import read_json
from ..prompts.fragment import warn_at
from ..weighting import Context

if TYPE_CHECKING:
    from diffusers import StableDiffusionPipeline as Pipeline

SETTINGS = "generation.json"  # {"steps": 20, "guidance": 3.0}
WORDS = "words.json"  # {"color": ["red", …], "relation": ["left of", …], …}
WORD = re.compile(r"[^\W_]+")


def settings(pipe: Pipeline) -> dict[str, Any]:
    """The steps and the guidance that suit a model; {} where its folder says nothing."""
    return read_beside(pipe, SETTINGS)


def known_words(pipe: Pipeline) -> dict[str, list[str]]:
    """All words that a model has learned, by their kind; {} where its folder has no list."""
    return read_beside(pipe, WORDS)


def read_beside(pipe: Pipeline, name: str) -> dict[str, Any]:
    folder = getattr(pipe.config, "_name_or_path", None)
    return read_json(Path(folder) / name) if folder else {}


def warn_of_unknown_words(pipe: Pipeline, prompt: str, context: Context) -> None:
    """Point at the first word that the model has not learned, and name all of them."""
    kinds = known_words(pipe)
    if not kinds:
        return
    known = [text for all_of in kinds.values() for text in all_of]
    learned = pipe.tokenizer.get_added_vocab()  # of textual inversion: <toy>
    read = [f.text for k, f in enumerate(context.fragments) if k in context.owner]  # no BREAK
    unknown = unknown_words(read, known, learned)
    if not unknown:
        return
    names = ", ".join(f'"{word}"' for word in unknown)
    all_known = "; ".join(f"{kind}: {', '.join(of)}" for kind, of in kinds.items())
    warn_at(
        f"The model has not learned {names}: what it paints there means nothing. These are all "
        f"words that it knows. {all_known}.",
        prompt,
        next((m.start() for m in WORD.finditer(prompt) if m[0].lower() == unknown[0]), 0),
    )


def unknown_words(
    texts: Iterable[str], known: Iterable[str], learned: Iterable[str] = ()
) -> list[str]:
    """The words of texts that no known text has, in small letters, each once, in their order.

    learned: tokens that are known as they stand, whatever they are made of.
    """
    words = []
    for text in texts:
        for token in learned:
            text = text.replace(token, " ")
        words += words_of(text)
    all_known = {word for text in known for word in words_of(text)}
    return list(dict.fromkeys(word for word in words if word not in all_known))


def words_of(text: str) -> list[str]:
    return WORD.findall(text.lower())
