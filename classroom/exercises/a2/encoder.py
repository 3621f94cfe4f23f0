"""A2.4–A2.6: attention with several heads, an encoder layer, and the whole text encoder."""

import math

import torch
import torch.nn.functional as F

from cliplab.masks import causal_mask, mask_pad
from cliplab.text_encoder import CLIPAttention, CLIPEncoderLayer, CLIPTextConfig, CLIPTextModel

from .. import Almost, exercise, expect, plain, random, trying, why
from .parts import shares


@exercise("A2.4", title="Multi-head attention")
def attention(answer):
    call = trying(answer)
    gap = causal_mask(5)
    gap[2:, 1] = False  # later tokens do not see token 1
    for where, heads, M in [
        ("with 4 heads and the causal mask", 4, causal_mask(5)),
        ("with 2 heads and a mask for each of 2 prompts", 2, torch.stack([causal_mask(5), gap])),
    ]:
        x, layer = random(2, 5, 8, seed=241), CLIPAttention(8, heads).requires_grad_(False)
        p = drawn(layer, seed=242)
        wanted = layer(x, M)
        mistakes = [
            (attend(x, p, M, heads, scale=8), "the root is of the head's width, not the model's"),
            (attend(x, p, M, heads, scale=1), "the scores are not divided by the root of K"),
            (attend(x, p, M, heads, scale=(8 / heads) ** 2), "divide by the root of K, not by K"),
            (attend(x, p, M, heads, linear=untransposed), "a weight is [out, in]: x @ W.T"),
            (attend(x, p, M, heads, linear=unbiased), "the four biases are missing"),
            (attend(x, p, M, heads, last=unbiased), "the bias of out_proj is missing"),
            (attend(x, p, M, heads, last=unchanged), "out_proj is missing"),
            (attend(x, p, M, 1, scale=8 / heads), "the width is not cut into heads"),
            (attend(x, p, M, heads, split=by_rows, join=by_rows_back), "view cuts rows, not heads"),
            (attend(x, p, M, heads, split=interleaved), "a head is a run of K neighboring columns"),
            (attend(x, p, M, heads, join=by_rows_back), "swap the axes back before you join heads"),
            (attend(x, p, M | True, heads), "the mask is not used"),
            (attend(x, p, M, heads, order="kqv"), "queries and keys are swapped"),
        ]
        if M.ndim == 3:
            per_head = attend(x, p, M[None], heads)
            mistakes.append((per_head, "a mask [B, L, L] needs a new axis where the heads are"))
        got = call(x, p, M, heads)
        expect(got, wanted, where, why(got, wanted, mistakes))
    return "CLIPAttention itself, from the same eight tensors."


def drawn(module, seed: int) -> dict[str, torch.Tensor]:
    """Draws every parameter of a module, biases too, and returns them by name."""
    state = module.state_dict()
    for n, tensor in enumerate(state.values()):
        tensor.copy_(0.5 * random(*tensor.shape, seed=seed + n))
    return state


def by_head(x, heads):
    return x.unflatten(-1, (heads, -1)).transpose(-3, -2)


def joined(A):
    return A.transpose(-3, -2).flatten(-2)


def by_rows(x, heads):
    return x.reshape(len(x), heads, x.shape[1], -1)


def by_rows_back(A):
    return A.reshape(len(A), A.shape[2], -1)


def interleaved(x, heads):
    return x.unflatten(-1, (-1, heads)).movedim(-1, 1)


def untransposed(x, weight, bias):
    return x @ weight + bias


def unbiased(x, weight, bias):
    return x @ weight.T


def unchanged(x, weight, bias):
    return x


def attend(
    x, p, M, heads, order="qkv", scale=None, linear=F.linear, last=None, split=by_head, join=joined
):
    """Multi-head attention, and its misreadings; `scale`: what the root is taken of."""

    def project(x, name, linear):
        return linear(x, p[f"{name}_proj.weight"], p[f"{name}_proj.bias"])

    q, k, v = (split(project(x, name, linear), heads) for name in order)
    M = M[:, None] if M.ndim == 3 else M
    A = shares(q @ k.mT / math.sqrt(scale or q.shape[-1]), M) @ v
    return project(join(A), "out", last or linear)


@exercise("A2.5", title="One encoder layer")
def encoder_layer(answer):
    call = trying(answer)
    layer, M = CLIPEncoderLayer(8, 2, 16).requires_grad_(False), causal_mask(5)
    p, x = drawn(layer, seed=251), 2 * random(2, 5, 8, seed=250)
    attn, mlp, one, two = layer.self_attn, layer.mlp, layer.layer_norm1, layer.layer_norm2
    y, wanted = x + attn(one(x), M), layer(x, M)
    wide = F.linear(two(y), p["mlp.fc1.weight"], p["mlp.fc1.bias"])
    late, copy = one(x + attn(x, M)), two(one(x) + attn(one(x), M))

    def narrow(h):
        return F.linear(h, p["mlp.fc2.weight"], p["mlp.fc2.bias"])

    mistakes = [
        (two(late + mlp(late)), "the LayerNorms stand in front of the blocks, not behind (pre-LN)"),
        (mlp(two(attn(one(x), M))), "both residuals are missing: each block's answer is added"),
        (attn(one(x), M) + mlp(two(attn(one(x), M))), "the residual around attention is missing"),
        (mlp(two(y)), "the residual around the MLP is missing"),
        (copy + mlp(copy), "add to the stream as it was, not to its normalized copy"),
        (x + mlp(two(y)), "the MLP's answer is added to y, which has attention's in it"),
        (y + mlp(two(x)), "the second LayerNorm reads y, after attention"),
        (y + mlp(one(y)), "the second LayerNorm has parameters of its own"),
        (y + mlp(y), "the second LayerNorm is missing"),
        (x + attn(x, M) + mlp(two(x + attn(x, M))), "the first LayerNorm is missing"),
        (y + narrow(F.gelu(wide)), "that is the exact GELU; this MLP has QuickGELU"),
        (y + narrow(wide), "there is no activation between the MLP's two maps"),
        (y + mlp(two(y)) - p["mlp.fc2.bias"], "the bias of fc2 is missing"),
        (layer(x, M | True), "the mask is not used"),
    ]
    got = call(x, p, M, 2)
    expect(got, wanted, "for 2 prompts of 5 tokens", why(got, wanted, mistakes))
    return "CLIPEncoderLayer to five decimals: two blocks, each adding to the stream."


@exercise("A2.6", title="The whole text encoder")
def encode(answer):
    call = trying(answer)
    eos = 17
    model = CLIPTextModel(CLIPTextConfig(20, 9, 8, 2, 11, 16, eos_token_id=eos))
    p = drawn(model.requires_grad_(False), seed=261)
    ids = torch.tensor([[18, 3, 19, 5, eos, eos, eos, eos], [18, 2, 7, eos, eos, eos, eos, eos]])
    out = model(ids)
    got = call(ids, p, 2, eos)
    got = got if torch.is_tensor(got) else plain(got)
    if not isinstance(got, list) or len(got) != 2:
        raise Almost("two tensors are asked for: the context, and the pooled rows.")
    H, final, M = out.hidden_states, model.final_layer_norm, causal_mask(8)
    T = p["embeddings.token_embedding.weight"][ids]
    by_name = H[0]
    for name in sorted(map(str, range(11))):
        by_name = model.encoder.layers[int(name)](by_name, M)
    mistakes = [
        (H[-1], "the final LayerNorm is missing"),
        (final(model.encoder(T, M)[-1]), "the rows of the position table are not added"),
        (final(by_name), "sorted as text, layer 10 comes before layer 2; count instead"),
        (model(ids, mask=mask_pad(ids, eos)).context, "the causal mask alone is asked for"),
        (final(model.encoder(H[0], M | True)[-1]), "there is no causal mask"),
        (final(model.encoder.layers[0](H[0], M)), "that is the first layer alone"),
        *[(final(state), f"that is {n} of 11 layers") for n, state in enumerate(H[:-1])],
    ]
    expect(got[0], out.context, "the context:", why(got[0], out.context, mistakes))
    rows, first = torch.arange(2), (ids == eos).int().argmax(-1)
    mistakes = [
        (out.context[:, -1], "that is the last slot; the first EOS stands before the padding"),
        (out.context[rows, ids.argmax(-1)], "go to the first EOS, not to the largest id"),
        (H[-1][rows, first], "the pooled row comes after the final LayerNorm"),
        (out.context[rows, first - 1], "that is the row before EOS"),
        (out.context.mean(1), "CLIP takes one row, not the mean"),
        (out.context[:, 0], "BOS has seen nothing but itself; take the row at EOS"),
    ]
    expect(got[1], out.pooled, "the pooled rows:", why(got[1], out.pooled, mistakes))
    return "ids in, context and pooled rows out: this is CLIP's text encoder."
