"""Where a token stands, told to the attention's scores and not to the token.

CLIP adds a learned row for each of 77 positions, and has none for a 78th. T5 adds a number to the
score of a pair, which depends on the distance alone; decoder models turn queries and keys, so that
their product depends on the distance alone. Neither has a last position.
"""

import math

import torch
from torch import Tensor, nn

from ..text_encoder.trace import NO_TRACE


def relative_position_bucket(
    distance: Tensor, buckets: int = 32, max_distance: int = 128
) -> Tensor:
    """The bucket of a distance j − i, from query i to key j: near ones exact, far ones shared.

    distance  integers of any shape → the same shape, in 0 … buckets − 1

    The first half of the buckets is for keys at or before the query, the second for those after.
    With n = buckets / 4, distances below n have a bucket each; the others share n buckets, whose
    borders grow as a logarithm does up to max_distance; beyond it all share the last.
    Source: Raffel et al. 2020, §2.1; transformers 5.23, T5Attention.
    """
    half, n = buckets // 2, buckets // 4
    d = distance.abs()
    # The logarithm in float32, as transformers has it; n stands for 0 … n − 1, which are not far.
    far = torch.log(d.clamp(min=n).float() / n) / math.log(max_distance / n) * (half - n)
    far = (n + far.long()).clamp(max=half - 1)
    return torch.where(d < n, d, far) + half * (distance > 0)


class RelativePositionBias(nn.Module):
    """A number for each pair of positions and each head, added to the pair's score.

    L → B [H, L, L]: B[h, i, j] = E[bucket(j − i), h], E [buckets, H] a learned table. T5's first
    layer holds it, and all layers share it. Source: Raffel et al. 2020, §2.1.
    """

    def __init__(self, heads: int, buckets: int, max_distance: int):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(buckets, heads))  # E
        self.max_distance = max_distance

    def forward(self, length: int, trace=NO_TRACE) -> Tensor:
        i = torch.arange(length, device=self.weight.device)
        distance = i - i[:, None]  # [L, L]: j − i
        bucket = relative_position_bucket(distance, len(self.weight), self.max_distance)
        return self.weight.T[:, trace("bucket", bucket)]  # [H, L, L]

    def extra_repr(self) -> str:
        return "{} buckets, {} heads, max_distance={}".format(*self.weight.shape, self.max_distance)


class RotaryEmbedding(nn.Module):
    """RoPE's angles: position m turns pair p of a head's components by m · θ^(−2p/K).

    L → (cos, sin), each [L, K/2], float32. Source: Su et al. 2021, eq. 15.
    """

    def __init__(self, head_width: int, theta: float):
        super().__init__()
        self.head_width, self.theta = head_width, theta

    def forward(self, length: int, device: torch.device | None = None) -> tuple[Tensor, Tensor]:
        p2 = torch.arange(0, self.head_width, 2, dtype=torch.float32, device=device)  # 0, 2, 4, …
        frequency = 1 / self.theta ** (p2 / self.head_width)  # [K/2]
        m = torch.arange(length, dtype=torch.float32, device=device)
        angle = m[:, None] * frequency  # [L, K/2]
        return angle.cos(), angle.sin()

    def extra_repr(self) -> str:
        return f"{self.head_width}, theta={self.theta:g}"


def rotate(X: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn each pair of a row's components, (x, y) → (x cos − y sin, y cos + x sin).

    X [..., L, K], cos and sin [L, K/2] → [..., L, K]. Component p is paired with p + K/2, as in
    every checkpoint's weights; the paper pairs 2p with 2p + 1. A row keeps its length, and two rows
    keep their product when both move by the same number of positions.
    Source: Su et al. 2021, eq. 34; transformers 5.23, apply_rotary_pos_emb.
    """
    x, y = X.chunk(2, dim=-1)
    return torch.cat([x * cos - y * sin, y * cos + x * sin], dim=-1)
