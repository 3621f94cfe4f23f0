"""How a weight looks, in every figure that shows weights: by number, outline and shade."""

import math
import re
import unicodedata

import numpy as np
from matplotlib import rc_context

from .data import number, printable, shorten
from .draw import hatched, label, rectangles
from .figure import Figure, Table
from .theme import BLUE, HALF, INK, ORANGE, RC, SMALLEST, VIOLET, color_alpha

LEFT = 8  # where lines and legends begin
CELL, SIZE, COLUMNS = 8, 13, 40  # width of a typed character, its font size, characters in a line
BASE = 22  # height of a box of weight 1
TYPED, NAME = 40, 26  # heights: of the prompt as typed, and of a tool's name
LOOKS = ("weight 1", "above 1", "below 1", "negative")


def look_of(weight):
    """Which of `LOOKS` a weight has; what is no number is drawn as what is negative."""
    if weight == 1:
        return "weight 1"
    if weight > 1:
        return "above 1"
    return "below 1" if weight >= 0 else "negative"


def weight_box(ax, x, y, width, height, weight, look=None):
    """A box that says how heavy its content is: faint, warm and solid, cool and dashed, hatched."""
    look = look or look_of(weight)
    corners = [(x, y, width, height)]
    away = min(abs(weight - 1), 1.5) / 1.5 if math.isfinite(weight) else 1
    if look == "weight 1":
        rectangles(ax, corners, INK, fill=0.04, edgecolor=color_alpha(INK, 0.45), linewidth=0.8)
    elif look == "above 1":
        rectangles(ax, corners, ORANGE, fill=0.14 + 0.36 * away, linewidth=1.5)
    elif look == "below 1":
        rectangles(ax, corners, BLUE, fill=0.06, linestyle=(0, (3, 2)), linewidth=1.5)
    else:
        rectangles(ax, corners, VIOLET, fill=0.12, linewidth=1.5)
        hatched(ax, *corners)


def weight_legend(ax, x, y, weights):
    """The looks that occur among the weights, each with its name."""
    found = {look_of(w) for w in weights}
    sample = {"weight 1": 1, "above 1": 1.5, "below 1": 0.5, "negative": -1}
    for look in (look for look in LOOKS if look in found):
        weight_box(ax, x, y - 6, 16, 12, sample[look])
        label(ax, x + 21, y, look, ha="left")
        x += 33 + 6 * len(look)


def is_break(fragment):
    """A1111's marker: the encoder ends its chunk at a fragment BREAK of weight −1 exactly."""
    return fragment.text == "BREAK" and fragment.weight == -1


@rc_context(RC)
def weighted_prompts(readings, prompts, title=None, source=None):
    """A prompt as several tools read it: a lane for each, its fragments below what was typed.

    readings: {tool: its fragments, with .text, .weight, .start, .end}; prompts: the typed string,
    or {tool: string} where each tool was given its own. A box holds what the tokenizer gets, the
    number over it is the weight; where no box stands, the tool has taken the characters as syntax.
    A fragment BREAK of weight −1, A1111's marker, is a bar. ValueError for places outside the
    prompt. Lecture eqs 15–20.
    """
    if isinstance(prompts, str):
        blocks = [(prompts, dict(readings))]
    else:
        blocks = [(prompts[tool], {tool: fragments}) for tool, fragments in readings.items()]
    for prompt, lanes in blocks:
        _require_places(prompt, lanes)
    rows = [row for prompt, lanes in blocks for row in _rows(prompt, lanes)]
    every = [f for fragments in readings.values() for f in fragments]
    weights = [f.weight for f in every if not is_break(f)]
    broken = len(weights) < len(every)
    fig = Figure.wrapping([(HALF, _height(row)) for row in rows], [(HALF, 20 + 20 * broken)])
    *lines, legend = [part.sheet() for part in fig.parts]
    for ax, row in zip(lines, rows, strict=True):
        _draw_row(ax, *row)
    weight_legend(legend, LEFT, 10, weights)
    if broken:
        rectangles(legend, [(LEFT + 6, 23, 4, 14)], VIOLET, fill=1, linewidth=0)
        label(legend, LEFT + 21, 30, "the chunk ends", ha="left")

    table = Table(
        ("tool", "fragment", "weight", "from", "to"),
        [
            (tool, f.text, float(f.weight), f.start, f.end)
            for tool in readings
            for f in readings[tool]
        ],
        "Each tool's fragments, and where they stand in the typed prompt",
    )
    return fig.described(_prompts_alt(readings, prompts), table, title, source)


def _require_places(prompt, lanes):
    for tool, fragments in lanes.items():
        for f in fragments:
            if not 0 <= f.start <= f.end <= len(prompt):
                raise ValueError(
                    f"A fragment of {tool} stands at {f.start} to {f.end}, but the prompt has "
                    f"{len(prompt)} characters. Give the prompt that the fragments were read from."
                )


def _cells(text):
    """How many columns a text takes in a font of fixed width: emoji and the like take two."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in printable(text)
    )


def _rows(prompt, lanes):
    """The prompt in lines that fit, cut at spaces: (prompt, columns, line, lanes) of each.

    A line has of each lane the fragments that stand in it.
    """
    ruler = np.cumsum([0, *map(_cells, prompt)])
    starts, space = [0], 0
    for i, c in enumerate(prompt):
        if ruler[i + 1] - ruler[starts[-1]] > COLUMNS:
            starts.append(space if space > starts[-1] else i)
        if c.isspace():
            space = i + 1
    ends = [*starts[1:], len(prompt)]
    return [
        (prompt, ruler, line, {tool: _inside(lane, *line) for tool, lane in lanes.items()})
        for line in zip(starts, ends, strict=True)
    ]


def _inside(fragments, first, last):
    """(fragment, from, to) of what a line holds of each; one without a place stands at its spot."""
    parts = [(f, max(f.start, first), min(f.end, last)) for f in fragments]
    return [(f, a, b) for f, a, b in parts if a < b or first <= f.start == f.end <= last]


def _box_height(weight):
    over = min(weight, 2.5) - 1 if weight > 1 else 0
    return BASE + 22 * over - (3 * (1 - max(weight, 0)) if weight < 1 else 0)


def _lane_height(parts):
    return NAME + max([BASE, *(_box_height(f.weight) for f, *_ in parts)]) + 16 * bool(parts)


def _height(row):
    return TYPED + sum(map(_lane_height, row[-1].values())) + 4


def _draw_row(ax, prompt, ruler, line, lanes):
    """One line of the prompt as typed, and below it the boxes of every tool."""
    first, last = line

    def place(i):
        return LEFT + (ruler[i] - ruler[first]) * CELL

    label(ax, LEFT, 8, "typed", size=12, ha="left", faint=True, style="italic")
    rectangles(ax, [(LEFT - 4, 18, place(last) - LEFT + 8, 24)], INK, fill=0.07, linewidth=0)
    # Word by word, so that a reader's font of another width stays in its columns.
    for word in re.finditer(r"\w+|[^\w\s]", prompt[first:last]):
        a, b = first + word.start(), first + word.end()
        label(ax, (place(a) + place(b)) / 2, 30, word[0], size=SIZE, mono=True)
    if not prompt:
        label(ax, LEFT, 30, "nothing", ha="left", faint=True, style="italic")
    y = TYPED
    for tool, parts in lanes.items():
        label(ax, LEFT, y + NAME - 8, shorten(tool, 36), size=12, ha="left", weight="bold")
        y += _lane_height(parts)
        if not parts:
            label(ax, LEFT, y - BASE / 2, "no fragment", ha="left", style="italic", faint=True)
        for f, a, b in parts:
            _draw_fragment(ax, f, place(a), place(b), y, _part(f, a, b))


def _part(fragment, a, b):
    """The text of a fragment that a line holds: the share that its place has in the line."""
    length, typed = len(fragment.text), max(fragment.end - fragment.start, 1)
    at = [round(length * (i - fragment.start) / typed) for i in (a, b)]
    return fragment.text[at[0] : at[1]] if b > a else fragment.text


def _draw_fragment(ax, fragment, x, end, bottom, text):
    middle, width = (x + end) / 2, max(end - x, 6)
    if is_break(fragment):
        rectangles(ax, [(middle - 2, bottom - BASE - 4, 4, BASE + 8)], VIOLET, fill=1, linewidth=0)
        label(ax, middle, bottom - BASE - 11, "BREAK", size=11, weight="bold")
        return
    height = _box_height(fragment.weight)
    weight_box(ax, middle - width / 2 - 1, bottom - height, width + 2, height, fragment.weight)
    look = {"faint": True} if fragment.weight == 1 else {"weight": "bold"}
    label(ax, middle, bottom - height - 8, number(fragment.weight), size=11, **look)
    if text.strip():
        # Spaces at the ends keep their room, though a page would drop them.
        before, after = (_cells(text) - _cells(s) for s in (text.lstrip(), text.rstrip()))
        fits = min(1, max(SMALLEST / SIZE, width / CELL / _cells(text)))
        center = middle + (before - after) * CELL * fits / 2
        held = int(len(text) * width / (CELL * fits * _cells(text)) + 1e-9)
        held = shorten(text.strip(), max(1, held - before - after))
        label(ax, center, bottom - 10, held, size=SIZE * fits, mono=True)


def _prompts_alt(readings, prompts):
    shown = 12
    parts = []
    for tool, fragments in readings.items():
        texts = [
            "BREAK" if is_break(f) else f"“{f.text}” {number(f.weight)}" for f in fragments[:shown]
        ]
        if len(fragments) > shown:
            texts.append(f"and {len(fragments) - shown} more")
        own = "" if isinstance(prompts, str) else f", given “{shorten(prompts[tool], 200)}”"
        parts.append(f"{tool}{own}: {', '.join(texts) or 'no fragment'}.")
    tools = f"{len(readings)} tools read" if len(readings) > 1 else "one tool reads"
    what = f"The prompt “{shorten(prompts, 200)}”" if isinstance(prompts, str) else "A prompt"
    return f"{what} as {tools} it: fragments and their weights. " + " ".join(parts)
