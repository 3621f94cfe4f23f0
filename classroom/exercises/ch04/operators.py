"""04.2–04.5: from weights to a weighted context, and which operators work row by row."""

import functools

import torch
from torch import Tensor

from cliplab.tokenizer import CLIPTokenizer
from cliplab.weighting.operators import from_empty, restore_mean, scale

from .. import exercise, expect, random, trying, why


@functools.cache
def _tokenizer() -> CLIPTokenizer:
    return CLIPTokenizer()


@exercise("04.2", title="Scaling")
def scale_words(answer):
    call = trying(answer, kept=["C", "pieces"])
    prompts = [
        [("a red fox in fog", 1.0)],
        [("red", 1.3), (" fox in ", 1.0), ("fog", 0.5)],
        [("a ", 1.0), ("chiaroscuro", 1.4), (" portrait of a ", 1.1), ("dachshund", 0)],
        [("sun", 1.2), ("flower", 0.8)],
        [("fog", -0.5)],
    ]
    for n, pieces in enumerate(prompts):
        where = f"for {pieces}"
        C = random(77, 77, seed=420 + n)  # square, so that weighing the columns raises no error
        counts = [len(_tokenizer().content(text)) for text, _ in pieces]
        weights = [w for _, w in pieces]
        w = _rows(counts, weights)
        mistakes = [
            (_rows(counts, weights, start=0), "row 0 is BOS; the words begin in row 1"),
            (_rows(counts, weights, bos=weights[0]), "BOS is weighted as well; its weight is 1"),
            (_rows(counts, weights, after=weights[-1]), "EOS and padding are weighted as well"),
            (
                _rows([*counts, 1], [*weights, weights[-1]]),
                "EOS is weighted as well; its weight is 1",
            ),
            (
                _rows(counts, weights, bos=weights[0], after=weights[-1]),
                "BOS, EOS and padding are weighted as well",
            ),
            (_rows(counts, weights, after=0.0), "EOS and padding are wiped out; their weight is 1"),
            (
                _rows([n + 2 for n in counts], weights),
                "tok(text) gives every piece a BOS and an EOS of its own; use tok.content(text)",
            ),
            (_rows([1] * len(counts), weights), "a row belongs to a token, not to a whole piece"),
            (
                _rows([len(text.split()) for text, _ in pieces], weights),
                "a row belongs to a token, not to a word: chiaroscuro is four",
            ),
            (
                _rows([len(text) for text, _ in pieces], weights),
                "a row belongs to a token, not to a character",
            ),
        ]
        wrong = [(scale(C, v), reason) for v, reason in mistakes]
        wrong += [
            (w * C, "that weighs columns; a row's weight wants the shape [77, 1], w[:, None]"),
            (C + w[:, None], "the weight is added; it multiplies"),
            (C + w[:, None] - 1, "the weight is added; it multiplies"),
            (_restored(C, w), "that restores the mean as well; here scale only"),
        ]
        joint = len(_tokenizer().content("".join(text for text, _ in pieces)))
        hint = "tokenize each piece by itself: joined, they are other tokens"
        hint = hint if joint != sum(counts) else ""
        got, wanted = call(C, pieces), scale(C, w)
        expect(got, wanted, where, why(got, wanted, wrong) or hint)
    return "the words' own rows are scaled, and BOS, EOS and padding are as they were."


def _rows(counts, weights, bos=1.0, after=1.0, start=1) -> Tensor:
    """Weights of 77 rows: `counts[k]` rows of `weights[k]` from row `start` on."""
    row = [bos] * start
    for count, weight in zip(counts, weights, strict=True):
        row += [weight] * count
    return torch.tensor((row + [after] * 77)[:77], dtype=torch.float)


@exercise("04.3", title="Restoring the mean")
def restore(answer):
    call = trying(answer, kept="Cw")
    for n, weights in enumerate([[1.0, 1.3, 0.5, 1.0, 1.0], [1.0, 2.0, 2.0, 0.0, 1.0]]):
        C, w = random(5, 5, seed=430 + n) + 1.0, torch.tensor(weights)
        scaled, heavy = scale(C, w), (w != 1)[:, None]
        factor = C.mean() / scaled.mean()
        wrong = [
            (scaled, "the mean is not restored"),
            (scaled / factor, "the factor is upside down: old mean over new mean"),
            (
                scaled * C.mean(-1, keepdim=True) / scaled.mean(-1, keepdim=True),
                "this is C again. If the mean runs along the wrong axis, one for each row, the "
                "row's weight cancels; it is one number for the whole tensor",
            ),
            (
                scaled * C.mean(-1) / scaled.mean(-1),
                "the mean runs along the wrong axis: one for each row, and that weighs columns; it "
                "is one number for the whole tensor",
            ),
            (
                scaled * C.mean(0) / scaled.mean(0),
                "the mean runs along the wrong axis: one for each column; it is one number for the "
                "whole tensor",
            ),
            (
                torch.where(heavy, scaled * factor, C),
                "only the weighted rows are rescaled; Automatic1111 rescales all",
            ),
            (w * C * C.mean() / (w * C).mean(), "that weighs columns; rows want w[:, None]"),
            (scaled + C.mean() - scaled.mean(), "the mean is restored by adding; multiply"),
            (scaled * C.std() / scaled.std(), "that restores the spread, not the mean"),
            (scaled * C.norm() / scaled.norm(), "that restores the norm, not the mean"),
            (C * factor, "the weights are gone: rescale the scaled tensor"),
            (scale(C, w) / w.mean(), "divide by the mean of the scaled tensor, not of the weights"),
        ]
        got, wanted = call(C, w), restore_mean(C, w)
        expect(got, wanted, f"for w = {weights}", why(got, wanted, wrong))
    return "one number for the whole tensor, so every row changes, weighted or not."


@exercise("04.4", title="From the empty prompt")
def from_the_empty_prompt(answer):
    call = trying(answer, kept="Cwe")
    w = torch.tensor([0.5, 1.3, 0.0, -0.5, 1.0])
    C, e = random(5, 5, seed=44), random(5, 5, seed=441)
    v = w[:, None]
    wrong = [
        (e + v * (e - C), "the direction is C − e, away from the empty prompt; yours is e − C"),
        (v * C, "that is scaling: a weight of 0 gives zeros, and should give e"),
        (v * (C - e), "e is not added: a weight of 0 gives zeros, and should give e"),
        (C + v * (C - e), "you start from C: a weight of 1 no longer gives C. Start from e"),
        (C + v * (e - C), "the weights run backwards: 0 gives C, and should give e"),
        (e + v * C, "move along C − e, not along C: a weight of 1 should give C"),
        (e + w * (C - e), "that weighs columns: w wants the shape [L, 1], w[:, None]"),
        (e[0] + v * (C - e[0]), "each row has its own row of e; yours takes row 0 of e for all"),
        (e[-1] + v * (C - e[-1]), "each row has its own row of e; yours takes the last for all"),
        (e.mean(0) + v * (C - e.mean(0)), "each row has its own row of e, not the mean of them"),
        (torch.where(v < 1, e, C), "the weight is how far to go, not whether to go"),
        (e + v.clamp(0, 1) * (C - e), "the line goes on beyond 0 and 1; yours stops at e and C"),
        (e + v.clamp(min=0) * (C - e), "the line goes on below 0; yours stops at e"),
    ]
    for where, weights in [("for weights from −0.5 to 1.3", w), ("for weights of 1", w * 0 + 1)]:
        got, wanted = call(C, weights, e), from_empty(C, weights, e)
        expect(got, wanted, where, why(got, wanted, wrong))
    return "0 is the empty prompt, 1 the prompt, and between and beyond lies a straight line."


@exercise("04.5", title="Row by row?")
def row_by_row(answer):
    call = trying(answer, kept=["the operator", "C"])
    C, e = random(6, 4, seed=45) + 1.0, random(6, 4, seed=451)
    w = torch.tensor([1.0, 1.3, 0.5, 1.0, 1.0, 1.0])
    operators = [
        ("scaling", lambda C: scale(C, w), True),
        ("moving from the empty prompt", lambda C: from_empty(C, w, e), True),
        ("restoring the mean", lambda C: _restored(C, w), False),
        ("dividing each row by its own length", lambda C: C / C.norm(dim=-1, keepdim=True), True),
        ("handing back the empty prompt", lambda C: e.clone(), True),
        *(_adding(i, (i + 2) % 6) for i in range(6)),
        ("giving each row its neighbor's place", lambda C: C.roll(1, 0), False),
    ]
    for name, operator, wanted in operators:
        got = call(operator, C)
        hint = (
            "the changed row may change in the result; only the others may not"
            if wanted
            else "change every row in turn, and compare all the others"
        )
        expect(got, wanted, f"for {name}", hint)
    return "Definition 7 lets row i of the result depend on row i alone, and you asked every row."


def _adding(i: int, j: int) -> tuple:
    """An operator whose row j depends on row i as well: its name, itself, and False."""
    there = torch.zeros(6, 1)
    there[j] = 1
    return f"adding row {i} to row {j}", lambda C: C + there * C[i], False


def _restored(C: Tensor, w: Tensor) -> Tensor:
    scaled = scale(C, w)
    return scaled * (C.mean() / scaled.mean())
