"""Forward noising: a picture under more and more noise, and how much of it is left."""

import numpy as np
from matplotlib import rc_context

from .data import array
from .draw import label, line
from .figure import Figure, Table
from .latents import show, small
from .theme import BLUE, GREEN, INK, RC

SIDE, GAP, EDGE = 104, 12, 2  # of a picture; between two, so that three fill a phone's width
WORDS = 44  # height of what stands below a picture


@rc_context(RC)
def forward_noising(images, times, alphas, title=None, source=None):
    """Pictures of one latent at several times, and in the last place the schedule ᾱ over all times.

    images: PIL pictures, one for each of times, whole numbers t from 0 on; alphas: ᾱₜ of all T
    times, a scheduler's `alphas_cumprod`. ValueError when numbers do not fit together.
    """
    images, times, alphas = list(images), [int(t) for t in times], array(alphas).astype(float)
    if not images or len(images) != len(times) or not all(0 <= t < len(alphas) for t in times):
        raise ValueError(
            f"Give one time from 0 to {len(alphas) - 1} for each picture, and at least one "
            f"picture; there are {len(images)} pictures, and the times {times}."
        )
    rows = len(images) // 3 + 1
    fig = Figure(3 * SIDE + 2 * GAP + 2 * EDGE, rows * (SIDE + WORDS) + EDGE)
    ax = fig.sheet()
    corners = [
        (EDGE + n % 3 * (SIDE + GAP), EDGE + n // 3 * (SIDE + WORDS)) for n in range(3 * rows)
    ]
    for image, t, (x, y) in zip(images, times, corners, strict=False):
        show(ax, small(image), x, y, SIDE, SIDE)
        label(ax, x + SIDE / 2, y + SIDE + 12, f"t = {t}", weight="bold")
        label(ax, x + SIDE / 2, y + SIDE + 28, _share(alphas[t]))
    _schedule(ax, *corners[len(images)], times, alphas)

    rows = [
        (t, *(float(f"{v:.3f}") for v in (a, a**0.5, (1 - a) ** 0.5)))
        for t in times
        for a in [alphas[t]]
    ]
    what = "The share ᾱ of the picture, what multiplies its latent, and what multiplies the noise"
    table = Table(("t", "ᾱ", "√ᾱ", "√(1 − ᾱ)"), rows, what)
    told = "; ".join(f"at t = {t} {_share(alphas[t])}" for t in times)
    alt = f"One latent under more and more noise, decoded {len(times)} times: {told}. A curve "
    alt += f"shows how ᾱ falls from {alphas[0]:.2f} to {alphas[-1]:.2f} over {len(alphas)} times."
    return fig.described(alt, table, title, source)


def _share(alpha):
    return f"ᾱ = {alpha:.2f}" if alpha >= 0.005 else "ᾱ < 0.01"


def _schedule(ax, x, y, times, alphas):
    """ᾱ over t, in a picture's place, with a dot at each time that is shown."""
    left, top, wide, tall = x + 14, y + 8, SIDE - 18, SIDE - 16
    across = left + wide * np.arange(len(alphas)) / (len(alphas) - 1)
    down = top + tall * (1 - alphas)
    line(ax, (left, top), (left, top + tall), (left + wide, top + tall), color=INK)
    every = np.linspace(0, len(alphas) - 1, 41).round().astype(int)
    line(ax, *zip(across[every], down[every], strict=True), color=BLUE, linewidth=2)
    ax.plot(across[times], down[times], "o", color=GREEN, markersize=6, zorder=3)
    label(ax, left - 5, top, "1", ha="right")
    label(ax, left - 5, top + tall, "0", ha="right")
    label(ax, x + SIDE / 2, y + SIDE + 12, f"t from 0 to {len(alphas) - 1}")
    label(ax, x + SIDE / 2, y + SIDE + 28, "the curve: ᾱ")
