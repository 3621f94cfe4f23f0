"""A run of training in one figure: loss, retrieval, temperature, similarity matrices over time."""

import numpy as np
from matplotlib import rc_context

from .curves import COLORS, DASHES
from .data import number, printable, shorten
from .draw import label, names_below
from .figure import Figure, Table
from .similarity import LEGEND, MOST, checked, draw_matrices, matrix_sizes, sentences
from .theme import HALF, INK, RC

WINDOWS = 60  # means along a curve of single steps, at most
MARKS = "osD^"
LEFT, TOP, WIDE, TALL = 50, 26, 272, 130  # of the axes of a panel, in points


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
    lines = {
        "loss": {"in the batch": (x, means["loss"], "")}
        | ({"ln N": level(end, np.log(batch_size))} if batch_size else {}),
        "R@1 in %": {"in the batch": (x, 100 * means["r@1"], "")}
        | {name: (at, 100 * y, MARKS[n % len(MARKS)]) for n, (name, (at, y)) in enumerate(found)}
        | ({"chance": level(end, 100 / candidates)} if candidates else {}),
        "temperature τ": {"τ": (x, means["temperature"], "")},
    }
    charts = [(HALF, TOP + TALL + 46 + 18 * len(curves)) for curves in lines.values()]
    fig = Figure.wrapping(charts, *([matrix_sizes(grids, names), [LEGEND]] if grids else []))
    for part, (name, curves) in zip(fig.parts, lines.items(), strict=False):
        _panel(part, name, curves, end)
    if grids:
        draw_matrices(fig.parts[len(lines) :], grids, names)
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


def _panel(part, name, curves, end):
    ax = part.panel(LEFT, TOP, WIDE, TALL)
    for n, (called, (at, values, mark)) in enumerate(curves.items()):
        flat = called in ("ln N", "chance")
        color, dash = (INK, (0, (1, 2))) if flat else (COLORS[n], DASHES[n])
        style = {"color": color, "linestyle": dash, "linewidth": 1.2 if flat else 2}
        ax.plot(at, values, marker=mark, markersize=5, label=shorten(called, 40), **style)
    ax.set_xlim(0, end)
    if name != "temperature τ":
        ax.set_ylim(bottom=0)
    ax.grid(color=INK, alpha=0.15, linewidth=0.6)
    ax.set_xlabel("step", fontsize=11)
    label(part.sheet(), 8, 11, name, ha="left")
    names_below(ax, 42)


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
