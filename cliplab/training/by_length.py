"""Texts of like length together: a place that is only padding costs as much as a word."""

import torch
from torch import Tensor

from ..contrastive import CLIP

TOGETHER = 64  # texts


def encode_by_length(clip: CLIP, ids: Tensor) -> Tensor:
    """ids [M, L] → u [M, E], as clip.encode_ids and with its gradient, up to rounding.

    Each row ends in an EOS, as clip.ids makes them, and is cut after it: EOS sees nothing of what
    follows.
    """
    lengths = (ids == clip.tokenizer.eos_id).int().argmax(dim=1) + 1  # [M]
    order = lengths.argsort(stable=True)
    parts = [clip.encode_ids(ids[rows, : lengths[rows].max()]) for rows in order.split(TOGETHER)]
    return torch.cat(parts).index_select(0, order.argsort())
