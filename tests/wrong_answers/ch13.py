"""Answers to the exercises of chapter 13, right ones and wrong ones."""

import math

import torch
import torch.nn.functional as F

import cliplab


def learned(losses, found, N, candidates, within=0.05, times=3, end=-1):
    if abs(losses[end] - math.log(N)) <= within * math.log(N):
        return "nothing"
    return "something else" if found[-1] <= times / candidates else "pictures"


def by_ratio(losses, found, N, candidates):
    if 0.95 <= losses[-1] / math.log(N) <= 1.05:
        return "nothing"
    return ["something else", "pictures"][found[-1] * candidates > 3]


def one_sided(losses, found, N, candidates):
    if losses[-1] >= 0.95 * math.log(N):
        return "nothing"
    return "something else" if found[-1] <= 3 / candidates else "pictures"


def best_found(losses, found, N, candidates):
    return learned(losses, [max(found)], N, candidates)


def of_batch(losses, found, N, candidates):
    return learned(losses, found, N, N)


def loss(S, shift=0):
    target = (torch.arange(len(S)) + shift) % len(S)
    return (F.cross_entropy(S, target) + F.cross_entropy(S.T, target)) / 2


def cosines(x, y):
    return F.normalize(x, dim=-1) @ F.normalize(y, dim=-1).T


def mended(x, y, tau):
    return loss(cosines(x, y) / tau)


def by_the_package(x, y, tau):
    return cliplab.clip_loss(F.normalize(x, dim=-1), F.normalize(y, dim=-1), tau)


def colleague(x, y, tau):
    S = x @ F.normalize(y, dim=0).T * tau
    target = torch.arange(1, len(S) + 1) % len(S)
    return F.cross_entropy(S, target) + F.cross_entropy(S.T, target)


def table(captions, plain):
    forms = [plain(caption) for caption in captions]
    return [[a == b for b in forms] for a in forms]


def same_words(captions):
    return table(captions, lambda c: c.lower().split())


def by_joining(captions):
    forms = [" ".join(caption.lower().split()) for caption in captions]
    return [[forms[i] == forms[j] for j in range(len(forms))] for i in range(len(forms))]


def no_diagonal(captions):
    found = same_words(captions)
    return [[value and i != j for j, value in enumerate(row)] for i, row in enumerate(found)]


def keep(losses, patience):
    best = 0
    for n, value in enumerate(losses):
        if value < losses[best]:
            best = n
        if n - best == patience:
            break
    return best


def by_counting(losses, patience):
    best, lowest, waited = 0, losses[0], 0
    for n in range(1, len(losses)):
        if losses[n] < lowest:
            best, lowest, waited = n, losses[n], 0
        else:
            waited += 1
        if waited >= patience:
            return best
    return best


def with_ties(losses, patience):
    best = 0
    for n, value in enumerate(losses):
        if value <= losses[best]:
            best = n
        if n - best == patience:
            break
    return best


def where_it_stops(losses, patience):
    best = 0
    for n, value in enumerate(losses):
        if value < losses[best]:
            best = n
        if n - best == patience:
            return n
    return len(losses) - 1


RIGHT = {
    "13.1": [learned, by_ratio],
    "13.2": [mended, by_the_package, lambda x, y, tau: mended(4 * x, y, tau)],
    "13.3": [same_words, by_joining],
    "13.4": [keep, by_counting],
}

WRONG = {
    "13.1": [
        (one_sided, "'something else', not 'nothing'"),
        (best_found, "'something else', not 'pictures'"),
        (of_batch, "three times chance"),
        (lambda losses, found, N, c: learned(losses, found, N, c, times=1), "three times"),
        (lambda losses, found, N, c: learned(losses, found, N, c, within=0.15), "not 'nothing'"),
        (lambda losses, found, N, c: learned(losses, found, N, c, end=0), "the loss ends at"),
        (lambda losses, found, N, c: True, "one of the three words"),
    ],
    "13.2": [
        (lambda x, y, tau: loss(x @ F.normalize(y, dim=-1).T / tau), "x is not of unit length"),
        (lambda x, y, tau: loss(F.normalize(x, dim=-1) @ F.normalize(y, dim=0).T / tau), "columns"),
        (lambda x, y, tau: loss(F.normalize(x, dim=-1) @ y.T / tau), "y is not normalized"),
        (lambda x, y, tau: loss(cosines(x, y) * tau), "multiplies"),
        (lambda x, y, tau: loss(cosines(x, y)), "τ is gone"),
        (lambda x, y, tau: loss(cosines(x, y) / tau, 1), "slipped"),
        (lambda x, y, tau: 2 * mended(x, y, tau), "average"),
        (lambda x, y, tau: F.cross_entropy(cosines(x, y) / tau, torch.arange(len(x))), "half"),
        (colleague, "should be"),
    ],
    "13.3": [
        (lambda captions: table(captions, str), "capital letters and spaces"),
        (lambda captions: table(captions, str.lower), "spaces make"),
        (lambda captions: table(captions, lambda c: c.lower().strip()), "in a row"),
        (lambda captions: table(captions, str.split), "capital letters make"),
        (lambda captions: table(captions, lambda c: sorted(c.lower().split())), "order"),
        (lambda captions: table(captions, lambda c: c.lower().replace(" ", "")), "run together"),
        (no_diagonal, "diagonal"),
        (lambda captions: [[not value for value in row] for row in same_words(captions)], "turned"),
    ],
    "13.4": [
        (lambda losses, patience: losses.index(min(losses)), "before it saw"),
        (where_it_stops, "where it stops"),
        (lambda losses, patience: keep(losses, patience + 1), "one evaluation too many"),
        (lambda losses, patience: losses[keep(losses, patience)], "the loss itself"),
        (lambda losses, patience: keep(losses, patience) + 1, "counts from 1"),
        (with_ties, "no new lowest"),
    ],
}
