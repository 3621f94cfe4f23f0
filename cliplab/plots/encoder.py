"""Pictures of what happens inside the encoder: attention, norms, and the activation."""

import math

import matplotlib
import numpy as np
from matplotlib import rc_context
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from .data import array, kinds_of, names_of
from .draw import end_labels, frame, hatched, label, pixels
from .figure import Figure, Table
from .masks import FEW, GUTTER, LEANING, draw_ticks, room_above
from .theme import BLUE, GREEN, HALF, INK, ORANGE, RC, VIOLET, WIDEST

GAP = 18  # between heads, which keeps their numbers apart

LEVELS = 12  # steps of the color scale: few enough to tell apart, and to keep the picture small


def levels():
    """The colors of the scale, uint8 [LEVELS, 4]."""
    steps = matplotlib.colormaps["viridis"](np.linspace(0.06, 0.97, LEVELS))
    return (steps * 255).round().astype(np.uint8)


def colored(values, low, high):
    """uint8 [..., 4]: the scale from low to high, in even steps."""
    part = (values - low) / (high - low) if high > low else np.zeros_like(values)
    return levels()[np.minimum((part * LEVELS).astype(int), LEVELS - 1)]


def _colored(values, top):
    """uint8 [..., 4]: the scale is even in the square root, so that small weights still differ."""
    step = np.sqrt(np.clip(values / top, 0, 1)) * LEVELS
    return levels()[np.minimum(step.astype(int), LEVELS - 1)]


@rc_context(RC)
def attention_grid(weights, tokens=None, layer=None, source=None):
    """The attention weights of one layer, a panel for each head, all on one scale.

    weights [H, L, L] after the softmax, or [L, L] for one head; a cell that is exactly 0 is
    hatched; tokens: L strings, named when L ≤ 12; layer: its number, from 0. Lecture eq. 34.
    """
    weights = array(weights).astype(float)
    weights = weights[None] if weights.ndim == 2 else weights
    if weights.ndim != 3 or weights.shape[1] != weights.shape[2]:
        raise ValueError(
            "Attention weights have the shape [H, L, L]; these are "
            f"{list(weights.shape)}. Pick one prompt of the batch first."
        )
    heads, length = weights.shape[:2]
    if tokens is not None and len(tokens) != length:
        raise ValueError(f"The weights cover {length} rows but `tokens` has {len(tokens)}.")
    top_edge, top = room_above(tokens, length), float(weights.max()) or 1.0
    beside = min(heads, 2)  # heads in a part
    side = (HALF - GUTTER - LEANING - GAP * (beside - 1)) / beside
    size, parts = (HALF, top_edge + side + 24), -(-heads // beside)
    fig = Figure.wrapping([size] * parts, [(HALF, 46)])
    for part, first in zip(fig.parts, range(0, heads, beside), strict=False):
        ax = part.sheet()
        for n, grid in enumerate(weights[first : first + beside]):
            x, y = GUTTER + n * (side + GAP), top_edge
            hatched(ax, (x, y, side, side))
            colors = _colored(grid, top)
            colors[grid == 0] = 0  # nothing drawn: the hatching shows through
            pixels(ax, colors, x, y, side, side)
            frame(ax, x, y, side, side)
            label(ax, x + side / 2, y + side + 12, f"head {first + n}", weight="bold")
            draw_ticks(ax, length, x, y, side, tokens, rows=n == 0)
    _scale(fig.parts[-1].sheet(), 12, 12, top, blocked=bool((weights == 0).any()))

    where = "" if layer is None else f" in layer {layer}"
    first = weights[:, :, 0].mean(axis=1)
    panels = "one head" if heads == 1 else f"{heads} panels, one for each head"
    alt = f"Attention weights{where}: {panels}, {length} query rows by {length} key columns. "
    if not np.triu(weights, 1).any():
        alt += "Every weight above the diagonal is exactly 0 and hatched. "
    alt += (
        f"Averaged over the rows, key 0 gets a share of {first.min():.2f} in head "
        f"{first.argmin()} and of {first.max():.2f} in head {first.argmax()}."
        if heads > 1
        else f"Averaged over the rows, key 0 gets a share of {first[0]:.2f}."
    )
    table = Table(
        ("head", "query i", "key j", "weight"),
        [(int(h), int(i), int(j), float(weights[h, i, j])) for h, i, j in np.argwhere(weights)],
        "Attention weights; cells that are not listed are exactly 0",
    )
    title = "Attention weights" + ("" if layer is None else f", layer {layer}")
    return fig.described(alt, table, title, source)


def _scale(ax, x, y, top, blocked):
    """The legend: one cell for each step of the scale, its ends in numbers."""
    wide = 14
    pixels(ax, levels()[None], x, y - 6, LEVELS * wide, 12)
    frame(ax, x, y - 6, LEVELS * wide, 12)
    for step in (0, LEVELS // 2, LEVELS):
        value = top * (step / LEVELS) ** 2
        label(ax, x + step * wide, y + 16, f"{value:.2g}")
    label(ax, x + LEVELS * wide + 8, y, "weight", ha="left")
    if blocked:
        hatched(ax, (x + LEVELS * wide + 64, y - 6, 16, 12))
        frame(ax, x + LEVELS * wide + 64, y - 6, 16, 12)
        label(ax, x + LEVELS * wide + 85, y, "exactly 0", ha="left")


@rc_context(RC)
def norms_by_layer(hidden_states, tokens=None, source=None):
    """The Euclidean length of each token's row after every layer.

    hidden_states: N + 1 tensors [L, D] or [1, L, D], the input first; tokens: L strings. Up to 12
    rows have a line each; of more, BOS and EOS do, and a band holds the others.
    """
    states = [array(h) for h in hidden_states]
    states = [h[0] if h.ndim == 3 and len(h) == 1 else h for h in states]
    if any(h.ndim != 2 for h in states):
        raise ValueError("`hidden_states` must be tensors [L, D]; pick one prompt of the batch.")
    norms = np.array([np.linalg.norm(h.astype(float), axis=1) for h in states])  # [N + 1, L]
    layers, length = norms.shape
    kinds = kinds_of(tokens) if tokens is not None else [""] * length
    names = names_of(tokens) if tokens is not None else ["row"] * length
    if len(names) != length:
        raise ValueError(f"There are {length} rows but {len(names)} tokens. Give one for each.")
    names = [f"{i} {name}" if tokens is not None else f"{name} {i}" for i, name in enumerate(names)]

    fig = Figure(WIDEST, 330)
    ax = fig.panel(46, 16, 200, 268)
    depth = np.arange(layers)
    if length <= FEW:
        single = range(length)
    else:
        eos = kinds.index("EOS") if "EOS" in kinds else length - 1
        single = sorted({0, eos})
        others = np.delete(norms, single, axis=1)
        ax.fill_between(
            depth, others.min(axis=1), others.max(axis=1), color=BLUE, alpha=0.22, linewidth=0
        )
        ax.plot(depth, np.median(others, axis=1), color=BLUE, linestyle=(0, (5, 2)))
    styles = list(zip((GREEN, BLUE, VIOLET, INK) * 3, "os^v^vosvo^s", strict=True))
    ends = []
    for n, i in enumerate(single):
        color, marker = (ORANGE, "D") if kinds[i] == "EOS" else styles[n]
        ax.plot(depth, norms[:, i], color=color, marker=marker, markersize=4.5)
        ends.append((norms[-1, i], names[i], color))
    if length > FEW:
        ends.append((np.median(others[-1]), f"the other {length - len(single)}", BLUE))
    if norms.min() > 0 and norms.max() > 20 * norms.min():
        ax.set_yscale("log")
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        ax.yaxis.set_minor_locator(NullLocator())
    else:
        ax.set_ylim(0, norms.max() * 1.08)
    ax.set_xlim(-0.2, layers - 0.8)
    ax.set_xticks(depth[:: -(-layers // 7)])
    ax.set_xlabel("after layer (0 = embeddings)", fontsize=11)
    ax.set_ylabel("length of the row (L2 norm)", fontsize=11)
    end_labels(fig, ax, ends, layers - 1)

    last = norms[-1]
    alt = (
        f"Length of {length} rows over {layers - 1} layers. At the embeddings they lie between "
        f"{norms[0].min():.3g} and {norms[0].max():.3g}; after the last layer between "
        f"{last.min():.3g} ({names[last.argmin()]}) and {last.max():.3g} "
        f"({names[last.argmax()]})."
    )
    table = Table(
        ("row", *(f"after layer {n}" if n else "embeddings" for n in range(layers))),
        [(name, *map(float, norms[:, i])) for i, name in enumerate(names)],
        "L2 norm of each row of the hidden states",
    )
    return fig.described(alt, table, "Length of each row, layer by layer", source)


@rc_context(RC)
def activation_curves():
    """QuickGELU, GELU and ReLU, and how far QuickGELU is from GELU. Lecture eq. 27, E41."""
    u = np.linspace(-6, 6, 2401)
    quick = u / (1 + np.exp(-1.702 * u))
    gelu = np.array([x * 0.5 * (1 + math.erf(x / math.sqrt(2))) for x in u])
    gap = quick - gelu
    worst = int(np.abs(gap[:1201]).argmax())  # the difference is even in u: the same at −u

    fig = Figure.wrapping([(HALF, 286)] * 2)
    left, right = (part.panel(50, 22, HALF - 62, 220) for part in fig.parts)
    near = np.abs(u) <= 3.0001
    for values, color, style, name in (
        (np.maximum(u, 0), INK, (0, (1, 1.5)), "ReLU"),
        (quick, BLUE, "-", "QuickGELU"),
        (gelu, ORANGE, (0, (5, 2)), "GELU"),
    ):
        left.plot(u[near][::6], values[near][::6], color=color, linestyle=style, label=name)
    left.legend(frameon=False, fontsize=11, loc="upper left", handlelength=3)
    right.plot(u[::6], gap[::6], color=BLUE)
    for ax, title in ((left, "activation"), (right, "QuickGELU − GELU")):
        ax.axhline(0, color=INK, linewidth=0.6, alpha=0.5)
        ax.set_xlabel("u", fontsize=11)
        ax.set_title(title, fontsize=11, fontweight="bold", loc="left", pad=4)
    right.plot([u[worst], -u[worst]], [gap[worst]] * 2, "o", color=ORANGE, markersize=6)
    right.set_ylim(-0.0245, 0.009)
    label(right, 0, -0.0228, f"{gap[worst]:.4f} at u = ±{-u[worst]:.2f}".replace("-", "−"))
    alt = (
        "One chart: QuickGELU and GELU almost coincide; both dip below 0 for negative u, where "
        f"ReLU is 0. The other: their difference, largest in size at u = ±{-u[worst]:.2f}, where "
        f"QuickGELU is {-gap[worst]:.4f} below GELU."
    )
    table = Table(
        ("u", "QuickGELU", "GELU", "ReLU", "QuickGELU − GELU"),
        [
            tuple(float(v) for v in (u[i], quick[i], gelu[i], max(u[i], 0), gap[i]))
            for i in sorted({*range(0, 2401, 200), worst, 2400 - worst})
        ],
        "The activations at a few places, and where they differ most",
    )
    return fig.described(alt, table, "QuickGELU beside GELU and ReLU")
