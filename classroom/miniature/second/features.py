"""What a thing looks like, in numbers: where its edges run, and its colors, part by part.

Edges as histograms of oriented gradients (HOG): Dalal and Triggs, "Histograms of Oriented
Gradients for Human Detection", 2005.
"""

import numpy as np
from PIL import Image

from .colors import lab

SIDE = 36  # pixels to which a thing is brought
MARGIN = 2  # empty pixels around it
CELL = 6  # pixels a cell of the histograms
PATCH = 12  # pixels a patch of colors
DIRECTIONS = 9  # bins between 0 and 180°: a line has no front


def upright(image: Image.Image) -> np.ndarray:
    """A drawing in RGBA → what is seen of it, in the middle of [SIDE, SIDE, 4], from 0 to 1."""
    image = image.crop(image.getchannel("A").point(lambda alpha: 255 * (alpha > 100)).getbbox())
    scale = (SIDE - 2 * MARGIN) / max(image.size)
    width, height = (max(round(side * scale), 1) for side in image.size)
    wide = Image.new("RGBa", (SIDE, SIDE))  # premultiplied, else transparent pixels color the edge
    small = image.convert("RGBa").resize((width, height), Image.Resampling.BILINEAR)
    wide.paste(small, ((SIDE - width) // 2, (SIDE - height) // 2))
    return np.asarray(wide.convert("RGBA"), dtype=np.float32) / 255


def form(thing: np.ndarray) -> np.ndarray:
    """The edges of a thing's silhouette and of its shades [features]; its color does not count.

    thing: [SIDE, SIDE, 4] from 0 to 1.
    """
    seen = thing[..., 3]
    light = lab(255 * thing[..., :3])[..., 0]
    # A tint moves all shades at once: what counts is which parts are lighter than others.
    middle = np.average(light, weights=seen)
    spread = np.sqrt(np.average((light - middle) ** 2, weights=seen))
    shades = (light - middle) * seen / (spread + 5)
    return np.concatenate([hog(seen), hog(shades)])


def colors(thing: np.ndarray) -> np.ndarray:
    """The colors of a thing, patch by patch, in CIELAB [features]."""
    shades = (lab(255 * thing[..., :3]) - (50, 0, 0)) / 50 * thing[..., 3:]
    return np.concatenate([patches(shades[..., n], PATCH).ravel() for n in range(3)])


def patches(image: np.ndarray, side: int) -> np.ndarray:
    """The means over squares of an image [SIDE, SIDE] → [SIDE / side, SIDE / side]."""
    return image.reshape(SIDE // side, side, SIDE // side, side).mean(axis=(1, 3))


def hog(image: np.ndarray) -> np.ndarray:
    """How strong the edges of each direction are in each cell of an image [SIDE, SIDE].

    Each cell is measured by the strength of all edges in it and in its eight neighbors.
    """
    down, across = np.gradient(image)
    strength = np.hypot(down, across)
    place = np.arctan2(down, across) % np.pi / np.pi * DIRECTIONS - 0.5
    low = np.floor(place)
    bins = []
    for n in range(DIRECTIONS):  # an edge counts for both directions that it is between
        share = np.where(low % DIRECTIONS == n, 1 - (place - low), 0)
        share += np.where((low + 1) % DIRECTIONS == n, place - low, 0)
        bins.append(patches(strength * share, CELL))
    cells = np.stack(bins, axis=-1)  # [rows, columns, directions]
    energy = np.pad((cells**2).sum(axis=-1), 1)
    rows, columns = cells.shape[:2]
    around = sum(energy[y : y + rows, x : x + columns] for y in range(3) for x in range(3))
    return (cells / np.sqrt(around + 1e-4)[..., None]).ravel()
