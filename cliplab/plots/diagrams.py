"""The text encoder as a diagram, and where its parameters are."""

from dataclasses import dataclass

from matplotlib import rc_context

from .draw import arrow, box, hatched, label, line, rectangles
from .figure import Figure, Table
from .theme import BLUE, GREEN, HALF, INK, ORANGE, RC, VIOLET, WIDEST, color_alpha


@dataclass(frozen=True)
class _SD15:
    """The sizes of Stable Diffusion 1.5's text encoder, for when no configuration is given."""

    vocab_size: int = 49408
    context_length: int = 77
    width: int = 768
    heads: int = 12
    layers: int = 12
    mlp_width: int = 3072
    projection: int | None = None


def parameter_counts(config=None):
    """How many numbers each part learns, by name, for a text encoder of this configuration."""
    c = config or _SD15()
    d = c.width
    counts = {
        "token embedding": c.vocab_size * d,
        "position embedding": c.context_length * d,
        "attention": c.layers * 4 * (d * d + d),  # W_Q, W_K, W_V, W_O, each with a bias
        "MLP": c.layers * (d * c.mlp_width + c.mlp_width + c.mlp_width * d + d),
        "LayerNorms": (2 * c.layers + 1) * 2 * d,
    }
    if getattr(c, "projection", None):
        counts["projection"] = d * c.projection
    return counts


@rc_context(RC)
def encoder_diagram(config=None):
    """The text encoder from ids to context, with one layer opened: shapes and parameter counts.

    config: anything with vocab_size, context_length, width, heads, layers, mlp_width and, if it
    likes, projection; without one, Stable Diffusion 1.5. Lecture eqs 40–51, 59.
    """
    c = config or _SD15()
    counts = parameter_counts(c)
    length, d, joint = c.context_length, c.width, getattr(c, "projection", None)
    per_layer = (counts["attention"] + counts["MLP"]) // c.layers + 4 * d
    total = sum(counts.values())
    shape = f"[{length}, {d}]"
    fig = Figure.wrapping([(HALF, 546), (HALF, 546)])
    _whole(fig.parts[0].sheet(), c, counts, per_layer)
    _layer(fig.parts[1].sheet(), c, per_layer, total)

    rows = [
        ("token embedding", f"[{length}] ids", shape, counts["token embedding"]),
        ("position embedding", f"slots 0–{length - 1}", shape, counts["position embedding"]),
        (f"{c.layers} × first LayerNorm", shape, shape, c.layers * 2 * d),
        (f"{c.layers} × attention", shape, shape, counts["attention"]),
        (f"{c.layers} × second LayerNorm", shape, shape, c.layers * 2 * d),
        (f"{c.layers} × MLP", shape, shape, counts["MLP"]),
        ("final LayerNorm", shape, shape, 2 * d),
    ]
    if joint:
        rows.append(("projection of the EOS row", f"[{d}]", f"[{joint}]", counts["projection"]))
    rows.append(("in all", f"[{length}] ids", shape, total))
    alt = (
        f"The text encoder. Token and position embeddings are added to X₀ of {length} by {d}; "
        f"{c.layers} encoder layers follow, then a final LayerNorm gives the context of {length} "
        f"by {d}; its row at EOS is the pooled vector. One layer, opened: LayerNorm, attention "
        f"with {c.heads} heads of {d // c.heads} under the causal mask, a sum with the layer's "
        f"input, LayerNorm, an MLP of {c.mlp_width:,} with QuickGELU, and a second sum. The "
        f"encoder has {total:,} parameters."
    )
    return fig.described(
        alt,
        Table(
            ("part", "takes", "gives", "parameters"), rows, "The encoder's parts, without the batch"
        ),
        "The text encoder",
    )


def _whole(ax, c, counts, per_layer):
    """First part of the encoder's diagram: from ids to context, top to bottom."""
    length, d, joint = c.context_length, c.width, getattr(c, "projection", None)
    shape = f"[{length}, {d}]"
    for x, wide, name, source in (
        (2, 178, "token embedding", f"ids t  [{length}]"),
        (184, 150, "position embedding", f"slots 0–{length - 1}"),
    ):
        middle = x + wide / 2
        label(ax, middle, 12, source, size=12, weight="bold")
        arrow(ax, (middle, 21), (middle, 44))
        size = c.vocab_size if name == "token embedding" else length
        _counted(ax, x, 46, wide, 48, GREEN, name, f"{size:,} × {d:,}", counts[name])
        arrow(ax, (middle, 94), (middle, 122), (162 if middle < 170 else 178, 122))
    _plus(ax, 170, 122)
    _down(ax, 170, 130, 162, f"X₀  {shape}")
    for shift in (8, 4):
        box(ax, 36 + shift, 164 + shift, 260, 62, BLUE, fill=0.05)
    box(ax, 36, 164, 260, 62, BLUE, fill=0.2)
    label(ax, 166, 184, f"{c.layers} × encoder layer", size=13, weight="bold")
    label(ax, 166, 205, f"{c.layers} × {per_layer:,} = {c.layers * per_layer:,}", faint=True)
    _down(ax, 166, 234, 270, "hidden_states[-1]")
    _counted(ax, 66, 272, 200, 40, VIOLET, "final LayerNorm", "", 2 * d)
    _down(ax, 166, 312, 350, "")
    box(ax, 36, 352, 260, 40, ORANGE, fill=0.2)
    label(ax, 166, 372, f"context C  {shape}", size=13, weight="bold")
    label(ax, 36, 406, "to the U-Net's cross-attention", ha="left", faint=True)
    arrow(ax, (296, 372), (328, 372), (328, 446), (298, 446))
    label(ax, 322, 422, "row at EOS", ha="right")
    box(ax, 136, 430, 160, 32, ORANGE, fill=0.1)
    label(ax, 216, 446, f"pooled  [{d}]", size=12, weight="bold")
    arrow(ax, (216, 462), (216, 488))
    box(ax, 106, 490, 220, 42, INK, fill=0.04, **({} if joint else {"linestyle": (0, (4, 2.5))}))
    first = f"projection, no bias → [{joint}]" if joint else "projection to CLIP's joint space"
    label(ax, 216, 503, first)
    second = f"{counts['projection']:,}" if joint else "not part of this model"
    label(ax, 216, 520, second, faint=True)


def _layer(ax, c, per_layer, total):
    """Second part of the encoder's diagram: one layer, from top to bottom, with its residuals."""
    d, left, wide = c.width, 42, 226
    middle, right, way = left + wide / 2, left + wide, 24
    box(ax, 2, 2, HALF - 4, 512, BLUE, fill=0.04, radius=10, linewidth=1.6)
    label(ax, 14, 22, "one encoder layer", size=13, ha="left", weight="bold")
    label(ax, HALF - 14, 22, f"{per_layer:,}", ha="right", faint=True)

    shape = f"[{c.context_length}, {d}]"
    label(ax, middle, 46, f"X  {shape}", size=12, weight="bold")
    _down(ax, middle, 54, 84, "")
    _counted(ax, left, 86, wide, 36, VIOLET, "LayerNorm", "", 2 * d)
    _down(ax, middle, 122, 152, "U")
    box(ax, left, 154, wide, 78, BLUE, fill=0.2)
    label(ax, middle, 170, f"attention, {c.heads} heads of {d // c.heads}", size=12, weight="bold")
    label(ax, middle, 192, "softmax(QKᵀ / √K, where M allows) V")
    label(ax, middle, 214, f"W_Q, W_K, W_V, W_O: {4 * (d * d + d):,}", faint=True)
    hatched(ax, (294, 170, 34, 34))
    steps = [(294, 170 + 8.5 * n, 8.5 * (n + 1), 8.5) for n in range(4)]
    rectangles(ax, steps, BLUE, fill=1, linewidth=0)
    arrow(ax, (292, 187), (right + 2, 187))
    label(ax, 308, 216, "mask M")
    _down(ax, middle, 232, 258, "H")
    _plus(ax, middle, 267)
    arrow(ax, (middle, 68), (way, 68), (way, 267), (middle - 10, 267), color=INK)
    label(ax, way - 9, 168, "residual", rotation=90, faint=True)
    _down(ax, middle, 275, 310, "Y")
    _counted(ax, left, 312, wide, 36, VIOLET, "LayerNorm", "", 2 * d)
    _down(ax, middle, 348, 376, "V")
    box(ax, left, 378, wide, 60, GREEN, fill=0.16)
    label(ax, middle, 392, f"MLP  {d:,} → {c.mlp_width:,} → {d:,}", size=12, weight="bold")
    label(ax, middle, 409, "QuickGELU between")
    label(ax, middle, 426, f"{2 * d * c.mlp_width + c.mlp_width + d:,}", faint=True)
    _down(ax, middle, 438, 462, "Z")
    _plus(ax, middle, 471)
    arrow(ax, (middle, 292), (way, 292), (way, 471), (middle - 10, 471), color=INK)
    label(ax, way - 9, 382, "residual", rotation=90, faint=True)
    _down(ax, middle, 479, 506, f"Y + Z  {shape}")
    label(ax, HALF / 2, 532, f"parameters in all: {total:,}", size=13, weight="bold")


def _counted(ax, x, y, width, height, color, name, size, count):
    """A box with a name, a size where there is one, and the number of parameters."""
    box(ax, x, y, width, height, color, fill=0.16)
    lines = [name, f"{size} = {count:,}" if size else f"{count:,}"]
    for n, text in enumerate(lines):
        label(
            ax,
            x + width / 2,
            y + height / 2 + (n - 0.5) * 16,
            text,
            size=12 - n,
            **({"faint": True} if n else {"weight": "bold"}),
        )


def _down(ax, x, top, bottom, name):
    arrow(ax, (x, top), (x, bottom))
    if name:
        label(ax, x + 10, (top + bottom) / 2 - 1, name, size=11, ha="left", weight="bold")


def _plus(ax, x, y):
    box(ax, x - 8, y - 8, 16, 16, INK, fill=0.06, radius=8)
    label(ax, x, y - 0.5, "+", size=13, weight="bold")


HATCHES = {"attention": "\\\\\\", "MLP": "---", "projection": "|||"}


@rc_context(RC)
def parameter_bars(config=None):
    """Where the encoder's parameters are: one bar, cut into its parts.

    config as for `encoder_diagram`; without one, Stable Diffusion 1.5: 123,060,480.
    """
    counts = parameter_counts(config)
    total = sum(counts.values())
    fig = Figure(WIDEST, 72 + 26 * len(counts))
    ax = fig.sheet()
    left, top, wide = 10, 24, WIDEST - 20
    for number, ((name, count), color) in enumerate(
        zip(counts.items(), (GREEN, ORANGE, BLUE, VIOLET, INK, ORANGE), strict=False), 1
    ):
        share, y = wide * count / total, 60 + 26 * number
        for corner in ((left, top, share, 42), (10, y - 9, 20, 18)):
            rectangles(ax, [corner], color, fill=0.28)
            if name in HATCHES:
                edge = color_alpha(color, 0.4)
                hatch = {"linewidth": 0, "hatch": HATCHES[name], "edgecolor": edge}
                rectangles(ax, [corner], color, fill=0, **hatch)
        middle = left + share / 2
        if share > 18:
            label(ax, middle, top + 21, number, size=15, weight="bold")
        else:  # a sliver: its number stands above it
            line(ax, (middle, top - 5), (middle, top))
            label(ax, middle, top - 12, number, size=12, weight="bold")
        label(ax, 20, y, number, weight="bold")
        label(ax, 38, y, name, size=12, ha="left")
        label(ax, 262, y, f"{count:,}", size=12, ha="right")
        label(ax, WIDEST - 10, y, f"{100 * count / total:.2f} %", size=12, ha="right", faint=True)
        left += share
    parts = "; ".join(
        f"{name} {count:,} ({100 * count / total:.2f} %)" for name, count in counts.items()
    )
    table = Table(
        ("part", "parameters", "share in %"),
        [
            *((n, count, 100 * count / total) for n, count in counts.items()),
            ("in all", total, 100.0),
        ],
        "Parameters by part",
    )
    return fig.described(
        f"The text encoder's {total:,} parameters as one bar: {parts}.",
        table,
        f"Where the {total:,} parameters are",
    )
