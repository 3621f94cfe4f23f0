"""A PIL picture → the tensor that an image encoder was trained to see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from PIL import Image

OPENAI_MEAN = (0.48145466, 0.4578275, 0.40821073)  # red, green, blue of OpenAI's 400 M pictures
OPENAI_STD = (0.26862954, 0.26130258, 0.27577711)


@dataclass(frozen=True)
class Preprocess:
    """PIL picture → float [3, S, S]: short side to S, the square in the middle, mean and std.

    image_size: S, pixels. mean, std: of red, green and blue, as shares of full brightness. A
    picture with transparent parts is put on white first. Raises TypeError for what is no PIL
    picture, ValueError for one with more than 8 bits a channel, which PIL cannot bring down.
    Source: openai/CLIP `clip.py` (bicubic); mean and std there unless given.
    """

    image_size: int
    mean: tuple[float, float, float] = OPENAI_MEAN
    std: tuple[float, float, float] = OPENAI_STD

    def __call__(self, image: Image.Image) -> Tensor:
        from PIL import Image

        if not isinstance(image, Image.Image):
            raise TypeError(f"This takes a PIL picture, not a {type(image).__name__}.")
        S, image = self.image_size, on_white(image)
        short = min(image.size)
        width, height = (S * side // short for side in image.size)
        image = image.resize((width, height), Image.Resampling.BICUBIC)
        left, top = round((width - S) / 2), round((height - S) / 2)
        image = image.crop((left, top, left + S, top + S))
        pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1)  # [3, S, S], 0 … 255
        return self.normalize(pixels / 255)

    def normalize(self, pixels: Tensor) -> Tensor:
        """[..., 3, S, S] from 0 to 1 → about −2 to 2."""
        mean, std = (pixels.new_tensor(x)[:, None, None] for x in (self.mean, self.std))
        return (pixels - mean) / std


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
