"""What changes in the encoder's output, row by row."""

import math

import numpy as np
from matplotlib import rc_context

from .data import array, chunks_of, kinds_of, names_of, shorten, spans
from .draw import label
from .figure import Figure, Table
from .theme import BLUE, GREEN, HALF, INK, ORANGE, RC, VIOLET

LEFT, TOP, WIDE, TALL = 66, 46, 260, 100  # of the axes of a panel, in points
# With `words`, what a row is: its mark, pointing to where the words are, and its color.
GROUPS = {"before them": ("<", GREEN), "the words": ("o", ORANGE), "after them": (">", GREEN),
          "EOS": ("s", VIOLET), "padding": ("", INK), "rows": ("", ORANGE)}  # fmt: skip


@rc_context(RC)
def row_changes(changes, kinds=None, eos=None, labels=None, title=None, source=None,
                tokens=None, words=(), measure=None):  # fmt: skip
    """How much each row of the output changed; rows that changed by exactly 0 have their own mark.

    changes: one vector [L] or several [M, L] of max |difference| ≥ 0; kinds: L strings as
    `kinds_of` gives, the padding shaded; eos: the EOS row, marked; labels: M names; tokens: L
    strings, from which kinds and eos follow; they name the rows, and the padding is drawn closer
    together. words: the rows that were meant to change; those before and after them, EOS and
    padding then have marks of their own. measure: what the numbers are, if not max |difference|.
    ValueError for a negative or non-finite change.
    """
    changes = np.atleast_2d(array(changes)).astype(float)
    if changes.ndim != 2 or not np.isfinite(changes).all() or (changes < 0).any():
        raise ValueError(
            "`changes` must be [L] or [M, L], finite and not negative: take the "
            "absolute difference of each row, and leave rows with NaN out."
        )
    count, length = changes.shape
    labels = list(labels) if labels is not None else ["max |difference|", *[""] * (count - 1)]
    if len(labels) != count:
        raise ValueError(f"There are {count} vectors but {len(labels)} labels. Give one for each.")
    if tokens is not None:
        if len(tokens) != length:
            raise ValueError(f"There are {length} rows but {len(tokens)} tokens. Give all of them.")
        if len(chunks_of(tokens)) > 1:
            raise ValueError("These tokens are several chunks: draw one chunk of 77 at a time.")
        kinds = kinds or kinds_of(tokens)
        eos = kinds.index("EOS") if eos is None and "EOS" in kinds else eos
    groups = _groups(length, words, kinds, eos)
    at = _places(kinds, length) if tokens is not None else np.arange(length)
    foot = 40 if tokens is None else 66
    legend = [(HALF, 40)] if len(groups) > 1 else []
    fig = Figure.wrapping([(HALF, TOP + TALL + foot)] * count, *([legend] if legend else []))
    low, high = _decades(changes[changes > 0])
    floor = low - 0.9  # where "exactly 0" stands, below the logarithmic axis
    for part, row, called in zip(fig.parts, changes, labels, strict=False):
        label(part.sheet(), 8, 12, shorten(called, 42), size=12, ha="left", weight="bold")
        ax = part.panel(LEFT, TOP, WIDE, TALL)
        ax.set(xlim=(-0.8, at[-1] + (0.8 if tokens is None else 0.3)), ylim=(floor - 0.45, high))
        for name, rows in groups.items():
            _bars(ax, at, row, [i for i in rows if row[i]], low - 0.4, *GROUPS[name])
        still = np.flatnonzero(row == 0)
        ax.plot(at[still], np.full(len(still), floor), "D", markersize=4, markerfacecolor="none",
                markeredgecolor=BLUE, markeredgewidth=1.2)  # fmt: skip
        ax.axhline(low - 0.4, color=INK, linewidth=0.6, alpha=0.5)
        ticks = range(low, high + 1, max(1, (high - low) // 3))
        ax.set_yticks([floor, *ticks], ["exactly 0", *(_power(t) for t in ticks)])
        ax.tick_params(length=3)
        if kinds is not None and "padding" in kinds:
            pads = [i for i, kind in enumerate(kinds) if kind == "padding"]
            half = (at[pads[1]] - at[pads[0]]) / 2 if len(pads) > 1 else 0.5
            ax.axvspan(at[pads[0]] - half, at[pads[-1]] + half, color=INK, alpha=0.07, linewidth=0)
            label(ax, at[pads[-1]] + half, high, "padding", ha="right", va="bottom",
                  style="italic", faint=True)  # fmt: skip
        if eos is not None:
            ax.axvline(at[eos], color=VIOLET, linestyle=(0, (4, 2)), linewidth=1.3)
            side = "left" if at[eos] < at[-1] / 2 else "right"  # away from the numbers at the axis
            label(ax, at[eos], high, "EOS", ha=side, va="bottom", weight="bold")
        if tokens is None:
            ax.set_xlabel("row (slot of the prompt)", fontsize=11)
        else:
            _name_rows(ax, at, tokens, kinds)
    if legend:
        _legend(fig.parts[-1], groups, bool((changes == 0).any()))
    what = f"{measure[0].upper()}{measure[1:]}" if measure else "The largest change"
    alt = f"{what} in each row of the output. "
    if legend:
        alt += f"The words stand in {spans(groups['the words'], 'row')}. "
        alt += " ".join(map(_groups_sentence, labels, changes, [groups] * count))
    else:
        alt += " ".join(map(_changes_sentence, labels, changes))
    if eos is not None:
        alt += f" EOS is row {int(eos)}."
    names = [name or f"vector {n}" for n, name in enumerate(labels)]
    extra = {"token": tokens, "kind": kinds}
    extra = {name: values for name, values in extra.items() if values is not None}
    what = "Largest absolute change" if measure is None else what
    table = Table(("row", *extra, *names),
                  [(i, *(values[i] for values in extra.values()), *map(float, changes[:, i]))
                   for i in range(length)], f"{what} in each row")  # fmt: skip
    return fig.described(alt, table, title, source)


def _groups(length, words, kinds, eos):
    """The rows of each group that has any; without words, all rows in one group."""
    words = sorted({int(i) for i in words})
    if not words:
        return {"rows": range(length)}
    if not 0 <= words[0] <= words[-1] < length:
        raise ValueError(f"`words` are rows from 0 to {length - 1}; these are {spans(words)}.")
    groups = {name: [] for name in GROUPS if name != "rows"}
    for i in range(length):
        kind = "EOS" if i == eos else kinds[i] if kinds is not None else "content"
        if i in words:
            groups["the words"].append(i)
        elif kind in groups:
            groups[kind].append(i)
        else:
            groups["before them" if i < words[0] else "after them"].append(i)
    return {name: rows for name, rows in groups.items() if rows}


def _places(kinds, length):
    """Where each row stands: one step apart, but the padding, much of the same, closer together."""
    first = kinds.index("padding") if "padding" in kinds else length
    room = min(length - first, max(3, 0.3 * first))
    inner = (np.arange(length - first) + 0.5) * room / max(length - first, 1)
    return np.concatenate([np.arange(first), first - 0.5 + inner])


def _bars(ax, at, row, rows, foot, marker, color):
    """Bars from the foot to the change of each of the rows, with a mark on top."""
    if not len(rows):
        return
    bars = np.full((len(rows), 3), foot)  # foot, top, and a gap to the next
    bars[:, 1], bars[:, 2] = np.log10(row[rows]), np.nan
    wide = (
        142 / len(at) if len(at) == at[-1] + 1 else 102 * np.diff(at[rows]).min(initial=1) / at[-1]
    )
    ax.plot(np.repeat(at[rows], 3), bars.ravel(), color=color, solid_capstyle="butt",
            linewidth=min(3 if marker else 8, wide))  # fmt: skip
    if marker:
        ax.plot(at[rows], bars[:, 1], marker, color=color, markersize=7)


def _name_rows(ax, at, tokens, kinds):
    """Each row's number and token, or of every so many; one name for all of the padding."""
    named = [i for i, kind in enumerate(kinds) if kind != "padding"]
    step = math.ceil(14 * (at[-1] + 1.1) / WIDE)
    names = names_of(tokens)
    ticks = {at[i]: f"{i} {names[i]}" for i in named[::step]}
    pads = [i for i, kind in enumerate(kinds) if kind == "padding"]
    if pads:
        ticks[at[pads].mean()] = f"rows {spans(pads)}"
    ax.set_xticks(list(ticks), list(ticks.values()), rotation=40, ha="right",
                  rotation_mode="anchor", parse_math=False)  # fmt: skip


def _legend(part, groups, zeros):
    entries = [(name, *GROUPS[name]) for name in groups if GROUPS[name][0]]
    entries += [("exactly 0", "D", "none")] if zeros else []
    ax, x, y = part.sheet(), 8, 11
    for name, marker, color in entries:
        room = 34 + 7 * len(name)
        if x + room > HALF:
            x, y = 8, 29
        edge = {"markeredgecolor": BLUE, "markeredgewidth": 1.2} if color == "none" else {}
        ax.plot(x + 4, y, marker, color=color, markersize=5 if edge else 7, **edge)
        label(ax, x + 14, y, name, ha="left")
        x += room


def _decades(positive):
    if not len(positive):
        return -1, 0
    low, high = int(np.floor(np.log10(positive.min()))), int(np.ceil(np.log10(positive.max())))
    return low, max(high, low + 1)


def _power(exponent):
    digits = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
    return "1" if exponent == 0 else "10" + str(exponent).translate(digits)


def _changes_sentence(name, row):
    still, moved = np.flatnonzero(row == 0), np.flatnonzero(row)
    start = f"{name}: " if name else ""
    if not len(moved):
        return f"{start or 'Here '}no row changes; all {len(row)} differences are exactly 0."
    exactly = f"by exactly 0 in {spans(still, 'row')}, " if len(still) else ""
    return f"{start}the output changes {exactly}by {_extent(row[moved])} in {spans(moved, 'row')}."


def _groups_sentence(name, row, groups):
    parts = []
    for group, rows in groups.items():
        moved = [i for i in rows if row[i]]
        some = f" in {len(moved)} of {len(rows)} rows" if len(moved) < len(rows) else ""
        size = f"{_extent(row[moved])}{some}" if moved else "exactly 0"
        parts.append(f"{group} {size}")
    return f"{name or 'Here'}: {', '.join(parts)}."


def _extent(values):
    low, high = f"{values.min():.2g}", f"{values.max():.2g}"
    return low if low == high else f"{low} to {high}"
