"""The pictures of the demos that compare them with words: 24 emoji as the miniature CLIP sees them.

All are Twemoji's, an art style that no training has seen. The last six show things that no
training has seen either. The first six are those of the demo `similarity`.
"""

from __future__ import annotations

import functools
import json
from dataclasses import replace

import numpy as np

from ...checkpoints import load_clip
from ...training.data.emoji import EmojiPair, EmojiPairs

LEARNED = (
    *("dog face", "wolf", "red apple", "tomato", "rocket", "airplane"),
    *("cat face", "green apple", "umbrella", "guitar", "pizza", "frog"),
    *("snail", "key", "sunflower", "octopus", "bomb", "penguin"),
)
NEW = ("hedgehog", "taco", "horse", "snowman", "strawberry", "mango")


@functools.cache
def chosen() -> list[EmojiPair]:
    """The 24 pairs, in the order in which the demos show them."""
    splits = (("style", LEARNED), ("concept", NEW))
    known = {split: {pair.caption: pair for pair in EmojiPairs(split)} for split, _ in splits}
    return [known[split][name] for split, names in splits for name in names]


def pictures() -> bytes:
    """[24, 64, 64, 3], uint8, red, green, blue: what the encoder's `Preprocess` makes of them.

    Put on white and enlarged from 48 × 48 as for any picture; only the normalization is left to
    the graph "image".
    """
    shares = replace(load_clip("mini").preprocess, mean=(0, 0, 0), std=(1, 1, 1))  # of brightness
    pixels = [shares(pair.image).permute(1, 2, 0) for pair in chosen()]
    return np.stack([(255 * one).round().byte().numpy() for one in pixels]).tobytes()


def picture_vectors() -> bytes:
    """[24, E], float32, little-endian: what the miniature's image encoder makes of the pictures.

    With them a page needs the encoder, 1.2 MB, only for what a reader draws.
    """
    vectors = load_clip("mini").encode_image([pair.image for pair in chosen()])
    return vectors.numpy().astype("<f4").tobytes()


def picture_names() -> bytes:
    """{"pictures": [{"caption", "learned"}], "credit": {"title", "author", "license", "source"}}.

    learned: whether training saw this thing, in other styles. credit: the attribution that the
    license asks for, which a demo must show.
    """
    about = [{"caption": pair.caption, "learned": pair.caption in LEARNED} for pair in chosen()]
    _, *credit = chosen()[0].style
    names = ("title", "author", "license", "source")
    return json.dumps({"pictures": about, "credit": dict(zip(names, credit, strict=True))}).encode()


PICTURES = {
    "pictures": pictures,
    "picture_names": picture_names,
    "picture_vectors": picture_vectors,
}
