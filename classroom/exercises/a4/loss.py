"""A4.1–A4.4: scores, the contrastive loss, its gradients, and captions that occur twice."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from classroom.compare import number
from cliplab.contrastive import similarity_matrix

from .. import Almost, exercise, expect, random, trying, why


@exercise("A4.1", title="Scores")
def scores(answer):
    call = trying(answer)
    for N, M, s in [(3, 3, 1.3), (4, 2, math.log(1 / 0.07)), (2, 5, 6.0), (3, 3, -1.5)]:
        x, y = random(N, 4, seed=41), 3 * random(M, 4, seed=42)
        where = f"for {N} captions, {M} pictures and s = {s:.4g},"
        u, v = F.normalize(x, dim=-1), F.normalize(y, dim=-1)
        cosines, scale = u @ v.T, math.exp(min(max(s, 0.0), math.log(100)))
        wanted = scale * cosines
        mistakes = [
            (scale * x @ y.T, "normalize both: the vectors are of any length"),
            (scale * u @ y.T, "the pictures' vectors are not of unit length"),
            (scale * x @ v.T, "the captions' vectors are not of unit length"),
            (cosines, "these are the cosines: multiply them by 1/τ = exp(s)"),
            (cosines / scale, "s is ln 1/τ: multiply by exp(s)"),
            (s * cosines, "s is the logarithm: multiply by exp(s)"),
            *(
                (wrong * cosines, "1/τ is held between 1 and 100, at both ends")
                for wrong in (math.exp(s), math.exp(min(s, math.log(100))), math.exp(max(s, 0)))
            ),
            (wanted.T, "captions are the rows, pictures the columns"),
        ]
        got = call(x, y, s)
        expect(got, wanted, where, why(got, wanted, mistakes, 1e-4), 1e-4)
    x, y = random(3, 4, seed=43), random(3, 4, seed=44)
    x[1] = y[2] = 0.0
    got = call(x, y, 2.0)
    wanted = similarity_matrix(F.normalize(x), F.normalize(y), math.exp(-2.0))
    where = "where a caption and a picture are rows of zeros"
    expect(got, wanted, where, "a row of zeros has no direction; its scores are 0", 1e-4)
    return "cosines, and a temperature that cannot run away."


@exercise("A4.2", title="A loss that does not overflow")
def contrastive_loss(answer):
    call = trying(answer)
    out = random(4, 4, seed=45)
    out[0, 2] = out[3, 1] = -math.inf
    for name, S in [
        ("for 5 pairs", 2 * random(5, 5, seed=46)),
        ("for one pair", torch.tensor([[0.7]])),
        ("where the wrong scores are larger by 40", torch.tensor([[0.0, 40.0], [40.0, 0.0]])),
        ("for scores of some thousands", 4000 * random(4, 4, seed=47)),
        ("for a row near 900 and a row near −900", torch.tensor([[900.0, 899], [-901, -900]])),
        ("for scores with −inf off the diagonal", out),
    ]:
        N, halves = len(S), [S.double().log_softmax(axis).diagonal() for axis in (1, 0)]
        rows, columns = (-half.mean().item() for half in halves)
        wanted = (rows + columns) / 2
        # what log(share + 1e-8) gives, the usual way round log(0)
        bounded = -sum((half.exp() + 1e-8).log().mean().item() for half in halves) / 2
        by_rows = (S - S.amax(1, keepdim=True)).double().log_softmax(0).diagonal()
        mistakes = [
            (
                (rows - by_rows.mean().item()) / 2,
                "for the columns take off each column's own largest score, not the rows'",
            ),
            (rows, "that goes over rows alone: columns are questions as well"),
            (columns, "that goes over columns alone: rows are questions as well"),
            (2 * wanted, "the two halves are averaged, not added"),
            (N * wanted, "take the mean over the pairs, not the sum"),
            (2 * N * wanted, "take the mean over the pairs and over the two halves"),
            (-wanted, "the sign is turned"),
        ]
        value = number(call(S))
        hint = why(value, wanted, mistakes)
        if isinstance(value, float) and not math.isfinite(value):
            hint = (
                "exp overflows above 88, and far below it rounds to 0: take off each row's own "
                "largest score first, and for the columns each column's own"
            )
        elif isinstance(value, float) and max(value, bounded) < wanted - 1:
            hint = "a bound on the shares hides how wrong a score is: stay with logarithms"
        expect(value, wanted, name, hint, 1e-4)
    return "the largest of each row and of each column goes out first, and nothing overflows."


@exercise("A4.3", title="Three gradients")
def gradients(answer):
    call = trying(answer)
    for N, E, s in [(3, 4, 1.0), (5, 3, 2.5)]:
        x, v = 2 * random(N, E, seed=48), F.normalize(random(N, E, seed=49), dim=-1)
        u, length = F.normalize(x, dim=-1), x.norm(dim=-1, keepdim=True)
        S, one = math.exp(s) * u @ v.T, torch.eye(N)
        rows, columns = S.softmax(1), S.softmax(0)
        G = (rows + columns - 2 * one) / (2 * N)
        to_u = math.exp(s) * G @ v
        across = to_u - (to_u * u).sum(-1, keepdim=True) * u
        wanted = {"S": G, "s": (G * S).sum(), "x": across / length}
        got = call(x, v, s)
        if not isinstance(got, dict) or set(got) != set(wanted):
            raise Almost(
                "a dict with the keys 'S', 's' and 'x' is asked for; the answer is "
                f"{sorted(got) if isinstance(got, dict) else got!r:.80}."
            )
        mistakes = {
            "S": [
                (-G, "the sign is turned: shares minus identity"),
                (2 * G, "the two halves are averaged"),
                (N * G, "the loss is a mean over N pairs: divide by N"),
                (2 * N * G, "divide by N, and by 2 for the two halves"),
                ((rows - one) / N, "that is the rows' half alone"),
                ((columns - one) / N, "that is the columns' half alone"),
                ((rows + columns) / (2 * N), "the identity is missing"),
            ],
            "s": [
                (-wanted["s"], "the sign is turned"),
                ((G * S).sum() / math.exp(s), "dS/ds is S itself, not the cosines"),
                (-(G * S).sum() * math.exp(s), "that is the gradient of τ"),
                ((G * S).mean(), "add over all N² entries: S depends on s in each"),
            ],
            "x": [
                (to_u, "that is the gradient of u: x reaches u through the division by its length"),
                (
                    to_u / length,
                    "the part along x is left: it only changes the length, which u does not have",
                ),
                (across, "a long x turns more slowly: divide by its length"),
                (across / length / math.exp(s), "exp(s) is missing: S = exp(s) u vᵀ"),
                (-wanted["x"], "the sign is turned"),
                (across / length**2, "divide by the length once"),
            ],
        }
        for key, value in wanted.items():
            hint = why(got[key], value, mistakes[key])
            expect(got[key], value, f"for {N} pairs, the gradient of {key}:", hint)
    return "autograd has the same three; now you know what it does."


@exercise("A4.4", title="Captions that stand there twice")
def grouped_loss(answer):
    call = trying(answer)
    for name, S, groups in [
        ("all of one kind", 2 * random(4, 4, seed=50), [7, 7, 7, 7]),
        ("all different", 2 * random(4, 4, seed=51), [3, 1, 0, 2]),
        ("of which two belong together", 2 * random(4, 4, seed=52), [5, 8, 5, 2]),
        ("in two kinds", 2 * random(6, 6, seed=53), [1, 0, 1, 0, 0, 1]),
        ("with scores of thousands", 3000 * random(4, 4, seed=54), [0, 0, 1, 2]),
    ]:
        N, g = len(S), torch.tensor(groups)
        kin, own = g[:, None] == g, torch.eye(N, dtype=torch.bool)
        D = S.double()
        right = D.masked_fill(~kin, -math.inf)
        halves = [D.logsumexp(axis) - right.logsumexp(axis) for axis in (1, 0)]
        wanted = mean_of(halves)
        plain = [D.logsumexp(axis) - D.diagonal() for axis in (1, 0)]
        without = D.masked_fill(kin & ~own, -math.inf)
        taken = [without.logsumexp(axis) - D.diagonal() for axis in (1, 0)]
        spread = [-(D.log_softmax(axis) * kin).sum(axis) / kin.sum(axis) for axis in (1, 0)]
        many = [-(D.log_softmax(axis) * kin).sum(axis) for axis in (1, 0)]
        averaged = [half + kin.sum(1).log() for half in halves]
        mistakes = [
            (
                mean_of(plain),
                "only the pair's own picture counts as right there: others of its "
                "group count as well",
            ),
            (mean_of(taken), "others of the group are taken out; here they count as right answers"),
            (
                mean_of(spread),
                "that is the mean of the right ones' logarithms; take the logarithm "
                "of the sum of their shares",
            ),
            (mean_of(many), "add up the shares of the right ones first, then take one logarithm"),
            (mean_of(averaged), "the shares of the right ones are added up, not averaged"),
            (halves[0].mean().item(), "that goes over rows alone"),
            (halves[1].mean().item(), "that goes over columns alone"),
            (2 * wanted, "the two halves are averaged, not added"),
            (N * wanted, "take the mean over the pairs, not the sum"),
        ]
        value = number(call(S, groups))
        hint = why(value, wanted, mistakes)
        if isinstance(value, float) and not math.isfinite(value):
            hint = "take the largest score off before exp, or use torch.logsumexp"
        expect(value, wanted, f"for {N} pairs {name}", hint, 1e-4)
    return "whoever belongs to a group may be found in any of its pictures."


def mean_of(halves: list[Tensor]) -> float:
    """The loss of rows [N] and of columns [N], as one number."""
    return (halves[0] + halves[1]).mean().item() / 2
