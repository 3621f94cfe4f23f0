"""Answers to the exercises of chapter 7, right ones and wrong ones."""

import math

import numpy as np
import torch
import torch.nn.functional as F

import cliplab


def units(x, y):
    return F.normalize(x, dim=-1), F.normalize(y, dim=-1)


def similarities(x, y, tau):
    u, v = units(x, y)
    return u @ v.T / tau


def by_norms(x, y, tau):
    return (x @ y.T) / (x.norm(dim=1)[:, None] * y.norm(dim=1)) / tau


def in_loops(x, y, tau):
    return [[F.cosine_similarity(a, b, dim=0).item() / tau for b in y] for a in x]


def loss(S):
    target = torch.arange(len(S))
    return (F.cross_entropy(S, target) + F.cross_entropy(S.T, target)) / 2


def loss_by_logsumexp(S):
    own = S.diagonal()
    return ((S.logsumexp(0) - own).mean() + (S.logsumexp(1) - own).mean()) / 2


def loss_in_numpy(S):
    S = S.double().numpy()
    shares = [np.exp(S) / np.exp(S).sum(axis, keepdims=True) for axis in (0, 1)]
    return float(np.mean([-np.log(np.diagonal(p)).mean() for p in shares]))


def half(S, target=0):
    return F.cross_entropy(S, (torch.arange(len(S)) + target) % len(S))


def log_scale_gradient(C, s):
    S = math.exp(s) * C
    P = (S.softmax(0) + S.softmax(1)) / 2
    return ((P - torch.eye(len(S))) * S).sum() / len(S)


def by_autograd(C, s):
    s = torch.tensor(float(s), requires_grad=True)
    loss(s.exp() * C).backward()
    return s.grad


def by_expectation(C, s):
    S = math.exp(s) * C
    expected = (S.softmax(1) * S).sum(1) + (S.softmax(0) * S).sum(0)
    return (expected / 2 - S.diagonal()).mean()


def half_gradient(C, s, axis):
    S = math.exp(s) * C
    return ((S.softmax(axis) - torch.eye(len(S))) * S).sum() / len(S)


def recall(S, k):
    own = S.diagonal()[:, None]
    return ((own <= S).sum(1) <= k).float().mean()


def recall_in_loops(S, k):
    found = 0
    for i, row in enumerate(S.tolist()):
        others = row[:i] + row[i + 1 :]
        found += sum(other >= row[i] for other in others) < k
    return found / len(S)


def recall_with_ties(S, k):
    return ((S.diagonal()[:, None] < S).sum(1) < k).float().mean()


def by_topk(S, k):
    best = S.topk(k, dim=1).indices
    return (best == torch.arange(len(S))[:, None]).any(1).float().mean()


RIGHT = {
    "07.1": [similarities, by_norms, in_loops,
             lambda x, y, tau: cliplab.similarity_matrix(*units(x, y), tau)],
    "07.2": [loss, loss_by_logsumexp, loss_in_numpy, lambda S: loss(S.T)],
    "07.3": [(math.log, lambda N, d: math.log(d)),
             (lambda N: -math.log(1 / N), lambda N, d: np.log(d)),
             (lambda N: loss(torch.zeros(N, N)), lambda N, d: torch.tensor(float(d)).log())],
    "07.4": [log_scale_gradient, by_autograd, by_expectation,
             lambda C, s: log_scale_gradient(C.double(), s)],
    "07.5": [recall, recall_in_loops, lambda S, k: recall(S, k).item()],
}  # fmt: skip

WRONG = {
    "07.1": [
        (lambda x, y, tau: x @ y.T / tau, "unit length"),
        (lambda x, y, tau: units(x, y)[0] @ y.T / tau, "pictures' vectors"),
        (lambda x, y, tau: x @ units(x, y)[1].T / tau, "captions' vectors"),
        (lambda x, y, tau: similarities(x, y, 1), "divide"),
        (lambda x, y, tau: similarities(x, y, 1 / tau), "multiplied by τ"),
        (lambda x, y, tau: similarities(y, x, tau), "swapped"),
        (lambda x, y, tau: F.normalize(x, dim=0) @ F.normalize(y, dim=0).T / tau, "columns"),
        (lambda x, y, tau: F.cosine_similarity(x, y) / tau, "diagonal alone"),
        (lambda x, y, tau: similarities(x, y, tau).softmax(1), "softmax belongs to the loss"),
        (lambda x, y, tau: x @ y / tau, "RuntimeError"),
        (lambda x, y, tau: similarities(x, y, tau) + 1, "values differ"),
    ],
    "07.2": [
        (half, "eq. 62 alone"),
        (lambda S: half(S.T), "eq. 63 alone"),
        (lambda S: half(S) + half(S.T), "average"),
        (lambda S: loss(S) * len(S), "divide by N"),
        (lambda S: 2 * loss(S) * len(S), "by N and by 2"),
        (lambda S: loss(S) / len(S), "divided by N twice"),
        (lambda S: -loss(S), "sign"),
        (lambda S: -S.diagonal().mean(), "denominators"),
        (lambda S: -(S.softmax(0) + S.softmax(1)).diagonal().mean() / 2, "logarithm"),
        (lambda S: (half(S, 1) + half(S.T, 1)) / 2, "slipped"),
        (lambda S: F.cross_entropy(S, torch.arange(len(S)), reduction="none"), "shape"),
        (lambda S: loss(S) + 0.1, "should be"),
    ],
    "07.3": [
        ((math.log2, lambda N, d: math.log(d)), "bits"),
        ((math.log10, lambda N, d: math.log(d)), "base 10"),
        ((lambda N: 2 * math.log(N), lambda N, d: math.log(d)), "not their sum"),
        ((lambda N: 1 / N, lambda N, d: math.log(d)), "take −ln"),
        ((lambda N: math.log(1 / N), lambda N, d: math.log(d)), "sign"),
        ((lambda N: 0.0, lambda N, d: math.log(d)), "perfect"),
        ((lambda N: N * math.log(N), lambda N, d: math.log(d)), "mean over the pairs"),
        ((math.log, lambda N, d: 0.0), "out of reach"),
        ((math.log, lambda N, d: math.log(N)), "knows nothing"),
        ((math.log, lambda N, d: math.log(N / d)), "can be told apart"),
        ((math.log, lambda N, d: math.log(d) / 2), "both halves"),
        ((math.log, lambda N, d: math.log2(d)), "bits"),
        ((math.log, lambda N, d: 1 - 1 / d), "missed"),
        ((lambda N: "ln N", lambda N, d: math.log(d)), "should be"),
    ],
    "07.4": [
        (lambda C, s: -log_scale_gradient(C, s), "sign"),
        (lambda C, s: log_scale_gradient(C, s) / math.exp(s), "gradient of 1/τ"),
        (lambda C, s: -log_scale_gradient(C, s) * math.exp(s), "gradient of τ itself"),
        (lambda C, s: half_gradient(C, s, 1), "eq. 62's half"),
        (lambda C, s: half_gradient(C, s, 0), "eq. 63's half"),
        (lambda C, s: 2 * log_scale_gradient(C, s), "average"),
        (lambda C, s: len(C) * log_scale_gradient(C, s), "divide by N"),
        (lambda C, s: log_scale_gradient(C, s) / len(C), "twice"),
        (lambda C, s: log_scale_gradient(C, s) + math.exp(s) * C.diagonal().mean(), "missing"),
        (lambda C, s: C, "shape"),
        (lambda C, s: 0.0, "should be"),
    ],
    "07.5": [
        (recall_with_ties, "ties"),
        (by_topk, "alike"),
        (lambda S, k: recall(S.T, k), "image → text"),
        (lambda S, k: recall(S, k + 1), "R@(k+1)"),
        (lambda S, k: len(S) * recall(S, k), "divide by N"),
        (lambda S, k: recall(S, 1), "whatever k is"),
        (lambda S, k: 1 - recall(S, k), "not found"),
        (lambda S, k: 100 * recall(S, k), "percent"),
        (lambda S, k: 0.25, "at least as similar"),
    ],
}
