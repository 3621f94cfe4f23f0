"""A decoder model as a text encoder: ids in, hidden states out, no word is ever generated.

It differs from CLIP's text encoder in this: RMSNorm for LayerNorm; no biases; positions turn
queries and keys; several query heads share a key and a value; a gated MLP. The mask is causal, as
CLIP's. Which state a pipeline takes, under which template and without which rows, is its own rule.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..text_encoder import Embedding, Trace, softmax
from ..text_encoder.inputs import read_ids, visibility
from ..text_encoder.output import EncoderOutput
from ..text_encoder.trace import NO_TRACE
from .config import DecoderConfig
from .norm import RMSNorm
from .positions import RotaryEmbedding, rotate


class GroupedQueryAttention(nn.Module):
    """Attention in which H query heads share G heads of keys and values, H/G to each.

    X [B, L, D], M [L, L] or [B, L, L], cos and sin [L, K/2] → [B, L, D]. With `qk_norm`, as in
    Qwen3, each head's query and key gets a root mean square of 1, and is scaled, before the turn.
    Source: Ainslie et al. 2023; Dehghani et al. 2023 for the norms.
    """

    def __init__(self, config: DecoderConfig):
        super().__init__()
        c = config
        self.heads, self.kv_heads = c.heads, c.kv_heads
        self.q_proj = nn.Linear(c.width, c.heads * c.head_width, bias=False)  # W_Q
        self.k_proj = nn.Linear(c.width, c.kv_heads * c.head_width, bias=False)
        self.v_proj = nn.Linear(c.width, c.kv_heads * c.head_width, bias=False)
        self.o_proj = nn.Linear(c.heads * c.head_width, c.width, bias=False)  # W_O
        self.q_norm = RMSNorm(c.head_width, c.eps) if c.qk_norm else nn.Identity()
        self.k_norm = RMSNorm(c.head_width, c.eps) if c.qk_norm else nn.Identity()

    def split(self, X: Tensor, heads: int) -> Tensor:
        """[B, L, heads·K] → [B, L, heads, K]."""
        return X.unflatten(-1, (heads, -1))

    def forward(self, X: Tensor, M: Tensor, cos: Tensor, sin: Tensor, trace=NO_TRACE) -> Tensor:
        Q = self.q_norm(self.split(self.q_proj(X), self.heads)).transpose(-3, -2)
        K = self.k_norm(self.split(self.k_proj(X), self.kv_heads)).transpose(-3, -2)
        V = trace("V", self.split(self.v_proj(X), self.kv_heads).transpose(-3, -2))  # [B, G, L, K]
        Q = trace("Q_turned", rotate(trace("Q", Q), cos, sin))  # [B, H, L, K]
        K = trace("K_turned", rotate(trace("K", K), cos, sin))  # [B, G, L, K]
        M = M.unsqueeze(-3).expand(len(X), 1, -1, -1)  # [B, 1, L, L]: same for each head
        if trace is NO_TRACE:
            A = F.scaled_dot_product_attention(Q, K, V, attn_mask=M, enable_gqa=True)
        else:
            K, V = (T.repeat_interleave(self.heads // self.kv_heads, dim=-3) for T in (K, V))
            S = trace("S", Q @ K.mT / math.sqrt(Q.shape[-1]))  # [B, H, L, L]
            S_masked = trace("S_masked", S.masked_fill(~M, -math.inf))
            weights = trace("weights", softmax(S_masked, axis=-1))
            A = trace("A", weights @ V)  # [B, H, L, K]
        return self.o_proj(A.transpose(-3, -2).flatten(-2))


class SwiGLU(nn.Module):
    """An MLP in which one map opens and closes the other: W_down (SiLU(W_gate x) ⊙ W_up x).

    X [..., D] → [..., D]; SiLU(u) = u σ(u). Source: Shazeer 2020.
    """

    def __init__(self, width: int, mlp_width: int):
        super().__init__()
        self.gate_proj = nn.Linear(width, mlp_width, bias=False)
        self.up_proj = nn.Linear(width, mlp_width, bias=False)
        self.down_proj = nn.Linear(mlp_width, width, bias=False)

    def forward(self, X: Tensor, trace=NO_TRACE) -> Tensor:
        gate, up = self.gate_proj(X), self.up_proj(X)  # [..., D_mlp]
        if trace is NO_TRACE and not torch.is_grad_enabled():  # the same, in gate's own memory
            return self.down_proj(F.silu(gate, inplace=True).mul_(up))
        return self.down_proj(trace("gated", trace("gate", F.silu(gate)) * up))


class DecoderLayer(nn.Module):
    """Attention, then MLP; each reads a normalized copy and adds its answer to the stream.

    X [B, L, D], M [L, L] or [B, L, L], cos and sin [L, K/2] → [B, L, D].
    """

    def __init__(self, config: DecoderConfig):
        super().__init__()
        c = config
        self.input_layernorm = RMSNorm(c.width, c.eps)
        self.self_attn = GroupedQueryAttention(c)
        self.post_attention_layernorm = RMSNorm(c.width, c.eps)
        self.mlp = SwiGLU(c.width, c.mlp_width)

    def forward(self, X: Tensor, M: Tensor, cos: Tensor, sin: Tensor, trace=NO_TRACE) -> Tensor:
        U = trace("U", self.input_layernorm(X, trace.at("input_layernorm")))
        Y = trace("Y", X + self.self_attn(U, M, cos, sin, trace.at("self_attn")))
        V = trace("V", self.post_attention_layernorm(Y, trace.at("post_attention_layernorm")))
        return Y + self.mlp(V, trace.at("mlp"))


class DecoderModel(nn.Module):
    """Token ids → context: rows of a table, N layers, a last RMSNorm; Qwen3 or Llama by its config.

    The parameters are named as in transformers' Qwen3Model and LlamaModel; the head that predicts
    words is no part of it. Source: Qwen3 technical report 2025; Touvron et al. 2023.
    """

    def __init__(self, config: DecoderConfig):
        super().__init__()
        c = self.config = config
        self.embed_tokens = Embedding(c.vocab_size, c.width)  # E_tok [V, D]
        self.layers = nn.ModuleList(DecoderLayer(c) for _ in range(c.layers))
        self.norm = RMSNorm(c.width, c.eps)
        self.rotary_emb = RotaryEmbedding(c.head_width, c.rope_theta)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=0.02)  # as both have it

    def forward(self, ids, mask=None, trace=False) -> EncoderOutput:
        """Encode B prompts of L tokens; positions are 0 … L − 1, padding counted.

        ids: integers [B, L], or [L] for one prompt; tensor or lists.
        mask: of the shape of ids, True = may be seen, multiplied with the causal mask; [L, L] or
            [B, L, L] → M itself. None → causal alone. Padding to the left of a prompt, which could
            see nothing at all, sees itself.
        trace: walk through the equations and keep every intermediate in `.trace`, by name.
        """
        ids = read_ids(ids, math.inf, self.norm.weight.device)
        note = Trace() if trace else NO_TRACE
        M = note("M", visibility(ids, mask, itself=True))  # [L, L] or [B, L, L]
        X = note("X", self.embed_tokens(ids))  # [B, L, D]
        angles = [T.to(X.dtype) for T in self.rotary_emb(ids.shape[-1], ids.device)]
        cos, sin = note("cos", angles[0]), note("sin", angles[1])  # [L, K/2]
        H = [note("H_0", X)]
        for n, layer in enumerate(self.layers):
            H.append(note(f"H_{n + 1}", layer(H[n], M, cos, sin, note.at(f"layers.{n}"))))
        C = note("C", self.norm(H[-1], note.at("norm")))
        return EncoderOutput(C, tuple(H), note if isinstance(note, Trace) else None)

    def num_parameters(self) -> int:
        return sum(p.numel() for p in self.parameters())
