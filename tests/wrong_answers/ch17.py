"""Answers to the exercises of chapter 17, right ones and wrong ones."""

import torch

EOS = 49407


def sdxl_context(states, states_2):
    return torch.cat([states[-2], states_2[-2]], dim=-1)


def by_length(states, states_2):
    return torch.cat([states[len(states) - 2], states_2[len(states_2) - 2]], 1)


def pooled(ids, eos_token_id):
    return ids.index(max(ids) if eos_token_id == 2 else eos_token_id)


def in_a_loop(ids, eos_token_id):
    wanted = max(ids) if eos_token_id == 2 else eos_token_id
    for row, id in enumerate(ids):
        if id == wanted:
            return row


def state(index, layers, clip):
    n = index if index >= 0 else layers + 1 + index
    return n, n == layers and not clip


def state_by_range(index, layers, clip):
    n = range(layers + 1)[index]
    return [n, not clip and n == layers]


def sd3(first, second, t5):
    clip = torch.cat([first, second], dim=-1)
    rest = clip.new_zeros(len(clip), t5.shape[-1] - clip.shape[-1])
    return torch.cat([torch.cat([clip, rest], dim=-1), t5])


def sd3_filled(first, second, t5):
    C = torch.zeros(len(first) + len(t5), t5.shape[1])
    C[: len(first), : first.shape[1]] = first
    C[: len(first), first.shape[1] : first.shape[1] + second.shape[1]] = second
    C[len(first) :] = t5
    return C


def zeros_first(first, second, t5):
    rest = t5.new_zeros(len(first), t5.shape[1] - first.shape[1] - second.shape[1])
    return torch.cat([torch.cat([rest, first, second], dim=-1), t5])


def left(n, longest=512):
    prompt = min(n, longest)
    return prompt, min(5, longest - prompt)


def left_by_counting(n, longest=512):
    kept = (["prompt"] * n + ["after"] * 5)[:longest]
    return kept.count("prompt"), kept.count("after")


RIGHT = {
    "17.1": [sdxl_context, by_length],
    "17.2": [pooled, in_a_loop, lambda ids, rule: torch.tensor(pooled(ids, rule))],
    "17.3": [state, state_by_range],
    "17.4": [sd3, sd3_filled],
    "17.5": [left, left_by_counting, lambda n, longest: list(left(n, longest))],
}

WRONG = {
    "17.1": [
        (lambda a, b: torch.cat([a[-1], b[-1]], -1), "one layer out"),
        (lambda a, b: torch.cat([b[-2], a[-2]], -1), "first comes first"),
        (lambda a, b: torch.cat([a[-2], b[-2]]), "RuntimeError"),
        (lambda a, b: torch.cat([a[len(a) - 2], b[len(a) - 2]], -1), "count from the end"),
        (lambda a, b: torch.cat([a[-3], b[-3]], -1), "last state but one"),
        (lambda a, b: a[-2], "shape"),
    ],
    "17.2": [
        (lambda ids, rule: ids.index(EOS), "EOS or not"),
        (lambda ids, rule: ids.index(max(ids)), "not the largest"),
        (lambda ids, rule: max(ids) if rule == 2 else rule, "number of its row"),
        (lambda ids, rule: len(ids) - 1 - ids[::-1].index(max(ids)), "first of them counts"),
        (lambda ids, rule: ids.index(rule), "ValueError"),
        (lambda ids, rule: pooled(ids, rule) + 1, "should be 3"),
        (
            lambda ids, rule: ids.index(2) if rule == 2 and 2 in ids else pooled(ids, rule),
            "name of a rule",
        ),
    ],
    "17.3": [
        (lambda index, layers, clip: (layers + index if index < 0 else index, False), "layers + 1"),
        (lambda index, layers, clip: (index, False), "from the end"),
        (
            lambda index, layers, clip: (state(index, layers, clip)[0], index == -1),
            "before the norm",
        ),
        (lambda index, layers, clip: (state(index, layers, clip)[0], False), "in no other"),
        (lambda index, layers, clip: (state(index, layers, clip)[0], not clip), "in no other"),
        (
            lambda index, layers, clip: (state(index, layers, clip)[0], index == -1 and not clip),
            "in no other",
        ),
        (lambda index, layers, clip: state(index, layers, clip)[0], "two things"),
    ],
    "17.4": [
        (lambda a, b, c: torch.cat([torch.cat([a, b], -1), c]), "RuntimeError"),
        (zeros_first, "on the left"),
        (lambda a, b, c: torch.cat([c, sd3(a, b, c)[: len(a)]]), "come below"),
        (lambda a, b, c: sd3(a, b, c)[: len(a)], "shape"),
        (lambda a, b, c: sd3(a, b, c) * 2, "zeros up to"),
    ],
    "17.5": [
        (lambda n, longest: (n, 5), "more than 512"),
        (lambda n, longest: (min(n, longest - 5), 5), "cut first"),
        (lambda n, longest: (min(n, longest), longest - n), "fewer than 0"),
        (lambda n, longest: (min(n, longest - 34), left(n, longest)[1]), "before rows are counted"),
        (lambda n, longest: left(n, longest)[::-1], "named first"),
        (lambda n, longest: left(n, 512), "should be"),
    ],
}
