"""About 1,600 things, each drawn by up to nine art projects.

The pictures are bundled: a sheet of 48 × 48 pixels each for every style, and one file of names,
categories, licenses and authors. ``make emoji`` builds both from the public packages.
"""

import functools
import json
from dataclasses import dataclass, field, replace
from importlib import resources
from typing import NamedTuple

import numpy as np
from PIL import Image

from ...checks import one_of
from .pair import Pair, Pairs

SPLITS = ("train", "style", "concept")


class Concept(NamedTuple):
    """One thing that is drawn: its name, other words for it, and where Unicode files it."""

    emoji: str
    label: str
    tags: tuple[str, ...]
    group: str
    subgroup: str


class Style(NamedTuple):
    """One art project: who drew, under which license, and where the originals are."""

    name: str
    title: str
    author: str
    license: str
    source: str


@dataclass(frozen=True)
class EmojiPair(Pair):
    """A picture, its caption, what it shows and who drew it."""

    concept: Concept = field(kw_only=True)
    style: Style = field(kw_only=True)

    @property
    def credit(self) -> str:
        """The attribution that the picture's license asks for."""
        return (
            f"“{self.concept.label}” from {self.style.title} by {self.style.author} "
            f"({self.style.license}, {self.style.source}), drawn at 48 × 48 pixels"
        )


class EmojiPairs(Pairs):
    """Emoji with their names. Captions are Unicode's names; ``draw`` varies them.

    split   "train": eight styles of the concepts to learn;
            "style": the same concepts in a style that no training sees (Twemoji);
            "concept": 160 concepts that no training sees, in that unseen style.
    group   one of Unicode's categories, such as "food & drink"; None for all of them.
    Each pair has .image (PIL, RGBA, 48 × 48), .caption, .concept, .style and .credit.
    Raises ValueError for another split or group. Source: the packages named in
    cliplab/assets/README.md.
    """

    views = True  # one concept, drawn by several projects
    groups: list[int]

    def __init__(self, split: str = "train", group: str | None = None):
        one_of("split", split, SPLITS)
        self.split, self.group = split, group
        about = catalogue()
        self.concepts, self.styles = about["concepts"], about["styles"]
        known = list(dict.fromkeys(concept.group for concept in self.concepts))
        if group not in (None, *known):
            raise ValueError(f"The groups are {', '.join(known)}; there is no {group!r}.")
        held_out = set(about["held_out_concepts"])
        unseen = about["held_out_style"]
        styles = [name for name in self.styles if (name == unseen) != (split == "train")]
        self._where = [
            (number, style)
            for number in range(len(self.concepts))
            if (number in held_out) == (split == "concept")
            and group in (None, self.concepts[number].group)
            for style in styles
            if number not in about["missing"][style]
        ]
        self.groups = [number for number, _ in self._where]  # the concept that each pair shows

    def __len__(self) -> int:
        return len(self._where)

    def __repr__(self) -> str:
        of = f" of {self.group}" if self.group else ""
        return f'EmojiPairs("{self.split}"): {len(self):,} pictures{of}'

    def pair(self, index: int) -> EmojiPair:
        number, style = self._where[index]
        concept = self.concepts[number]
        return EmojiPair(
            picture(style, number),
            concept.label,
            name=f"{style}/{concept.emoji}",
            concept=concept,
            style=self.styles[style],
        )

    def captions(self) -> list[str]:
        """All that is said of the concepts of this split: names, tags, categories."""
        shown = [self.concepts[number] for number in dict.fromkeys(self.groups)]
        return [text for c in shown for text in (c.label, *c.tags, c.subgroup)]

    def held_out(self) -> dict[str, Pairs]:
        """The style, and the concepts, that training does not see."""
        return {split: EmojiPairs(split) for split in ("style", "concept")}

    def draw(self, index: int, rng: np.random.Generator) -> EmojiPair:
        """The pair with one of the captions that fit it: its name three times in four, otherwise
        the name with two other words or with the category."""
        pair = self.pair(index)
        label, tags = pair.concept.label, rng.permutation(pair.concept.tags)[:2]
        kinds = (label, " ".join([label, *tags]), f"{label} {pair.concept.subgroup}")
        return replace(pair, caption=kinds[rng.choice(3, p=(0.75, 0.2, 0.05))])


@functools.cache
def catalogue() -> dict:
    """concepts.json, its styles and concepts as `Style` and `Concept`."""
    path = resources.files("cliplab") / "assets" / "emoji" / "concepts.json"
    about = json.loads(path.read_text(encoding="utf-8"))
    about["missing"] = {name: set(said["missing"]) for name, said in about["styles"].items()}
    about["styles"] = {
        name: Style(name, *(said[key] for key in Style._fields[1:]))
        for name, said in about["styles"].items()
    }
    about["concepts"] = [
        Concept(one["emoji"], one["label"], tuple(one["tags"]), one["group"], one["subgroup"])
        for one in about["concepts"]
    ]
    return about


@functools.cache
def sheet(style: str) -> Image.Image:
    path = resources.files("cliplab") / "assets" / "emoji" / f"{style}.webp"
    with path.open("rb") as file:
        return Image.open(file).convert("RGBA")


def picture(style: str, number: int) -> Image.Image:
    """One cell of a sheet."""
    about = catalogue()
    side, columns = about["side"], about["columns"]
    x, y = number % columns * side, number // columns * side
    return sheet(style).crop((x, y, x + side, y + side))
