"""Word to region: from the attention of each token to that of each word, step by step.

    regions     maps of tokens, and which token belongs to which word → maps of words

The rule is that of `region_maps` and `Painting.word_maps`: a word is the sum of its tokens, and
several steps are their mean.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .graph import Graph


class Regions(nn.Module):
    """maps [S, L, h, w], groups [G, L], words [G] → [2, S + 1, G, h, w], and means over places.

    maps     shares of attention that each place gives to each token, one entry for each step
    groups   1 where a token belongs to a group, else 0: BOS, each word, EOS, padding
    words    1 for the groups that are words, else 0

    In both outputs the first half holds the shares as they are, which sum to 1 over all groups at
    each place. The second half holds each word's share of what all words got there, which sums to
    1 over the words; other groups get 0, and so does everyone where there are no words. Entry S,
    the last one, is of the mean over all steps.
    """

    def forward(self, maps: Tensor, groups: Tensor, words: Tensor) -> tuple[Tensor, Tensor]:
        each = torch.einsum("gl,slhw->sghw", groups, maps)  # [S, G, h, w]
        shares = torch.cat([each, each.mean(0, keepdim=True)])  # [S + 1, G, h, w]
        named = shares * words[:, None, None]
        total = named.sum(1, keepdim=True)  # [S + 1, 1, h, w]
        among = named / torch.where(total > 0, total, 1.0)
        both = torch.stack([shares, among])
        return both, both.mean((-1, -2))


def example() -> dict[str, Tensor]:
    """Two steps of six tokens, BOS, "a", "re" + "d", EOS, padding, on 8 × 8 places."""
    drawn = torch.randn(2, 6, 8, 8, generator=torch.Generator().manual_seed(0))
    groups = torch.eye(5)[:, [0, 1, 2, 2, 3, 4]]  # [G, L]
    return {
        "maps": drawn.softmax(1),
        "groups": groups,
        "words": torch.tensor([0.0, 1.0, 1.0, 0.0, 0.0]),
    }


REGIONS = {
    "regions": Graph(
        build=Regions,
        inputs=example(),
        outputs=("regions", "means"),
        precision="fp16",
        tolerance=1e-5,
        dynamic={"maps": {0: "S", 1: "L"}, "groups": {0: "G", 1: "L"}, "words": {0: "G"}},
    ),
}
