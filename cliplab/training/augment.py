"""Pictures as a network sees them: placed, tinted, on some ground.

CLIP itself was trained with random crops only. With eight pictures of each thing instead of
400 million, the rest keeps the network from learning the pictures by heart.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from ..contrastive import CLIP
from ..image_encoder import ResizeMode
from ..image_encoder.preprocess import squared

TURN = math.radians(15)
SIZE, STRETCH, SHEAR, SHIFT = 0.2, 0.1, 0.15, 0.12  # largest deviations, as shares of the picture
TINT, SHADE = 0.15, 0.05  # standard deviations
COLORED = 0.5  # share of pictures whose ground is not white


def to_square(image: Image.Image, side: int, resize_mode: ResizeMode = "longest") -> Tensor:
    """A PIL picture as a square of S pixels (see `squared`), uint8 [4, S, S] with alpha. Where it
    is fitted in, the ground beside it is transparent."""
    if image.mode != "RGBA":
        image = image.convert("RGBA")
    if image.size != (side, side):
        # Alpha first: colors of invisible pixels must not bleed into what is seen.
        image = squared(image.convert("RGBa"), side, resize_mode, (0, 0, 0, 0)).convert("RGBA")
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous()


def on_white(images: Tensor) -> Tensor:
    """uint8 [N, 4, S, S] → float [N, 3, S, S], from 0 to 1, transparent parts white."""
    x = images.float() / 255
    return x[:, :3] * x[:, 3:] + (1 - x[:, 3:])


def as_seen_by(clip: CLIP, images: Tensor) -> Tensor:
    """float [N, 3, S, S] from 0 to 1 → what its image encoder takes, at the size that it knows."""
    side = clip.preprocess.image_size
    if images.shape[-1] != side:
        images = F.interpolate(images, size=(side, side), mode="bilinear", antialias=True)
    dtype = clip.logit_scale.dtype  # the model's own, fp64 for instance
    return clip.preprocess.normalize(images).to(dtype, memory_format=torch.channels_last)


def augmented(
    images: Tensor,
    generator: torch.Generator,
    rows: Tensor | None = None,
    whole: int | None = None,
    strength: float = 1.0,
) -> Tensor:
    """uint8 [N, 4, S, S] → float [N, 3, S, S] from 0 to 1: turned, scaled, moved, tinted, on a
    ground of white or of any color.

    rows, whole: these pictures are the rows `rows` of a batch of `whole`, the rest of which other
    processes have; None → they are all of it. All that is random is drawn for the whole batch, on
    the CPU and from `generator`, so neither a GPU nor more processes change what is seen.
    strength: from 0, where each picture stays as it is, on white, to 1.
    """
    device = images.device
    rows = torch.arange(len(images)) if rows is None else rows
    N = len(images) if whole is None else whole

    def uniform(*shape: int, most: float = 1.0) -> Tensor:
        return strength * most * (2 * torch.rand(N, *shape, generator=generator) - 1)

    angle, size, stretch = uniform(most=TURN), 1 + uniform(most=SIZE), 1 + uniform(most=STRETCH)
    cos, sin = angle.cos() * size, angle.sin() * size
    place = torch.stack(
        [
            torch.stack([cos, -sin * stretch + uniform(most=SHEAR), uniform(most=SHIFT)], dim=-1),
            torch.stack([sin, cos * stretch, uniform(most=SHIFT)], dim=-1),
        ],
        dim=1,
    )  # [N, 2, 3]
    tint = torch.eye(3) + strength * TINT * torch.randn(N, 3, 3, generator=generator)
    shade = strength * SHADE * torch.randn(N, 3, 1, generator=generator)
    colored = torch.rand(N, 1, 1, 1, generator=generator) < strength * COLORED
    ground = torch.where(colored, torch.rand(N, 3, 1, 1, generator=generator), 1.0)
    place, tint, shade, ground = (x[rows].to(device) for x in (place, tint, shade, ground))

    x = images.float() / 255
    alpha = x[:, 3:].flatten(2)  # [N, 1, S²]
    color = tint @ (x[:, :3].flatten(2) * alpha) + shade * alpha
    x = torch.cat([color, alpha], dim=1).unflatten(2, images.shape[2:])
    grid = F.affine_grid(place, list(x.shape), align_corners=False)
    x = F.grid_sample(x, grid, align_corners=False)
    return (x[:, :3] + ground * (1 - x[:, 3:])).clamp(0, 1)
