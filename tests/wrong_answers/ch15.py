"""Answers to the exercises of chapter 15, right ones and wrong ones."""

import math

import torch

from cliplab.later_encoders import RotaryEmbedding, relative_position_bucket, rotate


def bucket(distance):
    d = abs(distance)
    if d >= 8:
        d = min(15, 8 + int(8 * math.log(d / 8) / math.log(16)))
    return d + 16 if distance > 0 else d


def by_borders(distance):
    borders = [1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 23, 32, 46, 64, 91]
    return sum(abs(distance) >= border for border in borders) + 16 * (distance > 0)


def librarys(distance):
    return relative_position_bucket(torch.tensor(distance))


def one_direction(distance):
    return bucket(-abs(distance))


def with_zero_after(distance):
    return bucket(distance) + 16 * (distance == 0)


def rounded(distance):
    d = abs(distance)
    if d >= 8:
        d = min(15, 8 + round(8 * math.log(d / 8) / math.log(16)))
    return d + 16 if distance > 0 else d


def no_last(distance):
    d = abs(distance)
    if d >= 8:
        d = 8 + int(8 * math.log(d / 8) / math.log(16))
    return d + 16 if distance > 0 else d


def all_near(distance):
    return min(abs(distance), 15) + 16 * (distance > 0)


def from_zero_again(distance):
    d = abs(distance)
    if d >= 8:
        d = min(15, int(8 * math.log(d / 8) / math.log(16)))
    return d + 16 if distance > 0 else d


def log_of_d(distance):
    d = abs(distance)
    if d >= 8:
        d = min(15, 8 + int(8 * math.log(d) / math.log(128)))
    return d + 16 if distance > 0 else d


def turn(x, position, theta, pairs=None, exponent=-2, sign=1):
    K = len(x)
    out = list(x)
    for p, (a, b) in enumerate(pairs or [(p, p + K // 2) for p in range(K // 2)]):
        angle = sign * position * theta ** (exponent * p / K)
        out[a] = x[a] * math.cos(angle) - x[b] * math.sin(angle)
        out[b] = x[b] * math.cos(angle) + x[a] * math.sin(angle)
    return out


def turn_by_complex(x, position, theta):
    half = len(x) // 2
    z = [complex(a, b) for a, b in zip(x[:half], x[half:], strict=True)]
    angles = [position * theta ** (-p / half) for p in range(half)]
    z = [c * complex(math.cos(a), math.sin(a)) for c, a in zip(z, angles, strict=True)]
    return [c.real for c in z] + [c.imag for c in z]


def turn_by_the_library(x, position, theta):
    cos, sin = RotaryEmbedding(len(x), theta)(position + 1)
    return rotate(torch.tensor(x), cos[position], sin[position])


def turn_neighbors(x, position, theta):
    return turn(x, position, theta, pairs=[(p, p + 1) for p in range(0, len(x), 2)])


def turn_in_place(x, position, theta):
    half = len(x) // 2
    for p in range(half):
        angle = position * theta ** (-2 * p / len(x))
        x[p] = x[p] * math.cos(angle) - x[p + half] * math.sin(angle)
        x[p + half] = x[p + half] * math.cos(angle) + x[p] * math.sin(angle)
    return x


def turn_in_degrees(x, position, theta):
    return turn(x, math.radians(position), theta)


def slow(head_width, theta, length):
    angles = [length * theta ** (-2 * p / head_width) for p in range(head_width // 2)]
    return sum(angle < 2 * math.pi for angle in angles)


def slow_by_length(head_width, theta, length):
    around = [2 * math.pi * theta ** (2 * p / head_width) for p in range(head_width // 2)]
    return len([n for n in around if n > length])


def turned_less(full, exponent=2):
    def count(head_width, theta, length):
        return sum(length / theta ** (exponent * p / head_width) < full
                   for p in range(head_width // 2))  # fmt: skip

    return count


RIGHT = {
    "15.1": [bucket, by_borders, librarys],
    "15.2": [turn, turn_by_complex, turn_by_the_library],
    "15.3": [slow, slow_by_length, lambda *given: float(slow(*given))],
}

WRONG = {
    "15.1": [
        (lambda distance: bucket(-distance), "the other way round"),
        (one_direction, "second half"),
        (with_zero_after, "distance 0"),
        (rounded, "round down"),
        (no_last, "last bucket"),
        (all_near, "logarithm"),
        (from_zero_again, "count on from 8"),
        (log_of_d, "d / 8"),
        (lambda distance: "near", "should be"),
    ],
    "15.2": [
        (lambda *given: turn(*given, sign=-1), "other direction"),
        (turn_neighbors, "p + K/2"),
        (lambda *given: turn(*given, exponent=0), "same speed"),
        (lambda *given: turn(*given, exponent=-1), "K pairs"),
        (lambda *given: turn(*given, exponent=2), "more slowly"),
        (turn_in_place, "before the turn"),
        (turn_in_degrees, "degrees"),
        (lambda x, position, theta: turn(x, position + 1, theta), "from 0"),
        (lambda x, position, theta: x, "should"),
    ],
    "15.3": [
        (lambda K, theta, length: K // 2 - slow(K, theta, length), "did come round"),
        (lambda *given: 2 * slow(*given), "K/2 pairs"),
        (turned_less(1), "2π, not 1"),
        (turned_less(math.pi), "half of one"),
        (turned_less(360), "360"),
        (turned_less(2 * math.pi, exponent=1), "exponent"),
        (lambda K, theta, length: 0, "should be 43"),
    ],
}
