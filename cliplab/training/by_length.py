"""Texts of like length together: a place that is only padding costs as much as a word."""

import torch
from torch import Tensor

from ..contrastive import CLIP

FEW = 64  # texts at a time on a CPU
MANY = 512  # on a GPU, which is done with a few no sooner than with many


def encode_by_length(clip: CLIP, ids: Tensor) -> Tensor:
    """ids [M, L] → u [M, E], as clip.encode_ids and with its gradient, up to rounding.

    Each row ends in an EOS, as clip.ids makes them, and is cut after it: EOS sees nothing of what
    follows.
    """
    together = FEW if ids.device.type == "cpu" else MANY
    lengths = (ids == clip.tokenizer.eos_id).int().argmax(dim=1) + 1  # [M]
    order = lengths.argsort(stable=True)
    parts = [clip.encode_ids(ids[rows, : lengths[rows].max()]) for rows in order.split(together)]
    return torch.cat(parts).index_select(0, order.argsort())
