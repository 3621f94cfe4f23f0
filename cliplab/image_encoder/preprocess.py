"""A PIL picture → the tensor that an image encoder was trained to see."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import torch
from torch import Tensor

from ..checks import one_of, whole_number

if TYPE_CHECKING:
    from PIL import Image

OPENAI_MEAN = (0.48145466, 0.4578275, 0.40821073)  # red, green, blue of OpenAI's 400 M pictures
OPENAI_STD = (0.26862954, 0.26130258, 0.27577711)
ResizeMode = Literal["shortest", "longest", "squash"]


@dataclass(frozen=True)
class Preprocess:
    """PIL picture → float [3, S, S]: made a square of S pixels, mean and std.

    image_size: S, pixels. mean, std: of red, green and blue, as shares of full brightness.
    resize_mode, fill_color: how a picture of another shape becomes a square, see `squared`.
    upright: whether the camera's orientation (EXIF) is applied first.
    A picture with transparent parts is put on white. Raises TypeError for what is no PIL
    picture, ValueError for one with more than 8 bits a channel, which PIL cannot bring down, and
    for another resize_mode or fill_color.
    Source: openai/CLIP `clip.py` (bicubic), which crops and turns nothing; mean and std there
    unless given. The two words for the square are open_clip's.
    """

    image_size: int
    mean: tuple[float, float, float] = OPENAI_MEAN
    std: tuple[float, float, float] = OPENAI_STD
    resize_mode: ResizeMode = "shortest"
    fill_color: int = 255
    upright: bool = False

    def __post_init__(self) -> None:
        one_of("resize_mode", self.resize_mode, get_args(ResizeMode))
        whole_number("fill_color", self.fill_color, 0, 255)

    def __call__(self, image: Image.Image) -> Tensor:
        from PIL import Image

        if not isinstance(image, Image.Image):
            raise TypeError(f"This takes a PIL picture, not a {type(image).__name__}.")
        image = on_white(turned_upright(image) if self.upright else image)
        image = squared(image, self.image_size, self.resize_mode, (self.fill_color,) * 3)
        pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1)  # [3, S, S], 0 … 255
        return self.normalize(pixels / 255)

    def normalize(self, pixels: Tensor) -> Tensor:
        """[..., 3, S, S] from 0 to 1 → about −2 to 2."""
        mean, std = (pixels.new_tensor(x)[:, None, None] for x in (self.mean, self.std))
        return (pixels - mean) / std


def squared(
    image: Image.Image, side: int, resize_mode: ResizeMode, ground: tuple[int, ...]
) -> Image.Image:
    """A picture as a square of S × S pixels.

    "shortest": the short side becomes S, and the square in the middle is cut out. "longest": the
    long side becomes S, and the whole picture lies in the middle of a square of the color
    `ground`. "squash": both sides become S. Source: open_clip `transform.py`.
    """
    from PIL import Image

    S, bicubic = side, Image.Resampling.BICUBIC
    if resize_mode == "squash":
        return image.resize((S, S), bicubic)
    if resize_mode == "shortest":
        short = min(image.size)
        width, height = (S * length // short for length in image.size)
        left, top = round((width - S) / 2), round((height - S) / 2)
        return image.resize((width, height), bicubic).crop((left, top, left + S, top + S))
    ratio = max(image.size) / S
    width, height = (max(1, round(length / ratio)) for length in image.size)
    square = Image.new(image.mode, (S, S), ground)
    square.paste(image.resize((width, height), bicubic), ((S - width) // 2, (S - height) // 2))
    return square


def turned_upright(image: Image.Image) -> Image.Image:
    """The picture as the camera's orientation (EXIF) says; as it lies, where EXIF is malformed."""
    from PIL import ImageOps

    with suppress(Exception):  # damaged bytes make it stumble in any way, and the pixels are whole
        return ImageOps.exif_transpose(image)
    return image


def on_white(image: Image.Image) -> Image.Image:
    """Any PIL picture as RGB; where it is transparent, white shows through."""
    from PIL import Image

    if image.mode.startswith(("I", "F")):
        raise ValueError(
            f'This picture has more than 8 bits a channel (mode "{image.mode}"). '
            "Bring it down to 0 … 255 first."
        )
    if "A" in image.getbands() or "transparency" in image.info:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image.convert("RGB")
