"""Answers to the exercises of chapter 16, right ones and wrong ones."""

import math

import torch


def reach(M, k, layers):
    changed = {k}
    for _ in range(layers):
        changed |= {i for i in range(len(M)) if any(M[i][j] for j in changed)}
    return sorted(changed)


def reach_by_powers(M, k, layers):
    step = torch.tensor(M, dtype=torch.float64) + torch.eye(len(M), dtype=torch.float64)
    paths = torch.linalg.matrix_power(step, layers)
    return paths[:, k].nonzero().flatten()


def without_itself(M, k, layers):
    return [i for i in reach(M, k, layers) if i != k]


def transposed(M, k, layers):
    return reach([list(column) for column in zip(*M, strict=True)], k, layers)


def one_layer(M, k, layers):
    return reach(M, k, 1)


def who_sees(M, k, layers):
    return [i for i in range(len(M)) if M[i][k]]


def to_the_end(M, k, layers):
    return reach(M, k, 99)


def row_after_row(M, k, layers):
    changed = {k}
    for _ in range(layers):
        for i in range(len(M)):
            if any(M[i][j] for j in changed):
                changed.add(i)
    return changed


def padding_share(n, L, ahead):
    return (L - n) / (L - n + n * math.exp(ahead))


def share_by_softmax(n, L, ahead):
    scores = torch.tensor([float(ahead)] * n + [0.0] * (L - n), dtype=torch.float64)
    return scores.softmax(-1)[n:].sum()


def masks(counts, longest, images):
    return [[j < n for j in range(longest)] for n in counts for _ in range(images)]


def masks_as_a_tensor(counts, longest, images):
    seen = torch.arange(longest) < torch.tensor(counts)[:, None]
    return seen.repeat_interleave(images, dim=0)


def masks_as_tuples(counts, longest, images):
    return tuple((True,) * n + (False,) * (longest - n) for n in counts for _ in range(images))


def by_turns(counts, longest, images):
    return [[j < n for j in range(longest)] for n in counts] * images


def changed_by(change):
    def answer(counts, longest, images):
        return [[change(seen) for seen in row] for row in masks(counts, longest, images)]

    return answer


def longer_by(more):
    return lambda counts, longest, images: masks([n + more for n in counts], longest, images)


RIGHT = {
    "16.1": [reach, reach_by_powers, lambda *given: set(reach(*given))],
    "16.2": [padding_share, share_by_softmax],
    "16.3": [masks, masks_as_a_tensor, masks_as_tuples],
}

WRONG = {
    "16.1": [
        (without_itself, "residual"),
        (transposed, "the other way round"),
        (one_layer, "In the next"),
        (who_sees, "whoever sees one"),
        (to_the_end, "more layers"),
        (row_after_row, "within one layer"),
        (lambda M, k, layers: list(range(len(M))), "not every row"),
    ],
    "16.2": [
        (lambda *given: 1 - padding_share(*given), "share of the tokens"),
        (lambda n, L, ahead: (L - n) / L, "exp of each"),
        (lambda n, L, ahead: (L - n) / (L - n + n * ahead), "not ahead"),
        (lambda n, L, ahead: padding_share(n, L, -ahead), "tokens whose"),
        (lambda n, L, ahead: (L - n) / (L - n + math.exp(ahead)), "n tokens"),
        (lambda n, L, ahead: 1 / (1 + n * math.exp(ahead)), "L − n rows of padding"),
        (lambda n, L, ahead: L / (L + n * math.exp(ahead)), "L counts"),
        (lambda *given: 100 * padding_share(*given), "percent"),
    ],
    "16.3": [
        (by_turns, "another prompt's mask"),
        (changed_by(int), "numbers 0 and 1"),
        (changed_by(float), "only True and False"),
        (changed_by(lambda seen: not seen), "inverted"),
        (longer_by(1), "too many"),
        (longer_by(-1), "EOS"),
        (lambda *given: [row[::-1] for row in masks(*given)], "at the left"),
        (lambda counts, longest, images: masks(counts, longest, 1), "several pictures"),
        (lambda counts, longest, images: counts, "should be"),
    ],
}
