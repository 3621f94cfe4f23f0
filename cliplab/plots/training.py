"""A run of training in one figure: loss, retrieval, temperature, similarity matrices over time."""

import numpy as np
from matplotlib import rc_context

from .curves import COLORS, DASHES
from .data import number, printable, shorten
from .draw import end_labels
from .figure import Figure, Table
from .similarity import GAP, MOST, checked, draw_matrices, gutter, room_above, sentences
from .theme import INK, RC

WINDOWS = 60  # means along a curve of single steps, at most
MARKS = "osD^"
HEIGHTS = {"loss": 150, "R@1 in %": 170, "temperature τ": 100}
TOP, BETWEEN = 14, 20


@rc_context(RC)
def training_curves(log, batch_size=None, candidates=None, names=None, title=None, source=None):
    """Loss, R@1 and temperature of a run and, where its evaluations hold them, matrices over time.

    log: with .steps and .evaluations, as cliplab.training.Log has. Of the evaluations every share
    named "r@1" or "…/r@1" is drawn, of two ways the one from text to image. batch_size: N, for
    the line ln N, which is what a model loses that knows nothing. candidates: how many pictures an
    evaluation searches, for the line of chance. names: captions of the matrices "similarities", at
    most four of which are drawn. ValueError for a log without steps.
    """
    if not log.steps:
        raise ValueError("This log has no steps: there is nothing to draw yet.")
    x, means = averaged(log.steps)
    end = log.steps[-1]["step"] + 1
    found = shares(log.evaluations)
    seen = [record for record in log.evaluations if "similarities" in record]
    if len(seen) > MOST:
        seen = [seen[i] for i in np.linspace(0, len(seen) - 1, MOST).round().astype(int)]
    grids = {f"step {record['step']:,}": checked(record["similarities"]) for record in seen}
    names = [printable(name) for name in names or range(len(next(iter(grids.values()), ())))]
    _require_names(grids, names)
    below = TOP + sum(HEIGHTS.values()) + BETWEEN * len(HEIGHTS) + 34
    fig = Figure(720, below + (_room_for(grids, names) if grids else 0))
    lines = {
        "loss": {"in the batch": (x, means["loss"], "")}
        | ({"ln N": level(end, np.log(batch_size))} if batch_size else {}),
        "R@1 in %": {"in the batch": (x, 100 * means["r@1"], "")}
        | {name: (at, 100 * y, MARKS[n % len(MARKS)]) for n, (name, (at, y)) in enumerate(found)}
        | ({"chance": level(end, 100 / candidates)} if candidates else {}),
        "temperature τ": {"τ": (x, means["temperature"], "")},
    }
    y = TOP
    for n, (name, curves) in enumerate(lines.items()):
        _panel(fig, y, HEIGHTS[name], name, curves, end, last=n == len(lines) - 1)
        y += HEIGHTS[name] + BETWEEN
    if grids:
        left = gutter(names)
        draw_matrices(fig.sheet(), grids, names, None, left, below, _side(grids, names))
    return fig.described(
        _alt(log, lines, grids, names, batch_size, candidates), _table(log, found), title, source
    )


def averaged(steps):
    """(steps [W], {column: means [W]}): means over equal stretches; the last may be shorter."""
    width = -(-len(steps) // WINDOWS)
    parts = np.split(np.arange(len(steps)), range(width, len(steps), width))
    columns = {
        name: np.array([record[name] for record in steps], float)
        for name in ("loss", "r@1", "temperature")
    }
    at = np.array([record["step"] + 1 for record in steps], float)
    return (
        np.array([at[part].mean() for part in parts]),
        {name: np.array([y[part].mean() for part in parts]) for name, y in columns.items()},
    )


def shares(evaluations):
    """[(name, (steps, shares)), …] of each R@1 that was measured, at most four."""
    found = {}
    for record in evaluations:
        for key, value in record.items():
            if key.endswith("r@1") and "image_to_text" not in key:
                name = key.removesuffix("r@1").rstrip("/").removesuffix("text_to_image")
                found.setdefault(name.rstrip("/") or "evaluation", []).append(
                    (record["step"], value)
                )
    pairs = {name: np.array(points, float).T for name, points in found.items()}
    return [(name, (at, y)) for name, (at, y) in pairs.items()][: len(MARKS)]


def level(end, value):
    """A flat line."""
    return np.array([0.0, end]), np.array([value, value]), ""


def _panel(fig, y, height, name, curves, end, last):
    ax = fig.panel(58, y, 530, height)
    ends = []
    for n, (called, (at, values, mark)) in enumerate(curves.items()):
        flat = called in ("ln N", "chance")
        color, dash = (INK, (0, (1, 2))) if flat else (COLORS[n], DASHES[n])
        ax.plot(at, values, color=color, linestyle=dash, linewidth=1.2 if flat else 2)
        if mark:
            ax.plot(at, values, mark, color=color, markersize=5)
        ends.append((values[-1], shorten(called, 18), color))
    ax.set_xlim(0, end)
    if name != "temperature τ":
        ax.set_ylim(bottom=0)
    ax.grid(color=INK, alpha=0.15, linewidth=0.6)
    ax.set_ylabel(name, fontsize=11, parse_math=False)
    ax.tick_params(labelbottom=last)
    if last:
        ax.set_xlabel("step", fontsize=11)
    end_labels(fig, ax, ends, end)


def _side(grids, names):
    """How large each matrix is, four of them always fitting."""
    count = len(names)
    return min(26 * count, (716 - gutter(names) - GAP * (len(grids) - 1)) / len(grids))


def _room_for(grids, names):
    side = _side(grids, names)
    return room_above(side, len(names)) + side + 62


def _require_names(grids, names):
    for step, S in grids.items():
        if len(S) != len(names):
            raise ValueError(
                f"The matrix of {step} has {len(S)} rows, but there are {len(names)} names for it."
            )


def _alt(log, lines, grids, names, batch_size, candidates):
    alt = f"A run of {log.steps[-1]['step'] + 1:,} steps. "
    for panel, curves in lines.items():
        told = [
            f"{name} from {number(y[0])} to {number(y[-1])}"
            for name, (_, y, _) in curves.items()
            if name not in ("ln N", "chance")
        ]
        flat = {"loss": ("ln N", batch_size and np.log(batch_size)),
                "R@1 in %": ("chance", candidates and 100 / candidates)}.get(panel)  # fmt: skip
        beside = f", {flat[0]} is {number(flat[1])}" if flat and flat[1] else ""
        alt += f"{panel[:1].upper()}{panel[1:]}: {', '.join(told)}{beside}. "
    if grids:
        alt += sentences(grids, names)
    return alt.strip()


def _table(log, found):
    """One row for each evaluation, or for some steps where there was none."""
    last = log.steps[-1]["step"] + 1
    ends = sorted({int(s) for _, (at, _) in found for s in at}) or [
        int(s) for s in np.unique(np.linspace(1, last, 17).round())
    ]
    measured = [dict(zip(map(int, at), map(float, y), strict=True)) for _, (at, y) in found]
    rows, before = [], -1
    for end in ends:
        during = [r for r in log.steps if before <= r["step"] < end] or log.steps[:1]
        means = (
            float(np.mean([r[name] for r in during])) for name in ("loss", "r@1", "temperature")
        )
        rows.append((end, *means, *(m.get(end, "") for m in measured)))
        before = end
    columns = ("step", "loss", "R@1 in the batch", "τ", *(f"R@1, {name}" for name, _ in found))
    return Table(columns, rows, "Means over the steps since the row before; R@1 as shares")
