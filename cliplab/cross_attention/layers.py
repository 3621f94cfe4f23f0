"""The layers through which Stable Diffusion 1.5's U-Net reads a context, innermost first.

Shape letters: B batch, P places (h · w of them, row by row), L tokens, C width of the image's
features, D width of the context, H heads, K head width = C / H. Parameters are named as in
diffusers, so that the state dict of its Transformer2DModel loads strictly.

As in the text encoder, a module called plainly takes torch's fused kernel; called with a `Trace`
it walks through the equations and writes every intermediate down. Tests hold the two equal.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..text_encoder.layers import LayerNorm, softmax
from ..text_encoder.trace import NO_TRACE


class CrossAttention(nn.Module):
    """Each place of the image collects a weighted mean of the values of all tokens.

    X [B, P, C], context [B, L, D] → [B, P, C]. Without a context the places look at each other:
    self-attention, with D = C and L = P. Queries, keys and values have no bias, the output has one.
    The scores are divided by √K, the head's width: 40, 80 or 160 in SD 1.5, which has 8 heads at
    each of its widths C = 320, 640 and 1280.

    factors [L] or [B, L]: multiply each token's weight after the softmax and normalize nothing, so
    that the weights of a place no longer sum to 1: the attention re-weighting of prompt-to-prompt
    (Hertz et al. 2022, section 3). It changes what a token brings, not who looks at it, and is the
    same as multiplying the token's value row. None → all 1.

    With trace=Trace(): "Q", "K", "V", "S", "weights" [B, H, P, L] (before the factors) and "A".
    Source: diffusers attention_processor.py; errata E19, E20.
    """

    def __init__(self, width: int, context_width: int | None = None, heads: int = 8):
        super().__init__()
        if width % heads:
            raise ValueError(
                f"The width must split evenly into heads, but {width} / {heads} = "
                f"{width / heads:g}. Choose a number of heads that divides the width."
            )
        C, D = width, context_width or width
        self.heads = heads
        self.to_q = nn.Linear(C, C, bias=False)  # from the image
        self.to_k = nn.Linear(D, C, bias=False)  # from the text, to the image's width
        self.to_v = nn.Linear(D, C, bias=False)
        self.to_out = nn.ModuleList([nn.Linear(C, C)])  # to_out.0; diffusers has a Dropout(0) after

    def split(self, X: Tensor) -> Tensor:
        """[B, P, C] → [B, H, P, K]: cut the width into heads."""
        return X.unflatten(-1, (self.heads, -1)).transpose(-3, -2)

    def join(self, A: Tensor) -> Tensor:
        """[B, H, P, K] → [B, P, C]: put the heads side by side again."""
        return A.transpose(-3, -2).flatten(-2)

    def forward(
        self, X: Tensor, context: Tensor | None = None, factors=None, trace=NO_TRACE
    ) -> Tensor:
        context = X if context is None else context
        c = read_factors(factors, *context.shape[:2]).to(context)  # [B, 1, 1, L]
        Q = trace("Q", self.split(self.to_q(X)))  # [B, H, P, K]
        K = trace("K", self.split(self.to_k(context)))  # [B, H, L, K]
        V = trace("V", self.split(self.to_v(context)))  # [B, H, L, K]
        if trace is NO_TRACE:
            A = F.scaled_dot_product_attention(Q, K, c.mT * V)
        else:
            S = trace("S", Q @ K.mT / math.sqrt(Q.shape[-1]))  # [B, H, P, L]
            weights = trace("weights", softmax(S, axis=-1))  # each row sums to 1
            A = trace("A", (c * weights) @ V)  # [B, H, P, K]
        return self.to_out[0](self.join(A))  # [B, P, C]


def read_factors(factors: Tensor | None, B: int, L: int) -> Tensor:
    """A factor for each token as [B, 1, 1, L], or [1, 1, 1, L] for all prompts alike."""
    if factors is None:
        return torch.ones(1, 1, 1, L)
    factors = torch.as_tensor(factors, dtype=torch.float32)
    if factors.shape not in ((L,), (B, L)):
        raise ValueError(
            f"A factor for each token is a tensor [{L}], or [{B}, {L}] with a row for each prompt; "
            f"this one has the shape {list(factors.shape)}."
        )
    if not factors.isfinite().all():
        raise ValueError("A factor must be a finite number; these hold an infinity or a NaN.")
    return factors.view(-1, 1, 1, L)


class GEGLU(nn.Module):
    """Half of a widened row, gated by the GELU of the other half.

    X [..., C] → [..., C_wide]. This GELU is the exact one, not CLIP's QuickGELU.
    Source: Shazeer 2020; diffusers activations.py.
    """

    def __init__(self, width: int, wide: int):
        super().__init__()
        self.proj = nn.Linear(width, 2 * wide)

    def forward(self, X: Tensor) -> Tensor:
        value, gate = self.proj(X).chunk(2, dim=-1)
        return value * F.gelu(gate)


class FeedForward(nn.Module):
    """Widen each place to 4 C features through a gate, and come back to C.

    X [..., C] → [..., C], every place by itself. Source: diffusers attention.py.
    """

    def __init__(self, width: int):
        super().__init__()
        # The name net.2 is diffusers', which has a Dropout(0) at net.1.
        self.net = nn.Sequential(
            GEGLU(width, 4 * width), nn.Identity(), nn.Linear(4 * width, width)
        )

    def forward(self, X: Tensor) -> Tensor:
        return self.net(X)


class BasicTransformerBlock(nn.Module):
    """The places look at each other, then at the text, then think by themselves.

    X [B, P, C], context [B, L, D] → [B, P, C]. Each part reads a normalized copy and adds its
    answer. Source: diffusers attention.py; erratum E21.
    """

    def __init__(self, width: int, context_width: int, heads: int = 8):
        super().__init__()
        self.norm1 = LayerNorm(width)
        self.attn1 = CrossAttention(width, heads=heads)
        self.norm2 = LayerNorm(width)
        self.attn2 = CrossAttention(width, context_width, heads)
        self.norm3 = LayerNorm(width)
        self.ff = FeedForward(width)

    def forward(self, X: Tensor, context: Tensor, factors=None, trace=NO_TRACE) -> Tensor:
        X = X + self.attn1(self.norm1(X), trace=trace.at("attn1"))
        X = X + self.attn2(self.norm2(X), context, factors, trace.at("attn2"))
        return X + self.ff(self.norm3(X))


class Transformer2D(nn.Module):
    """An image goes in and comes out; in between it is a row of places that read the text.

    image [B, C, h, w], context [B, L, D] → [B, C, h, w]: normalize over groups of channels, mix the
    channels, read, mix them again, and add the answer to what came in. Stable Diffusion 1.5 has 16
    of these. width must divide by groups (32 there). Source: diffusers transformer_2d.py; erratum
    E21.
    """

    def __init__(self, width: int, context_width: int, heads: int = 8, groups: int = 32):
        super().__init__()
        self.norm = nn.GroupNorm(groups, width, eps=1e-6)
        self.proj_in = nn.Conv2d(width, width, kernel_size=1)
        block = BasicTransformerBlock(width, context_width, heads)
        self.transformer_blocks = nn.ModuleList([block])
        self.proj_out = nn.Conv2d(width, width, kernel_size=1)

    def forward(self, image: Tensor, context: Tensor, factors=None, trace=NO_TRACE) -> Tensor:
        h, w = image.shape[-2:]
        X = self.proj_in(self.norm(image)).flatten(2).mT  # [B, P, C]
        for n, block in enumerate(self.transformer_blocks):
            X = block(X, context, factors, trace.at(f"transformer_blocks.{n}"))
        return image + self.proj_out(X.mT.unflatten(-1, (h, w)))  # [B, C, h, w]
