"""Checks for assignment 2: the encoder, from LayerNorm to the pooled row."""

import math

import torch
import torch.nn.functional as F

from ..masks import causal_mask, mask_pad
from ..text_encoder import CLIPAttention, CLIPEncoderLayer, CLIPTextConfig, CLIPTextModel
from . import Almost, exercise, expect, random, trying, why


@exercise("A2.1", title="LayerNorm in any precision")
def layer_norm(answer):
    call = trying(answer)
    x = random(2, 4, 8, seed=211)
    x[..., 0] += 3.0
    x[1, 2] = 0.5  # a constant row: variance 0
    gamma, beta = random(8, seed=212), random(8, seed=213)
    for eps in (1e-5, 0.1):
        mistakes = [
            (norm(x, gamma, beta, eps, correction=1), "the variance divides by D, not by D − 1"),
            (norm(x, gamma, beta, eps, outside=True), "eps belongs inside the root"),
            (norm(x, gamma, beta, eps, axis=-2), "mean and variance run over the last axis"),
            (norm(x, gamma, beta, eps, axis=(-2, -1)), "each row has its own mean and variance"),
            (norm(x, 1, 0, eps), "gamma and beta are not used"),
            (norm(x, gamma, 0, eps), "beta is not added"),
            (norm(x, gamma, beta, eps, power=1), "divide by the root of the variance"),
            (norm(x, gamma, beta, 1e-5), "eps is not used as it is given"),
            (norm(x, gamma, beta, 0), "eps is missing, and a constant row became 0/0"),
        ]
        got = call(x.clone(), gamma.clone(), beta.clone(), eps)
        wanted = norm(x, gamma, beta, eps)
        expect(got, wanted, f"with eps = {eps:g}", why(got, wanted, mistakes))
    half = (300 * x).half()  # squares of such numbers are infinite in half precision
    got, wanted = call(half.clone(), gamma, beta, 1e-5), norm(half.float(), gamma, beta, 1e-5)
    if torch.is_tensor(got) and got.dtype != torch.float16:
        kind = str(got.dtype).removeprefix("torch.")
        raise Almost(f"for x in float16 the answer is {kind}; give it the dtype of x.")
    hint = "compute in float32: in half precision a square above 65504 is infinite"
    expect(got, wanted, "for x in float16", hint, tolerance=0.02)
    return "and a half-precision model is safe, since the sums are done in float32."


def norm(x, gamma, beta, eps, axis=-1, correction=0, outside=False, power=0.5):
    """LayerNorm, and its misreadings; `outside`: eps is added to the root."""
    var = x.var(axis, keepdim=True, correction=correction)
    divisor = var.sqrt() + eps if outside else (var + eps) ** power
    return gamma * (x - x.mean(axis, keepdim=True)) / divisor + beta


@exercise("A2.2", title="Two activations")
def activate(answer):
    call = trying(answer)
    u = torch.cat([torch.linspace(-6, 6, 25), torch.tensor([-100.0, 100.0])])
    quick, exact, exp = u * torch.sigmoid(1.702 * u), F.gelu(u), torch.exp(1.702 * u)
    mistakes = {
        "quick_gelu": [
            (exact, "that is the exact GELU: the two kinds are swapped, or one is missing"),
            (F.silu(u), "the sigmoid takes 1.702 u; without the factor this is SiLU"),
            (torch.sigmoid(1.702 * u), "the factor u in front of the sigmoid is missing"),
            (1.702 * F.silu(u), "1.702 stands inside the sigmoid, not in front of it"),
            (F.silu(1.702 * u), "1.702 stands inside the sigmoid alone"),
            (u * torch.sigmoid(-1.702 * u), "the sigmoid's sign is wrong"),
            (u * exp / (1 + exp), "exp overflows at u = 100: use torch.sigmoid"),
        ],
        "gelu": [
            (quick, "that is QuickGELU again; GELU has the error function"),
            (F.gelu(u, approximate="tanh"), "that is the tanh formula, near GELU but not equal"),
            (u / 2 * (1 + torch.erf(u)), "erf takes u / √2"),
            (u * torch.erf(u / math.sqrt(2)), "Φ(u) is (1 + erf(u / √2)) / 2"),
            (u * (1 + torch.erf(u / math.sqrt(2))), "the half is missing: Φ runs from 0 to 1"),
            ((1 + torch.erf(u / math.sqrt(2))) / 2, "that is Φ(u); GELU is u times it"),
        ],
    }
    for kind, wanted in (("quick_gelu", quick), ("gelu", exact)):
        got = call(u.clone(), kind)
        expect(got, wanted, f'for kind = "{kind}"', why(got, wanted, mistakes[kind]))
        x = u[:24].view(2, 3, 4)
        expect(call(x.clone(), kind), wanted[:24].view(2, 3, 4), f'for "{kind}" and three axes')
    return "at most 0.0203 apart, and no error message tells you which one a checkpoint wants."


@exercise("A2.3", title="A softmax under a mask")
def masked_softmax(answer):
    call = trying(answer)
    mild, mask = random(2, 3, 5, 5, seed=231), causal_mask(5)
    hidden_peak = mild.clone()
    hidden_peak[..., 4] = 500.0  # what the mask hides has by far the largest score
    low, gap = mild - 1e5, mask.clone()
    gap[3] = False  # a row that may see nothing
    two = torch.stack([mask, gap])[:, None]  # [2, 1, 5, 5]
    for where, scores, M in [
        ("with the causal mask", mild, mask),
        ("where a hidden score is 500", hidden_peak, mask),
        ("for scores near −100000", low, mask),
        ("where row 3 may see nothing", mild, gap),
        ("with a mask [2, 1, 5, 5] for scores [2, 3, 5, 5]", mild, two),
    ]:
        wanted = shares(scores, M)
        plain = torch.softmax(scores, -1)
        again = plain * M / (plain * M).sum(-1, keepdim=True)
        mistakes = [
            (plain, "the mask is not used"),
            (shares(scores, ~M), "the mask is upside down: True means may be seen"),
            (shares(scores.mT, M.mT).mT, "the softmax runs along the wrong axis; rows sum to 1"),
            (again, TOO_LATE),
            (again.nan_to_num(0), TOO_LATE),
            (plain * M, "the mask comes after the softmax, and rows no longer sum to 1"),
            (
                torch.softmax(scores.masked_fill(~M, -1e9), -1),
                "a row without a key is 0 throughout",
            ),
            (torch.softmax(scores.masked_fill(~M, -1e4), -1), "−10000 is not low enough for all"),
            (torch.softmax(scores * M, -1), "a hidden score is −∞, not 0: exp(0) is 1"),
            (torch.softmax(scores.masked_fill(~M, 0), -1), "a hidden score is −∞, not 0"),
            (torch.softmax(scores.masked_fill(~M, -math.inf), -1), "0/0: the empty row is NaN"),
            (by_exp(scores, M), "exp leaves the range of float32: take each row's maximum off"),
            (by_exp(scores, M).nan_to_num(0), "exp leaves the range of float32"),
        ]
        got = call(scores.clone(), M.clone())
        expect(got, wanted, where, why(got, wanted, mistakes))
        if (got[~M.expand_as(got)] != 0).any():
            raise Almost(f"{where} a hidden weight is small and not 0.")
    return "rows sum to 1 over what may be seen, and a row that may see nothing is 0, not NaN."


TOO_LATE = "a hidden score of 500 has swallowed the others: mask before the softmax, not after it"


def shares(scores, M):
    return torch.softmax(scores.masked_fill(~M, -math.inf), -1).nan_to_num(0)


def by_exp(scores, M):
    E = torch.exp(scores) * M
    return E / E.sum(-1, keepdim=True)


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
        got = call(x.clone(), dict(p), M.clone(), heads)
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
    late = one(x + attn(x, M))

    def narrow(h):
        return F.linear(h, p["mlp.fc2.weight"], p["mlp.fc2.bias"])

    mistakes = [
        (two(late + mlp(late)), "the LayerNorms stand in front of the blocks, not behind (pre-LN)"),
        (mlp(two(attn(one(x), M))), "both residuals are missing: each block's answer is added"),
        (attn(one(x), M) + mlp(two(attn(one(x), M))), "the residual around attention is missing"),
        (mlp(two(y)), "the residual around the MLP is missing"),
        (
            twice(one, x, attn, M, two, mlp),
            "add to the stream as it was, not to its normalized copy",
        ),
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
    got = call(x.clone(), dict(p), M.clone(), 2)
    expect(got, wanted, "for 2 prompts of 5 tokens", why(got, wanted, mistakes))
    return "CLIPEncoderLayer to five decimals: two blocks, each adding to the stream."


def twice(one, x, attn, M, two, mlp):
    """Residuals from the normalized copies."""
    y = one(x) + attn(one(x), M)
    return two(y) + mlp(two(y))


@exercise("A2.6", title="The whole text encoder")
def encode(answer):
    call = trying(answer)
    eos = 17
    model = CLIPTextModel(CLIPTextConfig(20, 9, 8, 2, 11, 16, eos_token_id=eos))
    p = drawn(model.requires_grad_(False), seed=261)
    ids = torch.tensor([[18, 3, 19, 5, eos, eos, eos, eos], [18, 2, 7, eos, eos, eos, eos, eos]])
    out = model(ids)
    got = call(ids.clone(), dict(p), 2, eos)
    if not isinstance(got, (list, tuple)) or len(got) != 2:
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
