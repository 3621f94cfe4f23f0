"""Where the rows of a context are from: which rows of which state, of which encoder."""

from __future__ import annotations

from typing import Any

import torch


def samples(x: Any) -> list[torch.Tensor]:
    """A tensor per picture: from a list, from [B, …], or from states [N, B, L, D] side by side."""
    if isinstance(x, torch.Tensor) and x.dim() == 4:
        return [states.transpose(0, 1).flatten(1) for states in x.unbind(1)]
    return list(x)


def same(a: Any, b: Any) -> bool:
    """Whether two results are alike, whatever they are made of."""
    if a is None or b is None:
        return a is b
    one, other = samples(a), samples(b)
    return len(one) == len(other) and all(
        x.shape == y.shape and torch.allclose(x.float(), y.float(), atol=1e-5)
        for x, y in zip(one, other, strict=True)
    )


def find(rows: torch.Tensor, state: torch.Tensor) -> list[tuple[int, int, int]]:
    """(row, row of the state that it is, how many follow alike), one after another.

    Rows of zeros are passed over. A state that none of the first 80 rows is of is not the one.
    """
    found: list[tuple[int, int, int]] = []
    r = 0
    while r < len(rows) and (found or r <= 80):
        alike = ((state - rows[r]).abs().amax(-1) < 1e-6).nonzero().flatten()
        if not rows[r].any() or not len(alike):
            r += 1
            continue
        at = int(alike[0])
        n = min(len(rows) - r, len(state) - at)
        same_so_far = (rows[r : r + n] - state[at : at + n]).abs().amax(-1) < 1e-6
        count = int(same_so_far.long().cumprod(0).sum())
        found.append((r, at, count))
        r += count
    return found


def taken(rows: torch.Tensor, calls: list, from_front: bool) -> list[dict[str, Any]]:
    """Which rows of which state of which encoder stand in a context [R, D], and in which columns.

    Rows are [first, last + 1]; those of the context stand before those of the state.
    """
    found: dict[tuple[str, int], dict[str, Any]] = {}
    most: dict[tuple[str, int], int] = {}
    for name, _, states, _ in calls:
        width = states[0][1].shape[-1]
        for column in range(0, rows.shape[-1] - width + 1, 4):
            place = (name, column)
            for k, (state, H) in states.items():
                pieces = find(rows[:, column : column + width], H)
                count = sum(n for _, _, n in pieces)
                # The negative prompt's call shares its first rows with the prompt's.
                if count <= most.get(place, 0):
                    continue
                most[place] = count
                found[place] = {
                    "encoder": name,
                    "state": f"hidden_states[{k}]" if from_front else state,
                    "columns": [column, column + width],
                    "rows": [[[r, r + n], [at, at + n]] for r, at, n in pieces],
                }
    return list(found.values())


def pooled_of(row: torch.Tensor, calls: list) -> str:
    """Whose pooled rows stand side by side in a pooled vector [E]."""
    vectors = [
        (f"{kind} of {name}", getattr(out, kind)[0])
        for name, _, _, out in calls
        for kind in ("text_embeds", "pooler_output")
        if getattr(out, kind, None) is not None
    ]
    found = []
    while len(row):
        for name, vector in vectors:
            front, rest = row[: len(vector)], row[len(vector) :]
            if len(front) == len(vector) and torch.allclose(front, vector):
                found.append(name)
                row = rest
                break
        else:
            return "not found among the encoders' pooled rows"
    return " and ".join(found)
