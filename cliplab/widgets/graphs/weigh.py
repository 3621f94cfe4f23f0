"""What the tools make of a prompt's weights: one chunk of 77 tokens, by every method.

weigh      ids [77] int32: BOS, content, EOS, padding, in the miniature's vocabulary
           weights [77]: 1 for BOS, EOS and padding
           hidden [K, 77] int32: row k has 1 at the places of a fragment that weighs less than 1
           down [K]: the weights of these K fragments
  plain    [77, D]       the context without weights
  contexts [4, 77, D]    by the methods in METHODS' order
  moved    [4, 77]       how far each row lies from its place in `plain`, in lengths of the latter
  cosine   [4, 77]       of each row with the plain one

K is at least 1: where nothing weighs less than 1, hidden is one row of zeros and down is [1].

`hidden` and `down` are for Compel alone, which hides a fragment from all tokens, encodes again and
blends. A fragment counts once, however many tokens it has. Of a prompt of several chunks, each
chunk is one call with *all* of the prompt's lighter fragments: a row of zeros for one that stands
elsewhere. One that crosses a cut hides, from its first place to its last in the chunks laid end to
end, EOS, padding and BOS too; but never the first and the last place of a chunk.

Chunk by chunk, `contexts` are `encode_prompt(…).tensor` with the tools' own settings.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...checkpoints.files import the_mini
from ...weighting import from_empty, scale
from .clip import TWO_HEARTS, framed, mini
from .graph import Graph

METHODS = ("scale", "restore_mean", "from_empty", "compel")
NOTHING = ()


class Weigh(nn.Module):
    """One run of the encoder, over the chunk, the empty prompt, and the chunk seen K times less."""

    def __init__(self):
        super().__init__()
        self.model = mini().text_model
        self.register_buffer("empty", framed(NOTHING), persistent=False)  # [1, L]

    def forward(
        self, ids: Tensor, weights: Tensor, hidden: Tensor, down: Tensor
    ) -> tuple[Tensor, ...]:
        K, w = len(hidden), weights
        rows = torch.cat([ids[None], self.empty, ids.expand(K, -1)])  # [2 + K, L]
        everything = torch.ones_like(rows[:2], dtype=torch.bool)
        seen = torch.cat([everything, hidden == 0])  # as a PAD mask is: columns, beside causal
        C = self.model(rows, seen, hidden_states=False).context  # [2 + K, L, D]
        plain, empty, masked = C[0], C[1], C[2:]
        base = from_empty(plain, w, empty)
        contexts = torch.stack(
            [
                scale(plain, w),
                restored(plain, w),
                base,
                blended(base, from_empty(masked, w.expand(K, -1), empty), down),
            ]
        )
        moved = (contexts - plain).norm(dim=-1) / plain.norm(dim=-1)
        return plain, contexts, moved, F.cosine_similarity(contexts, plain[None], dim=-1)


# The next two are functions of weighting.operators, which decide, warn and loop in Python, as an
# exported graph cannot. Tests hold them to those.


def restored(C: Tensor, w: Tensor) -> Tensor:
    """`restore_mean` of one chunk C [L, D], w [L]; weights of 1 throughout leave it as it is."""
    scaled = scale(C, w)
    return torch.where((w == 1).all(), C, scaled * (C.mean() / scaled.mean()))


def blended(B: Tensor, masked: Tensor, w: Tensor) -> Tensor:
    """`blend_masked` of B [L, D] with masked [K, L, D]: a fragment of weight 1 has no share.

    tan((1 − w) π/2) is 1 / tan(w π/2), which keeps its digits where w is near 0.
    """
    t = torch.where(w < 1, 1 / torch.tan(w.clamp(1e-5, 0.999999) * (math.pi / 2)), 0.0)  # [K]
    return (B + (t[:, None, None] * masked).sum(0)) / (1 + t.sum())


def example() -> dict[str, Tensor]:
    """ "two (red hearts:1.3) and (a dog:0.5)", and a second fragment, "two", at weight 0."""
    weights, hidden = torch.ones(77), torch.zeros(2, 77, dtype=torch.int32)
    weights[1], weights[2:4], weights[5:7] = 0.0, 1.3, 0.5
    hidden[0, 1], hidden[1, 5:7] = 1, 1
    down = torch.tensor([0.0, 0.5])
    return {"ids": framed(TWO_HEARTS)[0], "weights": weights, "hidden": hidden, "down": down}


WEIGH = {
    "weigh": Graph(
        build=Weigh,
        inputs=example(),
        outputs=("plain", "contexts", "moved", "cosine"),
        precision="int8",
        tolerance=1e-4,
        weights=(the_mini(),),
        dynamic={"hidden": {0: "K"}, "down": {0: "K"}},
    ),
}
