"""Answers to the exercises of chapter 03: right ones, and the mistakes that their checks name."""

import torch

from cliplab import CLIPTokenizer
from cliplab.tokenizer.bpe import replace_pair

tok = CLIPTokenizer()
EOS = 49407


# 03.1


def free_slots(text):
    return max(0, 75 - len(tok.content(text)))


def free_slots_by_length(text):
    used = len(tok(text))
    return 77 - used if used <= 77 else 0


# 03.2


def merge_left_to_right(symbols, pair):
    out, i = [], 0
    while i < len(symbols):
        if tuple(symbols[i : i + 2]) == pair:
            out.append(symbols[i] + symbols[i + 1])
            i += 2
        else:
            out.append(symbols[i])
            i += 1
    return out


def merge_onto_a_stack(symbols, pair):
    out, joined = [], False
    for symbol in symbols:
        if out and not joined and (out[-1], symbol) == pair:
            out[-1], joined = out[-1] + symbol, True
        else:
            out.append(symbol)
            joined = False
    return out


def merge_in_place(symbols, pair):
    i = 0
    while i < len(symbols) - 1:
        if (symbols[i], symbols[i + 1]) == pair:
            symbols[i : i + 2] = ["".join(pair)]
        i += 1
    return symbols


def merge_first_only(symbols, pair):
    for i in range(len(symbols) - 1):
        if (symbols[i], symbols[i + 1]) == pair:
            return [*symbols[:i], "".join(pair), *symbols[i + 2 :]]
    return symbols


def merge_overlapping(symbols, pair):
    out = []
    for i, symbol in enumerate(symbols):
        if tuple(symbols[i : i + 2]) == pair:
            out.append("".join(pair))
        elif i == 0 or (symbols[i - 1], symbol) != pair:
            out.append(symbol)
    return out


def merge_right_to_left(symbols, pair):
    out, i = [], len(symbols) - 1
    while i >= 0:
        hit = i > 0 and (symbols[i - 1], symbols[i]) == pair
        out.insert(0, "".join(pair) if hit else symbols[i])
        i -= 2 if hit else 1
    return out


def merge_as_text(symbols, pair):
    return " ".join(symbols).replace(" ".join(pair), "".join(pair)).split(" ")


def merge_without_the_last(symbols, pair):
    out, i = [], 0
    while i < len(symbols) - 1:
        hit = (symbols[i], symbols[i + 1]) == pair
        out.append("".join(pair) if hit else symbols[i])
        i += 2 if hit else 1
    return out


# 03.3


def cost(word):
    return len(tok.content(word))


def costliest_by_loop(prompt):
    best, most = None, 0
    for word in prompt.split():
        if cost(word) > most:
            best, most = word, cost(word)
    return best


# 03.4


def cut_or_pad(ids, length=77):
    if len(ids) > length:
        return [*ids[: length - 1], EOS]
    return ids + [EOS] * (length - len(ids))


def pad_then_cut(ids, length=77):
    long = ids[:-1] + [EOS] * length
    return [*long[: length - 1], EOS]


def eos_lost(ids, length=77):
    return (ids + [EOS] * length)[:length]


def all_places_for_content(ids, length=77):
    content = ids[1:-1]
    if len(content) > length:
        return content[:length]
    return cut_or_pad(ids, length)


def one_too_many(ids, length=77):
    return [*ids[:length], EOS] if len(ids) > length else cut_or_pad(ids, length)


def padded_with_zero(ids, length=77):
    return cut_or_pad(ids, length) if len(ids) > length else ids + [0] * (length - len(ids))


def padded_on_the_left(ids, length=77):
    return cut_or_pad(ids, length) if len(ids) > length else [EOS] * (length - len(ids)) + ids


def cut_from_the_front(ids, length=77):
    return ids[-length:] if len(ids) > length else cut_or_pad(ids, length)


def never_padded(ids, length=77):
    return cut_or_pad(ids, length) if len(ids) > length else ids


def without_eos(ids, length=77):
    return ids[:-1][:length] + [0] * (length - len(ids[:-1]))


def one_token_too_few(ids, length=77):
    return cut_or_pad([*ids[: length - 2], EOS], length)


RIGHT = {
    "03.1": [free_slots, free_slots_by_length, lambda text: torch.tensor(free_slots(text))],
    "03.2": [
        merge_left_to_right,
        merge_onto_a_stack,
        merge_in_place,
        lambda symbols, pair: replace_pair(symbols, pair, "".join(pair)),
        lambda symbols, pair: tuple(merge_left_to_right(symbols, pair)),
    ],
    "03.3": [lambda prompt: max(prompt.split(), key=cost), costliest_by_loop],
    "03.4": [
        cut_or_pad,
        pad_then_cut,
        lambda ids, length=77: torch.tensor(cut_or_pad(ids, length)),
        lambda ids, length=77: tuple(cut_or_pad(ids, length)),
    ],
}

WRONG = {
    "03.1": [
        (lambda text: 75 - len(text.split()), "counts words"),
        (lambda text: 77 - len(text.split()), "BOS and EOS"),
        (lambda text: 75 - len(tok(text)), "slots of their own"),
        (lambda text: 77 - len(tok.content(text)), "77 includes BOS and EOS"),
        (lambda text: 75 - len(text), "counts characters"),
        (lambda text: len(tok.content(text)), "are free"),
        (lambda text: 75 - len(tok.content(text)), "negative"),
        (lambda text: abs(75 - len(tok.content(text))), "120 tokens"),
        (lambda text: tok.content(text), "should be"),
    ],
    "03.2": [
        (merge_first_only, "everywhere"),
        (merge_overlapping, "overlap"),
        (merge_right_to_left, "left to right"),
        (merge_as_text, "whole symbols"),
        (merge_without_the_last, "last symbol"),
        (lambda symbols, pair: symbols, "nothing was merged"),
        (lambda symbols, pair: "".join(symbols), "should be"),
    ],
    "03.3": [
        (lambda prompt: max(prompt.split(), key=len), "most letters"),
        (lambda prompt: max(map(cost, prompt.split())), "number of tokens"),
        (lambda prompt: min(prompt.split(), key=cost), "fewest"),
        (lambda prompt: sorted(prompt.split(), key=cost)[-1], "first one"),
        (lambda prompt: max(prompt.split(), key=lambda w: len(w.encode())), "most letters"),
    ],
    "03.4": [
        (eos_lost, "EOS is lost"),
        (lambda ids, length=77: ids[:length], "Pad it"),
        (all_places_for_content, "BOS and EOS are gone"),
        (one_too_many, "Cut before EOS"),
        (padded_with_zero, "PAD is EOS"),
        (padded_on_the_left, "BOS"),
        (cut_from_the_front, "must stay in front"),
        (never_padded, "Pad it on the right"),
        (without_eos, "no EOS"),
        (one_token_too_few, "values differ"),
        (lambda ids, length=77: [cut_or_pad(ids, length)], "one row"),
    ],
}
