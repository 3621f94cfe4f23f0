"""The U-Net of a Stable Diffusion as a diagram: its levels, and where it reads the prompt."""

from dataclasses import dataclass

from matplotlib import rc_context

from .draw import arrow, box, label
from .figure import Figure, Table
from .theme import BLUE, INK, ORANGE, RC, WIDEST

EDGE = 6  # margin, in points
TOP, LEVEL, STEP = 48, 60, 28  # where levels begin; heights of one, and of the way to the next
LETTER, GAP = 18, 2  # width of an R or an A; between two of them
COLORS = {"R": BLUE, "A": ORANGE}
LEGEND = {
    "R": ("ResNet block: convolutions. It is given the time t", "and, on the way up, one skip."),
    "A": ("attention: the places read each other, then", "the prompt, in rows of {} numbers."),
}


@dataclass(frozen=True)
class Place:
    """One block of the U-Net: its side and channels, its parts in order, and its neighbors."""

    way: str  # "down", "middle" or "up"
    side: int
    channels: int
    parts: str  # R and A, in the order in which they are passed
    halved: bool = False  # whether the next block below is half as large

    @property
    def size(self):
        return f"{self.channels} × {self.side} × {self.side}"

    @property
    def skips(self):
        """How many skip connections end here: one at each R on the way up."""
        return self.parts.count("R") if self.way == "up" else 0


def places(unet):
    """The blocks of a diffusers UNet2DConditionModel, in the order in which they are passed."""
    side, downs = unet.config.sample_size, []
    for block in unet.down_blocks:
        downs.append(_place("down", block, side, halved=bool(block.downsamplers)))
        side //= 1 + downs[-1].halved
    ups = zip(unet.up_blocks, reversed(downs), strict=True)
    ups = [_place("up", block, down.side, halved=down.halved) for block, down in ups]
    return [*downs, _place("middle", unet.mid_block, side), *ups]


def _place(way, block, side, halved=False):
    many = len(getattr(block, "attentions", ()))
    parts = "".join("R" + "A" * (n < many) for n in range(len(block.resnets)))
    return Place(way, side, block.resnets[-1].out_channels, parts, halved)


@rc_context(RC)
def unet_diagram(unet, title="The U-Net"):
    """A U-Net: down on the left, through the middle, up on the right, and across by skips.

    unet: a diffusers UNet2DConditionModel, trained or on the device `meta`, square; all numbers
    are its own. R is a ResNet block, A one with self-attention and cross-attention.
    """
    c, found = unet.config, places(unet)
    downs, (middle,), ups = (
        [place for place in found if place.way == way] for way in ("down", "middle", "up")
    )
    wide = max(104, 14 + max(_width(place) for place in found))
    left, right = EDGE + wide / 2, WIDEST - EDGE - wide / 2
    low = TOP + len(downs) * (LEVEL + STEP)  # where the middle begins
    fig = Figure(WIDEST, low + LEVEL + 106)
    ax = fig.sheet()
    ends = f"{c.in_channels} × {c.sample_size} × {c.sample_size}", "noisy latent zₜ"
    answer = f"{c.out_channels} × {c.sample_size} × {c.sample_size}", "estimate"
    for x, (size, name), points in (
        (left, ends, ((left, 34), (left, TOP - 1))),
        (right, answer, ((right, TOP), (right, 34))),
    ):
        label(ax, x, 10, name, size=12, weight="bold")
        label(ax, x, 26, size)
        arrow(ax, *points, linewidth=2)
    for n, (down, up) in enumerate(zip(downs, reversed(ups), strict=True)):
        y = TOP + n * (LEVEL + STEP)
        _draw(ax, left, y, wide, down)
        _draw(ax, right, y, wide, up)
        inner = left + wide / 2, right - wide / 2
        arrow(ax, *((x, y + LEVEL / 2) for x in inner), linestyle=(0, (3, 2)))
        label(ax, WIDEST / 2, y + LEVEL / 2 - 10, up.skips, weight="bold")
        label(ax, WIDEST / 2, y + LEVEL / 2 + 11, "skips")
        end = y + LEVEL
        if down is downs[-1]:  # around the corners, into the middle and out of it
            turn, half = low + LEVEL / 2, wide / 2
            arrow(ax, (left, end), (left, turn), (WIDEST / 2 - half - 1, turn), linewidth=2)
            arrow(ax, (WIDEST / 2 + half, turn), (right, turn), (right, end + 1), linewidth=2)
        else:
            arrow(ax, (left, end), (left, end + STEP - 1), linewidth=2)
            arrow(ax, (right, end + STEP), (right, end + 1), linewidth=2)
        if down.halved:
            label(ax, left + 8, end + STEP / 2, "halved", ha="left")
            label(ax, right - 8, end + STEP / 2, "doubled", ha="right")
    _draw(ax, WIDEST / 2, low, wide, middle)
    for n, (part, (first, second)) in enumerate(LEGEND.items()):
        y = low + LEVEL + 20 + 44 * n
        _letter(ax, EDGE, y, part)
        label(ax, EDGE + 28, y + 4, first, ha="left")
        label(ax, EDGE + 28, y + 20, second.format(c.cross_attention_dim), ha="left")
    return fig.described(_alt(found, ends[0], answer[0], c), _table(found), title)


def _width(place):
    return len(place.parts) * (LETTER + GAP) - GAP


def _draw(ax, x, y, wide, place):
    """A block around x: its size, and below it its parts as letters."""
    box(ax, x - wide / 2, y, wide, LEVEL, INK, fill=0.04)
    label(ax, x, y + 15, place.size, weight="bold")
    for n, part in enumerate(place.parts):
        _letter(ax, x - _width(place) / 2 + n * (LETTER + GAP), y + 28, part)


def _letter(ax, x, y, part):
    box(ax, x, y, LETTER, 24, COLORS[part], fill=0.25, radius=3)
    label(ax, x + LETTER / 2, y + 12, part, size=12, weight="bold")


def _alt(found, taken, given, c):
    said = [f"A U-Net of {len(found) // 2} levels. It takes a latent of {taken}."]
    for place in found:
        way = {"down": "Down", "middle": "In the middle", "up": "Up"}[place.way]
        resnets, attentions = (place.parts.count(part) for part in "RA")
        blocks = [f"{resnets} ResNet block" + "s" * (resnets > 1)]
        blocks += [f"{attentions} with attention"] if attentions else []
        blocks += [f"{place.skips} skips taken in"] if place.skips else []
        said.append(f"{way}, {place.size}: {', '.join(blocks)}.")
    said.append(f"It gives an estimate of {given}.")
    return f"{' '.join(said)} Attention reads rows of {c.cross_attention_dim} numbers."


def _table(found):
    columns = (
        "way",
        "channels × height × width",
        "ResNet blocks",
        "with attention",
        "skips taken in",
    )
    rows = [(p.way, p.size, p.parts.count("R"), p.parts.count("A"), p.skips) for p in found]
    return Table(columns, rows, "The blocks, in the order in which they are passed")
