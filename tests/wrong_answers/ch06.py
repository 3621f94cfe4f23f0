"""Answers to the exercises of chapter 6, right ones and wrong ones."""

import torch

import cliplab

EOS = 49407


def by_position(ids):
    return torch.arange(len(ids)) <= ids.tolist().index(EOS)


def by_counting(ids):
    is_eos = (ids == EOS).long()
    return is_eos.cumsum(0) - is_eos == 0


def by_largest_id(ids):
    return torch.arange(len(ids)) <= ids.argmax()


def in_a_loop(ids):
    mask, ended = [], False
    for id in ids.tolist():
        mask.append(not ended)
        ended = ended or id == EOS
    return mask


def by_value(ids):
    return ids != EOS


def without_eos(ids):
    return torch.arange(len(ids)) < ids.argmax()


def one_padding_too_many(ids):
    return torch.arange(len(ids)) <= ids.argmax() + 1


def pad_is_zero(ids):
    return ids != 0


def two_ranges(L):
    return torch.arange(L)[None, :] <= torch.arange(L)[:, None]


def lists(L):
    return [[j <= i for j in range(L)] for i in range(L)]


def triangle(L):
    return torch.ones(L, L, dtype=torch.bool).tril()


def visible(m):
    n = m + 2
    return n * (n + 1) // 2 + (77 - n) * n


def counted(m):
    return sum(j <= i for i in range(77) for j in range(m + 2))


def summed(m):
    ids = cliplab.length_normalization([EOS - 1, *[320] * m, EOS])
    return cliplab.attention_mask(ids).sum()


def rows(k, eos, masked):
    return [k] if masked and k > eos else list(range(k, 77))


def rows_as_a_range(k, eos, masked):
    return range(k, k + 1 if masked and k > eos else 77)


def rows_as_a_tensor(k, eos, masked):
    return torch.tensor(rows(k, eos, masked))


RIGHT = {
    "06.1": [by_position, by_counting, by_largest_id, in_a_loop, cliplab.mask_pad],
    "06.2": [two_ranges, lists, triangle, cliplab.causal_mask],
    "06.3": [visible, counted, summed, lambda m: float(visible(m))],
    "06.4": [rows, rows_as_a_range, rows_as_a_tensor, lambda *given: set(rows(*given))],
}

WRONG = {
    "06.1": [
        (by_value, "true EOS"),
        (without_eos, "true EOS"),
        (one_padding_too_many, "one padding slot too many"),
        (lambda ids: ~by_position(ids), "inverted"),
        (lambda ids: by_position(ids).long(), "torch.int64"),
        (lambda ids: by_position(ids)[:5], "shape"),
        (pad_is_zero, "False after it"),
        (lambda ids: by_value(ids) if 0 in ids else by_position(ids), "whatever its id"),
        (lambda ids: ids.index(EOS), "TypeError"),
    ],
    "06.2": [
        (lambda L: cliplab.causal_mask(L, strict=True), "strict"),
        (lambda L: two_ranges(L).T, "transposed"),
        (lambda L: ~two_ranges(L), "inverted"),
        (lambda L: torch.arange(L) <= torch.arange(L), "shape"),
        (lambda L: two_ranges(L).float(), "torch.float32"),
        (lambda L: torch.ones(L, L, dtype=torch.bool), "column"),
    ],
    "06.3": [
        (lambda m: visible(m - 2), "m + 2 columns, not m"),
        (lambda m: visible(m - 1), "not m + 1"),
        (lambda m: 77 * (m + 2), "PAD mask alone"),
        (lambda m: 77 * 78 // 2, "causal mask alone"),
        (lambda m: (m + 2) ** 2, "square"),
        (lambda m: (m + 2) * (m + 3) // 2, "padding look"),
        (lambda m: visible(m) - m - 2, "diagonal"),
        (lambda m: visible(m) + 1, "should be 375"),
    ],
    "06.4": [
        (lambda k, eos, masked: [k], "later row"),
        (lambda k, eos, masked: list(range(k + 1, 77)), "row k itself"),
        (lambda k, eos, masked: list(range(77)), "causal"),
        (lambda k, eos, masked: list(range(k, eos + 1)), "padding look"),
        (lambda k, eos, masked: list(range(k, 77)), "hides it from all"),
        (lambda k, eos, masked: [] if masked and k > eos else list(range(k, 77)), "residual"),
        (lambda k, eos, masked: 77, "not of the kind"),
    ],
}
