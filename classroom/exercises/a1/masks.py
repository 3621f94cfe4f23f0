"""A1.5–A1.6: who may look at whom, and which row is pooled."""

import torch

from cliplab.masks import attention_mask, causal_mask, mask_pad

from .. import Almost, exercise, expect, plain, trying, why


@exercise("A1.5", title="Who may look at whom")
def visible(answer):
    call = trying(answer)
    B, E = 7, 9  # BOS and EOS
    for pad in (E, 0):
        ids = torch.tensor([[B, 3, 4, E, pad, pad], [B, E, pad, pad, pad, pad], [B, 1, 2, 3, 4, E]])
        where = f"with PAD = {'EOS' if pad == E else pad}"
        wanted, causal, seen = attention_mask(ids, E), causal_mask(6), mask_pad(ids, E)
        by_value = mask_pad(ids, E, by_value=True)
        got = call(ids, E)
        if torch.is_tensor(got) and got.shape == wanted.shape[1:]:
            raise Almost(f"{where} one mask for each prompt is asked for: [B, L, L], not [L, L].")
        mistakes = [
            (~wanted, "the mask is inverted: True means may be seen"),
            (
                causal & by_value[:, None],
                "the first EOS is hidden, and it is text. Go by its slot, not by value",
            ),
            (causal.expand(3, 6, 6), "that is the causal mask alone: nothing hides the padding"),
            (seen[:, None].expand(3, 6, 6), "that is the PAD mask alone: it looks ahead"),
            (
                causal & seen[:, :, None],
                "padding hides columns, not rows: unsqueeze the other axis",
            ),
            (wanted.mT, "rows and columns are swapped (transposed): rows look, columns are seen"),
            (
                causal_mask(6, strict=True) & seen[:, None],
                "a token sees itself: j ≤ i. With j < i the first row is empty",
            ),
            (causal | seen[:, None], "both masks must allow a pair: & and not |"),
            (
                causal & (seen.roll(1, -1) | seen)[:, None],
                "one slot of the padding is seen: stop at the first EOS",
            ),
        ]
        expect(got, wanted, where, why(got, wanted, mistakes))
    return "the causal mask, and in every row of it the columns up to the first EOS."


@exercise("A1.6", title="The row that is pooled")
def pooled_rows(answer):
    call = trying(answer)
    ids = torch.tensor(
        [[7, 3, 2, 9, 9, 9], [7, 9, 0, 0, 0, 0], [7, 11, 4, 9, 2, 9], [7, 2, 3, 4, 5, 6]]
    )
    for rule in (9, 2):
        where = f"with eos_token_id = {rule}"
        first, last = first_of(ids, 9), [5 - place for place in first_of(ids.flip(-1), 9)]
        largest = ids.argmax(-1).tolist()
        wanted, got = largest if rule == 2 else first, plain(call(ids, rule))
        mistakes = [
            (first_of(ids, 2), "2 is no id here: it stands for the older rule, the largest id"),
            (largest, "this rule asks for the first EOS, not for the largest id"),
            (first, "2 stands for the older rule: the slot of the largest id"),
            ([max(place, 0) for place in first], "a prompt without EOS has no row: −1, not 0"),
            ([p if p < 6 else -1 for p in last], "of several EOS the first counts, not the last"),
            ([5] * 4, "that is the last slot; EOS may stand before it"),
            (ids.amax(-1).tolist(), "those are the largest ids; their slots are asked for"),
            ((5 - ids.flip(-1).argmax(-1)).tolist(), "of several largest ids the first counts"),
        ]
        expect(got, wanted, where, why(got, wanted, mistakes))
    return "two rules that agree until an id above EOS, or a prompt without EOS, comes along."


def first_of(ids, id: int) -> list[int]:
    """In each row the first place of an id; −1 where it does not occur."""
    return [row.index(id) if id in row else -1 for row in ids.tolist()]
