"""Answers to the exercises of assignment 1, right ones and usual mistakes."""

from itertools import pairwise

import torch

from cliplab.masks import attention_mask, causal_mask
from cliplab.tokenizer import BYTE_TO_CHAR

# A1.1


def symbols(word):
    out = [BYTE_TO_CHAR[byte] for byte in word.encode("utf-8")]
    out[-1] += "</w>"
    return out


def symbols_by_counting(word):
    raw = bytes(word, "utf-8")
    return tuple(BYTE_TO_CHAR[b] + "</w>" * (i == len(raw)) for i, b in enumerate(raw, start=1))


# A1.2


def lowest_pair(symbols, ranks):
    known = [pair for pair in pairwise(symbols) if " ".join(pair) in ranks]
    return list(min(known, key=lambda pair: ranks[" ".join(pair)], default=[]))


def lowest_pair_by_table(symbols, ranks):
    """Down the table, and the first entry that is in the word."""
    neighbors = [f"{left} {right}" for left, right in pairwise(symbols)]
    return next((key.split(" ") for key in sorted(ranks, key=ranks.get) if key in neighbors), [])


def leftmost_pair(symbols, ranks):
    return next((list(p) for p in pairwise(symbols) if " ".join(p) in ranks), [])


def highest_pair(symbols, ranks):
    return lowest_pair(symbols, {key: -rank for key, rank in ranks.items()})


def pair_without_rank_0(symbols, ranks):
    """`if ranks.get(key)` takes 0 for nothing."""
    return lowest_pair(symbols, {key: rank for key, rank in ranks.items() if rank})


def pair_anywhere(symbols, ranks):
    found = [key.split(" ") for key in sorted(ranks, key=ranks.get)]
    return next((pair for pair in found if all(symbol in symbols for symbol in pair)), [])


def pair_before_the_end(symbols, ranks):
    return lowest_pair(symbols[:-1], ranks)


def some_pair(symbols, ranks):
    """The first two where nothing is known, since infinity is a minimum as well."""
    return list(min(pairwise(symbols), key=lambda p: ranks.get(" ".join(p), 1e99), default=[]))


def pair_of_an_empty_list(symbols, ranks):
    known = [pair for pair in pairwise(symbols) if " ".join(pair) in ranks]
    return list(min(known, key=lambda pair: ranks[" ".join(pair)]))


# A1.3


def join(symbols, left, right):
    out = list(symbols)
    i = 0
    while i + 1 < len(out):
        if out[i] == left and out[i + 1] == right:
            out[i : i + 2] = [left + right]
        i += 1
    return out


def merge(symbols, ranks):
    while pair := lowest_pair(symbols, ranks):
        symbols = join(symbols, *pair)
    return symbols


def merge_one_place_at_a_time(symbols, ranks):
    """The same for a trained table, where no merge of lower rank becomes possible in between."""
    symbols = list(symbols)
    while pair := lowest_pair(symbols, ranks):
        i = list(pairwise(symbols)).index(tuple(pair))
        symbols[i : i + 2] = ["".join(pair)]
    return symbols


def merge_recursively(symbols, ranks):
    pair = lowest_pair(symbols, ranks)
    return merge_recursively(join(symbols, *pair), ranks) if pair else tuple(symbols)


def merge_by_text(symbols, ranks):
    """With the word as one text and a mark around every symbol."""
    text = "".join(f"[{symbol}]" for symbol in symbols)
    while pair := lowest_pair(text[1:-1].split("]["), ranks):
        text = text.replace(f"[{pair[0]}][{pair[1]}]", f"[{''.join(pair)}]")
    return text[1:-1].split("][")


def merge_once(symbols, ranks):
    pair = lowest_pair(symbols, ranks)
    return join(symbols, *pair) if pair else symbols


def merge_leftmost(symbols, ranks):
    while pair := leftmost_pair(symbols, ranks):
        symbols = join(symbols, *pair)
    return symbols


def merge_highest(symbols, ranks):
    while pair := highest_pair(symbols, ranks):
        symbols = join(symbols, *pair)
    return symbols


def merge_in_one_pass(symbols, ranks):
    for key in sorted(ranks, key=ranks.get):
        symbols = join(symbols, *key.split(" "))
    return symbols


def merge_from_the_right(symbols, ranks):
    while pair := lowest_pair(symbols, ranks):
        mirrored = join([s[::-1] for s in symbols[::-1]], pair[1][::-1], pair[0][::-1])
        symbols = [s[::-1] for s in mirrored[::-1]]
    return symbols


# A1.4


def fit(content, length, bos, eos, pad):
    room = length - 2
    ids = [bos, *content[:room], eos]
    return ids + [pad] * (length - len(ids)), content[room:]


def fit_in_place(content, length, bos, eos, pad):
    ids, lost = [pad] * length, []
    ids[0] = bos
    for place, token in enumerate(content, start=1):
        if place < length - 1:
            ids[place] = token
        else:
            lost.append(token)
    ids[min(len(content) + 1, length - 1)] = eos
    return [torch.tensor(ids), torch.tensor(lost)]


def fit_cutting_eos(content, length, bos, eos, pad):
    ids = [bos, *content, eos][:length]
    return ids + [pad] * (length - len(ids)), content[length - 2 :]


def fit_padding_before_eos(content, length, bos, eos, pad):
    kept = content[: length - 2]
    return [bos, *kept, *[pad] * (length - 2 - len(kept)), eos], content[length - 2 :]


def fit_padding_with(what):
    def wrong(content, length, bos, eos, pad):
        return fit(content, length, bos, eos, eos if what == "eos" else 0)

    return wrong


def fit_on_the_left(content, length, bos, eos, pad):
    kept = [bos, *content[: length - 2], eos]
    return [pad] * (length - len(kept)) + kept, content[length - 2 :]


def fit_keeping_the_end(content, length, bos, eos, pad):
    kept = content[max(0, len(content) - length + 2) :]
    ids = [bos, *kept, eos]
    return ids + [pad] * (length - len(ids)), content[: len(content) - len(kept)]


# A1.5


def visible(ids, eos):
    return attention_mask(ids, eos)


def visible_by_counting(ids, eos):
    here = ids == eos
    before = here.cumsum(-1) - here.long()
    L = ids.shape[1]
    return torch.ones(L, L).tril().bool() & (before == 0).unsqueeze(1)


def visible_by_loops(ids, eos):
    B, L = ids.shape
    M = torch.zeros(B, L, L, dtype=torch.bool)
    for b, row in enumerate(ids.tolist()):
        for i in range(L):
            M[b, i, : min(i, row.index(eos)) + 1] = True
    return M


def visible_by_product(ids, eos):
    """Like the lecture's product of two matrices of 0 and 1."""
    first = (ids == eos).int().argmax(-1)
    pad = torch.arange(ids.shape[1]) <= first[:, None]
    causal = torch.tril(torch.ones(ids.shape[1], ids.shape[1]))
    return (causal * pad[:, None, :].float()) == 1


def visible_by_value(ids, eos):
    return causal_mask(ids.shape[1]) & (ids != eos)[:, None]


def visible_in_rows(ids, eos):
    first = (ids == eos).int().argmax(-1)
    pad = torch.arange(ids.shape[1]) <= first[:, None]
    return causal_mask(ids.shape[1]) & pad[:, :, None]


def visible_past_eos(ids, eos):
    first = (ids == eos).int().argmax(-1)
    pad = torch.arange(ids.shape[1]) <= first[:, None] + 1
    return causal_mask(ids.shape[1]) & pad[:, None]


def visible_strictly(ids, eos):
    return visible(ids, eos) & causal_mask(ids.shape[1], strict=True)


def visible_pad_only(ids, eos):
    return visible(ids, eos)[:, -1:].expand(-1, ids.shape[1], -1)


def visible_causal_only(ids, eos):
    return causal_mask(ids.shape[1]).expand(len(ids), -1, -1)


def visible_either(ids, eos):
    return visible_pad_only(ids, eos) | causal_mask(ids.shape[1])


# A1.6


def pooled(ids, eos_token_id):
    if eos_token_id == 2:
        return ids.argmax(-1).tolist()
    return [row.index(eos_token_id) if eos_token_id in row else -1 for row in ids.tolist()]


def pooled_by_tensors(ids, eos_token_id):
    if eos_token_id == 2:
        return ids.argmax(dim=1)
    found = ids == eos_token_id
    return torch.where(found.any(-1), found.int().argmax(-1), torch.tensor(-1))


def pooled_by_id(ids, eos_token_id):
    return [row.index(eos_token_id) if eos_token_id in row else -1 for row in ids.tolist()]


def pooled_first_eos_or_0(ids, eos_token_id):
    if eos_token_id == 2:
        return ids.argmax(-1).tolist()
    return (ids == eos_token_id).int().argmax(-1).tolist()


def pooled_at_the_last_eos(ids, eos_token_id):
    if eos_token_id == 2:
        return ids.argmax(-1).tolist()
    last = [row[::-1].index(eos_token_id) if eos_token_id in row else -1 for row in ids.tolist()]
    return [ids.shape[1] - 1 - place if place >= 0 else -1 for place in last]


def pooled_at_the_last_largest(ids, eos_token_id):
    if eos_token_id == 2:
        return (ids.shape[1] - 1 - ids.flip(-1).argmax(-1)).tolist()
    return pooled(ids, eos_token_id)


RIGHT = {
    "A1.1": [symbols, symbols_by_counting],
    "A1.2": [lowest_pair, lowest_pair_by_table, lambda s, r: tuple(lowest_pair(s, r))],
    "A1.3": [merge, merge_recursively, merge_by_text],
    "A1.4": [fit, fit_in_place, lambda *args: list(fit(*args))],
    "A1.5": [visible, visible_by_counting, visible_by_loops, visible_by_product],
    "A1.6": [pooled, pooled_by_tensors, lambda ids, rule: tuple(pooled(ids, rule))],
}

WRONG = {
    "A1.1": [
        (lambda word: [*word[:-1], word[-1] + "</w>"], "a byte, not a character"),
        (
            lambda word: [*map(chr, word.encode()[:-1]), chr(word.encode()[-1]) + "</w>"],
            "chr is not the table",
        ),
        (lambda word: [BYTE_TO_CHAR[byte] for byte in word.encode()], "carries the mark"),
        (
            lambda word: [*[BYTE_TO_CHAR[byte] for byte in word.encode()], "</w>"],
            "no symbol of its own",
        ),
        (lambda word: [BYTE_TO_CHAR[byte] + "</w>" for byte in word.encode()], "only the last"),
        (lambda word: list(word.encode()), "numbers"),
        (lambda word: "".join(symbols(word)), "not one string"),
        (lambda word: [BYTE_TO_CHAR[ord(letter)] for letter in word], "carries the mark"),
    ],
    "A1.2": [
        (leftmost_pair, "leftmost"),
        (highest_pair, "highest"),
        (pair_without_rank_0, "rank 0"),
        (pair_anywhere, "side by side"),
        (pair_before_the_end, "last two symbols"),
        (some_pair, "the answer is []"),
        (pair_of_an_empty_list, "empty"),
        (lambda s, r: " ".join(lowest_pair(s, r)), "not the key"),
        (lambda s, r: "".join(lowest_pair(s, r)), "the one that they become"),
        (lambda s, r: r.get(" ".join(lowest_pair(s, r)), -1), "rank; the pair itself"),
    ],
    "A1.3": [
        (merge_once, "go on until"),
        (merge_leftmost, "not the leftmost"),
        (merge_highest, "not of the highest"),
        (merge_in_one_pass, "look for the lowest rank of all again"),
        (merge_one_place_at_a_time, "in all its places"),
        (merge_from_the_right, "from left to right"),
        (lambda s, r: s, "nothing was merged"),
        (lambda s, r: ["".join(s)], "only pairs that the table knows"),
        (lambda s, r: " ".join(merge(s, r)), "should be"),
    ],
    "A1.4": [
        (fit_cutting_eos, "EOS is lost"),
        (fit_padding_before_eos, "the padding comes last"),
        (fit_padding_with("eos"), "not EOS"),
        (fit_padding_with("zero"), "not 0"),
        (fit_on_the_left, "on the right"),
        (fit_keeping_the_end, "not at the beginning"),
        (lambda s, L, b, e, p: ([b, *s, e], s[L - 2 :]), "length"),
        (lambda s, L, b, e, p: fit(s, L, b, e, p)[0], "two lists"),
        (lambda s, L, b, e, p: (fit(s, L, b, e, p)[0], len(s[L - 2 :])), "not their number"),
        (lambda s, L, b, e, p: (fit(s, L, b, e, p)[0], s[L - 1 :]), "length − 2"),
        (lambda s, L, b, e, p: (fit(s, L, b, e, p)[0], s[75:]), "nothing is said"),
        (lambda s, L, b, e, p: (fit(s, L, b, e, p)[0], []), "nothing is said"),
        (lambda s, L, b, e, p: (fit(s, L, b, e, p)[0], [*s, e][L - 2 :]), "EOS is not lost"),
    ],
    "A1.5": [
        (visible_by_value, "first EOS is hidden"),
        (visible_in_rows, "columns, not rows"),
        (visible_past_eos, "stop at the first EOS"),
        (visible_strictly, "sees itself"),
        (visible_pad_only, "looks ahead"),
        (visible_causal_only, "nothing hides the padding"),
        (visible_either, "& and not |"),
        (lambda ids, eos: ~visible(ids, eos), "inverted"),
        (lambda ids, eos: visible(ids, eos).mT, "transposed"),
        (lambda ids, eos: visible(ids, eos)[0], "[L, L]"),
        (lambda ids, eos: visible(ids, eos).float(), "type"),
    ],
    "A1.6": [
        (pooled_by_id, "older rule"),
        (pooled_first_eos_or_0, "not 0"),
        (pooled_at_the_last_eos, "not the last"),
        (pooled_at_the_last_largest, "several largest"),
        (lambda ids, rule: ids.argmax(-1).tolist(), "not for the largest"),
        (lambda ids, rule: [ids.shape[1] - 1] * len(ids), "last slot"),
        (lambda ids, rule: ids.amax(-1).tolist(), "slots are asked"),
    ],
}
