"""Where in a picture each word was read, step by step, and which tokens attention goes to."""

import numpy as np
from matplotlib import rc_context
from PIL import Image

from .data import array, kinds_of, names_of, shorten, spans
from .draw import frame, label, line, pixels, rectangles
from .encoder import LEVELS, colored, levels
from .figure import Figure, Table
from .pictures import CELL, SIDE, draw_lines
from .theme import BLUE, GREEN, HALF, INK, ORANGE, RC, VIOLET, WIDEST, color_alpha

COLORS = {"BOS": GREEN, "content": BLUE, "EOS": ORANGE, "padding": VIOLET}
EDGE = 0.5  # how steep a picture's outline is, as a share of its steepest place
LEFT, ROW, BAR = 114, 22, 90  # of `token_shares`: room for tokens, a row, the longest bar
SCALE = (WIDEST, 40)  # size of the part that shows the steps of the colors
THIRDS = (("upper left", "upper middle", "upper right"), ("left", "middle", "right"),
          ("lower left", "lower middle", "lower right"))  # fmt: skip


@rc_context(RC)
def word_regions(image, words, title=None, source=None):
    """A picture, and for each word where it was read: blocks, under the picture's outline.

    image: a PIL picture; words: [(word, map [h, w]), …], shares of attention, as a Painting's
    `word_maps` has them. Each map has a color scale of its own, whose ends stand below it.
    ValueError for no words, and for maps that are no tables.
    """
    words = [(str(word), _checked(values, 2)) for word, values in words]
    if not words:
        raise ValueError("Give at least one word with its map: [(word, map [h, w]), …].")
    fig = Figure.wrapping([(CELL, SIDE + 38)] * (1 + len(words)), [SCALE])
    picture = image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    for part, (word, values) in zip(fig.parts, [("the picture", None), *words], strict=False):
        shown = np.asarray(picture) if values is None else _overlay(picture, values)
        below = [] if values is None else [_range(values)]
        _tile(part, _few_colors(shown), shorten(word, 14), below, weight="bold")
    _scale(fig.parts[-1])
    parts = [f"“{word}” most at the {_where(values)}, {_range(values)}" for word, values in words]
    alt = (
        f"A picture, and beside it where each of {len(words)} words was read, in percent of each "
        f"place's attention: {'; '.join(parts)}."
    )
    return fig.described(alt, _table([(word, "all", m) for word, m in words]), title, source)


@rc_context(RC)
def maps_by_step(words, maps, steps, title=None, source=None):
    """Maps of each word, one for each step; one color scale for each word.

    words: W strings; maps [W, T, h, w], shares of attention; steps: T numbers or short strings.
    ValueError when these do not fit together.
    """
    maps, words, steps = _checked(maps, 4), list(map(str, words)), list(map(str, steps))
    if maps.shape[:2] != (len(words), len(steps)):
        raise ValueError(
            f"There are {len(words)} words and {len(steps)} steps, so maps must be a tensor "
            f"[{len(words)}, {len(steps)}, h, w]; they are {list(maps.shape)}."
        )
    heading, tiles = [(WIDEST, 22)], [(CELL, SIDE + 22)] * len(steps)
    fig = Figure.wrapping(*[heading, tiles] * len(words), [SCALE])
    for n, word in enumerate(words):
        first, each = fig.groups[2 * n][0], fig.groups[2 * n + 1]
        text = f"{shorten(word, 24)}: {_range(maps[n])}"
        label(first.sheet(), WIDEST / 2, 12, text, size=12, weight="bold")
        low, high = maps[n].min(), maps[n].max()
        for part, step, values in zip(each, steps, maps[n], strict=True):
            _tile(part, colored(values, low, high), f"step {step}")
    _scale(fig.parts[-1])
    parts = []
    for n, word in enumerate(words):
        where = [_where(maps[n, t]) for t in range(len(steps))]
        told = f"at the {where[-1]} from step {steps[_settled(where)]} on"
        parts.append(f"“{word}” has its most {told}, {_range(maps[n])} in all")
    alt = (
        f"Maps of {len(words)} words at {len(steps)} steps, in percent of each place's attention: "
        f"{'; '.join(parts)}."
    )
    rows = [(w, s, maps[n, t]) for n, w in enumerate(words) for t, s in enumerate(steps)]
    return fig.described(alt, _table(rows), title, source)


@rc_context(RC)
def token_shares(tokens, shares, title=None, source=None):
    """Which tokens the attention of all places goes to: a row for each, a bar for each case.

    tokens: L strings, BOS, EOS and padding included; shares: {case: [L]}, at most four, each
    summing to 1, or shorter where a case has fewer tokens. Padding is one row. ValueError for
    shares of another length, or that do not sum to 1.
    """
    tokens, cases = list(tokens), {str(k): _checked(v, 1) for k, v in shares.items()}
    for case, values in cases.items():
        if len(values) > len(tokens) or abs(values.sum() - 1) > 1e-3:
            raise ValueError(
                f"{case}: shares are numbers [{len(tokens)}] or fewer that sum to 1; these are "
                f"{len(values)} and sum to {values.sum():.3g}."
            )
    kinds, names = kinds_of(tokens), names_of(tokens)
    pads = [i for i, kind in enumerate(kinds) if kind == "padding"]
    rows = [([i], names[i], kinds[i]) for i in range(len(tokens)) if i not in pads]
    rows += [(pads, f"{len(pads)} × pad", "padding")] if pads else []
    fig = Figure.wrapping([(HALF, 44 + ROW * len(rows) + 8)] * len(cases))
    table = []
    for part, (case, values) in zip(fig.parts, cases.items(), strict=True):
        ax = part.sheet()
        label(ax, 8, 11, shorten(case, 40), size=12, ha="left", weight="bold")
        label(ax, 38, 32, "slot", ha="right", faint=True)
        label(ax, 48, 32, "token", ha="left", faint=True)
        line(ax, (LEFT, 42), (LEFT, 44 + ROW * len(rows)), color=color_alpha(INK, 0.4))
        for n, (slots, name, kind) in enumerate(rows):
            here = [i for i in slots if i < len(values)]
            share = float(values[here].sum())
            text = _percent(share) if here else "not there"
            if len(here) > 1:
                text += f" ({_percent(share / len(here))} each)"
            _bar(ax, 44 + ROW * n, spans(slots), name, kind, share if here else None, text)
            table.append((case, spans(slots), name, text))
    told = []
    for case in cases:
        mine = [(name, text) for c, _, name, text in table if c == case]
        told.append(f"{case}: {', '.join(f'{name} {text}' for name, text in mine)}")
    alt = f"Shares of the attention of all places, by token. {'; '.join(told)}."
    return fig.described(
        alt, Table(("case", "slots", "token", "share"), table, "Shares of attention"), title, source
    )


def _bar(ax, y, slots, name, kind, share, text):
    """One row of `token_shares`; a share of None is of a token that is not there."""
    style = {"style": "italic"} if kind == "padding" else {}
    label(ax, 38, y + ROW / 2, slots, ha="right", faint=True)
    label(ax, 48, y + ROW / 2, name, ha="left", **style)
    if share is not None:
        bar = (LEFT, y + 4, max(BAR * share, 0.5), ROW - 8)
        rectangles(ax, [bar], COLORS[kind], fill=0.55)
    x = LEFT + BAR * (share or 0) + 5
    label(ax, x, y + ROW / 2, text, ha="left", faint=share is None)


def _tile(part, rgba, name, below=(), **more):
    """A map in squares, with its name and other words below."""
    ax = part.sheet()
    pixels(ax, rgba, (CELL - SIDE) / 2, 1, SIDE, SIDE)
    frame(ax, (CELL - SIDE) / 2, 1, SIDE, SIDE)
    label(ax, CELL / 2, SIDE + 12, name, **more)
    draw_lines(ax, CELL / 2, SIDE + 27, below, faint=True)


def _checked(values, axes):
    values = array(values).astype(float)
    if values.ndim != axes or not values.size or not np.isfinite(values).all():
        shape = ["L", "h, w", "", "W, T, h, w"][axes - 1]
        raise ValueError(
            f"Shares of attention are finite numbers [{shape}]; these have the shape "
            f"{list(values.shape)}. Pick one picture of the batch first."
        )
    return values


def _overlay(picture, values):
    """The map in blocks, and on it the outline of the picture, uint8 [SIDE, SIDE, 3]."""
    colors = Image.fromarray(colored(values, values.min(), values.max())).convert("RGB")
    colors = colors.resize((SIDE, SIDE), Image.Resampling.NEAREST)
    steep = np.hypot(*np.gradient(np.asarray(picture.convert("L"), float)))
    outline = (steep > EDGE * steep.max())[..., None]
    bright = np.asarray(colors.convert("L"))[..., None] > 127
    return np.where(outline, np.where(bright, 0, 255), np.asarray(colors)).astype(np.uint8)


def _few_colors(rgb):
    """uint8 [SIDE, SIDE, 4] in at most 64 colors, so that a notebook can hold many."""
    few = Image.fromarray(rgb).quantize(64, dither=Image.Dither.NONE)
    return np.asarray(few.convert("RGBA"))


def _scale(part):
    """The legend: one cell for each step of the color scale."""
    ax, wide = part.sheet(), LEVELS * 10
    pixels(ax, levels()[None], (WIDEST - wide) / 2, 4, wide, 12)
    frame(ax, (WIDEST - wide) / 2, 4, wide, 12)
    label(ax, WIDEST / 2, 28, "least to most, of each place's attention", faint=True)


def _percent(share):
    return f"{100 * share:.1f} %".replace("-", "−")


def _range(values):
    low, high = 100 * values.min(), 100 * values.max()
    digits = 1 if high - low >= 1 else 2
    return f"{low:.{digits}f} to {high:.{digits}f} %"


def _where(values):
    """In which ninth of the picture the greatest share lies."""
    h, w = values.shape
    row, column = divmod(int(values.argmax()), w)
    return THIRDS[3 * row // h][3 * column // w]


def _settled(places):
    """From which entry on all are the last one."""
    start = len(places) - 1
    while start and places[start - 1] == places[-1]:
        start -= 1
    return start


def _table(rows):
    found = [(word, step, _percent(m.min()), _percent(m.mean()), _percent(m.max()), _where(m))
             for word, step, m in rows]  # fmt: skip
    columns = ("word", "step", "least", "mean", "most", "most at the")
    return Table(columns, found, "Shares of attention that places give to a word")
