"""Things with names that the miniature paints beside shapes: emoji, each in two styles.

A thing has the colors of its drawing, or one that a word gives it. Its shades then run from black
over that color to white: what is dark in the drawing stays dark (eyes, wheels, outlines), what is
bright stays bright.
"""

import functools

import numpy as np
from PIL import Image

from cliplab.training.data.emoji import catalogue, picture
from cliplab.training.data.scenes import PALETTE, Thing

THINGS = {
    # the word for it, and the emoji that it is drawn as
    "dog": "🐶", "cat": "🐱", "rabbit": "🐰", "pig": "🐷", "frog": "🐸", "bear": "🐻",
    "owl": "🦉", "penguin": "🐧", "duck": "🦆", "elephant": "🐘", "fish": "🐟️", "bird": "🐦️",
    "butterfly": "🦋", "tree": "🌲", "cactus": "🌵", "mushroom": "🍄", "sunflower": "🌻",
    "heart": "❤️", "sun": "☀️", "house": "🏠️", "boat": "⛵️", "bus": "🚌", "car": "🚗",
    "airplane": "✈️", "rocket": "🚀", "guitar": "🎸", "bell": "🔔", "crown": "👑", "apple": "🍎",
    "carrot": "🥕",
}  # fmt: skip
# One drawing of each, flat and shaded. Six styles are six dogs, and a small model paints their mean
# (after 8,000 steps on them no dog had a face).
STYLES = ("fluent_flat", "fluent_3d")
OTHERS = {"bird": ("noto", "noto_v1")}  # in the styles above it is what one would not call a bird
TINTS = {**PALETTE, "brown": (140, 84, 42), "black": (28, 28, 32)}  # colors of things
BRIGHT = 0.7  # share of white in what was white in the drawing
CLEAR = 12  # transparent pixels around a drawing, so that it can be cut anywhere


@functools.cache
def concepts() -> dict[str, int]:
    """Where in the catalogue each thing is."""
    places = {concept.emoji: n for n, concept in enumerate(catalogue()["concepts"])}
    return {name: places[emoji] for name, emoji in THINGS.items()}


def styles(name: str) -> tuple[str, ...]:
    """Those in which a thing is drawn."""
    return OTHERS.get(name, STYLES)


@functools.cache
def drawing(name: str, style: str, color: str) -> tuple[Image.Image, int]:
    """A thing on CLEAR transparent pixels, and the longer side of what is seen of it.

    color: one of TINTS, or "" for that of the drawing. Premultiplied by its transparency.
    """
    image = picture(style, concepts()[name])
    seen = image.getchannel("A").point(lambda alpha: 255 * (alpha > 20)).getbbox()
    image = image.crop(seen)
    if color:
        image = tinted(image, TINTS[color])
    longest = max(image.size)
    wide = Image.new("RGBA", 2 * (longest + 2 * CLEAR,))
    wide.paste(image, tuple((longest - side) // 2 + CLEAR for side in image.size))
    return wide.convert("RGBa"), longest


def tinted(image: Image.Image, color: tuple[int, int, int]) -> Image.Image:
    """A drawing in the shades of one color; its median brightness becomes the color itself."""
    x = np.asarray(image, dtype=float)
    light = x[..., :3] @ (0.299, 0.587, 0.114) / 255  # [h, w]
    middle = np.clip(np.median(light[x[..., 3] > 128]), 0.2, 0.9)
    dark = np.minimum(light / middle, 1)[..., None]
    bright = BRIGHT * np.maximum((light - middle) / (1 - middle), 0)[..., None]
    shaded = (1 - bright) * dark * np.array(color) + bright * 255
    shaded = np.concatenate([shaded, x[..., 3:]], axis=-1)
    return Image.fromarray((shaded + 0.5).astype(np.uint8))


def stamp_drawing(canvas: np.ndarray, thing: Thing, style: str) -> None:
    """Draw a thing over a picture [S, S, 3] of numbers from 0 to 255: within its radius."""
    size = len(canvas)
    image, longest = drawing(thing.shape, style, thing.color)
    scale = longest / (2 * thing.radius * size)  # pixels of the drawing in one of the picture
    reach = thing.radius + 1 / size
    edges = [
        min(max(round((place + side * reach) * size), 0), size)
        for side in (-1, 1)
        for place in (thing.x, thing.y)
    ]  # left, top, right, bottom
    box = [
        image.width / 2 + scale * (edge - place * size)
        for edge, place in zip(edges, 2 * (thing.x, thing.y), strict=True)
    ]
    left, top, right, bottom = edges
    cut = image.resize((right - left, bottom - top), Image.Resampling.HAMMING, box=tuple(box))
    cut = np.asarray(cut, dtype=float)
    window = canvas[top:bottom, left:right]
    window *= 1 - cut[..., 3:] / 255
    window += cut[..., :3]
