"""Answers to the exercises of chapter 8, right ones and wrong ones."""

from collections import Counter

import torch
import torch.nn.functional as F

from cliplab.training.evaluate import classify as packaged


def ranks(u, v):
    scores = u @ v.T
    return (scores >= scores.diagonal()[:, None]).sum(1)


def ranks_in_a_loop(u, v):
    found = []
    for i in range(len(u)):
        scores = v @ u[i]
        found.append(1 + sum(bool(scores[j] >= scores[i]) for j in range(len(v)) if j != i))
    return found


def ranks_from_zero(u, v):
    return ranks(u, v) - 1


def ranks_of_captions(u, v):
    return ranks(v, u)


def upside_down(u, v):
    scores = u @ v.T
    return (scores <= scores.diagonal()[:, None]).sum(1)


def who_not_where(u, v):
    return (u @ v.T).argsort(dim=1, descending=True).diagonal() + 1


def ties_are_found(u, v):
    scores = u @ v.T
    return (scores > scores.diagonal()[:, None]).sum(1) + 1


def prompts(labels, templates):
    return [[t.format(c) for t in templates] for c in labels]


def by_label(encode, labels, templates):
    return torch.stack([F.normalize(encode(row), dim=-1) for row in prompts(labels, templates)])


def weights(encode, labels, templates):
    return F.normalize(by_label(encode, labels, templates).mean(1), dim=-1)


def weights_by_sum(encode, labels, templates):
    rows = []
    for label in labels:
        total = 0
        for template in templates:
            w = encode([template.replace("{}", label)])[0]
            total = total + w / w.norm()
        rows.append(total / total.norm())
    return torch.stack(rows)


def not_again(encode, labels, templates):
    return by_label(encode, labels, templates).mean(1)


def summed(encode, labels, templates):
    return by_label(encode, labels, templates).sum(1)


def averaged_first(encode, labels, templates):
    means = [encode(row).mean(0) for row in prompts(labels, templates)]
    return F.normalize(torch.stack(means), dim=-1)


def never_normalized(encode, labels, templates):
    return torch.stack([encode(row).mean(0) for row in prompts(labels, templates)])


def over_labels(encode, labels, templates):
    return F.normalize(by_label(encode, labels, templates).mean(0), dim=-1)


def one_for_all(encode, labels, templates):
    return F.normalize(by_label(encode, labels, templates).mean((0, 1)), dim=-1)


def one_for_each_prompt(encode, labels, templates):
    return by_label(encode, labels, templates).flatten(0, 1)


def first_template(encode, labels, templates):
    return by_label(encode, labels, templates)[:, 0]


def unfilled(encode, labels, templates):
    return F.normalize(torch.stack([encode(templates).mean(0) for _ in labels]), dim=-1)


def wrong_axis(encode, labels, templates):
    return F.normalize(by_label(encode, labels, templates).mean(1), dim=0)


def probabilities(v, W, tau):
    return torch.softmax(v @ W.T / tau, dim=1)


def by_hand(v, W, tau):
    e = (v @ W.T / tau).exp()
    return e / e.sum(1, keepdim=True)


def must_beat(classes, C):
    return 1 / C, classes.count(max(set(classes), key=classes.count)) / len(classes)


def counted(classes, C):
    return [1 / C, Counter(classes).most_common(1)[0][1] / len(classes)]


def with_torch(classes, C):
    return torch.tensor([1 / C, torch.tensor(classes).bincount().max() / len(classes)])


def margins(right, swapped, v):
    return (right * v).sum(1) - (swapped * v).sum(1)


def share(right, swapped, v):
    m = margins(right, swapped, v)
    return ((m > 0).float() + 0.5 * (m == 0)).mean()


def share_in_a_loop(right, swapped, v):
    won = 0.0
    for r, s, picture in zip(right, swapped, v, strict=True):
        a, b = (r * picture).sum(), (s * picture).sum()
        won += 1.0 if a > b else 0.5 if a == b else 0.0
    return won / len(v)


def all_against_all(right, swapped, v):
    return (right @ v.T > swapped @ v.T).float().mean()


RIGHT = {
    "08.1": [ranks, ranks_in_a_loop, lambda u, v: torch.tensor(ranks_in_a_loop(u, v))],
    "08.2": [weights, weights_by_sum, lambda e, c, t: weights(lambda x: 3 * e(x), c, t)],
    "08.3": [probabilities, by_hand, packaged],
    "08.4": [must_beat, counted, with_torch],
    "08.5": [share, share_in_a_loop, lambda r, s, v: (margins(r, s, v).sign() + 1).mean() / 2],
}

WRONG = {
    "08.1": [
        (ranks_from_zero, "begin at 0"),
        (ranks_of_captions, "ranks of the captions"),
        (upside_down, "upside down"),
        (who_not_where, "argsort"),
        (ties_are_found, "tie"),
        (lambda u, v: ranks(u, v)[0], "shape"),
        (lambda u, v: u @ v.T, "shape"),
    ],
    "08.2": [
        (not_again, "shorter than 1"),
        (summed, "not of length 1"),
        (averaged_first, "before you average"),
        (never_normalized, "nothing is normalized"),
        (over_labels, "over the labels"),
        (one_for_all, "one vector"),
        (one_for_each_prompt, "row for each prompt"),
        (first_template, "first template"),
        (unfilled, "unfilled"),
        (wrong_axis, "dim=-1"),
        (lambda *given: weights(*given).T, "swapped"),
    ],
    "08.3": [
        (lambda v, W, tau: torch.softmax(v @ W.T / tau, dim=0), "dim=1"),
        (lambda v, W, tau: torch.softmax(v @ W.T * tau, dim=1), "divides"),
        (lambda v, W, tau: torch.softmax(v @ W.T, dim=1), "missing"),
        (lambda v, W, tau: torch.softmax(v @ W.T, dim=1) / tau, "before the softmax"),
        (lambda v, W, tau: v @ W.T / tau, "scores"),
        (lambda v, W, tau: torch.sigmoid(v @ W.T / tau), "sigmoid"),
        (lambda v, W, tau: probabilities(v, W, tau).T, "swapped"),
        (lambda v, W, tau: probabilities(v, W, tau).argmax(1), "shape"),
    ],
    "08.4": [
        (lambda classes, C: must_beat(classes, C)[::-1], "swapped"),
        (lambda classes, C: (100 / C, must_beat(classes, C)[1]), "percent"),
        (lambda classes, C: (1 / len(set(classes)), must_beat(classes, C)[1]), "which classes"),
        (lambda classes, C: (1 / C, Counter(classes).most_common(1)[0][1]), "number of pictures"),
        (lambda classes, C: (1 / C, Counter(classes).most_common(1)[0][0]), "its share"),
        (lambda classes, C: 1 / C, "two numbers"),
    ],
    "08.5": [
        (lambda r, s, v: share(s, r, v), "swapped caption wins"),
        (lambda r, s, v: (margins(r, s, v) > 0).float().mean(), "half"),
        (lambda r, s, v: (margins(r, s, v) >= 0).float().mean(), "not yet a win"),
        (lambda r, s, v: float(margins(r, s, v).mean() > 0), "picture by picture"),
        (all_against_all, "own two captions"),
        (lambda r, s, v: 100 * share(r, s, v), "percent"),
        (margins, "one number"),
    ],
}
