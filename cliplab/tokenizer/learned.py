"""Learned words (textual inversion): names whose rows stand behind an encoder's table."""

from __future__ import annotations

import re

import torch
from torch import Tensor


def read_rows(name: str, rows: Tensor, known: Tensor | None) -> Tensor:
    """The rows [n, D] of a new word, after those that are known already, as one table.

    Raises ValueError for what is no word, and for rows that are none or of another width.
    """
    if not isinstance(name, str) or not re.fullmatch(r"\S+", name):
        raise ValueError(f"A learned word is a text without white space; not {name!r:.60}.")
    rows = torch.as_tensor(rows).detach().float()
    rows = rows[None] if rows.dim() == 1 else rows
    if rows.dim() != 2 or not rows.numel() or not rows.isfinite().all():
        raise ValueError(
            f"The rows of {name} are finite numbers [n, D], or [D] for one; this has the shape "
            f"{list(rows.shape)}."
        )
    if known is not None and known.shape[1] != rows.shape[1]:
        raise ValueError(
            f"The rows of {name} are {rows.shape[1]} wide, those of the words before it "
            f"{known.shape[1]}: one tokenizer's words belong to one encoder."
        )
    return rows if known is None else torch.cat([known, rows])
