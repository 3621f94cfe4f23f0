"""Checks for chapter 14: batches, teachers, machines."""

import torch
import torch.nn.functional as F
from torch import nn

from . import Almost, exercise, expect, random, trying, why
from .ch07 import name_the_mistake


@exercise("14.1", title="Rivals")
def rivals(answer):
    call = trying(answer)
    for N, parts in ((32, 4), (12, 3), (4096, 8), (10, 1)):
        for way in ("whole", "accumulated", "cached", "alone", "gathered"):
            cut = way in ("accumulated", "alone")
            wanted = (N // parts if cut else N) - 1
            where = f"for N = {N}, {parts} parts, {way!r},"
            got = call(N, parts, way)
            mistakes = [
                (wanted + 1, "the right picture is counted as a rival"),
                (N - 1 if cut else N // parts - 1, REASONS[way]),
                (wanted * N, "that is for all captions; one is asked for"),
                (2 * wanted, "pictures are asked for, not pictures and captions"),
            ]
            expect(got, wanted, where, why(got, wanted, mistakes))
    return "only what is there when the loss is computed can be compared."


REASONS = {
    "whole": "nothing is cut here",
    "accumulated": "each part has a loss of its own, with its own pictures alone",
    "cached": "GradCache computes one loss, of all the vectors",
    "alone": "a machine that gathers nothing knows its own pictures only",
    "gathered": "all vectors have arrived when the loss is computed",
}


@exercise("14.2", title="GradCache for one encoder")
def cached_backward(answer):
    call = trying(answer)
    for N, micro in ((6, 2), (7, 3), (4, 4)):
        x, v = random(N, 5, seed=N), F.normalize(random(N, 3, seed=N + 1), dim=-1)

        def loss_of(u, v=v):
            return F.cross_entropy(F.normalize(u, dim=-1) @ v.T / 0.2, torch.arange(len(v)))

        def small_loss(u, start, v=v):
            S = F.normalize(u, dim=-1) @ v[start : start + len(u)].T / 0.2
            return F.cross_entropy(S, torch.arange(len(u)))

        encode = Encoder()
        loss = loss_of(encode(x))
        loss.backward()
        wanted, where = encode.map.weight.grad.clone(), f"for {N} rows, {micro} at a time,"
        encode.start_again()
        starts = range(0, N, micro)
        parts = x.split(micro)
        sum(small_loss(encode(p), s) for s, p in zip(starts, parts, strict=True)).backward()
        accumulated = encode.map.weight.grad.clone()
        encode.start_again()
        got = call(encode, x, loss_of, micro)
        if max(encode.sizes) > micro:
            raise Almost(f"{where} {max(encode.sizes)} rows were encoded at once.")
        found = encode.map.weight.grad
        if found is None:
            raise Almost(
                f"{where} the encoder's parameters have no gradient: hand each part the gradient "
                "of its vectors, encode(part).backward(…)."
            )
        if encode.kept == N and len(encode.sizes) == len(parts) + 1:
            hint = "each part was encoded once, with all that a gradient needs kept"
        elif encode.kept > N:
            hint = "the first encoding keeps what a gradient needs; it belongs under no_grad"
        else:
            hint = ""
        mistakes = [
            (accumulated, "that adds up the parts' own losses: pairs of two parts never meet"),
            (accumulated / len(parts), "that averages the parts' own losses: pairs of two parts"
             " never meet"),
            (2 * wanted, "it is twice the gradient: something is passed back twice"),
            (wanted * len(parts), "the loss is passed back once for each part"),
        ]  # fmt: skip
        expect(found, wanted, f"{where} the gradient:", why(found, wanted, mistakes, 1e-4) or hint)
        if hint:
            raise Almost(f"{where} the gradient is right, but {hint}.")
        expect(got, loss.detach(), f"{where} the loss:")
    return "the gradient of all rows, a few of them at a time."


class Encoder(nn.Module):
    """A small encoder that notes how many rows it was given, and how many of them it kept."""

    def __init__(self):
        super().__init__()
        self.map = nn.Linear(5, 3)
        with torch.no_grad():
            self.map.weight.copy_(random(3, 5, seed=14))
        self.start_again()

    def start_again(self):
        self.map.zero_grad()
        self.sizes, self.kept = [0], 0

    def forward(self, part):
        self.sizes.append(len(part))
        self.kept += len(part) if torch.is_grad_enabled() else 0
        return torch.tanh(self.map(part))


@exercise("14.3", title="What teachers ask for")
def distillation(answer):
    call = trying(answer)
    for K, M, N in ((3, 4, 5), (1, 3, 2), (2, 6, 4)):
        S, T = torch.tanh(random(M, N, seed=K)), torch.tanh(random(K, M, N, seed=M))
        mean = T.mean(0)
        square = (S - mean) ** 2  # [M, N]
        where, wanted = f"for {K} teachers, {M} texts and {N} pictures:", square.mean()
        mistakes = [
            (square.sum(), "the squares are added up: take their mean over texts and pictures"),
            (square.sum(1).mean(), "a mean over the texts, but a sum over the pictures"),
            (square.sum(0).mean(), "a mean over the pictures, but a sum over the texts"),
            (wanted.sqrt(), "that is the root of the loss: leave the mean of the squares as it is"),
            ((S - mean).abs().mean(), "that is the mean distance: square the differences"),
            ((S - mean).mean(), "differences of both signs cancel: square them first"),
            (((S - T.sum(0)) ** 2).mean(), "the teachers are added up: the target is their mean"),
            (((S - T) ** 2).mean(), "each teacher is compared by itself: that adds how far they are"
             " apart, which no student can change. Take their mean first"),
            (((S - T) ** 2).mean((1, 2)), "that is one loss for each teacher: their mean is one"
             " target"),
            (((S - T[0]) ** 2).mean(), "only the first teacher is asked"),
            (square, "that is M · N numbers: the loss is their mean, one number"),
        ]  # fmt: skip
        name_the_mistake(
            call(S, T), wanted, where, mistakes, "the mean of (student − mean of the teachers)²"
        )
    return "the teachers vote, and the student learns the result."
