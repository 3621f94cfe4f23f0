"""Inputs of each exercise, drawn from the whole domain that its statement names."""

from __future__ import annotations

import copy
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

import cliplab
from classroom.compare import settled
from classroom.exercises.a3 import letters
from cliplab.text_encoder import CLIPAttention, CLIPEncoderLayer

Draw = Callable[[random.Random], tuple]


def fresh(value: Any) -> Any:
    """A copy, which an answer may change."""
    if isinstance(value, torch.Tensor):
        return value.clone()
    if isinstance(value, (list, tuple)):
        return type(value)(map(fresh, value))
    if isinstance(value, dict):
        return {key: fresh(part) for key, part in value.items()}
    return copy.copy(value)


def called(answer: Callable, given: tuple) -> Any:
    return settled(answer(*fresh(given)))


@dataclass(frozen=True)
class Domain:
    """Of one exercise: its draws, the tolerance within which two answers are the same one, what of
    an answer is compared, and how many draws come at a time."""

    draw: Draw
    tolerance: float
    seen: Callable[[Callable, tuple], Any] = called
    at_once: int = 1


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


def with_type(answer: Callable, given: tuple) -> Any:
    got = called(answer, given)
    return [got, str(got.dtype)]


def numbers(r: random.Random) -> tuple:
    shape = [r.randint(1, 4) for _ in range(r.randint(0, 3))]
    return r.choice([1, 3, 40]) * torch.randn(shape), r.choice(["quick_gelu", "gelu"])


def masked(r: random.Random) -> tuple:
    L, front = r.randint(1, 6), [r.randint(1, 3) for _ in range(r.randint(0, 2))]
    mask = torch.rand([r.choice([1, n]) for n in front] + [L, L]) < r.choice([0.3, 0.6, 1.1])
    scores = torch.randn([*front, L, L]) * r.choice([1, 3, 3e4]) + r.choice([0, -1e5, 1e5])
    return scores.clamp(-1e5, 1e5), mask


def drawn(module: torch.nn.Module, size: float = 0.5) -> dict[str, torch.Tensor]:
    """Parameters; where they are small, all but the last LayerNorm, its eps counts."""
    return {
        name: (0.5 if name.startswith("final") else size) * torch.randn(t.shape)
        for name, t in module.state_dict().items()
    }


def stream(r: random.Random, layer: Callable) -> tuple:
    heads = r.choice([1, 2, 3])
    D, B, L = heads * r.randint(1, 4), r.randint(1, 3), r.randint(1, 6)
    mask = (torch.rand(L, L) < 0.4) | torch.eye(L).bool()
    if r.random() < 0.5:
        mask = (torch.rand(B, L, L) < 0.4) | mask
    # Far larger ones make scores of which float32 no longer tells the largest.
    return r.choice([0.01, 1, 1, 3]) * torch.randn(B, L, D), drawn(layer(D, heads)), mask, heads


def whole_encoder(r: random.Random) -> tuple:
    heads, layers = r.choice([1, 2]), r.choice([*[1, 1, 2] * 6, 3, 11])
    eos = r.choice([0, 1, *range(3, 12)])  # 2 stands for "the largest id" in configurations
    config = cliplab.CLIPTextConfig(12, 7, 4 * heads, heads, layers, 6, eos_token_id=eos)
    p = drawn(cliplab.CLIPTextModel(config), r.choice([0.5, 0.5, 0.01]))
    if r.random() < 0.5:  # some checkpoints have it, and the encoder does not use it
        p["text_projection.weight"] = torch.randn(4 * heads, 4 * heads)
    ids = torch.randint(12, (r.randint(1, 3), r.randint(1, 7)))
    for row in ids:
        row[r.randrange(len(row))] = eos
    return ids, p, heads, eos


def prompt(r: random.Random) -> tuple:
    """Brackets in brackets; at the top also closing ones that nothing opened, and at the end what
    is never closed."""
    made = "".join(r.choice([text(r), group(r, 3), stray(r)]) for _ in range(r.randint(0, 4)))
    for _ in range(r.choice([0, 0, 1, 2])):
        kind = r.choice("([")
        made += kind + "".join(r.choice([text(r), group(r, 1)]) for _ in range(r.randint(0, 2)))
        if kind == "[":
            made = made[: made.rindex("[")] + "[" + text(r).replace(":", "")
            break
    numbers = re.findall(r":\s*-?([.\d]+)\s*\)", made)  # what is none has no meaning
    return (made,) if all(n.count(".") < min(2, len(n)) for n in numbers) else prompt(r)


def text(r: random.Random) -> str:
    some = ["red", "old fox", " ", "  ", "é🐕", "\n", ":", "1.3", ".", "-", ",", "12:30", ": "]
    some += [rf"\{mark}" for mark in "()[]\\"]
    return "".join(r.choice(some) for _ in range(r.randint(0, 4)))


def weight_of(r: random.Random) -> str:
    size = r.choice(["1.3", "2", ".5", "0", "2.", "007", "30", f"{r.random():.4f}"])
    before, after = r.choice(["", "", " ", "  "]), r.choice(["", " "])
    return f":{before}{r.choice(['', '', '-'])}{size}{after}"


def group(r: random.Random, depth: int) -> str:
    inside = "".join(
        r.choice([text(r), group(r, depth - 1) if depth else ""]) for _ in range(r.randint(0, 3))
    )
    if r.random() < 0.3 and ":" not in inside:
        return f"[{inside}]"
    return f"({inside}{r.choice(['', weight_of(r)])})"


def stray(r: random.Random) -> str:
    return r.choice([")", "]", weight_of(r) + ")", "))"])


def by_letters(answer: Callable, given: tuple) -> Any:
    return letters(called(answer, given))


def pieces(r: random.Random) -> tuple:
    counts = [r.choice([0, 1, 9, 74, 75, 76, r.randint(1, 160)]) for _ in range(r.randint(0, 4))]
    made = [[[some_id(r) for _ in range(n)], r.uniform(-1, 3)] for n in counts]
    return made, some_id(r), some_id(r)


def context(r: random.Random) -> tuple:
    n, L, D, method = (
        r.randint(1, 4),
        r.randint(3, 6),
        r.randint(3, 6),
        r.choice([*["a1111", "comfyui"] * 5, "A1111", "compel", f"no{r.random()}"]),
    )
    w = 0.3 + 1.7 * torch.rand(n * L)
    w[torch.rand(n * L) < 0.3] = 1.0
    return torch.randn(n * L, D) + 5, w, torch.randn(L, D), method


def or_refused(answer: Callable, given: tuple) -> Any:
    """A method that is unknown is refused by a ValueError that names it."""
    try:
        return called(answer, given)
    except ValueError as error:
        return given[-1] in str(error)


def one_context(r: random.Random) -> tuple:
    """C, w and e of some ten rows, none nearly parallel; others of these shapes; larger weights."""
    L, D, size = r.choice([1, *[11] * 9]), r.randint(3, 20), r.choice([0.1, 1, 30])
    lengths = size * (0.5 + torch.rand(4, L, 1))
    C, e, other_C, other_e = lengths * F.normalize(torch.randn(4, L, D), dim=-1)
    while (near := F.cosine_similarity(C, e).abs() > 0.9).any():
        C[near] = lengths[0][near] * F.normalize(torch.randn(int(near.sum()), D), dim=-1)
    w, other_w = 2 * torch.rand(2, L)
    for rows in (w, other_w):
        kind = torch.rand(L)
        rows[kind < 0.5] = 0.0
        rows[kind < 0.4] = 1.0
        rows[kind < 0.15] = 2.0
    heavier = w + (2 - w) * (0.1 + 0.9 * torch.rand(L))
    heavier[torch.rand(L) < 0.2] = 2.0
    return C, w, e, other_C, other_w, other_e, heavier


def broken_promises(answer: Callable, given: tuple) -> list[int]:
    """The numbers of the promises that a method does not keep."""
    C, w, e, other_C, other_w, other_e, heavier = given

    def at(C: torch.Tensor, w: torch.Tensor, e: torch.Tensor) -> torch.Tensor:
        got = torch.as_tensor(called(answer, (C, w, e))).double()
        assert got.shape == C.shape
        assert got.isfinite().all()
        return got

    def alike(a: torch.Tensor, b: torch.Tensor) -> bool:
        return bool(((a - b).norm(dim=-1) <= 1e-4 * size).all())

    size = torch.maximum(C.norm(dim=-1), e.norm(dim=-1)).max()
    got, own, i = at(C, w, e), (torch.arange(len(C)) == len(C) // 2)[:, None], len(C) // 2
    among = [torch.where(own, *pair) for pair in ((C, other_C), (e, other_e))]
    there = torch.where(own[:, 0], w, other_w)
    start = at(C, 0 * w, e)
    near, far = ((one - start).norm(dim=-1) for one in (got, at(C, heavier, e)))
    longest = torch.maximum(C.norm(dim=-1), e.norm(dim=-1))
    kept = [
        alike(at(C, torch.ones_like(w), e), C),
        alike(got[w == 1], C[w == 1]),
        alike(at(among[0], there, among[1])[i], got[i]),
        alike(at(other_C, w, e)[w == 0], got[w == 0]),
        bool((far > near)[heavier > w + 0.1].all()),
        bool((got.norm(dim=-1) <= 1.001 * longest).all()),
    ]
    return [number for number, one in enumerate(kept, 1) if not one]


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


def three(answer: Callable, given: tuple) -> Any:
    """What is asked for of a dictionary, which may hold more."""
    got = called(answer, given)
    return {key: got[key] for key in ("S", "s", "x")}


def groups(r: random.Random) -> tuple:
    N = r.randint(1, 6)
    S = (r.choice([1, 3000]) * torch.randn(N, N)).clamp(-10_000, 10_000)
    return S, [r.choice([-1, 0, 5, 10**9]) for _ in range(N)]


DOMAINS = {
    "A1.1": Domain(word, 0),
    "A1.2": Domain(symbols_and_ranks, 0),
    "A1.3": Domain(symbols_and_ranks, 0),
    "A1.4": Domain(content, 0),
    "A1.5": Domain(ids_with_eos, 0),
    "A1.6": Domain(ids_and_rule, 0),
    "A2.1": Domain(rows, 2e-3, with_type),
    "A2.2": Domain(numbers, 1e-4),
    "A2.3": Domain(masked, 1e-4),
    "A2.4": Domain(lambda r: stream(r, CLIPAttention), 1e-2),
    "A2.5": Domain(lambda r: stream(r, lambda D, heads: CLIPEncoderLayer(D, heads, 5)), 1e-3),
    "A2.6": Domain(whole_encoder, 1e-3),
    "A3.1": Domain(prompt, 1e-5, by_letters),
    "A3.2": Domain(pieces, 1e-4),
    "A3.3": Domain(context, 1e-3, or_refused),
    "A3.4": Domain(one_context, 0, broken_promises, at_once=10),  # rows
    "A3.5": Domain(pictures, 1e-5),
    "A3.6": Domain(pairs, 1e-3),
    "A4.1": Domain(vectors, 1e-3),
    "A4.2": Domain(square, 1e-3),
    "A4.3": Domain(unit_vectors, 1e-3, three),
    "A4.4": Domain(groups, 1e-3),
}  # A4.5 asks for a training run, of which there is no right answer.
