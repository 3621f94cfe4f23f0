"""The pipeline: from a prompt to a picture, in three parts."""

from matplotlib import rc_context

from .draw import arrow, box, label, line
from .figure import Figure, Table
from .theme import BLUE, GREEN, INK, ORANGE, RC, VIOLET, WIDEST

EDGE = 14  # where the boxes of a part begin
WAY = 176  # along which the context goes down, and later the last latents


@rc_context(RC)
def pipeline_diagram():
    """Text encoder → reverse diffusion → image decoder, with the shapes between them.

    The lecture's figure 1, with Stable Diffusion 1.5's sizes; a prompt's way from top to bottom.
    """
    fig = Figure(WIDEST, 588)
    ax = fig.sheet()
    _text_encoder(ax)
    _between(ax, 222, 302, 241, "C⁺, C⁻", "[77, 768] each", BLUE)
    _reverse_diffusion(ax)
    _between(ax, 432, 508, 461, "x₀", "[4, 64, 64]", INK)
    _image_decoder(ax)

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
        "The text-to-image pipeline of Stable Diffusion 1.5 in three parts, from top to bottom. "
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


def _text_encoder(ax):
    """Part 1: two prompts, one encoder."""
    _part(ax, 4, 224, "1", "Text encoder", BLUE, opened=True)
    for x, name, text, color in (
        (14, "prompt b⁺", "“a running dog”", GREEN),
        (174, "negative b⁻", "“blurry”", ORANGE),
    ):
        box(ax, x, 42, 152, 42, color)
        label(ax, x + 76, 54, name, faint=True)
        label(ax, x + 76, 71, text)
        arrow(ax, (x + 76, 84), (x + 76, 102))
    _block(ax, EDGE, 104, 312, 42, BLUE, "tokenizer", "byte-pair encoding, 49,408 entries")
    for x, name in ((64, "t⁺"), (276, "t⁻")):
        arrow(ax, (x, 146), (x, 178))
        label(ax, x - 7, 162, name, size=12, ha="right", weight="bold")
        label(ax, x + 7, 162, "[77]", ha="left", weight="bold")
    label(ax, WIDEST / 2, 155, "one encoder,", faint=True)
    label(ax, WIDEST / 2, 169, "run on both prompts", faint=True)
    note = "12 layers, causal attention"
    _block(ax, EDGE, 180, 312, 42, BLUE, "CLIP text encoder", note, fill=0.22)


def _reverse_diffusion(ax):
    """Part 2: the loop between the noise estimator and the scheduler."""
    _part(ax, 258, 184, "2", "Reverse diffusion", INK)
    _block(ax, EDGE, 304, 180, 42, VIOLET, "U-Net", "cross-attends to C⁺, C⁻")
    box(ax, 230, 304, 98, 42, INK, fill=0.04)
    label(ax, 279, 317, "random latents")
    label(ax, 279, 333, "[4, 64, 64]", weight="bold")
    arrow(ax, (230, 325), (196, 325))
    label(ax, 212, 315, "start", faint=True)
    _block(ax, EDGE, 390, 180, 42, VIOLET, "scheduler", "takes some noise away")
    arrow(ax, (34, 346), (34, 388))
    label(ax, 42, 360, "noise ε", ha="left", weight="bold")
    label(ax, 42, 376, "guided", ha="left", faint=True)
    arrow(ax, (174, 390), (174, 348))
    label(ax, 166, 360, "xₜ₋₁", size=12, ha="right", weight="bold")
    label(ax, 166, 376, "T times", ha="right", faint=True)


def _image_decoder(ax):
    """Part 3: from latents to pixels."""
    _part(ax, 474, 110, "3", "Image decoder", INK)
    _block(ax, EDGE, 510, 180, 62, ORANGE, "VAE decoder", "of x₀ / 0.18215")
    arrow(ax, (194, 541), (232, 541), linewidth=2)
    _picture(ax, 246, 482, 68, 62)
    label(ax, 280, 556, "image")
    label(ax, 280, 572, "[3, 512, 512]", weight="bold")


def _between(ax, top, bottom, y, name, shape, color):
    """The way from one part to the next: what goes there, and its shape."""
    arrow(ax, (WAY, top), (WAY, bottom), color=color, linewidth=2)
    label(ax, WAY - 8, y, name, size=12, ha="right", weight="bold")
    label(ax, WAY + 8, y, shape, ha="left", weight="bold")


def _part(ax, y, height, number, name, color, opened=False):
    style = {"linewidth": 2.4} if opened else {"linewidth": 1, "linestyle": (0, (4, 2.5))}
    box(ax, 4, y, WIDEST - 8, height, color, fill=0.05, radius=10, **style)
    label(ax, EDGE, y + 19, f"{number} {name}", size=12, ha="left", weight="bold")
    if opened:
        box(ax, 230, y + 8, 96, 22, color, fill=0.22, radius=11)
        label(ax, 278, y + 19, "opened here")


def _block(ax, x, y, width, height, color, name, note, fill=0.13):
    box(ax, x, y, width, height, color, fill=fill)
    label(ax, x + width / 2, y + height / 2 - 8, name, size=12, weight="bold")
    label(ax, x + width / 2, y + height / 2 + 9, note, faint=True)


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
