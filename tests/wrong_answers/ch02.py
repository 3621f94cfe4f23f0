"""Right and wrong answers to the exercises of chapter 02."""

import torch


def add_up(u, v):
    total = 0.0
    for i in range(len(u)):
        total += u[i] * v[i]
    return total


def stacked(vectors):
    return torch.stack(vectors)


def entry_by_entry(u, v):
    result = torch.empty(len(u), len(v))
    for i in range(len(u)):
        for j in range(len(v)):
            result[i, j] = u[i] * v[j]
    return result


RIGHT = {
    "02.1": [
        lambda k, m: {x for x in range(1, k + 1) if x % m == 0},
        lambda k, m: set(range(m, k + 1, m)),
        lambda k, m: frozenset(x * m for x in range(1, k // m + 1)),
        lambda k, m: set(filter(lambda x: not x % m, range(1, k + 1))),
    ],
    "02.2": [
        lambda u, v: (u * v).sum(),
        lambda u, v: torch.sum(u * v),
        lambda u, v: sum(a * b for a, b in zip(u, v, strict=True)),
        lambda u, v: sum(a * b for a, b in zip(u.tolist(), v.tolist(), strict=True)),
        lambda u, v: sum(u[i - 1] * v[i - 1] for i in range(1, len(u) + 1)),
        lambda u, v: u.mul(v).sum(dim=0),
        lambda u, v: (u * v).sum().item(),
        add_up,
    ],
    "02.3": [
        (stacked, list),
        (lambda vectors: torch.stack(vectors, dim=0), lambda C: C.unbind()),
        (lambda vectors: torch.cat([v[None] for v in vectors]), lambda C: [*C]),
        (torch.vstack, lambda C: [C[i, :] for i in range(len(C))]),
        (lambda vectors: torch.stack(vectors, 1).mT, lambda C: tuple(C)),
    ],
    "02.4": [
        torch.outer,
        lambda u, v: u[:, None] * v[None, :],
        lambda u, v: u[:, None] * v,
        lambda u, v: u[:, None] @ v[None, :],
        lambda u, v: u.unsqueeze(1) @ v.unsqueeze(0),
        lambda u, v: torch.einsum("i,j->ij", u, v),
        lambda u, v: u.reshape(-1, 1) * v.reshape(1, -1),
        lambda u, v: torch.stack([x * v for x in u]),
        entry_by_entry,
    ],
}

WRONG = {
    "02.1": [
        (lambda k, m: {x for x in range(k) if x % m == 0}, "should be"),
        (lambda k, m: {x for x in range(1, k) if x % m == 0}, "stops before"),
        (lambda k, m: {x for x in range(k + 1) if x % m == 0}, "begins with 1"),
        (lambda k, m: [x for x in range(1, k + 1) if x % m == 0], "list"),
        (lambda k, m: (x for x in range(1, k + 1) if x % m == 0), "generator"),
        (lambda k, m: {x for x in range(1, k + 1) if x % m}, "others"),
        (lambda k, m: set(range(1, k + 1)), "right of the bar"),
        (lambda k, m: set(range(m, k + 1, m)) or {}, "not {}"),
        (lambda k, m: len(range(m, k + 1, m)), "int"),
    ],
    "02.2": [
        (lambda u, v: u @ v, "entry by entry"),
        (lambda u, v: torch.dot(u, v), "entry by entry"),
        (lambda u, v: torch.einsum("i,i->", u, v), "entry by entry"),
        (lambda u, v: u.dot(v), "entry by entry"),
        (lambda u, v: torch.matmul(u, v).item(), "entry by entry"),
        (lambda u, v: u * v, "sum is missing"),
        (lambda u, v: torch.outer(u, v), "every v_j"),
        (lambda u, v: (u * v).mean(), "mean"),
        (lambda u, v: u.sum() * v.sum(), "multiply first"),
        (lambda u, v: sum(u[i] * v[i] for i in range(1, len(u))), "first product"),
        (lambda u, v: sum(u[i] * v[i] for i in range(len(u) - 1)), "last product"),
        (lambda u, v: sum(u[i] * v[i] for i in range(768)), "IndexError"),
        (lambda u, v: torch.cosine_similarity(u, v, dim=0), "cosine"),
        (lambda u, v: (u * v).sum(keepdim=True, dim=0), "shape is [1]"),
        (lambda u, v: (u + v).sum(), "should be"),
    ],
    "02.3": [
        ((torch.cat, list), "one long vector"),
        ((lambda vectors: torch.stack(vectors, dim=1), list), "column"),
        ((lambda vectors: torch.stack(vectors)[:, None], list), "too many"),
        ((list, list), "tensor of shape"),
        ((stacked, lambda C: list(C.mT)), "columns"),
        ((stacked, lambda C: [C[i : i + 1] for i in range(len(C))]), "axis of length 1"),
        ((stacked, lambda C: list(C.split(1))), "axis of length 1"),
        ((stacked, lambda C: C), "single tensor"),
        ((stacked, lambda C: C.flatten()), "single tensor"),
        ((stacked, lambda C: [C[i] for i in range(1, len(C))]), "C[0]"),
        ((stacked, lambda C: list(C.flip(0))), "values differ"),
        ((stacked, lambda C: C.tolist()[:1]), "of 3"),
        ((stacked, lambda C: [C[0]] * len(C)), "row 1"),
    ],
    "02.4": [
        (lambda u, v: torch.outer(v, u), "v uᵀ"),
        (lambda u, v: u * v[:, None], "v uᵀ"),
        (lambda u, v: u @ v, "RuntimeError"),
        (lambda u, v: u * v, "RuntimeError"),
        (lambda u, v: u * v if len(u) == len(v) else torch.outer(u, v), "meets"),
        (lambda u, v: u @ v if len(u) == len(v) else torch.outer(u, v), "inner product"),
        (lambda u, v: u[:, None] + v, "values differ"),
        (lambda u, v: torch.cat([u, v]), "column [m, 1]"),
        (lambda u, v: [[a * b for b in v] for a in u][:1], "shape is"),
    ],
}
