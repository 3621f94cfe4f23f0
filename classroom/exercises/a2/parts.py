"""A2.1–A2.3: LayerNorm, the two activations, and a softmax under a mask."""

import math

import torch
import torch.nn.functional as F

from cliplab.masks import causal_mask

from .. import Almost, exercise, expect, random, trying, why
from ..layers import misread_norms, misread_quick_gelus, norm


@exercise("A2.1", title="LayerNorm in any precision")
def layer_norm(answer):
    call = trying(answer)
    x = random(2, 4, 8, seed=211)
    x[..., 0] += 3.0
    x[1, 2] = 0.5  # a constant row: variance 0
    gamma, beta = random(8, seed=212), random(8, seed=213)
    for eps in (1e-5, 0.1):
        mistakes = [
            *misread_norms(x, gamma, beta, eps),
            (norm(x, gamma, beta, eps, axis=(-2, -1)), "each row has its own mean and variance"),
        ]
        got = of_kind(call(x, gamma, beta, eps), x)
        wanted = norm(x, gamma, beta, eps)
        expect(got, wanted, f"with eps = {eps:g}", why(got, wanted, mistakes))
    half = (300 * x).half()  # squares of such numbers are infinite in half precision
    wanted = norm(half.float(), gamma, beta, 1e-5)
    got = of_kind(call(half, gamma, beta, 1e-5), half)
    hint = "compute in float32: in half precision a square above 65504 is infinite"
    expect(got, wanted, "for x in float16", hint, tolerance=2e-3)
    return "and a half-precision model is safe, since the sums are done in float32."


def of_kind(got, x):
    """The answer, if it is of the dtype of x."""
    if torch.is_tensor(got) and got.dtype == x.dtype:
        return got
    wanted, kind = (str(getattr(y, "dtype", type(y).__name__)) for y in (x, got))
    wanted, kind = wanted.removeprefix("torch."), kind.removeprefix("torch.")
    raise Almost(f"for x in {wanted} the answer is {kind}; give it the dtype of x.")


@exercise("A2.2", title="Two activations")
def activate(answer):
    call = trying(answer)
    u = torch.cat([torch.linspace(-6, 6, 25), torch.tensor([-100.0, 100.0])])
    quick, exact = u * torch.sigmoid(1.702 * u), F.gelu(u)
    mistakes = {
        "quick_gelu": [
            (exact, "that is the exact GELU: the two kinds are swapped, or one is missing"),
            *misread_quick_gelus(u),
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
        got = call(u, kind)
        expect(got, wanted, f'for kind = "{kind}"', why(got, wanted, mistakes[kind]))
        x = u[:24].view(2, 3, 4)
        expect(call(x, kind), wanted[:24].view(2, 3, 4), f'for "{kind}" and three axes')
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
        got = call(scores, M)
        expect(got, wanted, where, why(got, wanted, mistakes))
        got = torch.as_tensor(got)
        if (got[~M.expand_as(got)] != 0).any():
            raise Almost(f"{where} a hidden weight is small and not 0.")
    return "rows sum to 1 over what may be seen, and a row that may see nothing is 0, not NaN."


TOO_LATE = "a hidden score of 500 has swallowed the others: mask before the softmax, not after it"


def shares(scores, M):
    return torch.softmax(scores.masked_fill(~M, -math.inf), -1).nan_to_num(0)


def by_exp(scores, M):
    E = torch.exp(scores) * M
    return E / E.sum(-1, keepdim=True)
