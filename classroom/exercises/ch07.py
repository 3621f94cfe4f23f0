"""Checks for chapter 7: training a CLIP."""

import math

import torch
import torch.nn.functional as F

from cliplab.contrastive import similarity_matrix
from cliplab.training.evaluate import retrieval

from . import Almost, exercise, expect, random, trying, why


def name_the_mistake(got, wanted, where: str, mistakes: list, hint: str = "") -> None:
    """`expect`; a known mistake is told by its reason alone, without the values that differ."""
    if reason := why(got, wanted, mistakes, 1e-4):
        raise Almost(f"{where} {reason}.")
    expect(got, wanted, where, hint)


@exercise("07.1", title="The similarity matrix")
def similarities(answer):
    call = trying(answer)
    for N, E, tau in ((3, 4, 0.5), (4, 4, 0.07), (5, 2, 1.0)):
        x, y = random(N, E, seed=1), 3 * random(N, E, seed=2)
        u, v = F.normalize(x, dim=-1), F.normalize(y, dim=-1)
        where, wanted = f"for N = {N}, E = {E}, τ = {tau:g}", similarity_matrix(u, v, tau)
        a, b = F.normalize(x, dim=0), F.normalize(y, dim=0)
        mistakes = [
            (x @ y.T / tau, "the vectors are not of unit length: normalize both first (eq. 60)"),
            (u @ y.T / tau, "the pictures' vectors are not of unit length: normalize both"),
            (x @ v.T / tau, "the captions' vectors are not of unit length: normalize both"),
            (u @ v.T, "these are cosines: divide them by τ"),
            (u @ v.T * tau, "the cosines are multiplied by τ: divide by it"),
            (wanted.T, "rows and columns are swapped: captions are the rows, text stands first"),
            (a @ b.T / tau, "the columns have unit length, not the rows: normalize over dim=-1"),
            ((u * v).sum(-1) / tau, "that is the diagonal alone: N own pictures, not N² pairs"),
            (torch.softmax(wanted, -1), "the softmax belongs to the loss; S has the scores"),
        ]
        name_the_mistake(call(x, y, tau), wanted, where, mistakes, "S_ij = ⟨u_i, v_j⟩ / τ")
    return "one matrix product gives all N² cosines at once."


@exercise("07.2", title="The symmetric loss")
def symmetric_loss(answer):
    call = trying(answer)
    for N in (3, 5, 1):
        S = 2 * random(N, N, seed=N)
        where, own = f"for a matrix S of {N} pairs", S.diagonal()
        rows, columns = -S.log_softmax(1).diagonal(), -S.log_softmax(0).diagonal()  # [N] each
        wanted = (rows.mean() + columns.mean()) / 2
        shifted = torch.arange(1, N + 1) % N
        slipped = (F.cross_entropy(S, shifted) + F.cross_entropy(S.T, shifted)) / 2
        no_log = -(S.softmax(1).diagonal() + S.softmax(0).diagonal()).mean() / 2
        mistakes = [
            (rows.mean(), "that is eq. 62 alone, text → image; the other half goes over columns"),
            (columns.mean(), "that is eq. 63 alone, image → text; the other half goes over rows"),
            (2 * wanted, "the two halves are added: eq. 64 takes their average"),
            (N * wanted, "the pairs are added up: eqs 62 and 63 divide by N"),
            (2 * N * wanted, "the pairs and the halves are added up: divide by N and by 2"),
            (wanted / N, "the loss is divided by N twice: a mean over the pairs is enough"),
            (-wanted, "the sign is turned: a log of a share is negative, the loss is not"),
            (-own.mean(), "the denominators are missing: other pictures must count as well"),
            (no_log, "the logarithm of the shares is missing"),
            (slipped, "the targets have slipped by one: row i belongs with column i, from 0"),
        ]
        name_the_mistake(call(S), wanted, where, mistakes, "average eqs 62 and 63")
    return "one matrix, read along its rows and along its columns."


@exercise("07.3", title="Two values of the loss, predicted")
def predictions(untrained, floor):
    knows_nothing, lowest = trying(untrained), trying(floor)
    for N in (256, 2, 1):
        wanted, where = math.log(N), f"untrained: for a batch of {N}"
        mistakes = [
            (math.log2(N), "that is in bits: the loss takes the natural logarithm"),
            (math.log10(N), "that is a logarithm to base 10: the loss takes the natural one"),
            (2 * math.log(N), "both halves are ln N, and the loss is their average, not their sum"),
            (1 / N, "that is the share that a guess gives to the right one: take −ln of it"),
            (-math.log(N), "the sign is turned: −ln(1/N) is above 0"),
            (N * math.log(N), "the loss is a mean over the pairs, not their sum"),
            (math.log(N * N), "there are N candidates for each caption, not N²"),
            (0.0, "0 is what a perfect model gets"),
        ]
        name_the_mistake(knows_nothing(N), wanted, where, mistakes, "all N shares are 1/N")
    for N, d in ((64, 4), (64, 1), (256, 2)):
        wanted, where = math.log(d), f"floor: for a batch of {N}, each caption {d} times"
        mistakes = [
            (0.0, "nobody can tell apart the d pictures of one caption: 0 is out of reach"),
            (math.log(N), "that is what a model gets that knows nothing"),
            (math.log(N / d), "the captions can be told apart; the d pictures of each cannot"),
            (math.log(d) / 2, "both halves meet duplicates: captions that are equal, and pictures"
             " whose captions are"),
            (math.log2(d), "that is in bits: the loss takes the natural logarithm"),
            (1 - 1 / d, "that is the share of pictures missed: the loss is −ln of the share found"),
        ]  # fmt: skip
        hint = "the best guess shares 1 among d pictures"
        name_the_mistake(lowest(N, d), wanted, where, mistakes, hint)
    return "ln N to begin with, and ln d where it cannot go on."


@exercise("07.4", title="The gradient of the temperature")
def gradient_of_the_temperature(answer):
    call = trying(answer)
    for N, s in ((4, 1.0), (3, 2.659), (6, 0.0)):
        C = similarity_matrix(*(F.normalize(random(N, 5, seed=k), dim=-1) for k in (N, N + 1)), 1.0)
        S, one = C * math.exp(s), torch.eye(N)
        rows, columns = S.softmax(1), S.softmax(0)
        G = (rows + columns - 2 * one) / (2 * N)  # d loss / d S
        wanted = (G * S).sum()
        where = f"for N = {N}, s = {s:g},"
        mistakes = [
            (-wanted, "the sign is turned: P − I, not I − P"),
            ((G * C).sum(), "that is the gradient of 1/τ: S is exp(s) times the cosines, so "
             "dS/ds is S, not the cosines"),
            (-wanted * math.exp(s), "that is the gradient of τ itself; s = ln 1/τ is asked"),
            (((rows - one) * S).sum() / N, "that is eq. 62's half alone: columns give the other"),
            (((columns - one) * S).sum() / N, "that is eq. 63's half alone: rows give the other"),
            (2 * wanted, "the two halves are added: eq. 64 takes their average"),
            (N * wanted, "the pairs are added up: the loss is a mean, so divide by N"),
            (2 * N * wanted, "the pairs and the halves are added up: divide by 2N"),
            (((rows + columns) * S).sum() / (2 * N), "the I of P − I is missing"),
            (wanted / N, "it is divided by N twice: .mean() over N² entries is too much"),
            (G, "that is the gradient of S, N² numbers; s is one number"),
        ]  # fmt: skip
        name_the_mistake(call(C, s), wanted, where, mistakes, "Σ_ij (dL/dS)_ij · S_ij")
    return "autograd has the same number."


@exercise("07.5", title="Recall at k")
def recall_at_k(answer):
    call = trying(answer)
    ties = torch.full((4, 4), 0.5)
    wide = random(6, 6, seed=3)
    wide[0] = wide[0] + 3  # what is high in a row must not matter, only who is ahead in it
    flipped = random(5, 5, seed=6)
    cases = [(wide, 1), (wide, 2), (flipped, 3), (ties, 1), (ties, 3), (torch.eye(3), 1)]
    for number, (S, k) in enumerate(cases):
        where = f"for a matrix of {len(S)} pairs, k = {k}:"
        if number in (3, 4):
            where = f"for {len(S)} pairs that are all alike, k = {k}:"
        found = ahead(S, strict=False)
        wanted = (found < k).float().mean()
        mistakes = [
            ((ahead(S, strict=True) < k).float().mean(),
             "ties count as found: a model that says the same of all pictures would be perfect"),
            ((ahead(S.T, strict=False) < k).float().mean(),
             "that is image → text, down the columns; captions are the rows"),
            ((found <= k).float().mean(), "that is R@(k+1): at most k − 1 others may be ahead"),
            ((found < k).float().sum(), "that is how many are found: divide by N"),
            ((found < 1).float().mean(), "that is R@1, whatever k is"),
            (1 - wanted, "that is the share that is not found"),
            (100 * wanted, "that is in percent: a share from 0 to 1 is asked for"),
        ]  # fmt: skip
        hint = "count, in each row, the others that are at least as similar"
        name_the_mistake(call(S, k), wanted, where, mistakes, hint)
    u = F.normalize(random(7, 3, seed=8), dim=-1)
    v = F.normalize(random(7, 3, seed=9), dim=-1)
    expect(call(u @ v.T, 2), retrieval(u, v, (2,)).text_to_image[2], "for seven random pairs")
    return "and what is as similar as the right one counts as ahead of it."


def ahead(S, strict: bool):
    """For each row, how many others are above its diagonal (or level with it). [N]"""
    own = S.diagonal()[:, None]
    before = own < S if strict else own <= S
    return (before & ~torch.eye(len(S), dtype=torch.bool)).sum(1)
