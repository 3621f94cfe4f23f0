"""T5's encoder: ids in, context out; every token sees every other, before it and after it.

It differs from CLIP's text encoder in this: RMSNorm for LayerNorm; no biases; scores are not
divided by √K, which the initialization of W_Q makes up for; a number for each distance is added to
them; a gated MLP; no causal mask, so that a PAD mask changes every row; no last position.
"""

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..text_encoder import Embedding, Trace, softmax
from ..text_encoder.inputs import read_ids, visibility
from ..text_encoder.output import EncoderOutput
from ..text_encoder.trace import NO_TRACE
from .config import T5Config
from .norm import RMSNorm
from .positions import RelativePositionBias


class T5Attention(nn.Module):
    """Attention whose scores are Q Kᵀ + B, with no division by √K.

    X [B, L, D], bias [B or 1, H, L, L], −∞ where nothing may be seen → [B, L, D].
    The heads' common width H·K need not be D. Source: Raffel et al. 2020, §2.1.
    """

    def __init__(self, config: T5Config):
        super().__init__()
        c, inner = config, config.heads * config.head_width
        self.heads = c.heads
        self.q = nn.Linear(c.width, inner, bias=False)  # W_Q
        self.k = nn.Linear(c.width, inner, bias=False)
        self.v = nn.Linear(c.width, inner, bias=False)
        self.o = nn.Linear(inner, c.width, bias=False)  # W_O

    def split(self, X: Tensor) -> Tensor:
        """[B, L, H·K] → [B, H, L, K]."""
        return X.unflatten(-1, (self.heads, -1)).transpose(-3, -2)

    def forward(self, X: Tensor, bias: Tensor, trace=NO_TRACE) -> Tensor:
        Q = trace("Q", self.split(self.q(X)))  # [B, H, L, K]
        K = trace("K", self.split(self.k(X)))
        V = trace("V", self.split(self.v(X)))
        if trace is NO_TRACE:
            A = F.scaled_dot_product_attention(Q, K, V, attn_mask=bias, scale=1.0)
        else:
            S = trace("S", Q @ K.mT + bias)  # [B, H, L, L]
            weights = trace("weights", softmax(S, axis=-1))
            A = trace("A", weights @ V)  # [B, H, L, K]
        return self.o(A.transpose(-3, -2).flatten(-2))


SLOPE, CUBE = math.sqrt(2 / math.pi), 0.044715


class GatedGELU(nn.Module):
    """An MLP in which one map opens and closes the other: W_o (GELU(W_0 x) ⊙ W_1 x).

    X [..., D] → [..., D]. GELU by its approximation, as T5 was trained: GELU(u) ≈ ½ u (1 + tanh z),
    z = √(2/π) (u + 0.044715 u³). Source: Shazeer 2020, GEGLU; Hendrycks and Gimpel 2016.
    """

    def __init__(self, width: int, mlp_width: int):
        super().__init__()
        self.wi_0 = nn.Linear(width, mlp_width, bias=False)
        self.wi_1 = nn.Linear(width, mlp_width, bias=False)
        self.wo = nn.Linear(mlp_width, width, bias=False)

    def forward(self, X: Tensor, trace=NO_TRACE) -> Tensor:
        u = self.wi_0(X)  # [..., D_mlp]
        if trace is NO_TRACE:
            # ½ (1 + tanh z) = σ(2z), and torch is some times as fast at σ.
            gate = u * torch.sigmoid(u * (u.square() * (2 * SLOPE * CUBE) + 2 * SLOPE))
        else:
            gate = trace("gate", u * (1 + torch.tanh(SLOPE * (u + CUBE * u**3))) / 2)
        return self.wo(trace("gated", gate * self.wi_1(X)))


class SelfAttentionLayer(nn.Module):
    """The first half of a block: X + attention(RMSNorm(X)).

    X [B, L, D], bias [B or 1, H, L, L] → [B, L, D].
    """

    def __init__(self, config: T5Config):
        super().__init__()
        self.layer_norm = RMSNorm(config.width)
        self.SelfAttention = T5Attention(config)

    def forward(self, X: Tensor, bias: Tensor, trace=NO_TRACE) -> Tensor:
        U = trace("U", self.layer_norm(X, trace.at("layer_norm")))
        return within_fp16(X + self.SelfAttention(U, bias, trace.at("SelfAttention")))


class FeedForwardLayer(nn.Module):
    """The second half of a block: Y + MLP(RMSNorm(Y)).

    Y [B, L, D] → [B, L, D].
    """

    def __init__(self, config: T5Config):
        super().__init__()
        self.layer_norm = RMSNorm(config.width)
        self.DenseReluDense = GatedGELU(config.width, config.mlp_width)

    def forward(self, Y: Tensor, trace=NO_TRACE) -> Tensor:
        V = trace("V", self.layer_norm(Y, trace.at("layer_norm")))
        return within_fp16(Y + self.DenseReluDense(V, trace.at("DenseReluDense")))


def within_fp16(X: Tensor) -> Tensor:
    """In fp16, hold what is beyond its range at the end of it, as transformers does.

    T5's stream grows with every layer and was trained in bf16, which has the range of float32.
    """
    end = torch.finfo(torch.float16).max
    return X.clamp(-end, end) if X.dtype == torch.float16 else X


class T5Block(nn.Module):
    """Attention, then MLP; each reads a normalized copy and adds its answer to the stream.

    X [B, L, D], bias [B or 1, H, L, L] → [B, L, D]. Source: Raffel et al. 2020, §2.1.
    """

    def __init__(self, config: T5Config):
        super().__init__()
        self.layer = nn.ModuleList([SelfAttentionLayer(config), FeedForwardLayer(config)])

    def forward(self, X: Tensor, bias: Tensor, trace=NO_TRACE) -> Tensor:
        attention, mlp = self.layer
        Y = trace("Y", attention(X, bias, trace.at("layer.0")))
        return mlp(Y, trace.at("layer.1"))


class T5Stack(nn.Module):
    """N blocks under one bias, then a last RMSNorm.

    X [B, L, D], M [L, L] or [B, L, L] → the states H_0 = X, H_1 … H_N, before that norm, and
    RMSNorm(H_N). Only the first block has a table of biases, which all of them use.
    """

    def __init__(self, config: T5Config):
        super().__init__()
        c = config
        self.block = nn.ModuleList(T5Block(c) for _ in range(c.layers))
        table = RelativePositionBias(c.heads, c.buckets, c.max_distance)
        self.first_attention.relative_attention_bias = table
        self.final_layer_norm = RMSNorm(c.width)

    @property
    def first_attention(self) -> Any:
        first: Any = self.block[0]
        return first.layer[0].SelfAttention

    def forward(self, X: Tensor, M: Tensor, trace=NO_TRACE) -> tuple[tuple[Tensor, ...], Tensor]:
        B = self.first_attention.relative_attention_bias(X.shape[-2], trace)  # [H, L, L]
        trace("B", B)
        bias = B.masked_fill(~M.unsqueeze(-3), -math.inf).view(-1, *B.shape)  # [B or 1, H, L, L]
        H = [trace("H_0", X)]
        for n, block in enumerate(self.block):
            H.append(trace(f"H_{n + 1}", block(H[n], bias, trace.at(f"block.{n}"))))
        return tuple(H), self.final_layer_norm(H[-1], trace.at("final_layer_norm"))


class T5EncoderModel(nn.Module):
    """Token ids → context: rows of a table, N blocks, a last RMSNorm.

    A prompt is content + EOS (1) + padding (0); there is no BOS. The parameters are named as in
    transformers' T5EncoderModel, whose state dict holds the table of tokens twice.
    Source: Raffel et al. 2020; T5 v1.1.
    """

    def __init__(self, config: T5Config):
        super().__init__()
        self.config = config
        self.shared = Embedding(config.vocab_size, config.width)  # E_tok [V, D]
        self.encoder = T5Stack(config)
        initialize(self)
        self.register_load_state_dict_pre_hook(accept_second_table)

    def forward(self, ids, mask=None, trace=False) -> EncoderOutput:
        """Encode B prompts of L tokens, L as long as memory allows.

        ids: integers [B, L], or [L] for one prompt; tensor or lists.
        mask: of the shape of ids, True = may be seen by every row; [L, L] or [B, L, L], row i may
            see column j. None → all see all, padding too, which is how SD 3 and Flux.1 run it.
        trace: walk through the equations and keep every intermediate in `.trace`, by name.
        """
        ids = read_ids(ids, math.inf, self.shared.weight.device)
        note = Trace() if trace else NO_TRACE
        M = note("M", visibility(ids, mask, causal=False))  # [L, L] or [B, L, L]
        X = note("X", self.shared(ids))  # [B, L, D]
        H, C = self.encoder(X, M, note.at("encoder"))
        return EncoderOutput(note("C", C), H, note if isinstance(note, Trace) else None)

    def num_parameters(self) -> int:
        return sum(p.numel() for p in self.parameters())


@torch.no_grad()
def initialize(model: T5EncoderModel) -> None:
    """T5's initialization: normal, with these standard deviations.

    That of W_Q has 1/√K in it, by which other encoders divide their scores.
    """
    c, normal = model.config, nn.init.normal_
    normal(model.shared.weight, std=1.0)
    normal(model.encoder.first_attention.relative_attention_bias.weight, std=c.width**-0.5)
    blocks: Any = model.encoder.block
    for block in blocks:
        attn, mlp = block.layer[0].SelfAttention, block.layer[1].DenseReluDense
        normal(attn.q.weight, std=(c.width * c.head_width) ** -0.5)
        normal(attn.k.weight, std=c.width**-0.5)
        normal(attn.v.weight, std=c.width**-0.5)
        normal(attn.o.weight, std=(c.heads * c.head_width) ** -0.5)
        normal(mlp.wi_0.weight, std=c.width**-0.5)
        normal(mlp.wi_1.weight, std=c.width**-0.5)
        normal(mlp.wo.weight, std=c.mlp_width**-0.5)


def accept_second_table(model: nn.Module, state: dict, prefix: str, *_: Any) -> None:
    """Let a state dict hold the table of tokens under either of its names, or both."""
    second = state.pop(prefix + "encoder.embed_tokens.weight", None)
    if second is not None:
        state.setdefault(prefix + "shared.weight", second)
