"""Checks for chapter 10: how the U-Net reads the prompt."""

import torch

from . import exercise, expect, random, trying, why


def attention(Q, K, V, heads, scale=None, axis=-1, split=None, together=True):
    """Cross-attention of Q [P, C] on K, V [L, C]; the options are the usual slips."""
    split = split or (lambda X: X.unflatten(-1, (heads, -1)).transpose(0, 1))  # [H, P, K]
    Q, K, V = map(split, (Q, K, V))
    S = Q @ K.mT * (Q.shape[-1] ** -0.5 if scale is None else scale)
    A = S.softmax(axis) @ V  # [H, P, K]
    return A.transpose(0, 1).flatten(1) if together else A.reshape(A.shape[1], -1)


@exercise("10.1", title="Cross-attention with heads")
def cross_attention_with_heads(answer):
    call = trying(answer)
    for P, L, C, H in [(6, 5, 12, 3), (4, 7, 8, 2), (5, 5, 16, 4)]:
        where = f"for {P} places, {L} tokens, width {C} and {H} heads"
        Q, K, V = random(P, C, seed=P), random(L, C, seed=L + 10), random(L, C, seed=C + 20)
        wanted = attention(Q, K, V, H)
        got = call(Q, K, V, H)
        wide = C // H

        def every_other(X, H=H):
            return X.unflatten(-1, (-1, H)).permute(2, 0, 1)

        def by_view(X, H=H):
            return X.reshape(H, len(X), -1)

        reasons = [
            (attention(Q, K, V, 1), f"there is one head here. Cut the width into {H} parts first"),
            (attention(Q, K, V, H, scale=C**-0.5), f"the scores are divided by √{C}, the whole "
             f"width; a head is {wide} wide"),
            (attention(Q, K, V, H, scale=1), f"the scores must be divided by √{wide}, the width "
             "of a head"),
            (attention(Q, K, V, H, scale=1 / wide), f"divide the scores by the root of {wide}"),
            (attention(Q, K, V, H, axis=-2), "the softmax runs over the places. Each place shares "
             "out its attention among the tokens: the last axis"),
            (attention(Q, K, V, H, split=every_other), "a head takes every "
             f"{H}th number here. Heads lie side by side: the first has the first {wide}"),
            (attention(Q, K, V, H, split=by_view), "a plain reshape to [H, P, K] mixes places and "
             "heads. Go to [P, H, K] and swap the axes"),
            (attention(Q, K, V, H, together=False), "swap the axes back to [P, H, K] before the "
             "heads are joined"),
            (attention(Q, K, K, H), "the mixture is of keys; the values are to be mixed"),
        ]  # fmt: skip
        expect(got, wanted, where, why(got, wanted, reasons))
    return "every place asked, every token answered, and each head did it in its own few numbers."


@exercise("10.2", title="The right scale")
def right_scale(answer):
    call = trying(answer)
    for width, heads in [(320, 8), (640, 8), (1280, 8), (64, 4), (96, 1)]:
        where = f"for width {width} and {heads} heads"
        wide = width // heads
        wanted = wide**-0.5
        got = call(width, heads)
        reasons = [
            (768**-0.5, "768 is the width of the text, and no query or key has it"),
            (width**-0.5, "that is for one head of the whole width (erratum E20)"),
            (heads**-0.5, f"{heads} is how many heads there are; how wide is one?"),
            (1 / wide, "take the root of the head's width"),
            (wide**0.5, "the scores are multiplied by this number, so it must be below 1"),
            (float(wide), "that is the width of a head; what are its scores multiplied by?"),
        ]
        expect(got, wanted, where, why(got, wanted, reasons))
    return "the scores of a head spread as far as those of any other, however wide it is."


@exercise("10.3", title="Re-weighting in attention")
def reweighting(answer):
    call = trying(answer)
    cases = [
        ("with one token at 2", torch.tensor([1.0, 1.0, 2.0, 1.0, 1.0])),
        ("with one token at 0", torch.tensor([1.0, 0.0, 1.0, 1.0, 1.0])),
        ("with factors 0.5 to −1", torch.tensor([0.5, 1.0, 1.5, -1.0, 1.0])),
    ]
    for n, (where, c) in enumerate(cases):
        W, V = random(4, 5, seed=n).softmax(-1), random(5, 3, seed=n + 10)
        wanted = (W * c) @ V
        got = call(W, V, c)
        again = W * c / (W * c).sum(-1, keepdim=True)
        reasons = [
            (W @ V, "the factors have no effect"),
            (again @ V, "the weights were normalized again, so that the other tokens pay for it. "
             "Prompt-to-prompt leaves them alone"),
            ((W * c).softmax(-1) @ V, "a second softmax ran over the weights; multiply and mix"),
            ((W.log() * c).softmax(-1) @ V, "the factors act before the softmax here"),
            ((W * c) @ (c[:, None] * V), "the factors act twice. A factor on a weight and a factor "
             "on the value row are the same thing: take one"),
            ((W + c - 1) @ V, "the factors are added; multiply"),
            (W * c, "these are the weights. Mix the values with them"),
        ]  # fmt: skip
        expect(got, wanted, where, why(got, wanted, reasons))
    return "one token brings more or less, and the other tokens bring what they brought before."
