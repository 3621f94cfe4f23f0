"""Right and wrong answers to the exercises of chapter 01."""

import torch

from cliplab.tokenizer import CLIPTokenizer

tok = CLIPTokenizer()


def with_a_loop(ids, V=49408, L=77):
    if not ids or len(ids) > L:
        return False
    good = True
    for i in ids:
        if i < 0 or i >= V:
            good = False
    return good


def in_a_range(ids, V=49408, L=77):
    return 0 < len(ids) < L + 1 and set(ids) <= set(range(V))


def as_a_tensor(ids, V=49408, L=77):
    t = torch.tensor(ids, dtype=torch.long)
    return ((t >= 0) & (t < V)).all() & (1 <= len(t) <= L)


def from_a_fresh_tensor(prompts, config):
    return torch.zeros(len(prompts), config.context_length, config.width).shape


def into_a_new_tensor(positive, negative):
    B = len(positive)
    both = torch.empty(2 * B, *positive.shape[1:])
    both[:B], both[B:] = negative, positive
    return both


RIGHT = {
    "01.1": [
        lambda ids, V=49408, L=77: 1 <= len(ids) <= L and all(0 <= i < V for i in ids),
        with_a_loop,
        in_a_range,
        as_a_tensor,
        lambda ids, V, L: bool(ids) and len(ids) <= L and min(ids) >= 0 and max(ids) < V,
    ],
    "01.2": [
        lambda prompts, c: [len(prompts), c.context_length, c.width],
        lambda prompts, c: (len(prompts), c.context_length, c.heads * c.head_width),
        from_a_fresh_tensor,
        lambda prompts, c: torch.tensor([len(prompts), c.context_length, c.width]).tolist(),
    ],
    "01.3": [
        lambda positive, negative: torch.cat([negative, positive]),
        lambda positive, negative: torch.cat((negative, positive), dim=0),
        lambda positive, negative: torch.concat([negative, positive]),
        lambda positive, negative: torch.vstack([negative, positive]),
        lambda positive, negative: torch.stack([negative, positive]).flatten(0, 1),
        into_a_new_tensor,
    ],
}

WRONG = {
    "01.1": [
        (lambda ids, V, L: 1 <= len(ids) <= L and all(1 <= i <= V for i in ids), "start at 0"),
        (lambda ids, V, L: 1 <= len(ids) <= L and all(0 <= i <= V for i in ids), "49407"),
        (lambda ids, V, L: 1 <= len(ids) <= L and all(0 < i < V for i in ids), "start at 0"),
        (lambda ids, V, L: 1 <= len(ids) <= L and all(i < V for i in ids), "negative"),
        (lambda ids, V, L: all(0 <= i < V for i in ids), "more than fits"),
        (lambda ids, V, L: len(ids) <= L and all(0 <= i < V for i in ids), "at least one"),
        (lambda ids, V, L: 1 <= len(ids) < L and all(0 <= i < V for i in ids), "exactly"),
        (lambda ids, V, L: len(ids) == L and all(0 <= i < V for i in ids), "not fill"),
        (lambda ids, V, L: 1 <= len(ids) <= L and any(0 <= i < V for i in ids), "49407"),
        (lambda ids, V, L: 1 <= len(ids) <= L and min(ids) >= 0 and ids[0] < V, "49407"),
        (lambda ids, V, L: 1 <= len(set(ids)) == len(ids) <= L, "49407"),
        (lambda ids, V, L: 1 <= len(ids) <= 77 and all(0 <= i < 49408 for i in ids), "arguments"),
        (lambda ids, V, L: 1 <= len(ids) <= 77 and all(0 <= i < V for i in ids), "only 1 id"),
        (lambda ids, V, L: [0 <= i < V for i in ids], "should be True"),
    ],
    "01.2": [
        (lambda prompts, c: [c.context_length, c.width], "batch axis"),
        (lambda prompts, c: [len(prompts), c.width, c.context_length], "before the width"),
        (lambda prompts, c: [len(prompts), c.context_length, c.vocab_size], "vocabulary"),
        (lambda prompts, c: [len(prompts), c.context_length, c.mlp_width], "MLP"),
        (lambda prompts, c: [len(prompts), c.context_length, c.head_width], "side by side"),
        (lambda prompts, c: [len(prompts), c.heads, c.context_length, c.width], "heads"),
        (lambda prompts, c: [len(prompts), len(tok(prompts[0])), c.width], "one length"),
        (lambda prompts, c: [len(prompts), 77, 768], "configuration"),
        (lambda prompts, c: [len(prompts), 77, c.width], "configuration"),
        (lambda prompts, c: [1, c.context_length, c.width], "each prompt"),
        (lambda prompts, c: [len(prompts[0]), c.context_length, c.width], "characters"),
        (lambda prompts, c: [len(prompts), max(map(len, prompts)), c.width], "should be [1, 77"),
        (lambda prompts, c: len(prompts) * c.context_length * c.width, "should be [1, 77, 768]"),
    ],
    "01.3": [
        (lambda positive, negative: torch.cat([positive, negative]), "positive contexts come"),
        (lambda positive, negative: torch.stack([negative, positive]), "new axis"),
        (lambda positive, negative: torch.cat([negative, positive], dim=1), "long context"),
        (lambda positive, negative: torch.cat([negative, positive], dim=-1), "side by side"),
        (lambda positive, negative: torch.cat([negative[:1], positive[:1]]), "the shape is"),
        (
            lambda positive, negative: torch.stack([negative, positive], 1).flatten(0, 1),
            "take turns",
        ),
        (lambda positive, negative: positive - negative, "twice as many"),
        (lambda positive, negative: torch.cat([negative, negative]), "values differ"),
        (lambda positive, negative: torch.cat([negative, positive.sub_(negative)]), "differ"),
        (lambda positive, negative: [negative, positive], "tensor of shape"),
        (lambda positive, negative: torch.cat(negative, positive), "TypeError"),
    ],
}
