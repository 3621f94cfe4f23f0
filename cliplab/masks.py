"""From ids to a sequence of one length, and who may look at whom.

A mask is True where something may be seen, as in torch's scaled_dot_product_attention.
"""

import warnings
from numbers import Integral

import torch
from torch import Tensor

CLIP_EOS = 49407


class TruncationWarning(UserWarning):
    """Said when tokens are cut off; ``lost`` holds their ids, one list per sequence."""

    def __init__(self, message: str, lost: list[list[int]]):
        super().__init__(message)
        self.lost = lost


def length_normalization(ids, length: int = 77, pad: int | None = None) -> Tensor:
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
    if not isinstance(length, int) or length < 2:
        raise ValueError(
            f"length is a whole number of at least 2, for BOS and EOS; not {length!r}."
        )
    sequences, single = read_sequences(ids)
    if any(sequence[-1] == 0 for sequence in sequences):
        raise ValueError(
            "A sequence ends with 0, which is OpenAI's padding and no EOS: give BOS + content + "
            "EOS, as tokenizer(text) does."
        )
    # Padding that is there already is not lost when it is cut.
    lost = [without_padding(sequence)[length - 1 : -1] for sequence in sequences]
    if any(lost):
        cut, most = sum(map(bool, lost)), max(map(len, lost))
        one = len(sequences) == 1
        who = "The sequence does" if one else f"{cut} of {len(sequences)} sequences do"
        number = f"up to {most}" if cut > 1 else most
        message = f"{who} not fit into {length} places; tokens lost before EOS: {number}."
        warnings.warn(TruncationWarning(message, lost), stacklevel=2)
    rows = []
    for sequence in sequences:
        *body, eos = sequence
        kept = [*body[: length - 1], eos]
        rows.append(kept + [eos if pad is None else pad] * (length - len(kept)))
    normalized = torch.tensor(rows, dtype=torch.long)
    return normalized[0] if single else normalized


def read_sequences(ids) -> tuple[list[list[int]], bool]:
    """Ids as lists of whole numbers, and whether it was a single sequence.

    Lists, tensors and arrays of one or two axes are read; anything else is a TypeError or, where
    there is nothing, a ValueError.
    """

    def plain(x):
        return x.tolist() if hasattr(x, "tolist") else x

    def is_sequence(x) -> bool:
        whole = isinstance(x, (list, tuple)) and all(isinstance(i, Integral) for i in x)
        return whole and not any(isinstance(i, bool) for i in x)

    ids = plain(ids)
    rows = [plain(x) for x in ids] if isinstance(ids, (list, tuple)) else None
    single = is_sequence(rows)
    sequences = [rows] if single else rows
    if sequences is None or not all(map(is_sequence, sequences)):
        raise TypeError(
            f"Ids are a list of whole numbers, or a list of such lists; not {ids!r:.60}."
        )
    if not all(sequences):
        raise ValueError(
            "There is an empty sequence: give BOS + content + EOS, as tokenizer(text) does."
        )
    return [[int(i) for i in sequence] for sequence in sequences], single


def without_padding(sequence: list[int]) -> list[int]:
    """A sequence up to the first of the EOS that end it."""
    end = len(sequence)
    while end > 1 and sequence[end - 2] == sequence[-1]:
        end -= 1
    return sequence[:end]


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
