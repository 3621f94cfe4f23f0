"""What changes in the encoder's output, row by row."""

import numpy as np
from matplotlib import rc_context

from .data import array, printable, spans
from .draw import label
from .figure import Figure, Table
from .theme import BLUE, INK, ORANGE, RC, VIOLET


@rc_context(RC)
def row_changes(changes, kinds=None, eos=None, labels=None, title=None, source=None):
    """How much each row of the output changed; rows that changed by exactly 0 have their own mark.

    changes: one vector [L] or several [M, L] of max |difference| ≥ 0; kinds: L strings as
    `kinds_of` gives, the padding shaded; eos: the EOS row, marked; labels: M names.
    ValueError for a negative or non-finite change.
    """
    changes = np.atleast_2d(array(changes)).astype(float)
    if changes.ndim != 2 or not np.isfinite(changes).all() or (changes < 0).any():
        raise ValueError("`changes` must be [L] or [M, L], finite and not negative: take the "
                         "absolute difference of each row, and leave rows with NaN out.")
    count, length = changes.shape
    labels = list(labels) if labels is not None else ["max |difference|", *[""] * (count - 1)]
    if len(labels) != count:
        raise ValueError(f"There are {count} vectors but {len(labels)} labels. Give one for each.")
    tall, left, step = 130, 66, 186
    fig = Figure(720, count * step + 22)
    positive = changes[changes > 0]
    low, high = _decades(positive)
    floor = low - 0.9  # where "exactly 0" stands, below the logarithmic axis
    for n, row in enumerate(changes):
        ax = fig.panel(left, 38 + n * step, 720 - left - 14, tall)
        moved = np.flatnonzero(row)
        still = np.flatnonzero(row == 0)
        ax.set(xlim=(-0.8, length - 0.2), ylim=(floor - 0.45, high))
        if len(moved):
            bars = np.full((len(moved), 3), low - 0.4)  # foot, top, and a gap to the next
            bars[:, 1], bars[:, 2] = np.log10(row[moved]), np.nan
            ax.plot(np.repeat(moved, 3), bars.ravel(), color=ORANGE, solid_capstyle="butt",
                    linewidth=min(8, 350 / length))
        ax.plot(still, np.full(len(still), floor), "D", markersize=4, markerfacecolor="none",
                markeredgecolor=BLUE, markeredgewidth=1.2)
        ax.axhline(low - 0.4, color=INK, linewidth=0.6, alpha=0.5)
        ticks = range(low, high + 1, max(1, (high - low) // 4))
        ax.set_yticks([floor, *ticks], ["exactly 0", *(_power(t) for t in ticks)])
        ax.tick_params(length=3)
        if kinds is not None and "padding" in kinds:
            pads = [i for i, kind in enumerate(kinds) if kind == "padding"]
            ax.axvspan(pads[0] - 0.5, pads[-1] + 0.5, color=INK, alpha=0.07, linewidth=0)
            label(ax, (pads[0] + pads[-1]) / 2, high, "padding", size=10, va="bottom",
                  style="italic", faint=True)
        if eos is not None:
            ax.axvline(eos, color=VIOLET, linestyle=(0, (4, 2)), linewidth=1.3)
            label(ax, eos, high, "EOS", size=10, va="bottom", weight="bold")
        ax.set_title(printable(labels[n]), fontsize=12, fontweight="bold", loc="left", pad=16,
                     parse_math=False)
    ax.set_xlabel("row (slot of the prompt)", fontsize=10)
    alt = "The largest change in each row of the output. " + " ".join(
        _changes_sentence(name, row) for name, row in zip(labels, changes, strict=True))
    if eos is not None:
        alt += f" EOS is row {int(eos)}."
    names = [name or f"vector {n}" for n, name in enumerate(labels)]
    extra = ("kind",) if kinds is not None else ()
    table = Table(("row", *extra, *names),
                  [(i, *((kinds[i],) if extra else ()), *map(float, changes[:, i]))
                   for i in range(length)], "Largest absolute change in each row")
    return fig.described(alt, table, title, source)


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
    low, high = f"{row[moved].min():.2g}", f"{row[moved].max():.2g}"
    size = low if low == high else f"{low} to {high}"
    return f"{start}the output changes {exactly}by {size} in {spans(moved, 'row')}."
