"""How far rows lie from other rows, and where a row looks on the whole.

distance    a, b [R, D]
  distance  [R]        ‖a − b‖ / ‖b‖ for each row: how far a lies from b, in lengths of b
looks       attention [N, H, L, L], of all layers and heads
  mean      [L, L]     the mean of their weights: row i (who looks), column j (what is looked at)
"""

import torch
from torch import Tensor, nn

from ..graphs.graph import Graph


class Distance(nn.Module):
    """Rows that are equal to the last bit have the distance 0 exactly."""

    def forward(self, a: Tensor, b: Tensor) -> tuple[Tensor]:
        return ((a - b).norm(dim=-1) / b.norm(dim=-1),)


class Looks(nn.Module):
    """Every row still sums to 1, and stays 0 where the mask hides."""

    def forward(self, attention: Tensor) -> tuple[Tensor]:
        return (attention.mean(dim=(0, 1)),)


def example(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


DISTANCE = {
    "distance": Graph(
        build=Distance,
        inputs={"a": example(77, 128), "b": example(77, 128, seed=1)},
        outputs=("distance",),
        precision="fp16",
        tolerance=1e-5,
        dynamic={"a": {0: "R", 1: "D"}, "b": {0: "R", 1: "D"}},
    ),
    "looks": Graph(
        build=Looks,
        inputs={"attention": torch.softmax(example(4, 4, 77, 77), dim=-1)},
        outputs=("mean",),
        precision="fp16",
        tolerance=1e-5,
        dynamic={"attention": {0: "N", 1: "H", 2: "L", 3: "L"}},
    ),
}
