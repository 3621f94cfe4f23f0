"""Checks for assignment 4: contrastive training."""

import functools
import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ..checkpoints import load_clip
from ..contrastive import similarity_matrix
from ..training import EmojiPairs, retrieval
from . import Almost, exercise, expect, random, same, trying, why


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
                if wrong != scale
            ),
            (wanted.T, "captions are the rows, pictures the columns"),
        ]
        got = call(x, y, s)
        alike = (reason for wrong, reason in mistakes if same(got, wrong, 1e-3))
        expect(got, wanted, where, next(alike, ""), 1e-3)
    x, y = random(3, 4, seed=43), random(3, 4, seed=44)
    x[1] = y[2] = 0.0
    got, wanted = call(x, y, 2.0), similarity_matrix(*map(F.normalize, (x, y)), math.exp(-2.0))
    where = "where a caption and a picture are rows of zeros"
    expect(got, wanted, where, "a row of zeros has no direction; its scores are 0", 1e-4)
    return "cosines, and a temperature that cannot run away."


def number(value):
    """The number in a tensor of one; anything else as it is."""
    return value.item() if torch.is_tensor(value) and value.numel() == 1 else value


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
        held = -sum((half.exp() + 1e-8).log().mean().item() for half in halves) / 2
        by_rows = (S - S.amax(1, keepdim=True)).double().log_softmax(0).diagonal()
        mistakes = [
            ((rows - by_rows.mean().item()) / 2, "for the columns take off each column's own "
             "largest score, not the rows'"),
            (rows, "that goes over rows alone: columns are questions as well"),
            (columns, "that goes over columns alone: rows are questions as well"),
            (2 * wanted, "the two halves are averaged, not added"),
            (N * wanted, "take the mean over the pairs, not the sum"),
            (2 * N * wanted, "take the mean over the pairs and over the two halves"),
            (-wanted, "the sign is turned"),
        ]  # fmt: skip
        value = number(call(S.clone()))
        hint = why(value, wanted, mistakes)
        if isinstance(value, float) and not math.isfinite(value):
            hint = (
                "exp overflows above 88, and far below it rounds to 0: take off each row's own "
                "largest score first, and for the columns each column's own"
            )
        elif isinstance(value, float) and held < wanted - 1 and value < wanted - 1:
            hint = "a bound on the shares hides how wrong a score is: stay with logarithms"
        expect(value, wanted, name, hint, 1e-4 * max(1.0, wanted))
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
        got = call(x.clone(), v.clone(), s)
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
                (to_u / length, "the part along x is left: it only changes the length, which u "
                 "does not have"),
                (across, "a long x turns more slowly: divide by its length"),
                (across / length / math.exp(s), "exp(s) is missing: S = exp(s) u vᵀ"),
                (-wanted["x"], "the sign is turned"),
                (across / length**2, "divide by the length once"),
            ],
        }  # fmt: skip
        for key, value in wanted.items():
            hint = why(got[key], value, mistakes[key])
            expect(got[key], value, f"for {N} pairs, the gradient of {key}:", hint, 1e-5)
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
            (mean_of(plain), "only the pair's own picture counts as right there: others of its "
             "group count as well"),
            (mean_of(taken), "others of the group are taken out; here they count as right answers"),
            (mean_of(spread), "that is the mean of the right ones' logarithms; take the logarithm "
             "of the sum of their shares"),
            (mean_of(many), "add up the shares of the right ones first, then take one logarithm"),
            (mean_of(averaged), "the shares of the right ones are added up, not averaged"),
            (halves[0].mean().item(), "that goes over rows alone"),
            (halves[1].mean().item(), "that goes over columns alone"),
            (2 * wanted, "the two halves are averaged, not added"),
            (N * wanted, "take the mean over the pairs, not the sum"),
        ]  # fmt: skip
        value = number(call(S.clone(), list(groups)))
        hint = why(value, wanted, mistakes)
        if isinstance(value, float) and not math.isfinite(value):
            hint = "take the largest score off before exp, or use torch.logsumexp"
        expect(value, wanted, f"for {N} pairs {name}", hint, 1e-4 * max(1.0, wanted))
    return "whoever belongs to a group may be found in any of its pictures."


def mean_of(halves: list[Tensor]) -> float:
    """The loss of rows [N] and of columns [N], as one number."""
    return (halves[0] + halves[1]).mean().item() / 2


# The training run -----------------------------------------------------------------------------


@functools.cache
def _clip():
    return load_clip("mini").eval()


@torch.no_grad()
def emoji_features(pairs: Sequence) -> tuple[Tensor, Tensor]:
    """What the miniature CLIP has before its two ends: captions [N, 128], pictures [N, 512].

    For a caption the row of EOS after the final LayerNorm, for a picture the average over all
    places of the last map. pairs: items of `cliplab.training.EmojiPairs`.
    """
    clip, captions, pictures = _clip(), [], []
    for start in range(0, len(pairs), 256):
        some = pairs[start : start + 256]
        captions.append(clip.text_model(clip.ids([p.caption for p in some])).pooled)
        pixels = torch.stack([clip.preprocess(p.image) for p in some])
        pictures.append(clip.image_model(pixels).features.mean((2, 3)))
    return torch.cat(captions), torch.cat(pictures)


def recall(matrices: Sequence, x: Tensor, y: Tensor, candidates: int = 100) -> float:
    """R@1 of pairs x [N, D_t], y [N, D_v] through W_t, W_v, among so many, mean of both ways."""
    u, v = (
        F.normalize(z @ torch.as_tensor(W).to(z).T, dim=-1)
        for z, W in zip((x, y), matrices, strict=True)
    )
    found = [
        retrieval(a, b, ks=(1,))
        for a, b in zip(u.split(candidates), v.split(candidates), strict=True)
    ]
    both = [(r.text_to_image[1] + r.image_to_text[1]) / 2 for r in found]
    return sum(both) / len(both)


@functools.cache
def _sample() -> tuple:
    """200 pairs to train on with their groups, and 100 of a style never trained on."""
    known, unseen = EmojiPairs("train"), EmojiPairs("style")
    generator = torch.Generator().manual_seed(0)
    some = torch.randperm(len(known), generator=generator)[:200].tolist()
    other = torch.randperm(len(unseen), generator=generator)[:100].tolist()
    groups = [known.groups[i] for i in some]
    x, y = emoji_features([known[i] for i in some])
    return x, y, groups, *emoji_features([unseen[i] for i in other])


@exercise("A4.5", title="A training run")
def train(answer):
    call = trying(answer)
    z = random(160, 6, seed=55)
    x, y = z @ random(6, 9, seed=56), (z @ random(6, 14, seed=57)).tanh()
    matrices = matrices_of(call(x[:60], y[:60], list(range(60))), 9, 14)
    found = recall(matrices, x[60:], y[60:])
    if found < 0.5:
        explain(found, "60 made-up pairs", 0.5)
    x, y, groups, new_x, new_y = _sample()
    matrices = matrices_of(call(x.clone(), y.clone(), list(groups)), x.shape[1], y.shape[1])
    found = recall(matrices, new_x, new_y)
    if found < 0.3:
        explain(found, "200 emoji", 0.3)
    return "two matrices, and captions find pictures in a style that neither has seen."


def matrices_of(got, text_width: int, image_width: int) -> list[Tensor]:
    """The answer as two matrices [E, D_t] and [E, D_v]; Almost if it is not."""
    try:
        W, V = (torch.as_tensor(matrix).detach() for matrix in got)
    except (TypeError, ValueError, RuntimeError):
        raise Almost("a list of two matrices is asked for: [W_t, W_v].") from None
    shapes = f"{list(W.shape)} and {list(V.shape)}"
    if W.ndim != 2 or V.ndim != 2 or len(W) != len(V):
        raise Almost(f"W_t is [E, D_t] and W_v is [E, D_v], with one E; yours are {shapes}.")
    if (W.shape[1], V.shape[1]) == (image_width, text_width):
        raise Almost(f"the two are swapped: W_t, of the captions, comes first; yours are {shapes}.")
    if (W.shape[1], V.shape[1]) != (text_width, image_width):
        raise Almost(
            f"with captions of width {text_width} and pictures of width {image_width} W_t is "
            f"[E, {text_width}] and W_v is [E, {image_width}]; yours are {shapes}."
        )
    if not (W.isfinite().all() and V.isfinite().all()):
        raise Almost("there are values that are not finite: the learning rate is too large.")
    return [W, V]


def explain(found: float, what: str, least: float) -> None:
    """Says how far the run got, and what that usually comes from."""
    reason = "train longer, or with another learning rate"
    if found < 3 / 100:
        reason = "that is chance. Train longer, and keep the rows of x and y together"
    raise Almost(
        f"after training on {what}, R@1 among 100 new ones is {100 * found:.0f} %, and should be "
        f"at least {100 * least:.0f} %: {reason}."
    )
