"""From ids to a sequence of one length, and who may look at whom.

A mask is True where something may be seen, as in torch's scaled_dot_product_attention.
"""

from collections.abc import Iterable, Sequence
from itertools import chain
from numbers import Integral
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .checks import whole_number
from .tokenizer.rows import TruncationWarning, fill, warn_of_cuts

__all__ = [
    "CLIP_EOS", "TruncationWarning", "attention_mask", "causal_mask", "length_normalization",
    "mask_pad",
]  # fmt: skip

CLIP_EOS = 49407
Ids = Tensor | np.ndarray | Sequence[int] | Sequence[Sequence[int]]


def length_normalization(ids: Ids, length: int = 77, pad: int | None = None) -> Tensor:
    """Pad or cut sequences to one length: BOS + content + EOS + padding, or BOS + as much + EOS.

    ids     BOS + content + EOS, as ``tokenizer(text)`` gives them; or a list of such sequences
    length  L; 77 for CLIP
    pad     None: the sequence's own EOS, as Hugging Face and Stable Diffusion 1.5 do.
            0: OpenAI's padding, which is also the id of "!" (erratum E28).

    Returns a LongTensor [L], or [B, L] for a list. Warns with TruncationWarning when content is cut
    off: at most L − 2 content tokens fit. Raises TypeError for what is no whole number, ValueError
    for an empty sequence, one that ends with 0 (OpenAI's padding), or L < 2.
    Source: Lecture eq. 7; errata E28, E29 (OpenAI's own ``tokenize`` raises unless it is told to
    truncate).
    """
    whole_number("length, with BOS and EOS,", length, 2)
    sequences, single = read_sequences(ids)
    counts = np.fromiter(map(len, sequences), np.int64, len(sequences))
    ids = np.fromiter(chain.from_iterable(sequences), np.int64, counts.sum())
    last = counts.cumsum() - 1
    eos = ids[last]
    if not eos.all():
        raise ValueError(
            "A sequence ends with 0, which is OpenAI's padding and no EOS: give BOS + content + "
            "EOS, as tokenizer(text) does."
        )
    rows = np.empty((len(sequences), length), np.int64)
    rows[:] = eos[:, None] if pad is None else pad
    left_over = fill(rows[:, :-1], np.delete(ids, last), counts - 1)
    rows[np.arange(len(rows)), np.minimum(counts, length) - 1] = eos
    warn_of_cuts(left_over, eos, length, level=2)
    normalized = torch.from_numpy(rows)
    return normalized[0] if single else normalized


def read_sequences(ids: Ids) -> tuple[list[list[int]], bool]:
    """Ids as lists of whole numbers, and whether it was a single sequence.

    Lists, tensors and arrays of one or two axes are read; anything else is a TypeError or, where
    there is nothing, a ValueError.
    """

    def plain(x: Any) -> Any:
        return x.tolist() if hasattr(x, "tolist") else x

    def whole(numbers: Iterable[object]) -> bool:
        kinds = set(map(type, numbers))
        return all(kind is not bool and issubclass(kind, Integral) for kind in kinds)

    ids = plain(ids)
    rows: list[Any] = [*map(plain, ids)] if isinstance(ids, (list, tuple)) else [None]
    single = whole(rows)
    sequences = [rows] if single else rows
    nested = all(isinstance(x, (list, tuple)) for x in sequences)
    if not nested or not whole(chain.from_iterable(sequences)):
        raise TypeError(
            f"Ids are a list of whole numbers, or a list of such lists; not {ids!r:.60}."
        )
    if not all(sequences):
        raise ValueError(
            "There is an empty sequence: give BOS + content + EOS, as tokenizer(text) does."
        )
    return sequences, single


def mask_pad(ids, eos: int = CLIP_EOS, by_value: bool = False) -> Tensor:
    """The PAD mask: True up to and including the first EOS, False on the padding after it.

    ids       [L] or [B, L], of one length
    eos       the id of EOS
    by_value  True: eq. 10 as it is printed, False wherever the id is PAD's. As PAD = EOS, that also
              hides the true EOS, the one row in which CLIP gathers the sentence (erratum E3).

    Returns a bool tensor of the shape of ids. Raises ValueError when a sequence holds no EOS.
    Source: Lecture eqs 8–10; by length, as Hugging Face's tokenizer makes its attention_mask.
    """
    ids = torch.as_tensor(ids)
    is_eos = ids == eos
    if by_value:
        return ~is_eos
    if not is_eos.any(dim=-1).all():
        raise ValueError(
            f"A sequence holds no EOS ({eos}). Another vocabulary has another EOS: "
            "mask_pad(ids, eos=tokenizer.eos_id)."
        )
    eos_before = is_eos.long().cumsum(dim=-1) - is_eos.long()
    return eos_before == 0


def causal_mask(length: int, strict: bool = False) -> Tensor:
    """The causal mask, bool [L, L]: row i (who looks) sees column j (what is looked at) when j ≤ i.

    strict  True: j < i, eq. 55 as it is printed. Its first row is empty: BOS could see nothing, not
            even itself, and the softmax of that row is 0/0 (erratum E2).
    Source: Lecture eq. 55.
    """
    return torch.ones(length, length, dtype=torch.bool).tril(-1 if strict else 0)


def attention_mask(ids, eos: int = CLIP_EOS) -> Tensor:
    """The lecture's M: the causal mask and, in every row, the PAD mask.

    Bool [L, L] for ids [L], [B, L, L] for ids [B, L].
    Stable Diffusion 1.5 does not use it: its encoder gets the causal mask alone (erratum E4).
    Source: Lecture eqs 56–57.
    """
    seen = mask_pad(ids, eos)
    return causal_mask(seen.shape[-1]) & seen.unsqueeze(-2)
