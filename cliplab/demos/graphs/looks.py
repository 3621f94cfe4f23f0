"""Where a row looks on the whole.

looks       attention [N, H, L, L], of all layers and heads
  mean      [L, L]     the mean of their weights: row i (who looks), column j (what is looked at)
"""

import torch
from torch import Tensor, nn

from .graph import Graph


class Looks(nn.Module):
    """Every row still sums to 1, and stays 0 where the mask hides."""

    def forward(self, attention: Tensor) -> tuple[Tensor]:
        return (attention.mean(dim=(0, 1)),)


def example() -> Tensor:
    """What four layers of four heads look at."""
    drawn = torch.randn(4, 4, 77, 77, generator=torch.Generator().manual_seed(0))
    return torch.softmax(drawn, dim=-1)


LOOKS = {
    "looks": Graph(
        build=Looks,
        inputs={"attention": example()},
        outputs=("mean",),
        precision="fp16",
        tolerance=1e-5,
        dynamic={"attention": {0: "N", 1: "H", 2: "L", 3: "L"}},
    ),
}
