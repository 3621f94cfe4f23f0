"""Read what the caller gave as ids and mask; refuse, in a sentence, what cannot be meant."""

import math
from typing import Any

import torch
from torch import Tensor

from ..masks import Ids, causal_mask


def read_ids(ids: Ids, context_length: int | float, device: torch.device) -> Tensor:
    """Ids as [B, L] integers: from a tensor or lists, [B, L] or [L] (one prompt).

    context_length: how many positions the encoder has; ∞ where it has no last one.
    """
    try:
        ids = torch.as_tensor(ids, device=device)
    except (ValueError, TypeError) as error:
        how = "pad them, and hide the padding by a mask."
        if context_length < math.inf:
            L = context_length
            how = f"cliplab.length_normalization(ids, {L}) gives all of them {L} tokens."
        raise ValueError(
            f"These ids do not form a table of integers ({error}). Prompts in one batch need one "
            f"length: {how}"
        ) from None
    if ids.dtype not in (torch.int64, torch.int32) or ids.dim() not in (1, 2) or not ids.numel():
        raise ValueError(
            f"Token ids are integers of shape [B, L], or [L] for one prompt, and at least one; "
            f"got {_describe(ids)}."
        )
    if ids.shape[-1] > context_length:
        raise ValueError(
            f"A prompt of {ids.shape[-1]} tokens does not fit: this model has {context_length} "
            f"positions. Shorten it: cliplab.length_normalization(ids, length={context_length})."
        )
    return ids.reshape(-1, ids.shape[-1])


def visibility(ids: Tensor, mask: Any, causal: bool = True, itself: bool = False) -> Tensor:
    """M [L, L] or [B, L, L] from the caller's mask; ids [B, L].

    None → causal. [B, L], or [L] for one prompt → PAD mask, multiplied with the causal mask.
    [L, L] or [B, L, L] → M itself. Source: Lecture eqs 55–57.

    causal: False → every token may see every other, for encoders that are not causal.
    itself: a row that a PAD mask leaves nothing to see sees itself.
    """
    B, L = ids.shape
    order = causal_mask(L) if causal else torch.ones(L, L, dtype=torch.bool)
    order = order.to(ids.device)  # [L, L]
    if mask is None:
        return order
    mask = _as_bool(torch.as_tensor(mask, device=ids.device))
    if mask.shape == (B, L) or (B == 1 and mask.shape == (L,)):
        M = order & mask.view(B, 1, L)  # column j of M is a_j: the key side is masked
        if itself:
            M = M | torch.eye(L, dtype=torch.bool, device=ids.device) & ~M.any(-1, keepdim=True)
    elif mask.shape in ((L, L), (B, L, L)):
        M = mask
    else:
        raise ValueError(
            f"A mask for ids of shape [{B}, {L}] is a PAD mask [{B}, {L}], or a whole mask "
            f"[{L}, {L}] or [{B}, {L}, {L}]; got {_describe(mask)}."
        )
    if not torch.compiler.is_compiling():
        _refuse_empty_rows(M)
    return M


def _as_bool(mask: Tensor) -> Tensor:
    if mask.dtype == torch.bool:
        return mask
    if not ((mask == 0) | (mask == 1)).all():
        raise ValueError(
            "A mask says True (may be seen) or False, or 1 and 0; this one holds other numbers. "
            "An additive mask of 0 and −inf becomes one by `mask == 0`."
        )
    return mask == 1


def _refuse_empty_rows(M: Tensor) -> None:
    empty = ~M.any(-1)  # [L] or [B, L]
    if empty.any():
        *prompt, row = empty.nonzero()[0].tolist()
        where = f"Row {row} of the mask" + (f" of prompt {prompt[0]}" if prompt else "")
        raise ValueError(
            f"{where} allows no key, and a softmax over nothing is not defined. A causal mask lets "
            "each token see itself (j ≤ i, erratum E2), and a PAD mask shows the first token."
        )


def _describe(t: Tensor) -> str:
    return f"{str(t.dtype).removeprefix('torch.')} of shape {list(t.shape)}"
