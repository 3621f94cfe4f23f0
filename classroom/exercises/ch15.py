"""Checks for chapter 15: learned positions, buckets of distances, turns."""

import math

from . import exercise, expect, trying, why


def bucket(distance: int, last: int = 15) -> int:
    """T5's bucket, in whole numbers: d is in step k where 16ᵏ 8⁸ ≤ d⁸."""
    d = abs(distance)
    step = d if d < 8 else 8 + sum(16**k * 8**8 <= d**8 for k in range(1, 40))
    return min(step, last) + 16 * (distance > 0)


@exercise("15.1", title="The bucket of a distance")
def bucket_of_a_distance(answer):
    call = trying(answer)
    for distance in (0, -3, 5, -7, 8, 11, 12, 20, -20, 50, -90, -91, 127, 128, 1000, -1000):
        d, where = abs(distance), f"for a distance of {distance}"
        wanted, got = bucket(distance), call(distance)
        reasons = [
            (bucket(-distance), "a key after the query, with a positive distance, is in the second "
             "half, from 16 on; yours are the other way round"),
            (bucket(distance) - 16, "a key after the query has a bucket of the second half"),
            (bucket(0) + 16 if distance == 0 else None, "distance 0 is in the first half: the "
             "second is for keys after the query"),
            (bucket(distance, 99), "the last bucket of a direction takes all that is beyond"),
            (min(d, 15) + 16 * (distance > 0), "from 8 on, several distances share a bucket: the "
             "logarithm says which"),
        ]  # fmt: skip
        if d >= 8:
            steps = 8 * math.log(d / 8) / math.log(16)
            mistakes = [
                (8 + round(steps), "a bucket is begun when the logarithm reaches it: round down"),
                (8 + steps, "a bucket is a whole number: round down"),
                (int(steps), "the first 8 buckets are taken: count on from 8"),
                (8 + int(8 * math.log(d) / math.log(128)), "the logarithm is of d / 8, so that it "
                 "is 0 at 8, where the shared buckets begin"),
            ]  # fmt: skip
            reasons += [(min(b, 15) + 16 * (distance > 0), said) for b, said in mistakes]
        expect(got, wanted, where, why(got, wanted, reasons))
    return "near distances have a bucket each, and beyond 90 one bucket takes them all."


def turned(x, position, theta, exponent=2.0, sign=1, neighbors=False, unit=1.0):
    """RoPE of a list x; the options are the usual slips."""
    K, out = len(x), list(x)
    for p in range(K // 2):
        a, b = (2 * p, 2 * p + 1) if neighbors else (p, p + K // 2)
        angle = sign * unit * position * theta ** (-exponent * p / K)
        out[a] = x[a] * math.cos(angle) - x[b] * math.sin(angle)
        out[b] = x[b] * math.cos(angle) + x[a] * math.sin(angle)
    return out


def in_place(x, position, theta):
    """As `turned`, where the second number of a pair is made of the first's new value."""
    K, out = len(x), list(x)
    for p in range(K // 2):
        angle = position * theta ** (-2 * p / K)
        out[p] = out[p] * math.cos(angle) - out[p + K // 2] * math.sin(angle)
        out[p + K // 2] = out[p + K // 2] * math.cos(angle) + out[p] * math.sin(angle)
    return out


@exercise("15.2", title="Turn a query")
def turn_a_query(answer):
    call = trying(answer)
    cases = [
        ([1.0, 2.0], 1, 10_000),
        ([0.5, -1.0, 2.0, 0.25], 3, 100),
        ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 7, 1000),
    ]
    for x, position, theta in cases:
        where = f"for {x} at position {position} with θ = {theta}"
        wanted, got = turned(x, position, theta), call(x, position, theta)
        given = (x, position, theta)
        reasons = [
            (turned(*given, sign=-1), "the turn has the other direction: x cos − y sin comes "
             "first, y cos + x sin second"),
            (in_place(*given), "the second number of a pair is made of the first as it was before "
             "the turn; keep the old one"),
            (turned(*given, unit=math.pi / 180), "the angles are in degrees; cos and sin take "
             "radians, and so does the formula"),
            (turned(*given, neighbors=True), "number p is paired with number p + K/2, not with its "
             "neighbor. (The paper pairs neighbors, the checkpoints do not.)"),
            (turned(*given, exponent=0), "all pairs turn at the same speed here: θ is missing"),
            (turned(*given, exponent=1), "the exponent is −2p / K, with K numbers and not K pairs"),
            (turned(*given, exponent=-2), "the exponent has a minus sign: later pairs turn more "
             "slowly"),
            (turned(x, position + 1, theta), "positions are counted from 0 here, as given"),
        ]  # fmt: skip
        expect(got, wanted, where, why(got, wanted, reasons))
    return "the first pair turns by a radian a position, the last hardly at all."


def slow_pairs(K, theta, length, exponent=2.0, full=2 * math.pi):
    """How many pairs turn by less than `full` over `length` positions."""
    return sum(length * theta ** (-exponent * p / K) < full for p in range(K // 2))


@exercise("15.3", title="Pairs that never came round")
def pairs_that_never_came_round(answer):
    call = trying(answer)
    for K, theta, length in [
        (128, 1_000_000, 512), (128, 1_000_000, 32_768), (128, 10_000, 512), (4, 100, 50),
        (2, 10_000, 5),
    ]:  # fmt: skip
        where = f"for K = {K}, θ = {theta} and {length} positions"
        wanted, got = slow_pairs(K, theta, length), call(K, theta, length)
        reasons = [
            (K // 2 - wanted, "these are the pairs that did come round; the others are asked for"),
            (2 * wanted, "a pair is two numbers: there are K/2 pairs"),
            (slow_pairs(K, theta, length, full=1), "a full turn is 2π, not 1"),
            (slow_pairs(K, theta, length, full=math.pi), "a full turn is 2π; π is half of one"),
            (slow_pairs(K, theta, length, full=360), "a full turn is 2π radians, not 360"),
            (slow_pairs(K, theta, length, exponent=1), "the exponent is −2p / K"),
        ]
        expect(got, wanted, where, why(got, wanted, reasons))
    return "beyond that length these pairs meet angles that training never showed."
