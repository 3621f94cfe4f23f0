"""Answers to the exercises of chapter 05, right ones and usual mistakes."""

import math

import torch
import torch.nn.functional as F

from cliplab.text_encoder import CLIPTextModel, softmax

# 05.1


def norm(X, gamma, beta, eps=1e-5):
    mu = X.mean(-1, keepdim=True)
    var = (X - mu).pow(2).mean(-1, keepdim=True)
    return gamma * (X - mu) / (var + eps).sqrt() + beta


def norm_by_var(X, gamma, beta, eps=1e-5):
    var, mu = torch.var_mean(X, dim=1, correction=0, keepdim=True)
    return (X - mu) * torch.rsqrt(var + eps) * gamma + beta


def norm_by_row(X, gamma, beta, eps=1e-5):
    rows = []
    for x in X:
        m = x.sum() / len(x)
        s2 = ((x - m) ** 2).sum() / len(x)
        rows.append(gamma * (x - m) / torch.sqrt(s2 + eps) + beta)
    return torch.stack(rows)


def norm_in_place(X, gamma, beta, eps=1e-5):
    X -= X.mean(-1, keepdim=True)
    X /= torch.sqrt(X.square().mean(-1, keepdim=True) + eps)
    return X.mul_(gamma).add_(beta)


def norm_of_torch(X, gamma, beta, eps=1e-5):
    return F.layer_norm(X, (X.shape[-1],), gamma, beta, eps)


def norm_unbiased(X, gamma, beta, eps=1e-5):
    return gamma * (X - X.mean(-1, keepdim=True)) / (X.var(-1, keepdim=True) + eps).sqrt() + beta


def norm_eps_outside(X, gamma, beta, eps=1e-5):
    std = X.std(-1, keepdim=True, correction=0)
    return gamma * (X - X.mean(-1, keepdim=True)) / (std + eps) + beta


def norm_wrong_axis(X, gamma, beta, eps=1e-5):
    var, mu = torch.var_mean(X, dim=0, correction=0)
    return gamma * (X - mu) / (var + eps).sqrt() + beta


def norm_no_eps(X, gamma, beta, eps=1e-5):
    return gamma * (X - X.mean(-1, keepdim=True)) / X.std(-1, keepdim=True, correction=0) + beta


def norm_fixed_eps(X, gamma, beta, eps=1e-5):
    return norm(X, gamma, beta)


def norm_no_root(X, gamma, beta, eps=1e-5):
    var, mu = torch.var_mean(X, dim=-1, correction=0, keepdim=True)
    return gamma * (X - mu) / (var + eps) + beta


def norm_no_keepdim(X, gamma, beta, eps=1e-5):
    return gamma * (X - X.mean(-1)) / (X.var(-1, correction=0) + eps).sqrt() + beta


# 05.3


def head(X, W_Q, W_K, W_V, M):
    Q, K, V = X @ W_Q, X @ W_K, X @ W_V
    S = Q @ K.T / Q.shape[-1] ** 0.5
    return torch.softmax(S.masked_fill(~M, -math.inf), dim=-1) @ V


def head_of_the_package(X, W_Q, W_K, W_V, M):
    S = (X @ W_Q) @ (X @ W_K).mT / math.sqrt(W_K.shape[1])
    return softmax(torch.where(M, S, torch.tensor(-math.inf)), axis=-1) @ (X @ W_V)


def head_fused(X, W_Q, W_K, W_V, M):
    return F.scaled_dot_product_attention(X @ W_Q, X @ W_K, X @ W_V, attn_mask=M)


def head_additive(X, W_Q, W_K, W_V, M):
    S = (X @ W_Q) @ (X @ W_K).T * W_Q.shape[1] ** -0.5
    weights = (S + torch.zeros_like(S).masked_fill(~M, torch.finfo(S.dtype).min)).softmax(-1)
    return weights @ X @ W_V


def head_renormalized(X, W_Q, W_K, W_V, M):
    """Mask after exp and before the sum: the same thing."""
    E = torch.exp((X @ W_Q) @ (X @ W_K).T / math.sqrt(W_Q.shape[1])) * M
    return E / E.sum(-1, keepdim=True) @ (X @ W_V)


def scores(X, W_Q, W_K):
    return (X @ W_Q) @ (X @ W_K).T / math.sqrt(W_Q.shape[1])


def head_scaled_by_width(X, W_Q, W_K, W_V, M):
    S = (X @ W_Q) @ (X @ W_K).T / math.sqrt(X.shape[-1])
    return torch.softmax(S.masked_fill(~M, -math.inf), -1) @ (X @ W_V)


def head_no_scale(X, W_Q, W_K, W_V, M):
    S = (X @ W_Q) @ (X @ W_K).T
    return torch.softmax(S.masked_fill(~M, -math.inf), -1) @ (X @ W_V)


def head_mask_after(X, W_Q, W_K, W_V, M):
    return (torch.softmax(scores(X, W_Q, W_K), -1) * M) @ (X @ W_V)


def head_wrong_axis(X, W_Q, W_K, W_V, M):
    S = scores(X, W_Q, W_K).masked_fill(~M, -math.inf)
    return torch.softmax(S, dim=0) @ (X @ W_V)


def head_no_mask(X, W_Q, W_K, W_V, M):
    return torch.softmax(scores(X, W_Q, W_K), -1) @ (X @ W_V)


def head_mask_inverted(X, W_Q, W_K, W_V, M):
    return torch.softmax(scores(X, W_Q, W_K).masked_fill(M, -math.inf), -1) @ (X @ W_V)


def head_mask_to_zero(X, W_Q, W_K, W_V, M):
    return torch.softmax(scores(X, W_Q, W_K) * M, -1) @ (X @ W_V)


def head_swapped(X, W_Q, W_K, W_V, M):
    return head(X, W_K, W_Q, W_V, M)


def head_weights_only(X, W_Q, W_K, W_V, M):
    return torch.softmax(scores(X, W_Q, W_K).masked_fill(~M, -math.inf), -1)


# 05.4


def count(c, attention_bias=1, mlp_bias=1, norms=1, final=1, positions=1, W_O=1):
    D, wide = c.width, c.mlp_width
    attention = (3 + W_O) * D * D + attention_bias * 4 * D
    mlp = 2 * D * wide + mlp_bias * (wide + D)
    layer = attention + mlp + norms * 4 * D
    tables = c.vocab_size * D + positions * c.context_length * D
    return tables + c.layers * layer + final * 2 * D


def count_by_building(c):
    with torch.device("meta"):  # shapes without memory
        return CLIPTextModel(c).num_parameters()


RIGHT = {
    "05.1": [head, head_of_the_package, head_fused, head_additive, head_renormalized],
    "05.2": [
        lambda u: u * torch.sigmoid(1.702 * u),
        lambda u: u / (1 + torch.exp(-1.702 * u)),
        lambda u: F.silu(1.702 * u) / 1.702,
        lambda u: u.mul_((1.702 * u).sigmoid()),
    ],
    "05.3": [norm, norm_by_var, norm_by_row, norm_in_place, norm_of_torch],
    "05.4": [count, count_by_building, lambda c: float(count(c))],
}

WRONG = {
    "05.1": [
        (head_scaled_by_width, "head's width"),
        (lambda X, Q, K, V, M: head(X / 2**0.5, Q, K, V * 2**0.5, M), "root is missing"),
        (head_no_scale, "no scale"),
        (head_mask_after, "after the softmax"),
        (head_wrong_axis, "wrong axis"),
        (head_no_mask, "not used"),
        (head_mask_inverted, "upside down"),
        (head_mask_to_zero, "−∞, not 0"),
        (head_swapped, "swapped"),
        (head_weights_only, "shape"),
    ],
    "05.2": [
        (F.gelu, "exact GELU"),
        (lambda u: F.gelu(u, approximate="tanh"), "tanh"),
        (F.silu, "SiLU"),
        (lambda u: torch.sigmoid(1.702 * u), "in front of the sigmoid is missing"),
        (lambda u: 1.702 * u * torch.sigmoid(u), "inside the sigmoid"),
        (lambda u: F.silu(1.702 * u), "alone"),
        (lambda u: u / (1 + torch.exp(1.702 * u)), "sign"),
        (lambda u: u * torch.exp(1.702 * u) / (1 + torch.exp(1.702 * u)), "overflow"),
        (F.relu, "differ"),
    ],
    "05.3": [
        (norm_unbiased, "D − 1"),
        (norm_eps_outside, "inside the root"),
        (norm_wrong_axis, "wrong axis"),
        (norm_no_eps, "0/0"),
        (norm_fixed_eps, "as it is given"),
        (norm_no_root, "root"),
        (norm_no_keepdim, "size of tensor"),
        (lambda X, gamma, beta, eps=1e-5: norm(X, 1, 0, eps), "gamma and beta"),
        (lambda X, gamma, beta, eps=1e-5: norm(X, gamma, 0, eps), "beta is not"),
        (lambda X, gamma, beta, eps=1e-5: norm(X, gamma, beta, eps)[0], "shape"),
    ],
    "05.4": [
        (lambda c: count(c, attention_bias=0), "biases of W_Q"),
        (lambda c: count(c, norms=0), "two LayerNorms"),
        (lambda c: count(c, mlp_bias=0), "biases of the MLP"),
        (lambda c: count(c, attention_bias=0, mlp_bias=0), "attention and MLP"),
        (lambda c: count(c, norms=0, final=0), "LayerNorms are missing"),
        (lambda c: count(c, final=0), "final LayerNorm"),
        (lambda c: count(c, norms=0.5, final=0.5), "γ and β"),
        (lambda c: count(c, attention_bias=0, norms=0, final=0), "attention biases and the"),
        (lambda c: count(c, attention_bias=0, mlp_bias=0, norms=0, final=0), "biases and the"),
        (lambda c: count(c, positions=0), "position table"),
        (lambda c: count(c, W_O=0), "W_O"),
        (lambda c: count(c, attention_bias=0.75), "W_O has one"),
        (lambda c: count(c) + c.width**2, "projection"),
        (lambda c: count(c) - c.vocab_size * c.width, "token table"),
        (lambda c: str(count(c)), "should be"),
    ],
}
