"""Checks for chapter 13: when training fails."""

import math

import torch
import torch.nn.functional as F

from . import Almost, exercise, expect, random, trying, why


@exercise("13.1", title="Read the curves")
def what_was_learned(answer):
    call = trying(answer)
    cases = [
        ([4.1, 2.0, 1.1], [0.01, 0.2, 0.35], 64, 121, "pictures"),
        ([4.2, 4.16, 4.17], [0.01, 0.0, 0.008], 64, 121, "nothing"),
        ([4.2, 3.0, 2.5], [0.3, 0.01, 0.008], 64, 121, "something else"),
        ([2.0, 3.0, 4.3], [0.01, 0.0, 0.008], 64, 121, "nothing"),
        ([4.2, 3.0, 2.5], [0.01, 0.01, 0.02], 64, 121, "something else"),
        ([2.0, 1.0, 0.5], [0.3, 0.4, 0.5], 8, 4, "something else"),
        ([4.2, 3.9, 3.6], [0.01, 0.1, 0.2], 64, 121, "pictures"),
        ([8.0, 7.0, 6.0], [0.01, 0.0, 0.0], 64, 121, "something else"),
        ([4.5, 4.4, 4.3], [0.01, 0.0, 0.008], 121, 64, "something else"),
    ]
    words = {"pictures", "nothing", "something else"}
    for losses, found, N, candidates, wanted in cases:
        got = call(losses, found, N, candidates)
        where = f"for losses {losses}, found {found}, N = {N}, candidates = {candidates},"
        if got not in words:
            raise Almost(f"{where} the answer is {got!r}: one of the three words is asked for.")
        if got != wanted:
            end, level = losses[-1], math.log(N)
            raise Almost(
                f"{where} it is {wanted!r}, not {got!r}: the loss ends at {end}, ln N is "
                f"{level:.2f}, and 5 % of it {0.05 * level:.2f}; the last share found is "
                f"{found[-1]}, and three times chance {3 / candidates:.3f}."
            )
    return "the loss alone would not have told."


@exercise("13.2", title="Find the faults")
def mended(answer):
    call = trying(answer)
    for N, E, tau in ((3, 4, 0.5), (5, 5, 0.07), (2, 3, 1.0)):
        x, y = 2 * random(N, E, seed=N), 3 * random(N, E, seed=N + 10)
        u, v = F.normalize(x, dim=-1), F.normalize(y, dim=-1)
        wrong_axis = F.normalize(y, dim=0)
        wanted = symmetric(u @ v.T / tau)
        slipped = symmetric(u @ v.T / tau, slip=1)
        where = f"for N = {N}, E = {E}, τ = {tau:g}"
        mistakes = [
            (symmetric(x @ wrong_axis.T * tau), "only the targets and the average are mended"),
            (symmetric(x @ v.T / tau), "x is not of unit length yet"),
            (symmetric(u @ wrong_axis.T / tau), "y is normalized down the columns: each row is a"
             " vector, so dim=-1"),
            (symmetric(u @ y.T / tau), "y is not normalized any more, along no axis"),
            (symmetric(u @ v.T * tau), "τ still multiplies: divide by it"),
            (symmetric(u @ v.T), "τ is gone: the cosines are divided by it"),
            (slipped, "the targets have slipped by one: caption 0 belongs with picture 0"),
            (2 * wanted, "the halves are added; eq. 64 takes their average"),
            (2 * slipped, "targets and average are not mended yet"),
            (F.cross_entropy(u @ v.T / tau, torch.arange(N)), "one half is gone: columns ask too"),
        ]  # fmt: skip
        got = call(x, y, tau)
        expect(got, wanted, where, why(got, wanted, mistakes, 1e-4))
    return "five faults, and not one of them raised an error."


def symmetric(S, slip=0):
    """Lecture eq. 64 of a similarity matrix; with a slip, caption i is matched with another."""
    target = (torch.arange(len(S)) + slip) % len(S)
    return (F.cross_entropy(S, target) + F.cross_entropy(S.T, target)) / 2


@exercise("13.3", title="Who else is right?")
def same_words(answer):
    call = trying(answer)
    cases = [
        ["a dog ", "a  dog", "A dog", "a dog"],
        ["a dog", "a cat", "a dog"],
        ["a dog", "A Dog", "dog"],
        ["a dog ", "a  dog", "a cat", " a dog"],
        ["hot dog", "dog hot", "hotdog"],
        ["a", "a", "a"],
        ["a dog"],
    ]
    for captions in cases:
        plain = [caption.lower().split() for caption in captions]
        table = pairwise(plain)
        mistakes = [
            (pairwise(captions), "capital letters and spaces make a difference"),
            (pairwise([c.lower() for c in captions]), "spaces make a difference"),
            (pairwise([c.lower().strip() for c in captions]), "several spaces in a row make a"
             " difference"),
            (pairwise([c.split() for c in captions]), "capital letters make a difference"),
            (pairwise([sorted(words) for words in plain]), "the order of words is lost"),
            (pairwise([c.lower().replace(" ", "") for c in captions]), "words run together: keep"
             " one space between them"),
            ([[a == b and i != j for j, b in enumerate(plain)] for i, a in enumerate(plain)],
             "every caption fits its own picture: the diagonal is True"),
            ([[a != b for b in plain] for a in plain], "that is turned round: True where they fit"),
        ]  # fmt: skip
        got = call(captions)
        reason = next((text for wrong, text in mistakes if wrong != table and got == wrong), "")
        expect(got, table, f"for {captions}", reason)
    return "`clip_loss(u, v, tau, same=…)` takes it as a tensor."


def pairwise(values: list) -> list[list[bool]]:
    """Which of the values are equal to which."""
    return [[a == b for b in values] for a in values]


@exercise("13.4", title="Where to stop")
def keep(answer):
    call = trying(answer)
    cases = [
        ([5.7, 3.2, 4.2, 4.8, 4.9], 2),
        ([5.0, 3.0, 4.0, 4.0, 2.0, 4.0, 4.0, 4.0, 1.0], 2),
        ([5.0, 3.0, 4.0, 4.0, 1.0], 2),
        ([5.0, 3.0, 4.0, 2.0, 3.0], 2),
        ([5.0, 4.0, 3.0, 2.0], 1),
        ([5.0, 3.0, 3.0, 4.0, 4.0, 1.0], 2),
        ([1.0, 2.0, 0.5], 1),
        ([5.0, 3.0, 4.0, 4.0, 2.0, 1.0], 3),
    ]
    for losses, patience in cases:
        wanted, stopped = kept(losses, patience)
        mistakes = [
            (losses.index(min(losses)), "the run was over before it saw that one"),
            (stopped, "that is where it stops; the best stood before"),
            (kept(losses, patience + 1)[0], "it waits for one evaluation too many"),
            (kept(losses, max(patience - 1, 1))[0], "it stops too soon"),
            (kept(losses, patience, ties=True)[0], "an equal value is no new lowest one"),
            (losses[wanted], "that is the loss itself; its number in the list is asked for"),
            (wanted + 1, "that counts from 1"),
        ]
        got = call(losses, patience)
        expect(got, wanted, f"for {losses}, patience {patience}", why(got, wanted, mistakes))
    return "what is kept is the best, not the last."


def kept(losses: list[float], patience: int, ties: bool = False) -> tuple[int, int]:
    """The number of the lowest loss, and of the evaluation after which the run was stopped."""
    best = 0
    for n, loss in enumerate(losses):
        if loss < losses[best] or (ties and loss == losses[best]):
            best = n
        if n - best >= patience:
            return best, n
    return best, len(losses) - 1
