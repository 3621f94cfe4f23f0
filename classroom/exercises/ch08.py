"""Checks for chapter 8: zero-shot, what words alone can do."""

import torch
import torch.nn.functional as F

from . import Almost, exercise, expect, random, same, trying, why


def unit_vectors(n: int, seed: int, E: int = 6) -> torch.Tensor:
    return F.normalize(random(n, E, seed=seed), dim=-1)


@exercise("08.1", title="The rank of the partner")
def partner_ranks(answer):
    call = trying(answer)
    u = unit_vectors(7, 1)
    noisy = F.normalize(u + 0.6 * unit_vectors(7, 2), dim=-1)
    alike = torch.eye(6)[:1].expand(7, -1)  # products with it are exact, and so are the ties
    for where, captions, pictures in [
        ("for 7 captions and 7 pictures", u, noisy),
        ("for 3 captions, each nearest to its picture,", u[:3], u[:3]),
        ("for 7 pictures that all look alike", u, alike),
    ]:
        scores = captions @ pictures.T
        own = scores.diagonal()[:, None]
        at_place = scores.argsort(dim=1, descending=True, stable=True).diagonal()
        wanted = (scores >= own).sum(1)
        swapped = "argsort says which picture has place i; asked for is the place of picture i"
        reasons = [
            (wanted - 1, "the ranks begin at 0, and the best place is 1"),
            ((own <= scores.T).sum(1), "these are the ranks of the captions for each picture. A "
             "caption's candidates stand in its row of S = u vᵀ"),
            ((scores <= own).sum(1), "the order is upside down: the most similar has rank 1"),
            (at_place + 1, swapped),
            (at_place, swapped),
            ((scores > own).sum(1) + 1, "a tie counts as found. A model that gives all pictures "
             "one similarity has found nothing: count the others that are at least as similar"),
        ]  # fmt: skip
        got = call(captions, pictures)
        reason = why(got, wanted, reasons)
        expect(got, wanted, where, reason or "whole numbers from 1 to N, one for each caption")
    return "one comparison for each pair, one sum for each row, and ties do not count as found."


class Words:
    """An encoder made up for the checks: a fixed vector, of any length, for each text."""

    def __init__(self, E: int = 5):
        self.E, self.asked = E, list[str]()

    def __call__(self, texts) -> torch.Tensor:
        if isinstance(texts, str):
            texts = [texts]
        self.asked += texts
        rows = []
        for text in texts:
            seed = sum(ord(c) * 31**i for i, c in enumerate(text)) % 2**31
            draw = torch.Generator().manual_seed(seed)
            rows.append((1 + len(text) % 4) * torch.randn(self.E, generator=draw))
        return torch.stack(rows)


@exercise("08.2", title="A classifier made of words")
def class_weights(answer):
    call = trying(answer)
    for labels, templates in [
        (["cat", "red apple", "bus"], ["{}", "a picture of a {}", "{}, drawn"]),
        (["heart", "star"], ["{}"]),
    ]:
        where = f"for {len(labels)} labels and {len(templates)} templates"
        encode = Words()
        raw = torch.stack(
            [encode([t.format(c) for t in templates]) for c in labels]
        )  # [labels, templates, E]
        unit = F.normalize(raw, dim=-1)
        wanted = F.normalize(unit.mean(1), dim=-1)
        encode.asked.clear()
        got = call(encode, labels, templates)
        if any("{}" in text for text in encode.asked):
            raise Almost(f"{where} a template went in unfilled: template.format(label).")
        reasons = [
            (unit.mean(1), "the average of unit vectors is shorter than 1: normalize again"),
            (unit.sum(1), "a sum of unit vectors is not of length 1: normalize again"),
            (F.normalize(raw.mean(1), dim=-1), "normalize each prompt before you average, or the "
             "longest vector speaks loudest"),
            (raw.mean(1), "nothing is normalized: each prompt first, and the average again"),
            (F.normalize(unit.mean(0), dim=-1), "this is the average over the labels, one row for "
             "each template. Average over the templates, one row for each label"),
            (F.normalize(unit.mean((0, 1)), dim=-1), "all labels are averaged into one vector"),
            (F.normalize(unit.flatten(0, 1), dim=-1), "there is a row for each prompt. Average "
             "those of one label"),
            (unit[:, 0], "only the first template is used"),
            (wanted.T, "rows and columns are swapped: one row for each label"),
            (F.normalize(unit.mean(1), dim=0), "the last normalization runs over the labels. Each "
             "row must get length 1: dim=-1"),
        ]  # fmt: skip
        reason = why(got, wanted, reasons)
        expect(got, wanted, where, reason or "normalize, average over templates, normalize")
    return "encode, normalize, average, normalize: that is the whole classifier."


@exercise("08.3", title="Probabilities of the classes")
def classify(answer):
    call = trying(answer)
    for N, C, tau in [(4, 3, 0.2), (1, 5, 0.05), (3, 3, 1.0)]:
        where = f"for {N} pictures, {C} classes and τ = {tau}"
        v, W = unit_vectors(N, 10 + N), unit_vectors(C, 20 + C)
        S = v @ W.T
        wanted = torch.softmax(S / tau, dim=1)
        reasons = [
            (torch.softmax(S / tau, dim=0), "each class shares 1 among the pictures. The classes "
             "compete for a picture: dim=1"),
            (torch.softmax(S * tau, dim=1), "τ divides"),
            (torch.softmax(S, dim=1), "τ is missing, and the cosines alone are too close together"),
            (torch.softmax(S, dim=1) / tau, "divide by τ before the softmax"),
            (S / tau, "these are the scores; the softmax is missing"),
            (S, "these are the cosines; τ and the softmax are missing"),
            (torch.sigmoid(S / tau), "a sigmoid asks about each class by itself. The rows must "
             "sum to 1"),
            (wanted.T, "rows and columns are swapped: one row for each picture"),
        ]  # fmt: skip
        got = call(v, W, tau)
        expect(got, wanted, where, why(got, wanted, reasons))
    return "the loss of training, with the classes in the place of the other captions."


@exercise("08.4", title="What must be beaten")
def baselines(answer):
    call = trying(answer)
    for classes, C in [([0, 2, 2, 1, 2, 0], 4), ([5, 5, 5, 5], 8), ([1, 0, 1, 0, 1], 2)]:
        where, n = f"for the classes {classes} of {C}", len(classes)
        most = max(classes.count(c) for c in classes)
        got = call(classes, C)
        if not hasattr(got, "__len__") or len(got) != 2:
            raise Almost(f"{where} give two numbers, chance and majority.")
        chance, majority = (float(share) for share in got)
        wanted = (1 / C, most / n)
        if same(chance, wanted[1]) and same(majority, wanted[0]) and chance != majority:
            raise Almost(f"{where} the two are swapped: chance first.")
        if same(chance, 100 / C) or same(majority, 100 * most / n):
            raise Almost(f"{where} give shares from 0 to 1, not percent.")
        seen = len(set(classes))
        said = f"a guess does not know which classes occur: there are {C}, not {seen}"
        expect(chance, wanted[0], f"{where} chance:", said if same(chance, 1 / seen) else "")
        reasons = [
            (most, "divide by the number of pictures"),
            (max(set(classes), key=classes.count), "that is the class; asked for is its share"),
            (most / C, "divide by the number of pictures, not of classes"),
        ]
        reason = why(majority, wanted[1], [(float(w), text) for w, text in reasons])
        expect(majority, wanted[1], f"{where} majority:", reason)
    return "whoever always says the most frequent class gets this far without a look."


@exercise("08.5", title="Right caption or swapped")
def swap_share(answer):
    call = trying(answer)
    v = unit_vectors(8, 31)
    near, far = v, v.roll(1, 0)  # as similar as can be, and less
    first = (torch.arange(8) < 5)[:, None]
    mixed, other = torch.where(first, near, far), torch.where(first, far, near)
    tied = other.clone()
    tied[2:6] = mixed[2:6]
    for where, right, swapped in [
        ("for 8 pictures", mixed, other),
        ("for 8 pictures, 4 of them with two captions of one vector,", mixed, tied),
        ("for an encoder that cannot tell the captions apart", mixed, mixed),
    ]:
        a, b = (right * v).sum(1), (swapped * v).sum(1)
        won, lost = (a > b).double().mean().item(), (a < b).double().mean().item()
        wanted = won + (1 - won - lost) / 2
        got = call(right, swapped, v)
        if hasattr(got, "shape") and getattr(got, "ndim", 0):
            raise Almost(f"{where} give one number, the share over all pictures.")
        A, B = right @ v.T, swapped @ v.T
        reasons = [
            (lost + (1 - won - lost) / 2, "that is how often the swapped caption wins"),
            (won, "a tie is no answer: count it as half, as a coin would"),
            (1 - lost, "a tie is not yet a win: count it as half, as a coin would"),
            (float(a.mean() > b.mean()), "compare picture by picture, not the averages"),
            ((A > B).double().mean().item(), "each picture is compared with its own two captions "
             "only: (right * v).sum(1), not right @ v.T"),
            (100 * wanted, "give a share from 0 to 1, not percent"),
            (8 * wanted, "divide by the number of pictures"),
        ]  # fmt: skip
        expect(got, wanted, where, why(got, wanted, reasons))
    return "a bag of words gives both captions one vector, and comes out at one half exactly."
