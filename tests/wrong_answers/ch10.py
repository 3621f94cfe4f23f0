"""Answers to the exercises of chapter 10, right ones and wrong ones."""

import math

import torch
import torch.nn.functional as F

from classroom.exercises.ch10 import attention


def by_sdpa(Q, K, V, heads):
    Q, K, V = (X.unflatten(-1, (heads, -1)).transpose(0, 1) for X in (Q, K, V))
    return F.scaled_dot_product_attention(Q, K, V).transpose(0, 1).flatten(1)


def in_a_loop(Q, K, V, heads):
    parts = zip(*(X.chunk(heads, dim=-1) for X in (Q, K, V)), strict=True)
    return torch.cat([(q @ k.T / math.sqrt(q.shape[1])).softmax(1) @ v for q, k, v in parts], dim=1)


def by_einsum(Q, K, V, heads):
    q, k, v = (X.reshape(len(X), heads, -1) for X in (Q, K, V))
    weights = torch.einsum("phk,lhk->hpl", q, k).mul(q.shape[-1] ** -0.5).softmax(-1)
    return torch.einsum("hpl,lhk->phk", weights, v).reshape(len(Q), -1)


def every_other(X, heads):
    return X.unflatten(-1, (-1, heads)).permute(2, 0, 1)


RIGHT = {
    "10.1": [by_sdpa, in_a_loop, by_einsum],
    "10.2": [lambda C, H: (C / H) ** -0.5, lambda C, H: math.sqrt(H / C),
             lambda C, H: torch.tensor(C / H).rsqrt()],
    "10.3": [lambda W, V, c: (W * c) @ V, lambda W, V, c: W @ (c[:, None] * V),
             lambda W, V, c: torch.einsum("pl,l,lk->pk", W, c, V)],
}  # fmt: skip

WRONG = {
    "10.1": [
        (lambda Q, K, V, H: attention(Q, K, V, 1), "one head"),
        (lambda Q, K, V, H: attention(Q, K, V, H, scale=Q.shape[1] ** -0.5), "whole width"),
        (lambda Q, K, V, H: attention(Q, K, V, H, scale=1), "must be divided"),
        (lambda Q, K, V, H: attention(Q, K, V, H, scale=H / Q.shape[1]), "root"),
        (lambda Q, K, V, H: attention(Q, K, V, H, axis=-2), "over the places"),
        (lambda Q, K, V, H: attention(Q, K, V, H, split=lambda X: every_other(X, H)),
         "side by side"),
        (lambda Q, K, V, H: attention(Q, K, V, H, split=lambda X: X.reshape(H, len(X), -1)),
         "swap the axes"),
        (lambda Q, K, V, H: attention(Q, K, V, H, together=False), "swap the axes back"),
        (lambda Q, K, V, H: attention(Q, K, K, H), "mixture is of keys"),
        (lambda Q, K, V, H: by_sdpa(K, Q, Q, H), "shape"),
        (lambda Q, K, V, H: Q @ K, "RuntimeError"),
    ],
    "10.2": [
        (lambda C, H: 768**-0.5, "width of the text"),
        (lambda C, H: C**-0.5, "E20"),
        (lambda C, H: H**-0.5, "how wide is one"),
        (lambda C, H: H / C, "root"),
        (lambda C, H: math.sqrt(C / H), "below 1"),
        (lambda C, H: C // H, "width of a head"),
        (lambda C, H: 1.0, "should be"),
    ],
    "10.3": [
        (lambda W, V, c: W @ V, "no effect"),
        (lambda W, V, c: W * c / (W * c).sum(-1, keepdim=True) @ V, "normalized again"),
        (lambda W, V, c: (W * c).softmax(-1) @ V, "second softmax"),
        (lambda W, V, c: (W.log() * c).softmax(-1) @ V, "before the softmax"),
        (lambda W, V, c: (W * c) @ (c[:, None] * V), "twice"),
        (lambda W, V, c: (W + c - 1) @ V, "added"),
        (lambda W, V, c: W * c, "these are the weights"),
        (lambda W, V, c: (W * c) @ V.T, "RuntimeError"),
    ],
}  # fmt: skip
