"""Answers to the exercises of assignment 4, right ones and usual mistakes."""

import math

import numpy as np
import torch
import torch.nn.functional as F

import cliplab

# A4.1


def scores(x, y, s):
    u, v = F.normalize(x, dim=-1), F.normalize(y, dim=-1)
    return math.exp(min(max(s, 0.0), math.log(100))) * u @ v.T


def scores_by_norms(x, y, s):
    lengths = x.norm(dim=1)[:, None] * y.norm(dim=1)
    cosines = torch.where(lengths > 0, (x @ y.T) / lengths, 0)
    return torch.tensor(s).exp().clamp(1, 100) * cosines


def scores_in_numpy(x, y, s):
    x, y = x.double().numpy(), y.double().numpy()
    lengths = np.linalg.norm(x, axis=1)[:, None] * np.linalg.norm(y, axis=1)
    return np.exp(s).clip(1, 100) * (x @ y.T) / np.maximum(lengths, 1e-12)


def with_scale(scale):
    return lambda x, y, s: scale(s) * F.normalize(x) @ F.normalize(y).T


def scores_with_nan(x, y, s):
    u, v = x / x.norm(dim=1, keepdim=True), y / y.norm(dim=1, keepdim=True)
    return math.exp(min(max(s, 0.0), math.log(100))) * u @ v.T


def scores_in_place(x, y, s):
    x /= x.norm(dim=1, keepdim=True)
    y /= y.norm(dim=1, keepdim=True)
    return math.exp(min(max(s, 0.0), math.log(100))) * x @ y.T


# A4.2


def stable(S, axis):
    """−ln of the right shares along an axis, with the largest taken off."""
    top = S.amax(axis, keepdim=True)
    return (top + (S - top).exp().sum(axis, keepdim=True).log()).squeeze(axis) - S.diagonal()


def loss(S):
    return (stable(S, 1).mean() + stable(S, 0).mean()) / 2


def loss_by_torch(S):
    target = torch.arange(len(S))
    return (F.cross_entropy(S, target) + F.cross_entropy(S.T, target)) / 2


def loss_by_differences(S):
    """ln Σ exp(S_ij − S_ii), by logaddexp one column at a time."""
    total = 0.0
    for M in (S, S.T):
        away = M.double() - M.double().diagonal()[:, None]
        rest = away[:, 0]
        for column in away.T[1:]:
            rest = torch.logaddexp(rest, column)
        total += rest.mean().item()
    return total / 2


def naive(S):
    shares = [S.exp() / S.exp().sum(axis, keepdim=True) for axis in (1, 0)]
    return -sum(p.diagonal().log().mean() for p in shares) / 2


def one_maximum(S):
    return naive(S - S.max())


def with_a_little(S):
    shares = [S.softmax(axis).diagonal() for axis in (1, 0)]
    return -sum((p + 1e-8).log().mean() for p in shares) / 2


def with_a_bound(S):
    return loss(S.clamp(-30, 30))


def row_maximum_for_both(S):
    top = S.amax(1, keepdim=True)
    return naive(S - top)


# A4.3


def gradients(x, v, s):
    length = x.norm(dim=1, keepdim=True)
    u, N = x / length, len(x)
    S = math.exp(s) * u @ v.T
    G = ((S.softmax(1) + S.softmax(0)) / 2 - torch.eye(N)) / N
    to_u = math.exp(s) * G @ v
    return {"S": G, "s": (G * S).sum(), "x": (to_u - (to_u * u).sum(1, keepdim=True) * u) / length}


def gradients_by_autograd(x, v, s):
    x, s = x.requires_grad_(), torch.tensor(float(s), requires_grad=True)
    S = s.exp() * F.normalize(x, dim=-1) @ v.T
    found = torch.autograd.grad(loss_by_torch(S), (S, s, x))
    return dict(zip(("S", "s", "x"), found, strict=True))


def gradients_by_projector(x, v, s):
    made = gradients(x, v, s)
    rows = []
    for row, push in zip(x, math.exp(s) * made["S"] @ v, strict=True):
        u = row / row.norm()
        rows.append((torch.eye(len(u)) - torch.outer(u, u)) @ push / row.norm())
    return made | {"s": made["s"].item(), "x": torch.stack(rows)}


def with_part(key, change):
    def wrong(x, v, s):
        made = gradients(x, v, s)
        return made | {key: change(made, x, v, s)}

    return wrong


def to_u(made, v, s):
    return math.exp(s) * made["S"] @ v


def half(axis):
    def change(made, x, v, s):
        S = math.exp(s) * F.normalize(x) @ v.T
        return (S.softmax(axis) - torch.eye(len(S))) / len(S)

    return change


def without_identity(made, x, v, s):
    return made["S"] + torch.eye(len(x)) / len(x)


# A4.4


def grouped(S, groups):
    g = torch.tensor(groups)
    right = S.masked_fill(g[:, None] != g, -math.inf)
    return sum((S.logsumexp(axis) - right.logsumexp(axis)).mean() for axis in (0, 1)) / 2


def grouped_by_hand(S, groups):
    """Row by row, on Python's own numbers."""

    def half(rows):
        total = 0.0
        for i, row in enumerate(rows):
            top = max(row)
            right = [s for s, g in zip(row, groups, strict=True) if g == groups[i]]
            most = max(right)
            total += top + math.log(sum(math.exp(s - top) for s in row))
            total -= most + math.log(sum(math.exp(s - most) for s in right))
        return total / len(rows)

    return (half(S.tolist()) + half(S.T.tolist())) / 2


def grouped_by_shares(S, groups):
    """Shares in double precision, where the largest of the right ones does not round to 0."""
    g = torch.tensor(groups)
    same = g[:, None] == g
    logs = [S.double().log_softmax(axis).masked_fill(~same, -math.inf) for axis in (1, 0)]
    return -(logs[0].logsumexp(1).mean() + logs[1].logsumexp(0).mean()) / 2


def ungrouped(S, groups):
    return loss_by_torch(S)


def taken_out(S, groups):
    g = torch.tensor(groups)
    others = (g[:, None] == g) & ~torch.eye(len(S), dtype=torch.bool)
    return loss_by_torch(S.masked_fill(others, -math.inf))


def mean_of_logarithms(S, groups):
    g = torch.tensor(groups)
    same = (g[:, None] == g).float()
    logs = [S.log_softmax(axis) for axis in (1, 0)]
    return -sum(((p * same).sum(1 - k) / same.sum(1)).mean() for k, p in enumerate(logs)) / 2


def sum_of_logarithms(S, groups):
    g = torch.tensor(groups)
    same = (g[:, None] == g).float()
    return -sum((S.log_softmax(axis) * same).sum(axis).mean() for axis in (1, 0)) / 2


def averaged_shares(S, groups):
    g = torch.tensor(groups)
    return grouped(S, groups) + (g[:, None] == g).float().sum(1).log().mean()


def grouped_overflowing(S, groups):
    g = torch.tensor(groups)
    same = (g[:, None] == g).float()
    shares = [S.exp() / S.exp().sum(axis, keepdim=True) for axis in (1, 0)]
    return -sum((p * same).sum(1 - k).log().mean() for k, p in enumerate(shares)) / 2


def grouped_rows(S, groups):
    g = torch.tensor(groups)
    right = S.masked_fill(g[:, None] != g, -math.inf)
    return (S.logsumexp(1) - right.logsumexp(1)).mean()


# A4.5


def train_with(steps=150, lr=3e-3, E=64, batch=128, pairs=lambda y: y, start=None, loss_of=grouped):
    """A right training run, or one with a mistake put in."""

    def train(x, y, groups):
        draw = torch.Generator().manual_seed(0)
        W, V = (torch.randn(E, z.shape[1], generator=draw) / z.shape[1] ** 0.5 for z in (x, y))
        s = torch.tensor(math.log(1 / 0.07) if start is None else start)
        learned = [p.requires_grad_() for p in (W, V, s)]
        optimizer = torch.optim.Adam(learned, lr)
        for _ in range(steps):
            i = torch.randperm(len(x), generator=draw)[:batch]
            u, v = F.normalize(x[i] @ W.T, dim=-1), F.normalize(pairs(y[i]) @ V.T, dim=-1)
            value = loss_of(s.exp() * u @ v.T, [groups[k] for k in i.tolist()])
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            with torch.no_grad():
                s.clamp_(0, math.log(100))
        return [W.detach(), V.detach()]

    return train


train = train_with()


def train_in_closed_form(x, y, groups):
    """No steps at all: ridge regression of captions' vectors on pictures'."""
    A = y.T @ y + 0.03 * y.square().sum() / y.shape[1] * torch.eye(y.shape[1])
    return torch.eye(x.shape[1]), torch.linalg.solve(A, y.T @ x).T


def untrained(x, y, groups):
    return [torch.randn(64, x.shape[1]), torch.randn(64, y.shape[1])]


def fixed_widths(x, y, groups):
    W, V = torch.nn.Linear(128, 64, bias=False), torch.nn.Linear(512, 64, bias=False)
    return [W(x) and W.weight, V.weight]


def swapped(x, y, groups):
    return train(x, y, groups)[::-1]


def vectors(x, y, groups):
    W, V = train(x, y, groups)
    return [x @ W.T, y @ V.T]


def too_fast(x, y, groups):
    return [W + math.nan for W in train(x, y, groups)]


def trained_elsewhere(x, y, groups):
    """Matrices made once, from other features: they know nothing of the ones at hand."""
    generator = torch.Generator().manual_seed(1)
    other = [torch.linalg.qr(torch.randn(z.shape[1], z.shape[1], generator=generator))[0]
             for z in (x, y)]  # fmt: skip
    return train(x @ other[0], y @ other[1], groups)


RIGHT = {
    "A4.1": [scores, scores_by_norms, scores_in_numpy,
             lambda x, y, s: cliplab.similarity_matrix(F.normalize(x), F.normalize(y),
                                                       min(max(math.exp(-s), 0.01), 1.0))],
    "A4.2": [loss, loss_by_torch, loss_by_differences],
    "A4.3": [gradients, gradients_by_autograd, gradients_by_projector],
    "A4.4": [grouped, grouped_by_hand, grouped_by_shares],
    "A4.5": [train, train_in_closed_form, train_with(batch=64, lr=1e-2)],
}  # fmt: skip

WRONG = {
    "A4.1": [
        (lambda x, y, s: math.exp(s) * x @ y.T, "normalize both"),
        (lambda x, y, s: math.exp(s) * F.normalize(x) @ y.T, "pictures' vectors"),
        (lambda x, y, s: math.exp(s) * x @ F.normalize(y).T, "captions' vectors"),
        (with_scale(lambda s: 1.0), "multiply them by 1/τ"),
        (with_scale(lambda s: math.exp(-s)), "multiply by exp"),
        (with_scale(lambda s: s), "logarithm"),
        (with_scale(math.exp), "between 1 and 100"),
        (with_scale(lambda s: min(math.exp(s), 100)), "both ends"),
        (with_scale(lambda s: max(math.exp(s), 1)), "both ends"),
        (with_scale(lambda s: math.exp(min(max(s, 1), 100))), "differ"),
        (lambda x, y, s: scores(y, x, s), "captions are the rows"),
        (scores_with_nan, "no direction"),
        (scores_in_place, "no direction"),
    ],
    "A4.2": [
        (naive, "overflows"),
        (one_maximum, "each row's own"),
        (row_maximum_for_both, "not the rows'"),
        (with_a_little, "stay with logarithms"),
        (with_a_bound, "stay with logarithms"),
        (lambda S: stable(S, 1).mean(), "rows alone"),
        (lambda S: stable(S, 0).mean(), "columns alone"),
        (lambda S: 2 * loss(S), "not added"),
        (lambda S: len(S) * loss(S), "not the sum"),
        (lambda S: -loss(S), "sign"),
        (lambda S: stable(S, 1), "should be"),
    ],
    "A4.3": [
        (with_part("S", lambda made, x, v, s: -made["S"]), "sign"),
        (with_part("S", lambda made, x, v, s: 2 * made["S"]), "averaged"),
        (with_part("S", lambda made, x, v, s: len(x) * made["S"]), "divide by N"),
        (with_part("S", half(1)), "rows' half"),
        (with_part("S", half(0)), "columns' half"),
        (with_part("S", without_identity), "identity"),
        (with_part("s", lambda made, x, v, s: made["s"] / math.exp(s)), "not the cosines"),
        (with_part("s", lambda made, x, v, s: -made["s"]), "sign"),
        (with_part("s", lambda made, x, v, s: made["s"] / len(x) ** 2), "all N²"),
        (with_part("x", lambda made, x, v, s: to_u(made, v, s)), "gradient of u"),
        (
            with_part("x", lambda made, x, v, s: to_u(made, v, s) / x.norm(dim=1, keepdim=True)),
            "part along x",
        ),
        (with_part("x", lambda made, x, v, s: made["x"] * x.norm(dim=1, keepdim=True)), "slowly"),
        (with_part("x", lambda made, x, v, s: made["x"] / math.exp(s)), "exp(s) is missing"),
        (lambda x, v, s: list(gradients(x, v, s).values()), "a dict"),
        (lambda x, v, s: {"S": gradients(x, v, s)["S"]}, "keys"),
    ],
    "A4.4": [
        (ungrouped, "others of its group"),
        (taken_out, "taken out"),
        (mean_of_logarithms, "sum of their shares"),
        (sum_of_logarithms, "add up the shares"),
        (averaged_shares, "not averaged"),
        (grouped_overflowing, "take the largest score off"),
        (grouped_rows, "rows alone"),
        (lambda S, groups: 2 * grouped(S, groups), "not added"),
        (lambda S, groups: len(S) * grouped(S, groups), "not the sum"),
    ],
    "A4.5": [
        (untrained, "R@1 among 100"),
        (train_with(pairs=lambda y: y.roll(1, 0)), "that is chance"),
        (train_with(steps=2), "train longer"),
        (fixed_widths, "RuntimeError"),
        (swapped, "comes first"),
        (vectors, "yours are"),
        (too_fast, "not finite"),
        (trained_elsewhere, "R@1 among 100"),
        (lambda x, y, groups: train(x, y, groups)[0], "two matrices"),
    ],
}
