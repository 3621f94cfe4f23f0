"""Answers to the exercises of assignment 2, right ones and usual mistakes."""

import math

import torch
import torch.nn.functional as F

from cliplab.text_encoder import CLIPAttention, CLIPEncoderLayer, CLIPTextConfig, CLIPTextModel

# A2.1


def norm(x, gamma, beta, eps):
    full = x.float()
    mu = full.mean(-1, keepdim=True)
    var = (full - mu).square().mean(-1, keepdim=True)
    return (gamma * (full - mu) / (var + eps).sqrt() + beta).to(x.dtype)


def norm_of_torch(x, gamma, beta, eps):
    return F.layer_norm(x.float(), gamma.shape, gamma, beta, eps).to(x)


def norm_in_double(x, gamma, beta, eps):
    var, mu = torch.var_mean(x.double(), dim=-1, correction=0, keepdim=True)
    return ((x - mu) * torch.rsqrt(var + eps) * gamma + beta).type(x.dtype)


def norm_in_half(x, gamma, beta, eps):
    mu = x.mean(-1, keepdim=True)
    var = (x - mu).square().mean(-1, keepdim=True)
    return (gamma * (x - mu) / (var + eps).sqrt() + beta).to(x.dtype)


def norm_to_float(x, gamma, beta, eps):
    return norm(x.float(), gamma, beta, eps)


def norm_unbiased(x, gamma, beta, eps):
    var, mu = torch.var_mean(x.float(), dim=-1, keepdim=True)
    return (gamma * (x - mu) / (var + eps).sqrt() + beta).to(x.dtype)


def norm_eps_outside(x, gamma, beta, eps):
    var, mu = torch.var_mean(x.float(), dim=-1, correction=0, keepdim=True)
    return (gamma * (x - mu) / (var.sqrt() + eps) + beta).to(x.dtype)


def norm_over_tokens(x, gamma, beta, eps):
    var, mu = torch.var_mean(x.float(), dim=-2, correction=0, keepdim=True)
    return (gamma * (x - mu) / (var + eps).sqrt() + beta).to(x.dtype)


def norm_over_prompts(x, gamma, beta, eps):
    """`dim=1`, which is the last axis of a matrix only."""
    var, mu = torch.var_mean(x.float(), dim=1, correction=0, keepdim=True)
    return (gamma * (x - mu) / (var + eps).sqrt() + beta).to(x.dtype)


def norm_no_root(x, gamma, beta, eps):
    var, mu = torch.var_mean(x.float(), dim=-1, correction=0, keepdim=True)
    return (gamma * (x - mu) / (var + eps) + beta).to(x.dtype)


# A2.2


def activate(u, kind):
    if kind == "quick_gelu":
        return u * torch.sigmoid(1.702 * u)
    return u * (1 + torch.erf(u / math.sqrt(2))) / 2


def activate_by_torch(u, kind):
    return F.gelu(u) if kind == "gelu" else F.silu(1.702 * u) / 1.702


def activate_by_normal(u, kind):
    return u * (torch.special.ndtr(u) if kind == "gelu" else torch.special.expit(1.702 * u))


def with_quick(quick):
    return lambda u, kind: quick(u) if kind == "quick_gelu" else activate(u, kind)


def with_gelu(gelu):
    return lambda u, kind: gelu(u) if kind == "gelu" else activate(u, kind)


# A2.3


def softmax(scores, mask):
    weights = torch.softmax(scores.masked_fill(~mask, -math.inf), dim=-1)
    return weights.nan_to_num(0.0)


def softmax_by_hand(scores, mask):
    top = scores.masked_fill(~mask, -math.inf).amax(-1, keepdim=True)
    E = torch.where(mask, torch.exp(torch.where(mask, scores - top, 0.0)), 0.0)
    return E / E.sum(-1, keepdim=True).clamp(min=1e-30)


def softmax_then_zero(scores, mask):
    low = torch.finfo(scores.dtype).min
    return torch.softmax(torch.where(mask, scores, torch.tensor(low)), -1) * mask


def softmax_after(scores, mask):
    return torch.softmax(scores, -1) * mask


def softmax_renormalized(scores, mask):
    weights = torch.softmax(scores, -1) * mask
    return (weights / weights.sum(-1, keepdim=True)).nan_to_num(0.0)


def softmax_nan(scores, mask):
    return torch.softmax(scores.masked_fill(~mask, -math.inf), -1)


def softmax_with(low):
    return lambda scores, mask: torch.softmax(scores.masked_fill(~mask, low), -1)


def softmax_by_exp(scores, mask):
    E = torch.exp(scores) * mask
    return (E / E.sum(-1, keepdim=True)).nan_to_num(0.0)


def softmax_columns(scores, mask):
    return torch.softmax(scores.masked_fill(~mask, -math.inf), -2).nan_to_num(0.0)


def softmax_low_and_zero(scores, mask):
    """−10000 hides well while scores are moderate."""
    return torch.softmax(scores.masked_fill(~mask, -1e4), -1) * mask


# A2.4


def linear(x, p, name):
    return x @ p[f"{name}.weight"].T + p[f"{name}.bias"]


def split(x, heads):
    B, L, D = x.shape
    return x.view(B, L, heads, D // heads).transpose(1, 2)


def attention(x, p, mask, heads, root=None, map=linear, cut=split, out="out_proj"):
    q, k, v = (cut(map(x, p, f"{name}_proj"), heads) for name in "qkv")
    S = q @ k.transpose(-1, -2) / (root or math.sqrt(q.shape[-1]))
    A = softmax(S, mask if mask.dim() == 2 else mask.unsqueeze(1)) @ v
    joined = A.transpose(1, 2).reshape(x.shape)
    return map(joined, p, out) if out else joined


def attention_by_cliplab(x, p, mask, heads):
    layer = CLIPAttention(x.shape[-1], heads)
    layer.load_state_dict(p)
    return layer(x, mask).detach()


def attention_by_loop(x, p, mask, heads):
    K, rows = x.shape[-1] // heads, []
    for h in range(heads):
        here = slice(h * K, h * K + K)
        q, k, v = (linear(x, p, f"{name}_proj")[..., here] for name in "qkv")
        rows.append(softmax(q @ k.mT * K**-0.5, mask) @ v)
    return linear(torch.cat(rows, -1), p, "out_proj")


def attention_fused(x, p, mask, heads):
    q, k, v = (split(linear(x, p, f"{name}_proj"), heads) for name in "qkv")
    M = mask if mask.dim() == 2 else mask[:, None]
    A = F.scaled_dot_product_attention(q, k, v, attn_mask=M)
    return linear(A.transpose(1, 2).flatten(-2), p, "out_proj")


def attention_not_joined(x, p, mask, heads):
    q, k, v = (split(linear(x, p, f"{name}_proj"), heads) for name in "qkv")
    M = mask if mask.dim() == 2 else mask[:, None]
    A = F.scaled_dot_product_attention(q, k, v, attn_mask=M)
    return linear(A.reshape(x.shape), p, "out_proj")


def attention_viewed(x, p, mask, heads):
    def cut(x, heads):
        return x.reshape(len(x), heads, x.shape[1], -1)

    q, k, v = (cut(linear(x, p, f"{name}_proj"), heads) for name in "qkv")
    M = mask if mask.dim() == 2 else mask[:, None]
    A = F.scaled_dot_product_attention(q, k, v, attn_mask=M)
    return linear(A.reshape(x.shape), p, "out_proj")


def attention_mask_on_heads(x, p, mask, heads):
    """[B, L, L] on [B, H, L, L]: torch lines B up with H, and says so only where they differ."""
    q, k, v = (split(linear(x, p, f"{name}_proj"), heads) for name in "qkv")
    A = softmax(q @ k.mT / math.sqrt(q.shape[-1]), mask) @ v
    return linear(A.transpose(1, 2).flatten(-2), p, "out_proj")


def attention_swapped(x, p, mask, heads):
    swap = {"q_proj": "k_proj", "k_proj": "q_proj"}
    return attention(x, p, mask, heads, map=lambda x, p, name: linear(x, p, swap.get(name, name)))


def unbiased(x, p, name):
    return x @ p[f"{name}.weight"].T


def untransposed(x, p, name):
    return x @ p[f"{name}.weight"] + p[f"{name}.bias"]


# A2.5


def part(p, prefix):
    return {name.removeprefix(prefix): t for name, t in p.items() if name.startswith(prefix)}


def ln(x, p, name):
    return F.layer_norm(x, x.shape[-1:], p[f"{name}.weight"], p[f"{name}.bias"])


def quick(u):
    return u * torch.sigmoid(1.702 * u)


def mlp(x, p, bend=quick):
    return linear(bend(linear(x, p, "mlp.fc1")), p, "mlp.fc2")


def attn(x, p, mask, heads):
    return attention(x, part(p, "self_attn."), mask, heads)


def layer(x, p, mask, heads, bend=quick):
    y = x + attn(ln(x, p, "layer_norm1"), p, mask, heads)
    return y + mlp(ln(y, p, "layer_norm2"), p, bend)


def layer_by_cliplab(x, p, mask, heads):
    module = CLIPEncoderLayer(x.shape[-1], heads, len(p["mlp.fc1.bias"]))
    module.load_state_dict(p)
    return module(x, mask).detach()


def layer_post_norm(x, p, mask, heads):
    y = ln(x + attn(x, p, mask, heads), p, "layer_norm1")
    return ln(y + mlp(y, p), p, "layer_norm2")


def layer_from_copies(x, p, mask, heads):
    x = ln(x, p, "layer_norm1")
    y = ln(x + attn(x, p, mask, heads), p, "layer_norm2")
    return y + mlp(y, p)


def layer_without_residuals(x, p, mask, heads):
    y = attn(ln(x, p, "layer_norm1"), p, mask, heads)
    return mlp(ln(y, p, "layer_norm2"), p)


def layer_without_the_last_residual(x, p, mask, heads):
    y = x + attn(ln(x, p, "layer_norm1"), p, mask, heads)
    return mlp(ln(y, p, "layer_norm2"), p)


def layer_from_x(x, p, mask, heads):
    y = x + attn(ln(x, p, "layer_norm1"), p, mask, heads)
    return x + mlp(ln(y, p, "layer_norm2"), p)


def layer_in_parallel(x, p, mask, heads):
    y = x + attn(ln(x, p, "layer_norm1"), p, mask, heads)
    return y + mlp(ln(x, p, "layer_norm2"), p)


def layer_one_norm(x, p, mask, heads):
    y = x + attn(ln(x, p, "layer_norm1"), p, mask, heads)
    return y + mlp(ln(y, p, "layer_norm1"), p)


def layer_without_mask(x, p, mask, heads):
    return layer(x, p, mask | True, heads)


# A2.6


def embed(ids, p):
    T, P = (p[f"embeddings.{kind}_embedding.weight"] for kind in ("token", "position"))
    return T[ids] + P[: ids.shape[1]]


def stack(x, p, heads, names, mask=None):
    L = x.shape[1]
    mask = torch.ones(L, L).tril().bool() if mask is None else mask
    for name in names:
        x = layer(x, part(p, f"encoder.layers.{name}."), mask, heads)
    return x


def depth(p):
    return len({name.split(".")[2] for name in p if name.startswith("encoder.layers.")})


def at(context, slots):
    return context[torch.arange(len(context)), slots]


def first(ids, eos):
    return (ids == eos).int().argmax(-1)


def encode(ids, p, heads, eos):
    context = ln(stack(embed(ids, p), p, heads, range(depth(p))), p, "final_layer_norm")
    return context, at(context, first(ids, eos))


def encode_by_cliplab(ids, p, heads, eos):
    V, D = p["embeddings.token_embedding.weight"].shape
    L, wide = (
        len(p["embeddings.position_embedding.weight"]),
        len(p["encoder.layers.0.mlp.fc1.bias"]),
    )
    config = CLIPTextConfig(V, L, D, heads, depth(p), wide, eos_token_id=eos)
    model = CLIPTextModel(config).requires_grad_(False)
    model.load_state_dict({name: t for name, t in p.items() if name != "text_projection.weight"})
    out = model(ids)
    return [out.context, out.pooled]


def encode_by_while(ids, p, heads, eos):
    x, n = embed(ids, p), 0
    while f"encoder.layers.{n}.mlp.fc1.weight" in p:
        x, n = stack(x, p, heads, [n]), n + 1
    context = ln(x, p, "final_layer_norm")
    return context, torch.stack([context[b, t.index(eos)] for b, t in enumerate(ids.tolist())])


def encode_with(names=None, mask=None, positions=True, final=True, pool=None):
    """The whole encoder with one thing wrong."""

    def wrong(ids, p, heads, eos):
        x = embed(ids, p) if positions else p["embeddings.token_embedding.weight"][ids]
        chosen = names(p) if names else range(depth(p))
        x = stack(x, p, heads, chosen, mask(ids, eos) if mask else None)
        context = ln(x, p, "final_layer_norm") if final else x
        return context, pool(context, ids, eos) if pool else at(context, first(ids, eos))

    return wrong


def pad_mask(ids, eos):
    L = ids.shape[1]
    seen = torch.arange(L) <= first(ids, eos)[:, None]
    return torch.ones(L, L).tril().bool() & seen[:, None]


def pooled_before_norm(ids, p, heads, eos):
    x = stack(embed(ids, p), p, heads, range(depth(p)))
    return ln(x, p, "final_layer_norm"), at(x, first(ids, eos))


RIGHT = {
    "A2.1": [norm, norm_of_torch, norm_in_double],
    "A2.2": [activate, activate_by_torch, activate_by_normal],
    "A2.3": [softmax, softmax_by_hand, softmax_then_zero],
    "A2.4": [attention, attention_by_cliplab, attention_by_loop, attention_fused],
    "A2.5": [layer, layer_by_cliplab],
    "A2.6": [encode, encode_by_cliplab, encode_by_while],
}

WRONG = {
    "A2.1": [
        (norm_in_half, "half precision"),
        (norm_to_float, "dtype"),
        (norm_unbiased, "D − 1"),
        (norm_eps_outside, "inside the root"),
        (norm_over_tokens, "last axis"),
        (norm_over_prompts, "last axis"),
        (norm_no_root, "root of the variance"),
        (lambda x, g, b, eps: norm(x, g, b, 1e-5), "as it is given"),
        (lambda x, g, b, eps: norm(x, g, b, 0), "0/0"),
        (lambda x, g, b, eps: norm(x, g, 0, eps), "beta is not"),
        (lambda x, g, b, eps: norm(x, 1, 0, eps), "gamma and beta"),
    ],
    "A2.2": [
        (lambda u, kind: F.gelu(u), "exact GELU"),
        (lambda u, kind: quick(u), "QuickGELU again"),
        (with_gelu(lambda u: F.gelu(u, approximate="tanh")), "tanh"),
        (with_gelu(lambda u: u / 2 * (1 + torch.erf(u))), "√2"),
        (with_gelu(lambda u: u * torch.erf(u / 2**0.5)), "Φ(u) is"),
        (with_gelu(lambda u: u * (1 + torch.erf(u / 2**0.5))), "half is missing"),
        (with_quick(F.silu), "SiLU"),
        (with_quick(lambda u: 1.702 * F.silu(u)), "not in front"),
        (with_quick(lambda u: F.silu(1.702 * u)), "inside the sigmoid alone"),
        (with_quick(lambda u: (e := torch.exp(1.702 * u)) * u / (1 + e)), "overflows"),
    ],
    "A2.3": [
        (softmax_after, "after the softmax"),
        (softmax_renormalized, "swallowed"),
        (softmax_nan, "NaN"),
        (softmax_with(-1e4), "not low enough"),
        (softmax_low_and_zero, "differ"),
        (softmax_with(-1e9), "0 throughout"),
        (softmax_with(0), "not 0"),
        (softmax_by_exp, "exp leaves"),
        (softmax_columns, "wrong axis"),
        (lambda s, M: softmax(s, ~M), "upside down"),
        (lambda s, M: torch.softmax(s, -1), "not used"),
    ],
    "A2.4": [
        (lambda x, p, M, h: attention(x, p, M, h, root=x.shape[-1] ** 0.5), "not the model's"),
        (lambda x, p, M, h: attention(x, p, M, h, root=1), "not divided"),
        (lambda x, p, M, h: attention(x, p, M, h, root=x.shape[-1] / h), "not by K"),
        (lambda x, p, M, h: attention(x, p, M, h, map=untransposed), "[out, in]"),
        (lambda x, p, M, h: attention(x, p, M, h, map=unbiased), "four biases"),
        (lambda x, p, M, h: attention(x, p, M, h, out=None), "out_proj is missing"),
        (lambda x, p, M, h: attention(x, p, M | True, h), "not used"),
        (lambda x, p, M, h: attention(x, p, M, 1, (x.shape[-1] / h) ** 0.5), "cut into heads"),
        (attention_swapped, "swapped"),
        (attention_viewed, "view cuts rows"),
        (attention_not_joined, "swap the axes back"),
        (attention_mask_on_heads, "where the heads are"),
    ],
    "A2.5": [
        (layer_post_norm, "pre-LN"),
        (layer_without_residuals, "both residuals"),
        (layer_without_the_last_residual, "around the MLP"),
        (layer_from_copies, "normalized copy"),
        (layer_from_x, "added to y"),
        (layer_in_parallel, "reads y"),
        (layer_one_norm, "of its own"),
        (lambda x, p, M, h: layer(x, p, M, h, F.gelu), "exact GELU"),
        (lambda x, p, M, h: layer(x, p, M, h, lambda u: u), "no activation"),
        (layer_without_mask, "not used"),
    ],
    "A2.6": [
        (encode_with(final=False), "final LayerNorm is missing"),
        (encode_with(positions=False), "position table"),
        (encode_with(names=lambda p: sorted(map(str, range(depth(p))))), "as text"),
        (encode_with(names=lambda p: range(2)), "2 of 11"),
        (encode_with(names=lambda p: range(4) if depth(p) > 3 else range(depth(p))), "4 of 11"),
        (encode_with(mask=pad_mask), "causal mask alone"),
        (encode_with(mask=lambda ids, eos: pad_mask(ids, eos) | True), "no causal mask"),
        (encode_with(pool=lambda c, ids, eos: c[:, -1]), "last slot"),
        (encode_with(pool=lambda c, ids, eos: at(c, ids.argmax(-1))), "not to the largest"),
        (encode_with(pool=lambda c, ids, eos: c.mean(1)), "not the mean"),
        (pooled_before_norm, "after the final LayerNorm"),
        (lambda ids, p, h, eos: encode(ids, p, h, eos)[0], "two tensors"),
    ],
}
