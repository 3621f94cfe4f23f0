"""Checks for chapter 05, the encoder layer by layer."""

import math

import torch
import torch.nn.functional as F

from classroom.exercises import exercise, expect, plain, random, trying, why
from classroom.exercises.layers import misread_norms, misread_quick_gelus, norm
from cliplab.masks import causal_mask
from cliplab.text_encoder import CLIPTextConfig


@exercise("05.1", title="One masked attention head")
def attention_head(answer):
    call = trying(answer)
    X, W_V = random(6, 12, seed=53), random(12, 4, seed=54)
    W_Q, W_K = random(12, 4, seed=55) / 2, random(12, 4, seed=56) / 2
    no_1 = causal_mask(6)
    no_1[2:, 1] = False  # later tokens do not see token 1
    Q, K, V = X @ W_Q, X @ W_K, X @ W_V
    S = Q @ K.T / 2  # the root of the head's width, 4
    for M, where in [(causal_mask(6), "with the causal mask"), (no_1, "with token 1 hidden")]:
        wanted = _head(S, V, M)
        mistakes = [
            (
                _head(S * 2 / math.sqrt(12), V, M),
                "the scale is √4, the root of the head's width; yours takes the model's, √12",
            ),
            (_head(S / 2, V, M), "the root is missing: divide by √4, where 4 is the head's width"),
            (_head(S * 2, V, M), "there is no scale: divide by the root of the head's width"),
            (
                torch.softmax(S, -1) * M @ V,
                "the mask comes after the softmax, and rows no longer sum to 1; mask the scores",
            ),
            (torch.softmax(S, -1) @ V, "the mask is not used"),
            (_head(S, V, ~M), "the mask is upside down: M is True where a token may be seen"),
            (_head(S, V, M, hide=0.0), "a hidden score is −∞, not 0: exp(0) is 1"),
            (_head(S, V, M, axis=0), "the softmax runs along the wrong axis; rows sum to 1"),
            (_head(S.T, V, M), "queries and keys are swapped: the rows of S are queries"),
        ]
        got = call(X, W_Q, W_K, W_V, M)
        expect(got, wanted, where, why(got, wanted, mistakes))
    return "Scores over √d_h, −∞ where the mask says no, softmax along the keys, then the values."


def _head(S, V, M, hide=-math.inf, axis=-1):
    return torch.softmax(S.masked_fill(~M, hide), axis) @ V


@exercise("05.2", title="QuickGELU")
def quick_gelu(answer):
    call = trying(answer)
    u = torch.cat([torch.linspace(-6, 6, 25), torch.tensor([-100.0, 100.0])])
    got, wanted = call(u), u * torch.sigmoid(1.702 * u)
    mistakes = [
        (F.gelu(u), "that is the exact GELU, which differs by up to 0.0203"),
        *misread_quick_gelus(u),
    ]
    expect(got, wanted, "for u from −100 to 100", why(got, wanted, mistakes))
    X = random(3, 4, seed=52)
    expect(call(X), X * torch.sigmoid(1.702 * X), "for a matrix")
    return "u · σ(1.702 u), element by element, as OpenAI's checkpoints want it."


@exercise("05.3", title="LayerNorm")
def layer_norm(answer):
    call = trying(answer)
    X, gamma, beta = random(5, 8, seed=51), random(8, seed=52), random(8, seed=53)
    X[:, 0] += 3.0
    X[2] = 0.5  # a constant row: variance 0
    for eps, given in [(1e-5, {}), (0.1, {"eps": 0.1})]:
        got = call(X, gamma, beta, **given)
        wanted = norm(X, gamma, beta, eps)
        hint = why(got, wanted, misread_norms(X, gamma, beta, eps))
        expect(got, wanted, f"with eps = {eps:g}", hint)
    return "Population variance, eps inside the root; and a constant row comes out as beta."


@exercise("05.4", title="Count the parameters")
def count_parameters(answer):
    call = trying(answer)
    sizes = {
        "Stable Diffusion 1.5": CLIPTextConfig.sd15(),
        "the small model": CLIPTextConfig(49408, 77, 64, 4, 4, 256),
        "(V, L, d, h, d_h, N, d_mlp) = (100, 10, 12, 3, 4, 5, 20)": CLIPTextConfig(
            100, 10, 12, 3, 5, 20
        ),
    }
    for name, c in sizes.items():
        got = plain(call(c))
        V, L, D, N, wide = c.vocab_size, c.context_length, c.width, c.layers, c.mlp_width
        layer = 4 * (D * D + D) + D * wide + wide + wide * D + D + 4 * D
        wanted = V * D + L * D + N * layer + 2 * D
        mistakes = {
            4 * D * N: "in each layer the biases of W_Q, W_K, W_V and W_O are missing, or the two "
            "LayerNorms: both come to 4 D.",
            N * (4 * D + wide + D): "the biases of attention and MLP are missing.",
            N * (wide + D): "the two biases of the MLP are missing.",
            4 * D * N + 2 * D: "the LayerNorms are missing, two in each layer and a final one.",
            2 * D: "the final LayerNorm is missing.",
            2 * D * N + D: "a LayerNorm has γ and β, so 2 D.",
            8 * D * N + 2 * D: "the attention biases and the LayerNorms are missing.",
            N * (8 * D + wide + D) + 2 * D: "all biases and the LayerNorms are missing.",
            L * D: "the position table is missing.",
            V * D: "the token table is missing.",
            N * D * wide: "an MLP has two matrices.",
            N * D * D: "attention has four matrices, W_O among them.",
            N * D: "attention has four biases; W_O has one as well.",
            (N - 1) * layer: "that is with one layer.",
            3 * N * (D * D - D * c.head_width): "each head has a W_Q, W_K and W_V of its own.",
            -3 * N * D * D * (c.heads - 1): "the heads split the width, they do not multiply it.",
            -D * D: "the projection to CLIP's joint space is not part of this model.",
        }
        if isinstance(got, (int, float)):
            got = int(got)
        hint = mistakes.get(wanted - got, "") if isinstance(got, int) else ""
        expect(got, wanted, f"for {name}", hint=hint, tolerance=0)
    return "123,060,480 for Stable Diffusion 1.5, every bias and every LayerNorm included."
