"""The sub-layers of CLIP's text encoder: one class for each definition, in the lecture's order.

Shape letters: B batch, L tokens, D width, H heads, K head width, V vocabulary. A leading B may be
missing, as it is in the lecture. nn.Linear keeps the transpose of the lecture's W in its `.weight`.

Where speed and reading part ways, a module has two paths, proved equal in tests:
called plainly it takes torch's fused kernel; called with a `Trace` it walks through the equations
one by one and writes every intermediate down.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .trace import NO_TRACE


class Embedding(nn.Module):
    """One learned row for each id: X[i, :] = E[t_i, :].

    ids [..., L] of integers in 0 … V−1 → [..., L, D]. The lecture counts ids from 1; every
    implementation counts from 0 (erratum E8). An id outside raises IndexError.
    Source: Lecture eqs 21–23.
    """

    def __init__(self, vocab_size: int, width: int):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(vocab_size, width))  # E [V, D]
        nn.init.normal_(self.weight, std=0.02)

    def forward(self, ids: Tensor) -> Tensor:
        if not torch.compiler.is_compiling():
            self.refuse_unknown(ids)
        return F.embedding(ids, self.weight)

    def extra_repr(self) -> str:
        return "{}, {}".format(*self.weight.shape)

    def refuse_unknown(self, ids: Tensor) -> None:
        V = len(self.weight)
        low, high = ids.aminmax()
        if low < 0 or high >= V:
            raise IndexError(
                f"Id {int(low if low < 0 else high)} is not in the table: ids run from 0 to "
                f"{V - 1}. Was the text encoded by the tokenizer that belongs to this model?"
            )


class LayerNorm(nn.Module):
    """Give each position mean 0 and variance 1 over its D components, then scale and shift.

    X [..., L, D] → [..., L, D]. The variance divides by D, not by D − 1.
    Source: Lecture eqs 24–26.
    """

    def __init__(self, width: int, eps: float = 1e-5):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))  # γ [D]
        self.bias = nn.Parameter(torch.zeros(width))  # β [D]
        self.eps = eps

    def forward(self, X: Tensor, trace=NO_TRACE) -> Tensor:
        if trace is NO_TRACE:
            return F.layer_norm(X, self.weight.shape, self.weight, self.bias, self.eps)
        mu = trace("mu", X.mean(-1, keepdim=True))  # [..., L, 1]                    eq. 25
        var = trace("sigma2", (X - mu).square().mean(-1, keepdim=True))  # [..., L, 1]
        return self.weight * (X - mu) / torch.sqrt(var + self.eps) + self.bias  # eq. 26

    def extra_repr(self) -> str:
        return f"{len(self.weight)}, eps={self.eps}"


class QuickGELUActivation(nn.Module):
    """A cheap stand-in for GELU, from which it differs by at most 0.0203: u · σ(1.702 u).

    Any shape → the same shape. Weights trained with it must be run with it (erratum E41).
    Source: Lecture eq. 27.
    """

    slope = 1.702

    def forward(self, u: Tensor) -> Tensor:
        return u * torch.sigmoid(self.slope * u)


def softmax(A: Tensor, axis: int) -> Tensor:
    """Positive numbers that sum to 1 along an axis: exp(A) / Σ exp(A).

    A [..., m, n] → the same shape. The lecture's Softmax⁽¹⁾ is axis=−2 (columns sum to 1), its
    Softmax⁽²⁾ is axis=−1 (rows sum to 1). A slice that is −∞ throughout has no answer: NaN.
    Source: Lecture eqs 28 and 29.
    """
    # The largest entry is taken off first. It cancels in the quotient, and exp cannot overflow.
    E = torch.exp(A - A.amax(axis, keepdim=True))
    return E / E.sum(axis, keepdim=True)


class CLIPAttention(nn.Module):
    """Each token collects a weighted mean of the values of the tokens that it may see.

    X [..., L, D], M [L, L] or [B, L, L] of bool, M[i, j] = token i may see token j → [..., L, D].
    The four maps have biases, which the lecture leaves out (erratum E6); the last one is W_O
    (erratum E7). A row of M with no True in it has no softmax: traced,
    as in the equations, it is NaN; torch's fused kernel answers 0 for it (erratum E42).
    Source: Lecture eqs 30–35.
    """

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.q_proj = nn.Linear(width, width)  # W_Q⁽¹⁾ … W_Q⁽ᴴ⁾ side by side
        self.k_proj = nn.Linear(width, width)
        self.v_proj = nn.Linear(width, width)
        self.out_proj = nn.Linear(width, width)  # W_O

    def split(self, X: Tensor) -> Tensor:
        """[..., L, D] → [..., H, L, K]: cut the width into heads."""
        return X.unflatten(-1, (self.heads, -1)).transpose(-3, -2)

    def join(self, A: Tensor) -> Tensor:
        """[..., H, L, K] → [..., L, D]: put the heads side by side again."""
        return A.transpose(-3, -2).flatten(-2)

    def forward(self, X: Tensor, M: Tensor, trace=NO_TRACE) -> Tensor:
        M = M.unsqueeze(-3).expand(*X.shape[:-2], 1, -1, -1)  # [..., 1, L, L]: same for each head
        Q = trace("Q", self.split(self.q_proj(X)))  # [..., H, L, K]                 eq. 31
        K = trace("K", self.split(self.k_proj(X)))
        V = trace("V", self.split(self.v_proj(X)))
        if trace is NO_TRACE:
            A = F.scaled_dot_product_attention(Q, K, V, attn_mask=M)
        else:
            S = trace("S", Q @ K.mT / math.sqrt(Q.shape[-1]))  # [..., H, L, L]      eq. 32
            S_masked = trace("S_masked", S.masked_fill(~M, -math.inf))  # eq. 33
            weights = trace("weights", softmax(S_masked, axis=-1))
            A = trace("A", weights @ V)  # [..., H, L, K]                            eq. 34
        return self.out_proj(self.join(A))  # [..., L, D]                            eq. 35


class CLIPMLP(nn.Module):
    """Widen each position to D_mlp features, bend them, and come back to D.

    X [..., L, D] → [..., L, D], every position by itself.
    Source: Lecture eqs 36–39.
    """

    def __init__(self, width: int, mlp_width: int):
        super().__init__()
        self.fc1 = nn.Linear(width, mlp_width)  # W_1, b_1
        self.activation_fn = QuickGELUActivation()
        self.fc2 = nn.Linear(mlp_width, width)  # W_2, b_2

    def forward(self, X: Tensor, trace=NO_TRACE) -> Tensor:
        H_1 = trace("H_1", self.fc1(X))  # [..., L, D_mlp]                           eq. 37
        if trace is NO_TRACE and H_1.dtype != torch.float16:
            # The same in fewer passes: QuickGELU(u) = silu(s u) / s, with s = 1.702. In fp16 s u
            # may overflow where the answer does not. Without gradients, in H_1's own memory. (A
            # hook that keeps H_1 sees it change.)
            s = self.activation_fn.slope
            if torch.is_grad_enabled():
                H_2 = F.silu(H_1 * s) / s
            else:
                H_2 = F.silu(H_1.mul_(s), inplace=True).div_(s)
        else:
            H_2 = trace("H_2", self.activation_fn(H_1))  # eq. 38
        return self.fc2(H_2)  # [..., L, D]                                          eq. 39


class GELUMLP(CLIPMLP):
    """The same with the exact GELU between the two maps: u · Φ(u), Φ the normal distribution's.

    X [..., L, D] → [..., L, D]. open_clip trained its own CLIPs with it (erratum E41).
    Source: Hendrycks and Gimpel 2016.
    """

    def __init__(self, width: int, mlp_width: int):
        super().__init__(width, mlp_width)
        self.activation_fn = nn.GELU()  # type: ignore[assignment]  # nobody asks it for a slope

    def forward(self, X: Tensor, trace=NO_TRACE) -> Tensor:
        H_1 = trace("H_1", self.fc1(X))  # [..., L, D_mlp]
        H_2 = trace("H_2", self.activation_fn(H_1))
        return self.fc2(H_2)  # [..., L, D]


class CLIPEncoderLayer(nn.Module):
    """Attention, then MLP; each reads a normalized copy and adds its answer to the stream.

    X [..., L, D], M [L, L] or [B, L, L] → [..., L, D].
    Source: Lecture eqs 40–44.
    """

    def __init__(self, width: int, heads: int, mlp_width: int):
        super().__init__()
        self.layer_norm1 = LayerNorm(width)
        self.self_attn = CLIPAttention(width, heads)
        self.layer_norm2 = LayerNorm(width)
        self.mlp = CLIPMLP(width, mlp_width)

    def forward(self, X: Tensor, M: Tensor, trace=NO_TRACE) -> Tensor:
        U = trace("U", self.layer_norm1(X, trace.at("layer_norm1")))  # eq. 41
        H = trace("H", self.self_attn(U, M, trace.at("self_attn")))  # eq. 42
        Y = trace("Y", X + H)  # eq. 43
        del U, H  # the MLP needs the most memory, and needs neither
        V = trace("V", self.layer_norm2(Y, trace.at("layer_norm2")))
        Z = trace("Z", self.mlp(V, trace.at("mlp")))  # eq. 44
        return Y + Z


class CLIPEncoder(nn.Module):
    """N layers, one after the other.

    X [..., L, D], M [L, L] or [B, L, L] → the N + 1 states of the stream, H_0 = X, H_1 … H_N, each
    [..., L, D]. Name some of them in `keep`, and only these take up memory; the others are None.
    The lecture's encoder ends with a LayerNorm (eq. 48), whose parameters are in its set (eq. 45).
    In every library that LayerNorm belongs to the text model, so H_N is not yet normalized
    (erratum E26).
    Source: Lecture eqs 45–47.
    """

    def __init__(self, width: int, heads: int, layers: int, mlp_width: int):
        super().__init__()
        self.layers = nn.ModuleList(
            CLIPEncoderLayer(width, heads, mlp_width) for _ in range(layers)
        )

    def forward(self, X: Tensor, M: Tensor, trace=NO_TRACE, keep=None) -> tuple[Tensor, ...]:
        H = [trace("H_0", X)]  # eq. 46
        for n, layer in enumerate(self.layers):
            H.append(trace(f"H_{n + 1}", layer(H[n], M, trace.at(f"layers.{n}"))))  # eq. 47
            if keep is not None and n not in keep:
                H[n] = None
        return tuple(H)


def choose_activation(encoder: CLIPEncoder, activation: str) -> None:
    """Give a fresh encoder the MLPs of an activation; as it is made, it has QuickGELU's."""
    if activation == "gelu":
        for layer in encoder.modules():
            if isinstance(layer, CLIPEncoderLayer):
                mlp_width, width = layer.mlp.fc1.weight.shape
                layer.mlp = GELUMLP(width, mlp_width)


class CLIPTextEmbeddings(nn.Module):
    """What the token is, plus where it stands.

    ids [..., L] of integers, L at most the length of the position table → [..., L, D].
    The table is an upper bound: shorter sequences simply use fewer of its rows (erratum E27).
    Source: Lecture eqs 49–51.
    """

    def __init__(self, vocab_size: int, context_length: int, width: int):
        super().__init__()
        self.token_embedding = Embedding(vocab_size, width)  # E_tok [V, D]
        self.position_embedding = Embedding(context_length, width)  # E_pos [L_max, D]

    def forward(self, ids: Tensor, trace=NO_TRACE) -> Tensor:
        T = trace("T", self.token_embedding(ids))  # [..., L, D]                     eq. 49
        positions = torch.arange(ids.shape[-1], device=ids.device)  # 0, 1, …, L − 1
        P = trace("P", self.position_embedding(positions))  # [L, D]                 eq. 50
        return T + P  # eq. 51
