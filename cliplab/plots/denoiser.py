"""How the denoiser of a Stable Diffusion is trained, as one drawing of one step."""

import textwrap

from matplotlib import rc_context

from .draw import arrow, box, label
from .figure import Figure, Table
from .latents import show, small
from .theme import BLUE, GREEN, INK, ORANGE, RC, VIOLET, WIDEST

EDGE, SIDE = 8, 104  # the drawing's margin; the picture's side
INSIDE = 24  # where boxes begin that leave room for the way back, on their left
NOISED = "√ᾱₜ z₀ + √(1 − ᾱₜ) ε"
TARGETS = {  # a scheduler's prediction_type → the letter, its name, and what it is made of
    "epsilon": ("ε", "noise", "ε, the noise that was added"),
    "v_prediction": ("v", "velocity", "√ᾱₜ ε − √(1 − ᾱₜ) z₀"),
    "sample": ("z₀", "latent", "z₀, without any noise"),
}


@rc_context(RC)
def denoiser_training(pipe, image, caption, title="How the denoiser is trained"):
    """One step of training, from a picture and its caption to the U-Net's squared error.

    pipe: anything with a unet, a vae and a scheduler of diffusers; sizes, the number of times and
    what is predicted are theirs. image: a PIL picture. Source: Ho et al. 2020; Rombach et al. 2022.
    """
    c, times = pipe.unet.config, pipe.scheduler.config.num_train_timesteps
    letter, name, made = TARGETS[pipe.scheduler.config.prediction_type]
    latent = f"{c.in_channels} × {c.sample_size} × {c.sample_size}"
    side = c.sample_size * 2 ** (len(pipe.vae.config.block_out_channels) - 1)
    pixels, wide = f"3 × {side} × {side}", c.cross_attention_dim
    learned = f"{sum(p.numel() for p in pipe.unet.parameters()):,} numbers that are learned"
    fig = Figure(WIDEST, 522)
    ax = fig.sheet()

    show(ax, small(image), EDGE, 4, SIDE, SIDE)
    label(ax, SIDE + 18, 84, "picture", size=12, ha="left", weight="bold")
    label(ax, SIDE + 18, 100, pixels, ha="left")
    label(ax, 278, 12, "its caption", size=12, weight="bold")
    for n, words in enumerate(textwrap.wrap(f"“{caption}”", 20)[:4]):
        label(ax, 278, 31 + 16 * n, words)

    arrow(ax, (60, 108), (60, 130), linewidth=2)
    arrow(ax, (278, 96), (278, 130), linewidth=2)
    _named(ax, EDGE, 132, 104, 44, ORANGE, "VAE encoder", "stays as it is")
    _named(ax, 122, 132, 46, 44, INK, "ε", "noise")
    _named(ax, 176, 132, 50, 44, INK, "t", f"0–{times - 1}")
    _named(ax, 234, 132, 98, 44, BLUE, "text encoder", "")
    arrow(ax, (60, 176), (60, 218), linewidth=2)
    label(ax, 68, 188, "z₀", size=12, ha="left", weight="bold")
    label(ax, 68, 204, latent, ha="left")
    arrow(ax, (145, 176), (145, 218), linewidth=2)
    arrow(ax, (190, 176), (190, 218), linewidth=2)
    _named(ax, EDGE, 220, 196, 44, GREEN, "noise is added", f"zₜ = {NOISED}")

    arrow(ax, (106, 264), (106, 302), linewidth=2)
    label(ax, 114, 274, "zₜ", size=12, ha="left", weight="bold")
    label(ax, 114, 290, latent, ha="left")
    arrow(ax, (214, 176), (214, 302), linewidth=2)
    label(ax, 221, 283, "t", size=12, ha="left", weight="bold")
    arrow(ax, (278, 176), (278, 302), linewidth=2)
    label(ax, 270, 232, "C", size=12, ha="right", weight="bold")
    label(ax, 286, 232, "rows of", ha="left")
    label(ax, 286, 248, wide, ha="left")
    _named(ax, INSIDE, 304, WIDEST - INSIDE - EDGE, 48, VIOLET, "U-Net", learned)

    arrow(ax, (91, 352), (91, 380), linewidth=2)
    _named(ax, INSIDE, 382, 134, 44, VIOLET, f"estimated {name}", latent, fill=0.06)
    _named(ax, 166, 382, 166, 44, GREEN, f"true {name} {letter}", made)
    arrow(ax, (91, 426), (91, 454), linewidth=2)
    arrow(ax, (249, 426), (249, 454), linewidth=2)
    _named(ax, INSIDE, 456, WIDEST - INSIDE - EDGE, 48, INK, "squared error, averaged",
        "its gradient changes the U-Net")  # fmt: skip
    back = ((INSIDE, 480), (10, 480), (10, 328), (INSIDE - 1, 328))
    arrow(ax, *back, color=VIOLET, linewidth=2, linestyle=(0, (3, 2)))

    stages = [
        ("VAE encoder", f"a picture, {pixels}", f"latent z₀, {latent}"),
        ("text encoder", "its caption", f"context C, rows of {wide} numbers"),
        ("noise is added", f"z₀, noise ε, a random t from 0 to {times - 1}", f"zₜ = {NOISED}"),
        ("U-Net", "zₜ, t, C", f"estimated {name}, {latent}"),
        ("squared error", f"estimated {name}, true {name} {made}", "a gradient for the U-Net"),
    ]
    said = ". ".join(f"{what}: {takes} → {gives}" for what, takes, gives in stages)
    alt = f"One step of training, with “{caption}”. {said}. The gradient goes back to the U-Net."
    return fig.described(alt, Table(("stage", "takes", "gives"), stages, "One step"), title)


def _named(ax, x, y, width, height, color, name, note, fill=0.16):
    """A box with a name, and a note below it where there is one."""
    box(ax, x, y, width, height, color, fill=fill)
    middle, rise = y + height / 2, 9 * bool(note)
    label(ax, x + width / 2, middle - rise, name, size=12, weight="bold")
    if note:
        label(ax, x + width / 2, middle + rise, note)
