"""One row of one head, step by step: from a query and the keys to the weights.

attention_row  query [K], keys [L, K], last [] int32: the last slot that the row may see
  product  [L]     q · k of the query with each key
  scores   [L]     S̃ = q · k / √K, −∞ where the mask hides
  shares   [L]     exp(S̃ − largest S̃), as the softmax has it before it divides
  total    []      their sum
  weights  [L]     shares / total
"""

import torch
from torch import Tensor, nn

from ..graphs.graph import Graph


class AttentionRow(nn.Module):
    """`text_encoder.softmax` of a single row, with what it computes on the way."""

    def forward(self, query: Tensor, keys: Tensor, last: Tensor) -> tuple[Tensor, ...]:
        product = keys @ query  # [L]
        later = torch.arange(keys.shape[0], device=keys.device) > last
        S = (product / query.shape[0] ** 0.5).masked_fill(later, -torch.inf)
        E = torch.exp(S - S.amax(dim=-1))
        total = E.sum(dim=-1)
        return product, S, E, total, E / total


def _example(*shape: int, seed: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


ATTENTION_ROW = {
    "attention_row": Graph(
        build=AttentionRow,
        inputs={
            "query": _example(32, seed=0),
            "keys": _example(10, 32, seed=1),
            "last": torch.tensor(6, dtype=torch.int32),
        },
        outputs=("product", "scores", "shares", "total", "weights"),
        precision="fp16",
        tolerance=1e-5,
        dynamic={"keys": {0: "L"}},
    ),
}
