"""What the tools make of a prompt's weights: one chunk of 77 tokens, by every method.

weigh      plain [77, D]      the context without weights; empty [77, D] that of the empty prompt
           weights [77]       1 for BOS, EOS and padding
           masked [K, 77, D]  the context once more, where nobody may look at fragment k
           down [K]           the weights of these K fragments, all that are below 1
  contexts [4, 77, D]    by the methods in METHODS' order
  moved    [4, 77]       how far each row lies from its place in `plain`, in lengths of the latter
  cosine   [4, 77]       of each row with the plain one

K is at least 1: where nothing weighs less than 1, masked is `plain` and down is [1].

`masked` and `down` are for Compel alone. A fragment counts once, however many tokens it has. Of a
prompt of several chunks, each chunk is one call with *all* of the prompt's lighter fragments: its
plain context for one that stands elsewhere. One that crosses a cut hides, from its first place to
its last in the chunks laid end to end, EOS, padding and BOS too; but never the first and the last
place of a chunk.

Chunk by chunk, `contexts` are `encode_prompt(…).tensor` with the settings that tools begin with.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...weighting import from_empty, restore_mean, scale
from .graph import Graph

METHODS = ("scale", "restore_mean", "from_empty", "compel")
L, D = 77, 128  # of both miniatures


class Weigh(nn.Module):
    """Contexts and weights → contexts; all that encodes has been done."""

    def forward(
        self, plain: Tensor, empty: Tensor, masked: Tensor, weights: Tensor, down: Tensor
    ) -> tuple[Tensor, ...]:
        C, e, w = plain, empty, weights
        base = from_empty(C, w, e)
        blended = blend(base, from_empty(masked, w.expand(len(masked), -1), e), down)
        contexts = torch.stack([scale(C, w), restore_mean(C, w), base, blended])  # [4, L, D]
        moved = (contexts - C).norm(dim=-1) / C.norm(dim=-1)
        return contexts, moved, F.cosine_similarity(contexts, C[None], dim=-1)


def blend(B: Tensor, masked: Tensor, w: Tensor) -> Tensor:
    """`weighting.blend_masked` of B [L, D] with masked [K, L, D]: weight 1 has no share.

    That function takes one context at a time, however many there are; a graph takes one tensor.
    tan((1 − w) π/2) is 1 / tan(w π/2), which keeps its digits where w is near 0.
    """
    t = torch.where(w < 1, 1 / torch.tan(w.clamp(1e-5, 0.999999) * (math.pi / 2)), 0.0)  # [K]
    return (B + (t[:, None, None] * masked).sum(0)) / (1 + t.sum())


def contexts(count: int) -> Tensor:
    """Random contexts [count, L, D], with a mean that can be restored."""
    return torch.randn(count, L, D, generator=torch.Generator().manual_seed(0)) + 0.5


WEIGH = {
    "weigh": Graph(
        build=Weigh,
        inputs={
            "plain": contexts(1)[0],
            "empty": contexts(1)[0].flip(0),
            "masked": contexts(3)[1:],
            "weights": torch.linspace(0, 2, L),
            "down": torch.tensor([0.0, 0.5]),
        },
        outputs=("contexts", "moved", "cosine"),
        precision="fp16",  # there are no weights to store
        tolerance=1e-3,  # restoring a mean divides by one that may be near 0
        dynamic={"masked": {0: "K"}, "down": {0: "K"}},
    ),
}
