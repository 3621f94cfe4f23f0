"""A3.3–A3.4: how two tools weigh a context, and a method of one's own."""

import torch
from torch import Tensor

from cliplab.weighting.operators import from_empty, restore_mean, scale

from .. import Almost, exercise, expect, random, trying, why


@exercise("A3.3", title="Two tools, chunk by chunk")
def weigh(answer):
    call = trying(answer, kept="Cwe")
    for chunks, L in [(1, 5), (2, 4), (3, 6)]:
        C, e = random(chunks * L, L, seed=33) + 1, random(L, L, seed=34)  # square: [L, 1] matters
        w = torch.ones(chunks * L)
        w[1 : L - 1] = torch.tensor([1.5, 0.5, 0.0, 2.0])[: L - 2]
        w[-2] = 1.3
        where = f"for {chunks} chunk{'s' * (chunks > 1)} of {L} rows, "
        parts = list(zip(C.split(L), w.split(L), strict=True))
        all_e = e.repeat(chunks, 1)
        a1111 = torch.cat([restore_mean(c, v) for c, v in parts])
        comfy = from_empty(C, w, all_e)
        upside = torch.cat([scale(c, v) * scale(c, v).mean() / c.mean() for c, v in parts])
        heavy = torch.where((w != 1)[:, None], a1111, C)
        mistakes = [
            (scale(C, w), "the mean is not restored"),
            (restore_mean(C, w), "each chunk restores its own mean, not that of all rows"),
            (upside, "the factor is upside down: old mean over new"),
            (heavy, "every row of a chunk is rescaled, weighted or not"),
            (C, "this is C again: one mean for the whole chunk, not one for each row"),
            (comfy, "that is ComfyUI's"),
        ]
        got = call(C, w, e, "a1111")
        expect(got, a1111, where + "a1111,", why(got, a1111, mistakes))
        first = torch.cat([from_empty(C[:L], w[:L], e), C[L:]])
        mistakes = [
            (scale(C, w), "that is scaling: at weight 0 stands e"),
            (
                e.repeat_interleave(chunks, 0) + w[:, None] * (C - e.repeat_interleave(chunks, 0)),
                "each chunk meets the whole of e: repeat the block, not each row",
            ),
            (C + w[:, None] * (C - all_e), "start from e: a weight of 1 gives C"),
            (all_e + w[:, None] * (all_e - C), "the direction is C − e"),
            (first, "only the first chunk is weighed"),
            (a1111, "that is Automatic1111's"),
        ]
        got = call(C, w, e, "comfyui")
        expect(got, comfy, where + "comfyui,", why(got, comfy, mistakes))
    try:
        answer(C, w, e, "nonsense")
    except ValueError as error:
        if "nonsense" not in str(error):
            raise Almost("the message of your ValueError should name the unknown method.") from None
    except Exception as error:
        raise Almost(
            f"a method that is unknown should raise ValueError, not {type(error).__name__}."
        ) from None
    else:
        raise Almost("a method that is unknown should raise ValueError, and nothing was raised.")
    return "each chunk of 77 has its own mean, and its own copy of the empty prompt."


@exercise("A3.4", title="A method of your own")
def my_weighting(answer):
    call = trying(answer)
    L, D = 7, 16
    # tilt: rows that lie near the empty prompt's, and rows that look the other way
    for seed, (tilt, length) in enumerate([(0.0, 1.6), (0.7, 1.4), (-0.5, 1.3), (0.0, 0.8)]):
        e = random(L, D, seed=seed)
        C = length * (tilt * e + (1 - abs(tilt)) * random(L, D, seed=90 + seed))

        def at(w, C=C, e=e):
            got = torch.as_tensor(call(C, w, e))
            expect(list(got.shape), list(C.shape), "the shape of the result:")
            if not got.isfinite().all():
                raise Almost("there are values that are not finite.")
            return got.double()

        rows_on_their_own(at, C)
        from_0_to_2(at, C, e)
    return "all six properties hold, and the method is yours."


def rows_on_their_own(at, C: Tensor) -> None:
    """Properties 1 to 4: what a row of the result may depend on."""
    L, D = C.shape
    w, own = torch.tensor([1.0, 0.0, 0.5, 1.5, 2.0, 1.0, 1.0]), C.double()
    hint = "that must be C itself (property 1)"
    expect(at(torch.ones(L)), own, "with all weights 1", hint)
    got, heavy = at(w), w != 1
    hint = "rows of weight 1 must stay as they are (property 2)"
    expect(got[~heavy], own[~heavy], f"with the weights {w.tolist()}, in the rows of 1,", hint)
    for i in range(L):
        other = torch.where(torch.arange(L)[:, None] == i, C, random(L, D, seed=7))
        hint = "a row depends on its own row of C, w and e alone (property 3)"
        expect(at(w, other)[i], got[i], f"when all rows but row {i} change, in row {i}", hint, 1e-4)
    zeros, hint = torch.zeros(L), "nothing of C may be left there (property 4)"
    other = random(L, D, seed=8)
    expect(at(zeros, other), at(zeros), "at weight 0, for another C,", hint, 1e-4)


def from_0_to_2(at, C: Tensor, e: Tensor) -> None:
    """Properties 5 and 6: how far a row goes, and how long it gets on the way."""
    weights = [k / 4 for k in range(9)]
    path = torch.stack([at(torch.full((len(C),), w)) for w in weights])  # [9, L, D]
    grows = ((path - path[0]).norm(dim=-1).diff(dim=0) > 1e-4).all(1).tolist()
    if False in grows:
        k = grows.index(False)
        raise Almost(
            "the way from weight 0 must grow with the weight (property 5); from "
            f"{weights[k]:g} to {weights[k + 1]:g} it does not, for at least one row."
        )
    most = torch.maximum(C.norm(dim=-1), e.norm(dim=-1)).double()
    longer = (path.norm(dim=-1) > most * 1.001).any(1).tolist()
    if True in longer:
        raise Almost(
            f"at weight {weights[longer.index(True)]:g} a row is longer than both its row of C and "
            "its row of e (property 6)."
        )
