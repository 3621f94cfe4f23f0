"""From attention weights at every layer and step to one picture for each token."""

import torch.nn.functional as F
from torch import Tensor


def region_maps(maps: list[dict[str, Tensor]], size: int | tuple[int, int]) -> Tensor:
    """Where each token was read: the mean of its weights over layers and steps, at one size.

    maps: as in `AttentionWatch.maps`, {layer: [B, h, w, L]} for each step; a part of that list
        gives the maps of those steps.
    size: side of the maps, or (height, width).

    Returns [B, L, height, width]: shares of attention, which sum to 1 over the tokens at each
    place. A token of the prompt is a row; a word of several tokens is the sum of its rows. Layers
    are resized by bilinear interpolation, which keeps the sum; DAAM, from which the recipe is, uses
    a bicubic one and leaves the smallest layer out. ValueError where there is nothing to average.
    Source: Tang et al. 2022, "What the DAAM".
    """
    layers = [weights for step in maps for weights in step.values()]
    if not layers:
        raise ValueError(
            "There are no attention maps to average. Call the U-Net inside `with "
            "watch_attention(unet) as watch:`, then pass watch.maps or a part of it."
        )
    # Averaging and resizing are both linear: layers of one size are added first, then resized once.
    sums: dict[tuple[int, int], Tensor] = {}
    for weights in layers:
        shape = tuple(weights.shape[1:3])
        sums[shape] = sums[shape] + weights if shape in sums else weights
    size = (size, size) if isinstance(size, int) else tuple(size)
    images = [total.movedim(-1, 1) for total in sums.values()]  # [B, L, h, w] for each size
    return sum(F.interpolate(image, size, mode="bilinear") for image in images) / len(layers)
