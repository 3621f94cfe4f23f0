"""The pipeline: from a prompt to a picture, in three parts."""

from matplotlib import rc_context

from .draw import arrow, box, label, line
from .figure import Figure, Table
from .theme import BLUE, GREEN, INK, ORANGE, RC, VIOLET


@rc_context(RC)
def pipeline_diagram():
    """Text encoder → reverse diffusion → image decoder, with the shapes between them.

    The lecture's figure 1, with Stable Diffusion 1.5's sizes; a prompt's way from left to right.
    """
    fig = Figure(760, 326)
    ax = fig.sheet()
    _part(ax, 6, 8, 246, 310, "1", "Text encoder", BLUE, opened=True)
    _part(ax, 340, 8, 214, 310, "2", "Reverse diffusion", INK)
    _part(ax, 626, 8, 128, 310, "3", "Image decoder", INK)

    # Part 1: two prompts, one encoder.
    for x, name, text, color in (
        (18, "prompt b⁺", "“a running dog”", GREEN),
        (134, "negative b⁻", "“blurry”", ORANGE),
    ):
        box(ax, x, 66, 106, 42, color)
        label(ax, x + 53, 79, name, size=10, faint=True)
        label(ax, x + 53, 96, text, size=11)
        arrow(ax, (x + 53, 108), (x + 53, 136))
    _block(ax, 18, 138, 222, 44, BLUE, "tokenizer", "byte-pair encoding, 49,408 entries")
    for x, name in ((71, "t⁺"), (187, "t⁻")):
        arrow(ax, (x, 182), (x, 222))
        label(ax, x - 8, 202, name, size=12, ha="right", weight="bold")
        label(ax, x + 8, 202, "[77]", size=11, ha="left", weight="bold")
    _block(
        ax, 18, 224, 222, 50, BLUE, "CLIP text encoder", "12 layers, causal attention", fill=0.22
    )
    label(ax, 129, 296, "one encoder, run on both prompts", size=10, faint=True)
    arrow(ax, (240, 249), (268, 249), (268, 104), (352, 104), color=BLUE, linewidth=2)
    label(ax, 298, 91, "C⁺, C⁻", size=12, weight="bold")
    label(ax, 304, 120, "[77, 768]", size=11, weight="bold")
    label(ax, 304, 135, "each", size=10, faint=True)

    # Part 2: the loop between the noise estimator and the scheduler.
    _block(ax, 354, 76, 172, 52, VIOLET, "U-Net", "cross-attends to C⁺, C⁻")
    _block(ax, 354, 200, 172, 48, VIOLET, "scheduler", "takes some noise away")
    arrow(ax, (374, 128), (374, 198))
    label(ax, 382, 156, "noise ε", size=11, ha="left", weight="bold")
    label(ax, 382, 172, "guided", size=10, ha="left", faint=True)
    arrow(ax, (500, 200), (500, 130))
    label(ax, 492, 156, "xₜ₋₁", size=12, ha="right", weight="bold")
    label(ax, 492, 172, "T times", size=10, ha="right", faint=True)
    box(ax, 354, 268, 112, 38, INK, fill=0.04)
    label(ax, 410, 279, "random latents", size=10)
    label(ax, 410, 294, "[4, 64, 64]", size=11, weight="bold")
    arrow(ax, (466, 287), (541, 287), (541, 102), (528, 102))
    label(ax, 504, 278, "start", size=10, faint=True)

    # Part 3: from latents to pixels.
    arrow(ax, (526, 224), (636, 224), linewidth=2)
    label(ax, 591, 210, "x₀", size=12, weight="bold")
    label(ax, 591, 239, "[4, 64, 64]", size=11, weight="bold")
    _block(ax, 638, 200, 104, 48, ORANGE, "VAE decoder", "of x₀ / 0.18215")
    arrow(ax, (690, 200), (690, 172), linewidth=2)
    _picture(ax, 656, 58, 68, 68)
    label(ax, 690, 140, "image", size=11)
    label(ax, 690, 157, "[3, 512, 512]", size=11, weight="bold")

    rows = [
        ("1", "tokenizer", "prompt and negative prompt, text", "ids t⁺, t⁻: [77] each"),
        ("1", "CLIP text encoder", "ids t⁺, t⁻: [77] each", "contexts C⁺, C⁻: [77, 768] each"),
        (
            "2",
            "U-Net (noise estimator)",
            "latents [4, 64, 64], step t, contexts C⁺, C⁻",
            "noise estimate [4, 64, 64]",
        ),
        (
            "2",
            "scheduler",
            "latents and noise estimate [4, 64, 64]",
            "less noisy latents [4, 64, 64]",
        ),
        ("3", "VAE decoder", "latents divided by 0.18215: [4, 64, 64]", "image [3, 512, 512]"),
    ]
    alt = (
        "The text-to-image pipeline of Stable Diffusion 1.5 in three parts, from left to right. "
        "Text encoder: a prompt and a negative prompt become 77 token ids each, and the CLIP text "
        "encoder turns these into two contexts of 77 by 768 numbers. Reverse diffusion: starting "
        "from random latents of 4 by 64 by 64, the U-Net, reading both contexts, and the scheduler "
        "take turns T times to take noise away. Image decoder: the VAE decoder turns the last "
        "latents into an image of 3 by 512 by 512. The text encoder is marked as the part that "
        "this course opens."
    )
    return fig.described(
        alt,
        Table(
            ("part", "stage", "takes", "gives"),
            rows,
            "The stages and their shapes, without the batch",
        ),
        "From a prompt to a picture: Stable Diffusion 1.5 at 512 × 512 pixels",
    )


def _part(ax, x, y, width, height, number, name, color, opened=False):
    box(
        ax,
        x,
        y,
        width,
        height,
        color,
        fill=0.05,
        radius=10,
        linewidth=2.4 if opened else 1,
        **({} if opened else {"linestyle": (0, (4, 2.5))}),
    )
    label(ax, x + 10, y + 20, f"{number} {name}", size=12, ha="left", weight="bold")
    if opened:
        box(ax, x + width - 116, y + 9, 108, 22, color, fill=0.22, radius=11)
        label(ax, x + width - 62, y + 20, "opened here", size=11)


def _block(ax, x, y, width, height, color, name, note, fill=0.13):
    box(ax, x, y, width, height, color, fill=fill)
    label(ax, x + width / 2, y + height / 2 - 8, name, size=12, weight="bold")
    label(ax, x + width / 2, y + height / 2 + 9, note, size=10, faint=True)


def _picture(ax, x, y, width, height):
    """A small drawing of a picture: a sun over two hills."""
    box(ax, x, y, width, height, INK, fill=0.05, radius=4)
    box(ax, x + width - 24, y + 9, 14, 14, ORANGE, fill=0.7, radius=7)
    floor = y + height - 1
    for peak, left, right, color in ((26, 2, 50, GREEN), (40, 26, width - 2, BLUE)):
        line(
            ax,
            (x + left, floor),
            (x + (left + right) / 2, y + peak),
            (x + right, floor),
            color=color,
            linewidth=1.6,
        )
