"""Answers to the exercises of chapter 09, right ones and usual mistakes."""

import math

import torch

from cliplab.vae import DiagonalGaussian

ALL = (1, 2, 3)

# 09.1


def sample(parameters, eps, low=-30, high=20):
    mean, logvar = parameters.chunk(2, dim=1)
    return mean + torch.exp(logvar.clamp(low, high) / 2) * eps


def sample_by_index(parameters, eps):
    C = parameters.shape[1] // 2
    var = parameters[:, C:].clamp(-30.0, 20.0).exp()
    return parameters[:, :C] + var.sqrt() * eps


def sample_in_place(parameters, eps):
    mean, logvar = parameters.chunk(2, dim=1)
    return eps.mul_(logvar.clamp_(-30, 20).mul_(0.5).exp_()).add_(mean)


def sample_of_the_package(parameters, eps):
    gaussian = DiagonalGaussian(parameters)
    return gaussian.mode() + gaussian.std * eps


def halves(parameters):
    return parameters.chunk(2, dim=1)


def sample_swapped(parameters, eps):
    logvar, mean = halves(parameters)
    return mean + torch.exp(logvar.clamp(-30, 20) / 2) * eps


def sample_wrong_axis(parameters, eps):
    mean, logvar = parameters.chunk(2)
    return mean + torch.exp(logvar / 2) * eps


def sample_interleaved(parameters, eps):
    return parameters[:, ::2] + torch.exp(parameters[:, 1::2].clamp(-30, 20) / 2) * eps


# 09.2


def kl(mean, logvar):
    return 0.5 * (mean**2 + logvar.exp() - 1 - logvar).sum(dim=ALL)


def kl_of_torch(mean, logvar):
    from torch.distributions import Normal, kl_divergence

    q = Normal(mean, (logvar / 2).exp())
    return kl_divergence(q, Normal(torch.zeros_like(mean), 1.0)).sum(ALL)


def kl_flat(mean, logvar):
    terms = mean.square() + logvar.exp() - logvar - 1
    return terms.flatten(1).sum(1) / 2


def kl_backward(mean, logvar):
    return 0.5 * ((1 + mean**2) / logvar.exp() - 1 + logvar).sum(ALL)


# 09.3


def sides(side, halvings):
    for _ in range(halvings):
        side = side // 2
    return side, side * 2**halvings


def sides_padded(side, halvings):
    for _ in range(halvings):
        side = (side + 2 - 3) // 2 + 1
    return side, side * 2**halvings


RIGHT = {
    "09.1": [sample, sample_by_index, sample_in_place, sample_of_the_package],
    "09.2": [kl, kl_of_torch, kl_flat],
    "09.3": [
        sides,
        lambda side, halvings: [side >> halvings, side >> halvings << halvings],
        lambda side, halvings: torch.tensor(sides(side, halvings)),
        lambda side, halvings: (side // 2**halvings, side - side % 2**halvings),
    ],
}

WRONG = {
    "09.1": [
        (lambda p, eps: sample(p, eps, -math.inf, math.inf), "clamped"),
        (lambda p, eps: sample(p, eps, -math.inf, 20), "lower end"),
        (lambda p, eps: sample(p, eps, -30, math.inf), "upper end"),
        (lambda p, eps: halves(p)[0] + halves(p)[1].clamp(-30, 20).exp() * eps, "σ²"),
        (lambda p, eps: halves(p)[0] + halves(p)[1].exp() * eps, "σ²"),
        (lambda p, eps: halves(p)[0] + halves(p)[1] * eps, "ln σ²"),
        (lambda p, eps: halves(p)[0] + halves(p)[1].abs().sqrt() * eps, "not σ²"),
        (lambda p, eps: halves(p)[0] + (halves(p)[1] / 2).clamp(-30, 20).exp() * eps, "halved"),
        (lambda p, eps: halves(p)[0] + (halves(p)[1] / 2).exp().clamp(-30, 20) * eps, "not on σ"),
        (lambda p, eps: halves(p)[0], "mode"),
        (lambda p, eps: halves(p)[0] + eps, "missing"),
        (lambda p, eps: sample(p, eps) - halves(p)[0], "mean is missing"),
        (sample_swapped, "swapped"),
        (sample_interleaved, "interleaved"),
        (sample_wrong_axis, "size of tensor"),
        (lambda p, eps: sample(p, eps)[0], "shape"),
        (lambda p, eps: sample(p, torch.ones_like(eps)), "differ"),
    ],
    "09.2": [
        (lambda m, s: kl(m, s).sum(), "batch axis"),
        (lambda m, s: kl(m, s).sum() / m.numel(), "batch axis"),
        (lambda m, s: kl(m, s) / m[0].numel(), "add up"),
        (lambda m, s: 0.5 * (m**2 + s.exp() - 1 - s).sum(1), "all three"),
        (lambda m, s: 0.5 * (m**2 + s.exp() - 1 - s), "over C, h and w"),
        (lambda m, s: 2 * kl(m, s), "½"),
        (lambda m, s: -kl(m, s), "never negative"),
        (lambda m, s: 0.5 * (m**2 + (s / 2).exp() - 1 - s).sum(ALL), "σ²"),
        (lambda m, s: 0.5 * (m**2 + s - 1 - s.exp()).sum(ALL), "exchanged"),
        (lambda m, s: 0.5 * (m**2 + s.exp() - 1 + s).sum(ALL), "subtracted"),
        (lambda m, s: 0.5 * (m**2 + s.exp() - s).sum(ALL), "−1"),
        (lambda m, s: 0.5 * (m + s.exp() - 1 - s).sum(ALL), "squared"),
        (lambda m, s: 0.5 * (s.exp() - 1 - s).sum(ALL), "μ² is missing"),
        (kl_backward, "other way round"),
        (lambda m, s: kl(m, s) / math.log(2), "bits"),
    ],
    "09.3": [
        (sides_padded, "rounded up"),
        (lambda side, halvings: (sides(side, halvings)[0], side), "knows nothing"),
        (lambda side, halvings: (side / 2**halvings, side), "whole numbers"),
        (lambda side, halvings: (side / 8, side), "whole numbers"),
        (
            lambda side, halvings: (
                round(side / 2**halvings),
                round(side / 2**halvings) * 2**halvings,
            ),
            "rounds down",
        ),
        (lambda side, halvings: sides(side, halvings)[::-1], "first"),
        (lambda side, halvings: (side // 8, side // 8 * 8), "argument"),
        (lambda side, halvings: sides(side, halvings)[0], "two numbers"),
        (lambda side, halvings: sides(side, halvings)[1], "two numbers"),
        (lambda side, halvings: "37, 296", "should be"),
    ],
}
