"""Inputs of each exercise, drawn from the whole domain that its statement names."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F

import cliplab
from classroom.exercises.a3 import draw_prompt
from cliplab.text_encoder import CLIPAttention, CLIPEncoderLayer

Draw = Callable[[random.Random], tuple]


def some_id(r: random.Random) -> int:
    return r.choice([0, 1, 2, 255, 256, 49406, 49407, r.randrange(49408)])


def word(r: random.Random) -> tuple:
    blocks = [(0x21, 0x7E), (0xA1, 0x7FF), (0x800, 0xD7FF), (0xE000, 0xFFFF), (0x10000, 0x10FFFF)]
    return ("".join(chr(r.randint(*r.choice(blocks))) for _ in range(r.randint(1, 12))),)


def symbols_and_ranks(r: random.Random) -> tuple:
    known = r.choice([["a", "b"], ["a", "b", "ab", "ba", "a</w>"], ["in", "th", "e", "the</w>"]])
    symbols = r.choices(known, k=r.randint(1, 12))
    parts = [*known, *(a + b for a in known for b in known)]
    pairs = list({f"{r.choice(parts)} {r.choice(parts)}" for _ in range(r.randint(0, 30))})
    ranks = r.sample(range(r.choice([40, 50_000, 10**12])), len(pairs))
    return symbols, dict(zip(pairs, ranks, strict=True))


def content(r: random.Random) -> tuple:
    bos, eos, pad = (some_id(r) for _ in range(3))
    length = r.choice([2, 3, r.randint(2, 20), 77, 99])
    ids = [r.choice([bos, eos, pad, some_id(r)]) for _ in range(r.choice([0, 1, r.randint(0, 99)]))]
    return ids, length, bos, eos, pad


def ids_with_eos(r: random.Random) -> tuple:
    eos, B, L = some_id(r), r.randint(1, 4), r.randint(1, 10)
    rows = [[r.choice([eos, some_id(r)]) for _ in range(L)] for _ in range(B)]
    for row in rows:
        row[r.randrange(L)] = eos
    return torch.tensor(rows), eos


def ids_and_rule(r: random.Random) -> tuple:
    rule, B, L = r.choice([2, some_id(r)]), r.randint(1, 4), r.randint(1, 10)
    return torch.tensor(
        [[r.choice([rule, 2, some_id(r), r.randrange(5)]) for _ in range(L)] for _ in range(B)]
    ), rule


def rows(r: random.Random) -> tuple:
    shape = [r.randint(1, 5) for _ in range(r.randint(0, 3))] + [r.randint(2, 9)]
    x, D = r.choice([0.1, 1, 300]) * torch.randn(shape), shape[-1]
    x = x.half() if r.random() < 0.3 else x
    return x, torch.randn(D), torch.randn(D), 10 ** r.uniform(-5, -0.5)


def numbers(r: random.Random) -> tuple:
    shape = [r.randint(1, 4) for _ in range(r.randint(0, 3))]
    return r.choice([1, 3, 40]) * torch.randn(shape), r.choice(["quick_gelu", "gelu"])


def masked(r: random.Random) -> tuple:
    L, front = r.randint(1, 6), [r.randint(1, 3) for _ in range(r.randint(0, 2))]
    mask = torch.rand([r.choice([1, n]) for n in front] + [L, L]) < r.choice([0.3, 0.6, 1.1])
    scores = torch.randn([*front, L, L]) * r.choice([1, 3, 3e4]) + r.choice([0, -1e5, 1e5])
    return scores.clamp(-1e5, 1e5), mask


def drawn(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: 0.5 * torch.randn(t.shape) for name, t in module.state_dict().items()}


def stream(r: random.Random, layer: Callable) -> tuple:
    heads = r.choice([1, 2, 3])
    D, B, L = heads * r.randint(1, 4), r.randint(1, 3), r.randint(1, 6)
    mask = (torch.rand(L, L) < 0.4) | torch.eye(L).bool()
    if r.random() < 0.5:
        mask = (torch.rand(B, L, L) < 0.4) | mask
    return torch.randn(B, L, D), drawn(layer(D, heads)), mask, heads


def whole_encoder(r: random.Random) -> tuple:
    heads, layers, eos = r.choice([1, 2]), r.choice([1, 2, 3, 11]), r.randrange(12)
    config = cliplab.CLIPTextConfig(12, 7, 4 * heads, heads, layers, 6, eos_token_id=eos)
    p = drawn(cliplab.CLIPTextModel(config))
    ids = torch.randint(12, (r.randint(1, 3), r.randint(1, 7)))
    for row in ids:
        row[r.randrange(len(row))] = eos
    return ids, p, heads, eos


def pieces(r: random.Random) -> tuple:
    counts = [r.choice([0, 1, 9, 74, 75, 76, r.randint(1, 160)]) for _ in range(r.randint(0, 4))]
    made = [[[some_id(r) for _ in range(n)], r.uniform(-1, 3)] for n in counts]
    return made, some_id(r), some_id(r)


def context(r: random.Random) -> tuple:
    n, L, D, method = (
        r.randint(1, 4),
        r.randint(3, 6),
        r.randint(3, 6),
        r.choice(["a1111", "comfyui"]),
    )
    w = 0.3 + 1.7 * torch.rand(n * L)
    w[torch.rand(n * L) < 0.3] = 1.0
    return torch.randn(n * L, D) + 5, w, torch.randn(L, D), method


def pictures(r: random.Random) -> tuple:
    most, colors, shape = r.choice([4, 256]), r.randint(1, 5), (r.randint(1, 6), r.randint(1, 6), 3)
    draw = np.random.default_rng(r.getrandbits(32))
    before, after = draw.integers(0, most, (2, *shape), dtype=np.uint8)
    return before, after, draw.integers(0, most, (colors, 3)).tolist(), r.randrange(colors)


def pairs(r: random.Random) -> tuple:
    n, size = r.randint(2, 20), r.choice([1, 50])
    before = [r.uniform(-size, size) for _ in range(n)]
    return before, [x + r.uniform(-1, 2) for x in before]


def vectors(r: random.Random) -> tuple:
    x, y = torch.randn(r.randint(1, 5), 4) * r.choice([0.1, 9]), torch.randn(r.randint(1, 5), 4)
    if r.random() < 0.2:
        x[0] = 0
    if r.random() < 0.2:
        y[-1] = 0
    return x, y, r.choice([0.0, r.uniform(-3, 8), r.uniform(0, 4.7)])


def square(r: random.Random) -> tuple:
    N = r.randint(1, 6)
    S = (r.choice([1, 50, 4000]) * torch.randn(N, N)).clamp(-10_000, 10_000)
    if r.random() < 0.3:
        S[(torch.rand(N, N) < 0.3) & ~torch.eye(N).bool()] = -torch.inf
    return (S,)


def unit_vectors(r: random.Random) -> tuple:
    N, E = r.randint(1, 6), r.randint(2, 5)
    return 2 * torch.randn(N, E), F.normalize(torch.randn(N, E), dim=-1), r.uniform(-2, 4)


def groups(r: random.Random) -> tuple:
    N = r.randint(1, 6)
    S = (r.choice([1, 3000]) * torch.randn(N, N)).clamp(-10_000, 10_000)
    return S, [r.choice([-1, 0, 5, 10**9]) for _ in range(N)]


# Exercise → its draws, and the tolerance within which two answers are the same one. A3.4 and A4.5
# have no one answer: for A3.4 its check decides, A4.5 is not mutated.
DOMAINS: dict[str, tuple[Draw, float]] = {
    "A1.1": (word, 0),
    "A1.2": (symbols_and_ranks, 0),
    "A1.3": (symbols_and_ranks, 0),
    "A1.4": (content, 0),
    "A1.5": (ids_with_eos, 0),
    "A1.6": (ids_and_rule, 0),
    "A2.1": (rows, 2e-3),
    "A2.2": (numbers, 1e-4),
    "A2.3": (masked, 1e-4),
    "A2.4": (lambda r: stream(r, CLIPAttention), 1e-3),
    "A2.5": (lambda r: stream(r, lambda D, heads: CLIPEncoderLayer(D, heads, 5)), 1e-3),
    "A2.6": (whole_encoder, 1e-3),
    "A3.1": (lambda r: (draw_prompt(r),), 1e-5),
    "A3.2": (pieces, 1e-4),
    "A3.3": (context, 1e-3),
    "A3.5": (pictures, 1e-5),
    "A3.6": (pairs, 1e-3),
    "A4.1": (vectors, 1e-3),
    "A4.2": (square, 1e-3),
    "A4.3": (unit_vectors, 1e-3),
    "A4.4": (groups, 1e-3),
}
