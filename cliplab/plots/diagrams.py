"""The text encoder as a diagram, and where its parameters are."""

from dataclasses import dataclass

from matplotlib import rc_context

from .draw import arrow, box, hatched, label, line, rectangles
from .figure import Figure, Table
from .theme import BLUE, GREEN, INK, ORANGE, RC, VIOLET, color_alpha


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
    fig = Figure(760, 560)
    ax = fig.sheet()
    shape = f"[{length}, {d}]"

    # Left: the whole encoder, from top to bottom.
    for x, wide, name, source in (
        (4, 176, "token embedding", f"ids t  [{length}]"),
        (188, 152, "position embedding", f"places 0–{length - 1}"),
    ):
        middle = x + wide / 2
        label(ax, middle, 18, source, size=12, weight="bold")
        arrow(ax, (middle, 27), (middle, 50))
        size = c.vocab_size if name == "token embedding" else length
        _counted(ax, x, 52, wide, 48, GREEN, name, f"{size:,} × {d:,}", counts[name])
        arrow(ax, (middle, 100), (middle, 128), (162 if middle < 170 else 178, 128))
    _plus(ax, 170, 128)
    _down(ax, 170, 136, 168, f"X₀  {shape}")
    for shift in (8, 4):
        box(ax, 40 + shift, 170 + shift, 260, 62, BLUE, fill=0.05)
    box(ax, 40, 170, 260, 62, BLUE, fill=0.2)
    label(ax, 170, 190, f"{c.layers} × encoder layer", size=13, weight="bold")
    label(
        ax, 170, 211, f"{c.layers} × {per_layer:,} = {c.layers * per_layer:,}", size=11, faint=True
    )
    _down(ax, 170, 240, 276, "hidden_states[-1]")
    _counted(ax, 70, 278, 200, 40, VIOLET, "final LayerNorm", "", 2 * d)
    _down(ax, 170, 318, 356, "")
    box(ax, 40, 358, 260, 40, ORANGE, fill=0.2)
    label(ax, 170, 378, f"context C  {shape}", size=13, weight="bold")
    label(ax, 170, 412, "to the U-Net's cross-attention", size=10, faint=True)
    arrow(ax, (300, 378), (330, 378), (330, 452), (302, 452))
    label(ax, 324, 428, "row at EOS", size=10, ha="right")
    box(ax, 140, 436, 160, 32, ORANGE, fill=0.1)
    label(ax, 220, 452, f"pooled  [{d}]", size=12, weight="bold")
    arrow(ax, (220, 468), (220, 494))
    box(ax, 110, 496, 220, 42, INK, fill=0.04, **({} if joint else {"linestyle": (0, (4, 2.5))}))
    if joint:
        label(ax, 220, 509, f"projection, no bias → [{joint}]", size=11)
        label(ax, 220, 526, f"{counts['projection']:,}", size=10, faint=True)
    else:
        label(ax, 220, 509, "projection to CLIP's joint space", size=11)
        label(ax, 220, 526, "not part of this model", size=10, faint=True)

    _layer(ax, c, shape, per_layer)
    label(ax, 548, 548, f"parameters in all: {total:,}", size=13, weight="bold")

    rows = [
        ("token embedding", f"[{length}] ids", shape, counts["token embedding"]),
        ("position embedding", f"places 0–{length - 1}", shape, counts["position embedding"]),
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


def _layer(ax, c, shape, per_layer):
    """Right half of the encoder's diagram: one layer, from top to bottom, with its residuals."""
    d, middle, left = c.width, 540, 420
    box(ax, 372, 30, 380, 494, BLUE, fill=0.04, radius=10, linewidth=1.6)
    label(ax, 388, 50, "one encoder layer", size=13, ha="left", weight="bold")
    label(ax, 738, 50, f"{per_layer:,}", size=11, ha="right", faint=True)
    line(ax, (300, 172), (372, 44), color=BLUE, linewidth=1, linestyle=(0, (2, 2)))
    line(ax, (300, 230), (372, 512), color=BLUE, linewidth=1, linestyle=(0, (2, 2)))

    label(ax, middle, 70, f"X  {shape}", size=12, weight="bold")
    _down(ax, middle, 78, 104, "")
    _counted(ax, left, 106, 240, 34, VIOLET, "LayerNorm", "", 2 * d)
    _down(ax, middle, 140, 172, "U")
    box(ax, left, 174, 240, 74, BLUE, fill=0.2)
    label(ax, middle, 189, f"attention, {c.heads} heads of {d // c.heads}", size=12, weight="bold")
    label(ax, middle, 209, "softmax(QKᵀ / √K, where M allows) V", size=11)
    label(ax, middle, 230, f"W_Q, W_K, W_V, W_O: {4 * (d * d + d):,}", size=10, faint=True)
    hatched(ax, (704, 186, 34, 34))
    rectangles(
        ax, [(704, 186 + 8.5 * n, 8.5 * (n + 1), 8.5) for n in range(4)], BLUE, fill=1, linewidth=0
    )
    arrow(ax, (702, 204), (662, 204))
    label(ax, 721, 232, "mask M", size=10)
    _down(ax, middle, 248, 272, "H")
    _plus(ax, middle, 281)
    arrow(ax, (middle, 90), (392, 90), (392, 281), (middle - 10, 281), color=INK)
    label(ax, 386, 186, "residual", size=10, rotation=90, faint=True)
    _down(ax, middle, 289, 326, "Y")
    _counted(ax, left, 328, 240, 34, VIOLET, "LayerNorm", "", 2 * d)
    _down(ax, middle, 362, 388, "V")
    box(ax, left, 390, 240, 56, GREEN, fill=0.16)
    label(ax, middle, 404, f"MLP  {d:,} → {c.mlp_width:,} → {d:,}", size=12, weight="bold")
    label(ax, middle, 420, "QuickGELU between", size=11)
    label(ax, middle, 436, f"{2 * d * c.mlp_width + c.mlp_width + d:,}", size=10, faint=True)
    _down(ax, middle, 446, 470, "Z")
    _plus(ax, middle, 479)
    arrow(ax, (middle, 307), (392, 307), (392, 479), (middle - 10, 479), color=INK)
    label(ax, 386, 394, "residual", size=10, rotation=90, faint=True)
    _down(ax, middle, 487, 510, f"Y + Z  {shape}")


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
    fig = Figure(720, 80 + 24 * len(counts))
    ax = fig.sheet()
    left, top, wide = 10, 26, 700
    for number, ((name, count), color) in enumerate(
        zip(counts.items(), (GREEN, ORANGE, BLUE, VIOLET, INK, ORANGE), strict=False), 1
    ):
        share, y = wide * count / total, 70 + 24 * number
        for corner in ((left, top, share, 42), (10, y - 8, 20, 16)):
            rectangles(ax, [corner], color, fill=0.28)
            if name in HATCHES:
                rectangles(
                    ax,
                    [corner],
                    color,
                    fill=0,
                    linewidth=0,
                    hatch=HATCHES[name],
                    edgecolor=color_alpha(color, 0.4),
                )
        middle = left + share / 2
        if share > 24:
            label(ax, middle, top + 21, number, size=15, weight="bold")
        else:  # a sliver: its number stands above it
            line(ax, (middle, top - 6), (middle, top))
            label(ax, middle, top - 14, number, size=12, weight="bold")
        label(ax, 20, y, number, size=11, weight="bold")
        label(ax, 40, y, name, size=12, ha="left")
        label(ax, 300, y, f"{count:,}", size=12, ha="right")
        label(ax, 370, y, f"{100 * count / total:.2f} %", size=12, ha="right", faint=True)
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
