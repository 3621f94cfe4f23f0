"""Checks for chapter 16: who reads the padding, and what hides it."""

import math

from . import exercise, expect, trying, why


def table(L, seen):
    """A mask as lists: row i may see column j where seen(i, j)."""
    return [[seen(i, j) for j in range(L)] for i in range(L)]


def reached(M, k, layers, itself=True, transposed=False, at_once=True):
    """The rows that slot k reaches; the options are the usual slips."""
    M = [list(column) for column in zip(*M, strict=True)] if transposed else M
    changed = {k}
    for _ in range(layers):
        known = set(changed) if at_once else changed
        for i, row in enumerate(M):
            if any(row[j] for j in known):
                changed.add(i)
        if not itself:
            changed.discard(k)
            itself = True
    return sorted(changed)


@exercise("16.1", title="Whom a token reaches")
def whom_a_token_reaches(answer):
    call = trying(answer)
    causal, near = table(5, lambda i, j: j <= i), table(7, lambda i, j: abs(i - j) <= 1)
    cases = [
        ("causal mask of 5 rows", causal, 2, 1),
        ("causal mask of 5 rows", causal, 2, 3),
        ("mask of 7 rows, each of which sees its neighbors", near, 3, 2),
        ("mask of 7 rows, each of which sees its neighbors", near, 0, 1),
        ("mask of 4 rows that see the first two columns", table(4, lambda i, j: j < 2), 3, 4),
        ("mask of 4 rows that see everything", table(4, lambda i, j: True), 1, 1),
        ("mask of 4 rows that see the column before them", table(4, lambda i, j: j == i - 1), 0, 2),
    ]
    for name, M, k, layers in cases:
        where = f"for a {name}, k = {k} and {layers} layer{'s'[: layers > 1]}"
        wanted, got = reached(M, k, layers), sorted(int(row) for row in call(M, k, layers))
        reasons = [
            ([i for i in wanted if i != k], "row k holds the new token itself, and carries it "
             "along the residual stream"),
            (reached(M, k, layers, transposed=True), "M[i][j] says that row i sees column j; yours "
             "reads it the other way round"),
            (reached(M, k, 1), "after one layer these have changed. In the next, whoever sees one "
             "of them changes too"),
            (reached(M, k, len(M)), "this takes more layers than there are"),
            (reached(M, k, layers, at_once=False), "within one layer all rows read what the layer "
             "before left; a row that has just changed is seen by others only in the next"),
            (list(range(len(M))), "not every row can see slot k, or a row that has seen it"),
        ]  # fmt: skip
        expect(got, wanted, where, why(got, wanted, reasons))
    return "a token of the padding that reaches no row of the text in this way cannot change one."


def share(n, L, ahead):
    """Padding's share of a row's attention, where each token's score is `ahead` of padding's."""
    return (L - n) / (L - n + n * math.exp(ahead))


@exercise("16.2", title="The share of the padding")
def share_of_the_padding(answer):
    call = trying(answer)
    cases = [(6, 512, 2), (6, 512, 0), (6, 512, 5), (20, 77, 2), (77, 77, 3), (4, 8, -1)]
    for n, L, ahead in cases:
        where = f"for {n} tokens of {L}, scores {ahead} ahead"
        wanted, got = share(n, L, ahead), call(n, L, ahead)
        pads, factor = L - n, math.exp(ahead)
        reasons = [
            (1 - wanted, "this is the share of the tokens; the padding has the rest"),
            (pads / L, "the scores do not count here: a softmax takes exp of each"),
            (pads / (pads + n * ahead) if pads + n * ahead else None, "the softmax takes "
             "exp(ahead), not ahead"),
            (share(n, L, -ahead), "it is the tokens whose scores are ahead"),
            (pads / (pads + factor), "there are n tokens, each with a share of its own"),
            (1 / (1 + n * factor), "there are L − n rows of padding"),
            (L / (L + n * factor), "L counts the tokens too: L − n rows are padding"),
            (100 * wanted, "a share is a number from 0 to 1, not percent"),
        ]  # fmt: skip
        expect(got, wanted, where, why(got, wanted, reasons))
    return "many rows that nobody likes outvote a few that everybody does."


def shown(counts, longest, images, more=0, by_turns=False, left=False):
    """A mask for each picture; the options are the usual slips."""
    each = [[j < n + more for j in range(longest)] for n in counts]
    each = [row[::-1] for row in each] if left else each
    return each * images if by_turns else [row for row in each for _ in range(images)]


@exercise("16.3", title="The mask that a pipeline should pass")
def mask_that_a_pipeline_should_pass(answer):
    call = trying(answer)
    for counts, longest, images in [([2, 4], 5, 2), ([3], 6, 1), ([1, 3, 2], 3, 2), ([7, 5], 8, 3)]:
        where = f"for counts {counts}, longest {longest} and {images} image{'s'[: images > 1]} each"
        wanted, got = shown(counts, longest, images), call(counts, longest, images)
        numbers = [[int(seen) for seen in row] for row in wanted]
        reasons = [
            (shown(counts, longest, images, by_turns=True), "the order is p0 p1 p0 p1. The rows of "
             "the context come as p0 p0 p1 p1, so some pictures get another prompt's mask"),
            (numbers, "these are the numbers 0 and 1, which attention adds to the scores; only "
             "True and False hide. (So Chroma's mask hides nothing.)"),
            ([[float(x) for x in row] for row in numbers], "these are numbers, which attention "
             "adds to the scores; only True and False hide. (So Chroma's mask hides nothing.)"),
            ([[not seen for seen in row] for row in wanted], "it is inverted: True means may be "
             "seen"),
            (shown(counts, longest, images, more=1), "one row of padding too many is seen"),
            (shown(counts, longest, images, more=-1), "the last token, EOS, is hidden"),
            (shown(counts, longest, images, left=True), "the text stands at the left, the padding "
             "after it"),
            (shown(counts, longest, 1), "each prompt has several pictures, and each needs a "
             "mask"),
        ]  # fmt: skip
        expect(got, wanted, where, why(got, wanted, reasons))
    return "one mask a picture, in the order of the pictures, made of True and False."
