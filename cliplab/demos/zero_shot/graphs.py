"""A classifier made of words, for one picture: `zero_shot_weights` and `classify` as a graph.

zero_shot   texts [C, T, E]: label c in template t, of unit length; image [1, E]
  weights   [C, E]  the mean over the templates, brought back to unit length
  cosine    [C]     of each label with the picture
  share     [C]     the softmax of cosine / τ, with the τ that training found
  length    [C]     of the mean, before it was brought back: below 1 where templates disagree
"""

import torch.nn.functional as F
from torch import Tensor, nn

from ...checkpoints.files import MINI, find_weights
from ...training.evaluate import classify
from ..graphs.clip import mini, units
from ..graphs.graph import Graph


class ZeroShot(nn.Module):
    """Label by label the mean of its unit vectors, and a softmax over cosines."""

    def __init__(self):
        super().__init__()
        self.register_buffer("tau", mini().tau.detach())

    def forward(self, texts: Tensor, image: Tensor) -> tuple[Tensor, ...]:
        means = texts.mean(1)  # [C, E]
        weights = F.normalize(means, dim=-1)
        return (
            weights,
            (image @ weights.T)[0],
            classify(image, weights, self.tau)[0],
            means.norm(dim=-1),
        )


ZERO_SHOT = {
    "zero_shot": Graph(
        build=ZeroShot,
        inputs={"texts": units(12, 0).view(4, 3, -1), "image": units(1, 1)},
        outputs=("weights", "cosine", "share", "length"),
        precision="fp16",
        tolerance=1e-4,
        weights=(find_weights(MINI),),
        dynamic={"texts": {0: "C", 1: "T"}},
    ),
}
