"""Checks for chapter 6: masks, and where 77 comes from."""

import torch

from cliplab.masks import causal_mask, length_normalization, mask_pad

from . import Almost, exercise, expect, same, trying, why

BOS, EOS = 49406, 49407


@exercise("06.1", title="The PAD mask by length")
def pad_mask_by_length(answer):
    call = trying(answer)
    dog, riding = [BOS, 320, 2761, 1929, EOS], [BOS, 320, 5274, 6765, 320, 4558, EOS]
    cases = [
        ("for 'a running dog' at length 12", length_normalization(dog, 12)),
        ("for a prompt of two tokens, BOS and EOS", length_normalization([BOS, EOS], 6)),
        ("for a prompt without padding", length_normalization(riding, len(riding))),
        ("for 'a running dog' padded with 0", length_normalization(dog, 12, pad=0)),
    ]
    for where, ids in cases:
        got, wanted = call(ids), mask_pad(ids)
        slots = torch.arange(len(ids))
        if same(got, ~wanted):
            raise Almost(f"{where} the mask is inverted: True means may be seen.")
        if len(ids) > wanted.sum() and same(got, slots <= wanted.sum()):
            raise Almost(f"{where} one padding slot too many is True: stop at the first EOS.")
        if same(got, slots < wanted.sum() - 1):
            raise Almost(
                f"{where} the true EOS is hidden as well. EOS and PAD may be the same id: ask "
                "where the first one stands, not which value it has."
            )
        if same(got, ids != EOS):
            raise Almost(
                f"{where} EOS is hidden and the padding is seen. The padding is what comes after "
                "the first EOS, whatever its id is (OpenAI's is 0)."
            )
        expect(got, wanted, where, "True up to and including the first EOS, False after it")
    return "the first EOS stays visible, and what stands after it is hidden, whatever its id."


@exercise("06.2", title="The causal mask from two ranges")
def causal_from_ranges(answer):
    call = trying(answer)
    for length in (5, 1, 77):
        where, wanted = f"for L = {length}", causal_mask(length)
        got = call(length)
        if length > 1:
            if same(got, ~wanted):
                raise Almost(f"{where} the mask is inverted: True means may be seen.")
            if same(got, wanted.T):
                raise Almost(
                    f"{where} rows and columns are swapped (transposed): i numbers the rows."
                )
            if same(got, ~wanted.T):
                raise Almost(
                    f"{where} no token sees itself: this is the strict mask, j < i. Row 0 is empty."
                )
        expect(got, wanted, where, "compare a column [L, 1] of i with a row [1, L] of j")
    return "L + L numbers and one comparison make the L × L table."


@exercise("06.3", title="How many pairs are visible")
def visible_pairs(answer):
    call = trying(answer)
    for m in (3, 0, 75, 20):
        n, where = m + 2, f"for m = {m} content tokens"
        reasons = {
            square_and_rest(m): "BOS and EOS are visible too: m + 2 columns, not m",
            square_and_rest(m + 1): "BOS and EOS are two tokens: m + 2 columns, not m + 1",
            77 * n: "that is the PAD mask alone. Under the causal mask, row i sees j ≤ i only",
            77 * 78 // 2: "that is the causal mask alone. The PAD mask hides the columns after EOS",
            n * n: "that is a full square, with neither causality nor the rows of the padding",
            n * (n + 1) // 2: "the rows of the padding look as well, each at every visible column",
            square_and_rest(n) - n: "the diagonal belongs to the mask: j ≤ i, so row i sees itself",
        }
        wanted = sum(j <= i and j < n for i in range(77) for j in range(77))
        got = call(m)
        expect(got, wanted, where, why(got, wanted, reasons.items()))
    return "a triangle up to EOS, and a full row of m + 2 for every padding slot."


def square_and_rest(n: int) -> int:
    """Pairs (i, j) of 77 rows and n columns with j ≤ i."""
    return n * (n + 1) // 2 + (77 - n) * n


@exercise("06.4", title="Which rows change")
def rows_that_change(answer):
    call = trying(answer)
    for k, eos, masked in [(2, 4, False), (0, 6, False), (9, 6, False), (2, 4, True), (9, 4, True)]:
        where = f"for k = {k}, EOS in slot {eos}, {'with' if masked else 'without'} a PAD mask,"
        got = sorted(int(row) for row in call(k, eos, masked))
        wanted = measured(k, eos, masked)
        reasons = [
            ([k], "every later row looks at slot k and changes with it"),
            (list(range(k + 1, 77)), "row k itself changes first: it holds the new token"),
            (list(range(77)), "no row before k can see slot k: the mask is causal"),
            (list(range(k, eos + 1)), "the rows of the padding look at slot k as well"),
        ]
        if masked and k > eos:
            reasons = [
                ([], "row k carries its own token along the residual, seen or not"),
                (list(range(k, 77)), "slot k is padding, and the PAD mask hides it from all rows"),
            ]
        expect(got, wanted, where, why(got, wanted, reasons))
    return "the encoder itself was asked, and these are the rows that changed."


def measured(k: int, eos: int, masked: bool) -> list[int]:
    """Rows that change in a small random encoder when slot k gets another id."""
    from cliplab.text_encoder import CLIPTextConfig, CLIPTextModel

    last = 19  # the id of EOS in a vocabulary of 20
    ids = torch.tensor([0, *range(1, eos), *[last] * (77 - eos)])
    seen = mask_pad(ids, eos=last) if masked else None
    other = ids.clone()
    other[k] = 18
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        model = CLIPTextModel(CLIPTextConfig(20, 77, width=8, heads=2, layers=2, mlp_width=16))
        before, after = model(ids, seen).context[0], model(other, seen).context[0]
    return (before != after).any(-1).nonzero().flatten().tolist()
