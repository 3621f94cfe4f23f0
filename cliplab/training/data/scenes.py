"""Scenes of colored shapes, and the grammar of their captions.

    caption = thing [relation thing] ["on a" background "background"]
    thing   = ["a"] [size] color shape

A caption says "on a … background" unless it is white; some captions have no articles at all.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

PALETTE = {
    "red": (222, 32, 38),
    "orange": (255, 140, 0),
    "yellow": (247, 215, 22),
    "green": (28, 150, 62),
    "cyan": (0, 196, 222),
    "blue": (36, 70, 214),
    "purple": (128, 38, 170),
    "pink": (255, 140, 196),
}
BACKGROUNDS = {"white": (255, 255, 255), "black": (0, 0, 0), "gray": (136, 136, 136)}
SHAPES = ("circle", "square", "triangle", "star", "cross", "ring")
SIZES = {
    # word: least and greatest radius, in sides of the picture
    "small": (0.085, 0.100),
    "": (0.135, 0.160),
    "large": (0.200, 0.225),
}
# Each relation as the step from the first thing to the second; y points down.
STEPS = {"above": (0, 1), "below": (0, -1), "left of": (1, 0), "right of": (-1, 0)}
RELATIONS = (*STEPS, "and")
HELD_OUT = {
    # the one shape of each color that training never sees
    ("red", "square"),
    ("orange", "cross"),
    ("yellow", "star"),
    ("green", "triangle"),
    ("cyan", "ring"),
    ("blue", "circle"),
    ("purple", "star"),
    ("pink", "square"),
}


_any = "|".join
_THING = rf"(an? )?(?:({_any(filter(None, SIZES))}) )?({_any(PALETTE)}) ({_any(SHAPES)})"
_CAPTION = re.compile(
    rf"{_THING}(?: ({_any(RELATIONS)}) {_THING})?"
    rf"(?: on (a )?({_any(b for b in BACKGROUNDS if b != 'white')}) background)?"
)

Draw = Callable[[], float]  # gives numbers in [0, 1)


@dataclass(frozen=True)
class Thing:
    """One colored shape: its words, its center and radius in sides of the picture (y down).

    pale: the share of white in its color, from 0 to 1; no word says it.
    """

    size: str
    color: str
    shape: str
    x: float = 0.5
    y: float = 0.5
    radius: float = 0.15
    pale: float = 0.0

    @property
    def words(self) -> str:
        return " ".join(filter(None, (self.size, self.color, self.shape)))

    @property
    def held_out(self) -> bool:
        return (self.color, self.shape) in HELD_OUT


@dataclass(frozen=True)
class Scene:
    """One thing, or two with a relation, on a background."""

    things: tuple[Thing, ...]
    relation: str = ""
    background: str = "white"
    articles: bool = True

    @property
    def caption(self) -> str:
        def noun(words: str) -> str:
            return f"{article(words)} {words}" if self.articles else words

        parts = [noun(self.things[0].words)]
        if len(self.things) == 2:
            parts += [self.relation, noun(self.things[1].words)]
        if self.background != "white":
            parts += ["on", noun(f"{self.background} background")]
        return " ".join(parts)


def article(words: str) -> str:
    return "an" if words.startswith(tuple("aeiou")) else "a"


def place(things: tuple[Thing, ...], relation: str, draw: Draw, jitter: float) -> tuple[Thing, ...]:
    """Things with radii of their sizes, arranged. Arguments as those of `arrange`."""
    drawn = [(t, *SIZES[t.size], draw()) for t in things]
    sized = tuple(replace(t, radius=low + u * (high - low)) for t, low, high, u in drawn)
    return arrange(sized, relation, draw, jitter)


def arrange(
    things: tuple[Thing, ...], relation: str, draw: Draw, jitter: float
) -> tuple[Thing, ...]:
    """Things of given radii with centers: inside the picture, apart, and as the relation says.

    jitter: how much of the free room is used, from 0 (one thing in the middle, two close together
    around it) to 1 (anywhere).
    """
    margin, gap = 0.02, 0.05
    radii = [thing.radius for thing in things]

    def between(low: float, high: float) -> float:
        return (low + high) / 2 + jitter * (draw() - 0.5) * (high - low)

    if len(things) == 1:
        ends = margin + radii[0], 1 - margin - radii[0]
        return (replace(things[0], x=between(*ends), y=between(*ends)),)

    if relation == "and":  # says nothing about places: any of the four will do
        relation = tuple(STEPS)[int(draw() * len(STEPS))]
    step = STEPS[relation]
    order = (0, 1) if sum(step) > 0 else (1, 0)  # which is further to the left, or further up
    before, after = (radii[i] for i in order)
    least = before + after + gap
    most = 1 - 2 * margin - before - after
    distance = least + jitter * draw() * (most - least)
    first = between(margin + before, 1 - margin - after - distance)
    # Across, they differ by less than a third of the distance along: the relation is seen at once.
    widest = max(radii)
    center = between(margin + widest, 1 - margin - widest)
    aside = jitter * (draw() - 0.5) * distance * 2 / 3
    placed = list(things)
    for i, along, sign in zip(order, (first, first + distance), (-0.5, 0.5), strict=True):
        free = margin + radii[i]
        across = min(max(center + sign * aside, free), 1 - free)
        x, y = (along, across) if step[0] else (across, along)
        placed[i] = replace(things[i], x=x, y=y)
    return tuple(placed)


def parse(caption: str) -> Scene:
    """The scene that a caption describes, its things placed in the middle.

    Raises ValueError for a caption that is not of this grammar.
    """
    found = _CAPTION.fullmatch(caption)
    if found is None:
        raise ValueError(
            f"{caption!r} is not a caption of this grammar. Two that are: 'a small red circle on a "
            "black background', 'green star left of blue ring'."
        )
    article, size, color, shape, relation, _, *second, _, background = found.groups()
    things = [Thing(size or "", color, shape)]
    if relation:
        size, color, shape = second
        things.append(Thing(size or "", color, shape))
    placed = place(tuple(things), relation or "", lambda: 0.5, jitter=0)
    scene = Scene(placed, relation or "", background or "white", articles=article is not None)
    if scene.caption != caption:
        raise ValueError(f"{caption!r} mixes its articles; meant is {scene.caption!r}.")
    return scene


def swap_order(scene: Scene) -> Scene:
    """The scene with its two things exchanged around the relation."""
    a, b = scene.things
    return replace(scene, things=(b, a))


def swap_colors(scene: Scene) -> Scene:
    """The scene with the colors of its two things exchanged."""
    a, b = scene.things
    return replace(scene, things=(replace(a, color=b.color), replace(b, color=a.color)))


def mean_the_same(one: Scene, other: Scene) -> bool:
    """Whether the captions of two scenes with one relation say the same: "and" has no order."""
    first, second = ([thing.words for thing in scene.things] for scene in (one, other))
    return first == second or (one.relation == "and" and sorted(first) == sorted(second))
