"""Which of the things with names a drawing shows, learned from artists that no training has seen.

The teachers are OpenMoji and EmojiOne 1, whose licenses keep them out of the training. Hundreds of
things that both have drawn, painted by the miniature or not, say in which features two drawings of
*one* thing differ: that is the covariance Σ within things. What differs there counts little, what
both artists draw alike counts much (Fisher's linear discriminant, 1936). A drawing x is named by
the mean μ of a thing's drawings that lies in the nearest direction from the mean of all:

    x ↦ R (x − mean of all),  RᵀR = Σ⁻¹;      name = argmax cos(x, μ)
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image, ImageFilter

from cliplab.training.data.emoji import catalogue, picture

from ..things import THINGS, concepts
from .features import colors, form, upright
from .regions import Region, box

TEACHERS = ("openmoji", "emojione_v1")
WHOLE_PICTURES = {("boat", "emojione_v1")}  # with the sky and the sea around it
VIEWS = 8  # of each drawing of a thing that has a name here; of all others one
TURN, STRETCH, BLUR = 12, 0.1, 1.0  # degrees; share of the side; pixels
SIDES = (16, 48)  # pixels
SHRINK = 0.5  # share of a multiple of the identity in Σ, which steadies its inverse


@dataclass(frozen=True, eq=False)
class Namer:
    """center [features], root R [features, features], means [names, features], of length 1."""

    center: np.ndarray
    root: np.ndarray
    means: np.ndarray

    def likeness(self, features: np.ndarray) -> dict[str, float]:
        """The cosine between what a thing looks like [features] and each name."""
        x = self.root @ (features - self.center)
        return dict(zip(THINGS, (self.means @ x / np.linalg.norm(x)).tolist(), strict=True))


def ranking(region: Region, tinted: bool) -> list[str]:
    """All names for what a region shows, the best first.

    tinted: it is painted in one color, so that only its form tells what it is.
    """
    left, top, right, bottom = box(region.filled)
    rgba = np.dstack([region.picture, 255 * region.filled])[top:bottom, left:right]
    thing = upright(Image.fromarray(rgba.astype(np.uint8)))
    by_form, by_both = namers()
    if tinted:
        likeness = by_form.likeness(form(thing))
    else:
        likeness = by_both.likeness(np.concatenate([form(thing), colors(thing)]))
    return sorted(likeness, key=likeness.__getitem__, reverse=True)


@cache
def namers() -> tuple[Namer, Namer]:
    """One that sees forms alone, one that sees forms and colors. Takes seconds the first time."""
    draw = np.random.default_rng(0)
    named, missing = {n: word for word, n in concepts().items()}, catalogue()["missing"]
    forms, shades, owners = [], [], []
    for number in range(len(catalogue()["concepts"])):
        word = named.get(number)
        artists = [
            s for s in TEACHERS if number not in missing[s] and (word, s) not in WHOLE_PICTURES
        ]
        if not word and len(artists) < 2:
            continue  # one drawing alone says nothing of how drawings differ
        for artist in artists:
            for _ in range(VIEWS if word else 1):
                thing = view(picture(artist, number), draw)
                forms.append(form(thing))
                shades.append(colors(thing))
                owners.append((number, TEACHERS.index(artist)))
    by_form, by_color = np.array(forms), np.array(shades)
    which = np.array(owners)
    return fit(by_form, which), fit(np.concatenate([by_form, by_color], axis=1), which)


def fit(features: np.ndarray, owners: np.ndarray) -> Namer:
    """features [drawings, F]; owners [drawings, 2]: of each, the number of its thing and artist."""
    features = features.copy()
    by_artist = [features[owners[:, 1] == n].mean(axis=0) for n in range(len(TEACHERS))]
    center = np.mean(by_artist, axis=0)
    for n, mean in enumerate(by_artist):  # what an artist does to all things says nothing of one
        features[owners[:, 1] == n] += center - mean
    means, within = {}, []
    for number in np.unique(owners[:, 0]):
        own = owners[:, 0] == number
        artists = np.unique(owners[own, 1])
        means[number] = np.mean(
            [features[own & (owners[:, 1] == n)].mean(axis=0) for n in artists], axis=0
        )
        if len(artists) > 1:
            rest = features[own] - means[number]
            within.append(rest / np.sqrt(len(rest)))
    apart = np.concatenate(within)
    sigma = apart.T @ apart / len(within)
    plain = np.trace(sigma) / len(sigma) * np.eye(len(sigma))
    root = np.linalg.cholesky(np.linalg.inv((1 - SHRINK) * sigma + SHRINK * plain)).T
    directions = np.stack([root @ (means[number] - center) for number in concepts().values()])
    return Namer(center, root, directions / np.linalg.norm(directions, axis=1, keepdims=True))


def view(drawing: Image.Image, draw: np.random.Generator) -> np.ndarray:
    """A drawing as it could be painted: turned, mirrored, stretched, small, blurred.

    Returns [SIDE, SIDE, 4] as `upright` does.
    """
    if draw.random() < 0.5:
        drawing = drawing.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    drawing = drawing.convert("RGBa")
    drawing = drawing.rotate(draw.uniform(-TURN, TURN), Image.Resampling.BILINEAR, expand=True)
    scale = draw.uniform(*SIDES) / max(drawing.size)
    width, height = (
        max(round(side * scale * draw.uniform(1 - STRETCH, 1 + STRETCH)), 4)
        for side in drawing.size
    )
    wide = Image.new("RGBa", (width + 8, height + 8))  # room for the blur
    wide.paste(drawing.resize((width, height), Image.Resampling.HAMMING), (4, 4))
    blurred = wide.filter(ImageFilter.GaussianBlur(draw.uniform(0, BLUR)))
    return upright(blurred.convert("RGBA"))
