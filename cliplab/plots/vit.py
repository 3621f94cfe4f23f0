"""CLIP's image encoder, a vision transformer, as a diagram: a picture, its patches, one vector."""

from matplotlib import rc_context
from PIL import Image, ImageOps

from .draw import arrow, box, label, line, rectangles
from .figure import Figure, Table
from .latents import show, small
from .theme import BLUE, GREEN, ORANGE, RC, VIOLET, WIDEST

EDGE = 8  # margin, in points
SIDE, TILE = 128, 96  # of the picture, and of a patch that is shown by itself
FINE = 16  # pixels that a patch's side is drawn with, at most
CLASS, COLUMNS = 44, (158, 270)  # where the class token and two patches go down


@rc_context(RC)
def vit_diagram(model, image, title="CLIP's image encoder", source=None):
    """A vision transformer from a picture to its vector; two patches can be followed.

    model: a CLIPVisionModel, trained or on the device `meta`; all numbers are its own. image: a
    PIL picture of any size. Source: Dosovitskiy et al. 2021; openai/CLIP `model.py`.
    """
    c = model.config
    grid = c.image_size // c.patch_size
    patches, numbers = grid**2, 3 * c.patch_size**2
    middle = grid // 2 * grid + (grid - len(COLUMNS)) // 2  # where the followed patches begin
    followed = [divmod(n, grid) for n in range(middle, middle + len(COLUMNS))]
    fine = min(FINE, c.patch_size)
    image = _square(image, grid * fine)
    fig = Figure(WIDEST, 544)
    ax = fig.sheet()

    _picture(ax, image, grid, followed)
    side, p = c.image_size, c.patch_size
    words = (
        "picture", f"3 × {side} × {side}", f"{grid} × {grid} = {patches} patches",
        f"of {p} × {p} pixels,", f"3 × {p} × {p} = {numbers:,} numbers",
    )  # fmt: skip
    for n, text in enumerate(words):
        bold = {"size": 12, "weight": "bold"} if n in (0, 2) else {}
        label(ax, SIDE + 22, 26 + 18 * n + 14 * (n > 1), text, ha="left", **bold)
    for x, (down, right) in zip(COLUMNS, followed, strict=True):
        corner = fine * right, fine * down, fine * (right + 1), fine * (down + 1)
        tile = image.crop(corner)
        show(ax, small(tile), x - TILE / 2, 148, TILE, TILE)
        label(ax, x, 256, f"patch {down * grid + right + 1}")
        arrow(ax, (x, 266), (x, 286), linewidth=2)
    for x in (COLUMNS[0] - 60, COLUMNS[-1] + 60):
        label(ax, x, 196, "…", size=14)

    _named(ax, EDGE, 288, 72, 44, ORANGE, "class", "token")
    what = f"{numbers:,} → {c.width} numbers"
    _named(ax, 96, 288, WIDEST - EDGE - 96, 44, GREEN, "patch embedding", what)
    ways = (CLASS, *COLUMNS)
    for top, bottom in ((332, 352), (398, 418)):
        for x in ways:
            arrow(ax, (x, top), (x, bottom), linewidth=2)
    _named(ax, EDGE, 354, WIDEST - 2 * EDGE, 44, GREEN, "+ position embedding",
        f"{c.tokens} rows of {c.width}; then a LayerNorm")  # fmt: skip
    _named(ax, EDGE, 420, WIDEST - 2 * EDGE, 44, BLUE, f"{c.layers} × encoder layer",
        f"{c.heads} heads, no mask: each row reads all {c.tokens}")  # fmt: skip
    arrow(ax, (CLASS, 464), (CLASS, 494), color=ORANGE, linewidth=2)
    label(ax, 214, 480, f"the other {patches} rows end here")
    _named(ax, EDGE, 496, 162, 44, VIOLET, "LayerNorm, projection", f"{c.width} → {c.projection}")
    arrow(ax, (170, 518), (190, 518), color=ORANGE, linewidth=2)
    _named(ax, 192, 496, 140, 44, ORANGE, "the picture's vector", f"{c.projection} numbers")

    e, all_rows = model.embeddings, f"{c.tokens} × {c.width}"
    parts = [
        ("class token", "nothing", f"1 × {c.width}", e.class_embedding.numel()),
        ("patch embedding", f"{patches} × {numbers}", f"{patches} × {c.width}",
         _count(e.patch_embedding)),
        ("position embedding", all_rows, all_rows, _count(e.position_embedding)),
        ("first LayerNorm", all_rows, all_rows, _count(model.pre_layrnorm)),
        (f"{c.layers} × encoder layer", all_rows, all_rows, _count(model.encoder)),
        ("last LayerNorm", f"1 × {c.width}", f"1 × {c.width}", _count(model.post_layernorm)),
        ("projection", f"1 × {c.width}", f"1 × {c.projection}", _count(model.visual_projection)),
        ("in all", f"3 × {side} × {side}", f"1 × {c.projection}", _count(model)),
    ]  # fmt: skip
    table = Table(("part", "takes", "gives", "parameters"), parts, "The parts, for one picture")
    alt = (
        f"A picture of {side} by {side} pixels is cut into {grid} by {grid} "
        f"patches of {p} by {p}. A patch embedding makes each of the "
        f"{patches} patches, {numbers:,} numbers, a row of {c.width}. A class token stands before "
        f"them, and a position embedding is added to all {c.tokens} rows. {c.layers} encoder "
        f"layers of {c.heads} heads follow, without a mask. The row of the class token alone goes "
        f"on, through a LayerNorm and a projection, and is the picture's vector of {c.projection} "
        f"numbers. The encoder has {_count(model):,} parameters."
    )
    return fig.described(alt, table, title, source)


def _count(module):
    return sum(p.numel() for p in module.parameters())


def _square(image, side):
    """The middle of a picture, on white."""
    image = ImageOps.fit(image.convert("RGBA"), (side, side))
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)


def _picture(ax, image, grid, followed):
    """The picture with the lines along which it is cut, and a frame around what is followed."""
    step, low = SIDE / grid, SIDE + 6
    show(ax, small(image), EDGE, 6, SIDE, SIDE)
    for n in range(1, grid):
        line(ax, (EDGE + n * step, 6), (EDGE + n * step, low), color=BLUE, linewidth=0.7)
        line(ax, (EDGE, 6 + n * step), (EDGE + SIDE, 6 + n * step), color=BLUE, linewidth=0.7)
    corners = [(EDGE + x * step, 6 + y * step, step, step) for y, x in followed]
    rectangles(ax, corners, ORANGE, fill=0, linewidth=2.2, zorder=3)


def _named(ax, x, y, width, height, color, name, note):
    box(ax, x, y, width, height, color, fill=0.16)
    label(ax, x + width / 2, y + height / 2 - 9, name, size=12, weight="bold")
    label(ax, x + width / 2, y + height / 2 + 9, note)
