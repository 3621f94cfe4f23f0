"""Captions whose rows mean what their words say, whatever the rest of the sentence has heard.

A causal encoder may write all of a prompt's meaning into its last rows: EOS, and in Stable
Diffusion's case the 70 rows of padding after it. A U-Net that reads those paints well, but there is
nothing left for the weight of a word to act on. So half of the captions are mixed from several
encodings of one sentence:

    told      some words, each with probability 1/2; the others are kept
    a lie     the sentence with other words, drawn at random, in place of those that are told
    context   the rows of the told words from the true sentence, all others from the lie
    blank     now and then a told word's row is the empty prompt's: then nothing tells it
    long      half of the told rows are up to 1.8 times as far from the empty prompt's, though the
              picture is the same: more than red is still red. Not those of sizes

Rows of kept words, of "a" and "on", EOS and padding have heard the lie; what they say of the told
words is worth nothing. Only a word's own row is always right, or blank. The relation of a lie is
the true one: which thing is where, only rows after "left of" can have heard.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace

from cliplab.training.build import word_vectors
from cliplab.training.data.scenes import (
    BACKGROUNDS,
    PALETTE,
    RELATIONS,
    SHAPES,
    SIZES,
    STEPS,
    Scene,
    Thing,
    article,
)

from .scenes import Drawn
from .things import THINGS, TINTS

TELL, BLANK, LONG, STRETCH = 1 / 2, 1 / 8, 1 / 2, 0.8
GRADES = tuple(filter(None, SIZES))
DARK = tuple(name for name in BACKGROUNDS if name != "white")


@dataclass(frozen=True)
class Mixed:
    """Two sentences of equal length, and where each word's row comes from.

    told, blank: places of words, counted from 0 for the first word. A blank place is told as well.
    of: for each word, which thing it says something of (0, 1), or None.
    long: places, each with the factor by which its row is further from the empty prompt's.
    """

    true: tuple[str, ...]
    lie: tuple[str, ...]
    of: tuple[int | None, ...]
    told: frozenset[int]
    blank: frozenset[int]
    long: tuple[tuple[int, float], ...]


def words(scene: Scene) -> list[tuple[str, tuple | None]]:
    """The words of a caption, each with the slot that it fills, or None: ("color", 0), …"""
    found: list[tuple[str, tuple | None]] = []
    for n, thing in enumerate(scene.things):
        if n:
            found += [(word, ("relation",)) for word in scene.relation.split()]
        if scene.articles:
            found.append((article(thing.words), None))
        found += [
            (getattr(thing, slot), (slot, n))
            for slot in ("size", "color", "shape")
            if getattr(thing, slot)
        ]
    if scene.background != "white":
        found.append(("on", None))
        if scene.articles:
            found.append(("a", None))
        found += [(scene.background, ("background",)), ("background", None)]
    return found


def thing_of(slot: tuple | None) -> int | None:
    """Which thing a slot belongs to; None for a relation, a ground, or no slot."""
    return slot[1] if slot and len(slot) == 2 else None


def shown(scene: Scene, caption: Mixed | str, tokens: Callable[[str], int]) -> dict[int, int]:
    """Which tokens of a caption show which of the scene's things: {place: 0 or 1}.

    Of a mixed caption the words that are told; of another all but strange ones, which have
    tokens(word) tokens. A word of the grammar has one.
    """
    if isinstance(caption, Mixed):
        places = {place: caption.of[place] for place in caption.told - caption.blank}
    else:
        places, place, known = {}, 0, words(scene)
        for word in caption.split():
            if known and known[0][0] == word:
                places[place] = thing_of(known.pop(0)[1])
                place += 1
            else:
                place += tokens(word)
    return {place: thing for place, thing in places.items() if thing is not None}


def tells_places(scene: Scene, caption: Mixed | str) -> bool:
    """Whether a caption says which of two things is where."""
    if scene.relation not in STEPS:
        return False
    first_word = scene.relation.split()[0]
    return isinstance(caption, str) or caption.true.index(first_word) not in caption.blank


def with_stranger(caption: str, draw: Callable[[], float]) -> str:
    """A caption with a word somewhere that says nothing of the picture: "a running dog".

    So a prompt may have words that were never learned, and paints what the others say.
    """
    parts, strange = caption.split(), strangers()
    parts.insert(int(draw() * (len(parts) + 1)), strange[int(draw() * len(strange))])
    return " ".join(parts)


@functools.cache
def strangers() -> tuple[str, ...]:
    """English words that are not of the grammar."""
    grammar = {*PALETTE, *TINTS, *BACKGROUNDS, *SHAPES, *SIZES, *THINGS}
    grammar |= {"a", "an", "on", "background", *" ".join(RELATIONS).split()}
    return tuple(word for word in word_vectors() if word.isalpha() and word not in grammar)


def colors(thing: Thing) -> tuple[str, ...]:
    return tuple(TINTS if isinstance(thing, Drawn) else PALETTE)


def mix(scene: Scene, draw: Callable[[], float]) -> Mixed:
    """A scene → two sentences and the places of the words that are told, or blank.

    What is blank may also be a word that the scene does not have: a size for a thing of medium
    size, a color for one in its own colors, a background for a white one. So a blank row leaves
    open what the scenes leave open.
    """

    def choose(options):
        return options[int(draw() * len(options))]

    blank_slots, things = set(), []
    for n, thing in enumerate(scene.things):
        blank_slots |= {(slot, n) for slot in ("size", "color", "shape") if draw() < BLANK}
        for slot, options in (("size", GRADES), ("color", colors(thing))):
            if (slot, n) in blank_slots and not getattr(thing, slot):
                thing = replace(thing, **{slot: choose(options)})
        things.append(thing)
    if draw() < BLANK:
        blank_slots.add(("background",))
        if scene.background == "white":
            scene = replace(scene, background=choose(DARK))
    if draw() < BLANK:
        blank_slots.add(("relation",))
    scene = replace(scene, things=tuple(things))
    true = words(scene)
    slots = sorted({slot for _, slot in true if slot}, key=str)
    told = {slot for slot in slots if slot in blank_slots or draw() < TELL}

    things = []
    for n, thing in enumerate(scene.things):
        nouns = choose((SHAPES, tuple(THINGS)))
        drawn = {"size": choose(GRADES), "color": choose(colors(thing)), "shape": choose(nouns)}
        false = {slot: value for slot, value in drawn.items() if (slot, n) in told}
        things.append(replace(thing, **false))
    background = choose(DARK) if ("background",) in told else scene.background
    long = tuple(
        (place, 1 + STRETCH * draw())
        for place, (_, slot) in enumerate(true)
        if slot in told - blank_slots and slot[0] != "size" and draw() < LONG
    )
    lie = words(replace(scene, things=tuple(things), background=background))
    return Mixed(
        true=tuple(word for word, _ in true),
        lie=tuple(word for word, _ in lie),
        of=tuple(thing_of(slot) for _, slot in true),
        told=frozenset(i for i, (_, slot) in enumerate(true) if slot in told),
        blank=frozenset(i for i, (_, slot) in enumerate(true) if slot and slot in blank_slots),
        long=long,
    )
