"""How far rows lie from other rows.

distance    a, b [R, D]
  distance  [R]        ‖a − b‖ / ‖b‖ for each row: how far a lies from b, in lengths of b
"""

import torch
from torch import Tensor, nn

from ..graphs.graph import Graph


class Distance(nn.Module):
    """Rows that are equal to the last bit have the distance 0 exactly."""

    def forward(self, a: Tensor, b: Tensor) -> tuple[Tensor]:
        return ((a - b).norm(dim=-1) / b.norm(dim=-1),)


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
}
