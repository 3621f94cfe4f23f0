"""The colors and settings that every figure shares.

The colors are mid-tones: each has a contrast of at least 3 against white and against #121212.
"""

import matplotlib

WIDEST = 340  # of a part of a figure, in points: a column on a telephone holds it
HALF = 336  # of a part, two of which stand beside each other on a wide page
SMALLEST = 11  # of a text, in points

INK = "#24292f"
BLUE, ORANGE, GREEN, VIOLET = "#2b7bba", "#d55e00", "#0c8f6c", "#b0609a"

# What each color becomes in the page: the reader's text color, or a property a site may set.
CSS = {
    INK: "currentColor",
    BLUE: f"var(--cliplab-accent,{BLUE})",
    ORANGE: f"var(--cliplab-warm,{ORANGE})",
    GREEN: f"var(--cliplab-green,{GREEN})",
    VIOLET: f"var(--cliplab-violet,{VIOLET})",
}

# Settings used while a figure is built or saved, whatever the reader's own matplotlib settings:
# matplotlib's defaults for all that drawing depends on, then this package's own.
FAMILIES = {
    "axes",
    "figure",
    "font",
    "hatch",
    "image",
    "legend",
    "lines",
    "patch",
    "path",
    "savefig",
    "svg",
    "text",
    "xtick",
    "ytick",
}
RC = {
    name: value
    for name, value in matplotlib.rcParamsDefault.items()
    if name.split(".")[0] in FAMILIES
} | {
    "svg.fonttype": "none",
    "svg.hashsalt": "cliplab",
    "image.composite_image": False,
    "font.family": ["DejaVu Sans"],
    "font.size": 11,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 11,
    "ytick.labelsize": 11,
    "lines.linewidth": 1.6,
    "hatch.linewidth": 0.8,
}


def color_alpha(color, alpha):
    """The color as (red, green, blue, alpha), each from 0 to 1."""
    return (*(int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)), alpha)
