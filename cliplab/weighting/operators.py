"""Weights on a context: the lecture's definition, and what the tools do, one function for each.

    prompt_weighting  PW: ĉ_i = ψ_k(c_i) for i in S_k: any map on any subset; eqs 12–13

    scale         ĉ_i = w_i c_i                            A1111 "No norm"; the lecture's eq. 14
    restore_mean  ĉ_i = w_i c_i · μ(C) / μ(wC)             A1111 "Original", its default
    from_empty    ĉ_i = e_i + w_i (c_i − e_i)              ComfyUI; Compel for w ≥ 1
    blend_masked  Ĉ = (B + Σ t_k M_k) / (1 + Σ t_k)        Compel for w < 1, after from_empty

C is a context [L, D] or several [N, L, D]; w its weights, [L] or [N, L]; e the context of the empty
prompt [L, D]. The arithmetic is that of the tensors given; `encode_prompt` gives float32.
"""

import math
from collections.abc import Callable, Iterable, Sequence

from torch import Tensor, stack, where
from torch.compiler import is_compiling

from ..prompts.fragment import warn

# A mean below a thousandth of the spread is about 0; so is one that weights change fourfold.
NO_MEAN, FOURFOLD = 1e-3, 4


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
        return stack([prompt_weighting(c, subsets, maps) for c in C])
    return stack([apply(maps[k], c, k) for c, k in zip(C, owner, strict=True)])


def apply(psi: Callable[[Tensor], Tensor], c: Tensor, k: int) -> Tensor:
    row = psi(c)
    if not isinstance(row, Tensor) or row.shape != c.shape:
        got = list(row.shape) if isinstance(row, Tensor) else type(row).__name__
        raise ValueError(f"Map {k} must take a row [{len(c)}] to a row [{len(c)}]; it gave {got}.")
    return row


def read_partition(subsets: Sequence[Iterable[int]], L: int) -> list[int]:
    """For each position 0 … L − 1 the number of its subset; ValueError if that is not one."""
    owner = [-1] * L
    for k, subset in enumerate(subsets):
        for i in sorted({int(i) for i in subset}):
            if not 0 <= i < L:
                raise ValueError(f"Subset {k} holds position {i}; positions are 0 to {L - 1}.")
            if owner[i] >= 0:
                raise ValueError(f"Position {i} is in subset {owner[i]} and in subset {k}.")
            owner[i] = k
    if missing := [i for i, k in enumerate(owner) if k < 0]:
        shown = ", ".join(map(str, missing[:6])) + (", …" if len(missing) > 6 else "")
        raise ValueError(
            f"No subset holds {'position' if len(missing) == 1 else 'positions'} {shown}. The "
            "subsets cover every row: give the rest, BOS, EOS and padding, the identity map."
        )
    return owner


def scale(C: Tensor, w: Tensor) -> Tensor:
    """ĉ_i = w_i c_i: each row times its weight.

    The lecture gives this to Automatic1111 and Compel; it is A1111's mode "No norm" (errata E11,
    E12). Source: Lecture eq. 14; A1111 v1.10.1 modules/sd_emphasis.py.
    """
    return w[..., None] * C


def restore_mean(C: Tensor, w: Tensor) -> Tensor:
    """Scale, then multiply all of it by one number, so that the mean of its elements is as before.

    The mean is taken over all of C: give it one chunk [L, D] as A1111 does, or the same chunk of
    several prompts [N, L, D] where they are encoded in one call; these then depend on each other.
    Every row changes, BOS and padding too, so this is no instance of eqs 12–13 (erratum E12).
    Warns with PromptWarning where the old or the new mean is about 0: then the factor is noise.
    Source: A1111 v1.10.1 modules/sd_emphasis.py, EmphasisOriginal.
    """
    scaled = scale(C, w)
    old, new = C.mean(), scaled.mean()
    # Without weights it is 1, though A1111 makes NaN of it where the mean is exactly 0.
    factor = where((w == 1).all(), 1.0, old / new)
    if not is_compiling():  # an exported graph has no branches, and nobody to warn
        warn_of_noise(C, old, factor)
    return scaled * factor


def warn_of_noise(C: Tensor, old: Tensor, factor: Tensor) -> None:
    """Say so where the mean `old` of C, or the one after weighting, is too near 0 to be used."""
    near_zero = old.abs() < NO_MEAN * C.std() or not 1 / FOURFOLD <= factor <= FOURFOLD
    if factor != 1 and near_zero:
        warn(
            f"Restoring the mean multiplies every row by {factor:.4g}: the mean of this context "
            f"({old:.3g}, spread {C.std():.3g}) is too near 0 to be restored. "
            'method="scale" leaves it alone, as A1111\'s "No norm" does.'
        )


def from_empty(C: Tensor, w: Tensor, e: Tensor) -> Tensor:
    """ĉ_i = e_i + w_i (c_i − e_i): along the line from the empty prompt's row through the row.

    w = 0 gives the empty prompt's row, 1 the row itself (exactly), 2 as far again. The map depends
    on the position, since e_i does (erratum E11).
    Source: ComfyUI a125cd8 comfy/sd1_clip.py; Compel 2.5.1 embeddings_provider.py.
    """
    w = w[..., None]
    return where(w == 1, C, e + w * (C - e))


def blend_masked(B: Tensor, masked: Iterable[Tensor], weights: Sequence[float]) -> Tensor:
    """Ĉ = (B + Σ t_k M_k) / (1 + Σ t_k), t_k = tan((1 − w_k) π/2): Compel's way down.

    B        from_empty(C, w, e), with the weights below 1 in it (erratum E32)
    masked   M_k, for each fragment k with w_k < 1: the same, encoded while nobody could look at
             the fragment (its columns of the attention mask are 0), or encoded without it
    weights  w_k

    t is 0 at weight 1, 1 at one half (equal shares), and 63,662 at 0 and below, where the tangent
    is held. Every row from the fragment on changes, so this is no instance of eqs 12–13.
    Source: Compel 2.5.1 embeddings_provider.py; Lecture, remark on down-weighting, erratum E32.
    """
    t = [math.tan((1 - max(w, 1e-5)) * math.pi / 2) for w in weights]
    mixed = B + sum(t_k * M_k for t_k, M_k in zip(t, masked, strict=True))
    return mixed / (1 + sum(t))
