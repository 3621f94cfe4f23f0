"""Answers to the exercises of chapter 12, right ones and wrong ones."""

import math
from itertools import pairwise


def weighted_share(scores, j, w):
    weighted = [s * w if k == j else s for k, s in enumerate(scores)]
    return math.exp(weighted[j]) / sum(math.exp(s) for s in weighted)


def by_differences(scores, j, w):
    return 1 / sum(math.exp((s if k != j else s * w) - scores[j] * w) for k, s in enumerate(scores))


def old_sum(scores, j, w):
    return math.exp(w * scores[j]) / sum(math.exp(s) for s in scores)


def by_chance(before, after):
    pairs = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
    return at_least(sum(b > a for a, b in pairs), len(pairs))


def at_least(k, n):
    return sum(math.comb(n, heads) for heads in range(k, n + 1)) / 2**n


def by_recursion(before, after):
    signs = [b > a for a, b in zip(before, after, strict=True) if a != b]

    def chance(n, k):
        if k <= 0 or n == 0:
            return float(k <= 0)
        return (chance(n - 1, k - 1) + chance(n - 1, k)) / 2

    return chance(len(signs), sum(signs))


def rises(before, after):
    return sum(b > a for a, b in zip(before, after, strict=True))


def coins(before, after):
    return sum(a != b for a, b in zip(before, after, strict=True))


def last_good(weights, values, slack=0.03):
    for weight, now, then in zip(weights, values, values[1:], strict=False):
        if now - then > slack * max(values):
            return weight
    return weights[-1]


def by_numbers(weights, values, slack=0.03):
    n = 0
    while n + 1 < len(values) and values[n + 1] >= values[n] - slack * max(values):
        n += 1
    return weights[n]


def last_fall(weights, values, slack=0.03):
    steps = enumerate(pairwise(values))
    falls = [n for n, (a, b) in steps if a - b > slack * max(values)]
    return weights[falls[-1]] if falls else weights[-1]


RIGHT = {
    "12.1": [weighted_share, by_differences],
    "12.2": [by_chance, by_recursion],
    "12.3": [last_good, by_numbers],
}

WRONG = {
    "12.1": [
        (lambda scores, j, w: weighted_share(scores, j, 1), "not used"),
        (lambda scores, j, w: w * weighted_share(scores, j, 1), "before the softmax"),
        (lambda scores, j, w: w * weighted_share(scores, j, w), "once more"),
        (lambda scores, j, w: weighted_share([s * w for s in scores], j, 1), "only token j"),
        (lambda scores, j, w: weighted_share([*scores[:j], scores[j] + w, *scores[j + 1 :]], j, 1),
         "added"),
        (old_sum, "old score"),
        (lambda scores, j, w: 1 - weighted_share(scores, j, w), "what the others get"),
        (lambda scores, j, w: 0.5, "should be"),
    ],
    "12.2": [
        (lambda a, b: at_least(rises(a, b), len(a)), "as coins"),
        (lambda a, b: at_least(sum(y >= x for x, y in zip(a, b, strict=True)), len(a)), "tie"),
        (lambda a, b: math.comb(coins(a, b), rises(a, b)) / 2 ** coins(a, b), "exactly"),
        (lambda a, b: by_chance(b, a), "falls"),
        (lambda a, b: rises(a, b) / max(coins(a, b), 1), "share of rises"),
        (lambda a, b: 0.5 ** rises(a, b), "more ways"),
        (lambda a, b: 1 - by_chance(a, b), "fewer heads"),
        (lambda a, b: 2 * by_chance(a, b), "both directions"),
        (lambda a, b: 0.05, "should be"),
    ],
    "12.3": [
        (last_fall, "last fall"),
        (lambda weights, values, slack=0.03: last_good(weights, values, 0), "forgiven"),
        (lambda weights, values, slack=0.03: weights[values.index(max(values))], "largest value"),
        (lambda weights, values, slack=0.03: weights.index(last_good(weights, values)), "place"),
        (lambda weights, values, slack=0.03: weights[-1], "falls by more"),
        (lambda weights, values, slack=0.03: last_good(weights, values), "slack is not used"),
        (lambda weights, values, slack=0.03: last_good(weights, values, 0.03 / max(values)),
         "part of the largest"),
    ],
}  # fmt: skip
