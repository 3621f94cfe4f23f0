"""Checks for chapter 12: what a weight does to a picture."""

import math

from . import Almost, exercise, expect, trying, why


@exercise("12.1", title="The share of a weighted token")
def weighted_share(answer):
    call = trying(answer)
    cases = [
        ([2.0, 1.0, 0.0], 0, 1.5),
        ([2.0, 1.0, 0.0], 0, 0),
        ([1.0, -2.0, 0.5, 0.0], 1, 1.5),
        ([0.3, 1.1, -0.4], 2, 2),
        ([1.0, 2.0], 1, 1),
    ]
    for scores, j, w in cases:
        where = f"for scores {scores}, j = {j}, w = {w}"
        got, wanted = call(scores, j, w), share([s * w if k == j else s
                                                 for k, s in enumerate(scores)], j)  # fmt: skip
        mistakes = [
            (share(scores, j), "the weight is not used"),
            (w * share(scores, j), "the share itself is multiplied; the weight acts on the score,"
             " before the softmax"),
            (w * wanted, "the share is right, and then multiplied by w once more"),
            (share([s * w for s in scores], j), "all scores are multiplied; only token j has a"
             " weight"),
            (share([s + w if k == j else s for k, s in enumerate(scores)], j),
             "the weight is added to the score; it multiplies"),
            (w * math.exp(scores[j]) / sum(math.exp(s) for s in scores if s is not scores[j]),
             "the share is divided by the others alone; token j belongs into the sum"),
            (math.exp(w * scores[j]) / sum(map(math.exp, scores)),
             "the sum below still has the old score of token j"),
            (wanted / (1 - wanted), "that is a ratio to the others; a share is a part of all"),
            (1 - wanted, "that is what the others get"),
        ]  # fmt: skip
        expect(got, wanted, where, why(got, wanted, mistakes))
    return "more weight, and more attention only where the score is positive."


def share(scores: list[float], j: int) -> float:
    """The softmax of the scores, at j."""
    return math.exp(scores[j]) / sum(map(math.exp, scores))


@exercise("12.2", title="Coins")
def by_chance(answer):
    call = trying(answer)
    cases = [
        ([5.0, 5.0, 7.0, 5.0, 8.0, 1.0, 2.0], [5.0, 6.0, 8.0, 4.0, 7.0, 3.0, 5.0]),
        ([1.0, 2.0, 3.0], [2.0, 3.0, 4.0]),
        ([1.0, 2.0, 3.0], [0.0, 1.0, 2.0]),
        ([5.0, 5.0, 5.0, 5.0], [6.0, 6.0, 6.0, 4.0]),
        ([5.0, 5.0, 7.0, 5.0, 8.0], [5.0, 6.0, 8.0, 5.0, 7.0]),
        ([0.0] * 8, [1.0] * 7 + [-1.0]),
        ([4.0, 4.0], [4.0, 4.0]),
    ]
    for before, after in cases:
        n = sum(a != b for a, b in zip(before, after, strict=True))
        k = sum(b > a for a, b in zip(before, after, strict=True))
        where, all_seeds = f"for {before} and {after}", len(before)
        wanted = at_least(k, n)
        mistakes = [
            (at_least(k, all_seeds), "seeds at which nothing changed are counted as coins"),
            (at_least(k + all_seeds - n, all_seeds), "a tie is counted as a rise"),
            (math.comb(n, k) / 2**n, "that is exactly k heads; more of them count as well"),
            (at_least(k + 1, n), "that is more than k heads; k itself counts as well"),
            (at_least(n - k, n), "that counts the falls, or the seeds with at most k rises"),
            (k / n if n else None, "that is the share of rises, not a probability under chance"),
            (2 * wanted, "that counts both directions; rises alone are asked for"),
            (1 - wanted, "that is the probability of fewer heads"),
            (0.5**k, "that is right where all have risen; otherwise there are more ways"),
        ]
        got = call(before, after)
        expect(got, wanted, where, why(got, wanted, mistakes))
    return "eight of eight is 1 in 256."


def at_least(k: int, n: int) -> float:
    """The probability of k or more heads among n fair coins."""
    return sum(math.comb(n, heads) for heads in range(k, n + 1)) / 2**n


@exercise("12.3", title="The last good weight")
def last_good(answer):
    call = trying(answer)
    weights = [0, 0.5, 0.75, 1, 1.25, 1.5, 2]
    cases = [
        [0.1, 0.5, 0.8, 1.0, 0.99, 0.9, 0.95],
        [0.2, 0.6, 0.9, 1.0, 0.8, 0.9, 0.7],
        [0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 1.0],
        [0.9, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0],
        [60.0, 80.0, 79.98, 100.0, 97.5, 92.5, 80.0],
        [0.20, 0.19, 0.18, 0.5, 0.9, 1.0, 0.9],
    ]
    for values in cases:
        falls = [n for n in range(6) if values[n] - values[n + 1] > 0.03 * max(values)]
        strict = [n for n in range(6) if values[n] > values[n + 1]]
        absolute = [n for n in range(6) if values[n] - values[n + 1] > 0.03]
        relative = [n for n in range(6) if values[n + 1] < 0.97 * values[n]]
        peak = max(range(7), key=values.__getitem__)
        below = [n for n in range(6) if values[n + 1] < max(values[: n + 1]) - 0.03 * max(values)]
        wanted = weights[falls[0]] if falls else 2
        mistakes = [
            (weights[falls[0] + 1] if falls else None, "that weight is past the fall: the last"
             " good one stands before it"),
            (weights[falls[-1]] if falls else None, "that is the last fall; the first one ends it"),
            (weights[strict[0]] if strict else 2, "a small fall is forgiven: up to slack times the"
             " largest value"),
            (weights[absolute[0]] if absolute else 2, "slack is a part of the largest value"),
            (weights[relative[0]] if relative else 2, "the fall is compared with its neighbor;"
             " compare it with the largest value of all"),
            (weights[peak], "that is where the largest value stands; something may break before"),
            (weights[below[0]] if below else 2, "the fall is measured from the highest so far; each"
             " step is compared with the one before"),
            (falls[0] if falls else 6, "that is a place in the list; its weight is asked for"),
            (2, "there is a step that falls by more than is forgiven"),
        ]  # fmt: skip
        got = call(weights, values)
        expect(got, wanted, f"for the values {values}", why(got, wanted, mistakes))
    if call([0, 1, 2], [1.0, 0.8, 0.9], 0.5) != 2:
        raise Almost("slack is not used: with 0.5, a fall from 1 to 0.8 is forgiven.")
    return "what breaks first decides."
