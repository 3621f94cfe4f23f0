"""Prompt weighting as the lecture defines it: any map on any subset of the rows."""

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor


def prompt_weighting(
    C: Tensor, subsets: Sequence[Iterable[int]], maps: Sequence[Callable[[Tensor], Tensor]]
) -> Tensor:
    """PW: each row of a context goes through the map of the subset that it belongs to.

    C        context [L, D], or [B, L, D]: each prompt of a batch with the same subsets
    subsets  S_1 … S_K: positions, counted from 0 (the lecture counts from 1). Together they hold
             every position once; BOS, EOS and padding want a subset too, with the identity
             (erratum E33).
    maps     ψ_1 … ψ_K, each from a row [D] to a row [D]

    Returns Ĉ of the shape of C, with ĉ_i = ψ_k(c_i) for i in S_k. Raises ValueError when subsets
    overlap, leave a gap or reach outside, when maps are missing, or when a map changes the shape.
    What a tool does is an instance of this only if row i of its result depends on row i alone:
    scaling and moving from the empty prompt do, restoring the mean and Compel's blend do not
    (errata E12, E32). Source: Lecture eqs 12–13 (Definition 7).
    """
    if C.dim() not in (2, 3):
        raise ValueError(f"A context is [L, D] or [B, L, D]; this has the shape {list(C.shape)}.")
    owner = read_partition(subsets, C.shape[-2])
    if len(maps) != len(subsets):
        raise ValueError(
            f"There are {len(subsets)} subsets and {len(maps)} maps: each subset needs its own."
        )
    if C.dim() == 3:
        return torch.stack([prompt_weighting(c, subsets, maps) for c in C])
    return torch.stack([apply(maps[k], c, k) for c, k in zip(C, owner, strict=True)])


def apply(psi: Callable[[Tensor], Tensor], c: Tensor, k: int) -> Tensor:
    row = psi(c)
    if not isinstance(row, Tensor) or row.shape != c.shape:
        got = list(row.shape) if isinstance(row, Tensor) else type(row).__name__
        raise ValueError(f"Map {k} must take a row [{len(c)}] to a row [{len(c)}]; it gave {got}.")
    return row


def read_partition(subsets: Sequence[Iterable[int]], L: int) -> list[int]:
    """For each position 0 … L − 1 the number of its subset; ValueError if that is not one."""
    owner: list[int | None] = [None] * L
    for k, subset in enumerate(subsets):
        for i in sorted({int(i) for i in subset}):
            if not 0 <= i < L:
                raise ValueError(f"Subset {k} holds position {i}; positions are 0 to {L - 1}.")
            if owner[i] is not None:
                raise ValueError(f"Position {i} is in subset {owner[i]} and in subset {k}.")
            owner[i] = k
    if missing := [i for i, k in enumerate(owner) if k is None]:
        shown = ", ".join(map(str, missing[:6])) + (", …" if len(missing) > 6 else "")
        raise ValueError(
            f"No subset holds {'position' if len(missing) == 1 else 'positions'} {shown}. The "
            "subsets cover every row: give the rest, BOS, EOS and padding, the identity map."
        )
    return owner
