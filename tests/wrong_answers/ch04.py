"""Answers to the exercises of chapter 04: right ones, and the mistakes that their checks name."""

import re

import numpy as np
import torch

from cliplab import CLIPTokenizer, parse_prompt
from cliplab.weighting import from_empty, restore_mean, scale

tok = CLIPTokenizer()


# 04.1


def with_a_stack(prompt, square=1 / 1.1, explicit=1.0):
    pieces, opened = [], []
    for token in re.findall(r":[\d.]+\)|[()\[\]]|[^()\[\]:]+", prompt):
        if token in "([":
            opened.append(len(pieces))
        elif token[-1] in ")]":
            known = {")": 1.1, "]": square}
            factor = known[token] if token in known else float(token[1:-1]) * explicit
            start = opened.pop()
            pieces[start:] = [(text, weight * factor) for text, weight in pieces[start:]]
        else:
            pieces.append((token, 1.0))
    return pieces


def with_recursion(prompt):
    tokens = re.findall(r":[\d.]+\)|[()\[\]]|[^()\[\]:]+", prompt)

    def inside():
        pieces = []
        while tokens:
            token = tokens.pop(0)
            if token in "([":
                pieces += inside()
            elif token[-1] in ")]":
                factor = {")": 1.1, "]": 1 / 1.1}.get(token) or float(token[1:-1] or 0)
                return [(text, weight * factor) for text, weight in pieces]
            else:
                pieces.append((token, 1.0))
        return pieces

    return inside()


def by_the_package(prompt):
    return [(f.text, f.weight) for f in parse_prompt(prompt, "a1111")]


def word_by_word(prompt):
    return [(word, weight) for text, weight in with_a_stack(prompt) for word in text.split()]


def adding(prompt):
    pieces, opened = [], []
    for token in re.findall(r":[\d.]+\)|[()\[\]]|[^()\[\]:]+", prompt):
        if token in "([":
            opened.append(len(pieces))
        elif token[-1] in ")]":
            more = {")": 0.1, "]": 1 / 1.1 - 1}.get(token)
            more = float(token[1:-1]) - 1 if more is None else more
            start = opened.pop()
            pieces[start:] = [(text, weight + more) for text, weight in pieces[start:]]
        else:
            pieces.append((token, 1.0))
    return pieces


def absolute(prompt):
    """ComfyUI's numbers, with square brackets beside them."""
    weights, pieces = [1.0], []
    for match in re.finditer(r":[\d.]+\)|[()\[\]]|[^()\[\]:]+", prompt):
        token = match[0]
        if token == "[":
            weights.append(weights[-1] / 1.1)
        elif token == "(":
            depth, end = 1, match.end()
            while depth:
                depth += {"(": 1, ")": -1}.get(prompt[end], 0)
                end += 1
            number = re.search(r":([\d.]+)\)$", prompt[match.start() : end])
            weights.append(float(number[1]) if number else weights[-1] * 1.1)
        elif token[-1] in ")]":
            weights.pop()
        else:
            pieces.append((token, weights[-1]))
    return pieces


def innermost(prompt):
    """Each bracket weighs only the text that stands directly in it."""
    pieces, opened = [], []
    for token in re.findall(r":[\d.]+\)|[()\[\]]|[^()\[\]:]+", prompt):
        if token in "([":
            opened.append(len(opened))
        elif token[-1] in ")]":
            known = {")": 1.1, "]": 1 / 1.1}
            factor = known[token] if token in known else float(token[1:-1])
            depth = opened.pop() + 1
            pieces = [(t, factor, -1) if d == depth else (t, w, d) for t, w, d in pieces]
        else:
            pieces.append((token, 1.0, len(opened)))
    return [(text, weight) for text, weight, _ in pieces]


def outermost(prompt):
    """Each bracket overwrites the weights of those inside it."""
    pieces, opened = [], []
    for token in re.findall(r":[\d.]+\)|[()\[\]]|[^()\[\]:]+", prompt):
        if token in "([":
            opened.append(len(pieces))
        elif token[-1] in ")]":
            known = {")": 1.1, "]": 1 / 1.1}
            factor = known[token] if token in known else float(token[1:-1])
            start = opened.pop()
            pieces[start:] = [(text, factor) for text, _ in pieces[start:]]
        else:
            pieces.append((token, 1.0))
    return pieces


def number_ignored(prompt):
    return with_a_stack(re.sub(r":[\d.]+\)", ")", prompt))


def number_in_the_text(prompt):
    pieces = with_a_stack(re.sub(r":([\d.]+)\)", r"…\1)", prompt))
    return [(text.replace("…", ":"), weight) for text, weight in pieces]


# 04.2


def scale_words(C, pieces):
    w = [1.0]
    for text, weight in pieces:
        w += [weight] * len(tok.content(text))
    w += [1.0] * (len(C) - len(w))
    return torch.tensor(w)[:, None] * C


def scale_a_copy(C, pieces):
    C, row = C.clone(), 1
    for text, weight in pieces:
        count = len(tok.content(text))
        C[row : row + count] *= weight
        row += count
    return C


def scale_with_numpy(C, pieces):
    w = np.ones(77)
    w[1 : 1 + sum(tokens(text) for text, _ in pieces)] = np.concatenate(
        [np.full(tokens(text), weight) for text, weight in pieces]
    )
    return w[:, None] * C.numpy()  # float64


def scale_in_place(C, pieces):
    row = 1
    for text, weight in pieces:
        count = len(tok.content(text))
        C[row : row + count] *= weight
        row += count
    return C


def scale_by(rows):
    """An answer that scales by weights made with `rows(pieces)`, filled up with 1."""

    def answer(C, pieces):
        w = rows(pieces)
        return torch.tensor((w + [1.0] * 77)[:77])[:, None] * C

    return answer


def per(count, start=(1.0,)):
    return scale_by(lambda pieces: [*start, *(w for t, w in pieces for _ in range(count(t)))])


def tokens(text):
    return len(tok.content(text))


def weighted_to_the_end(C, pieces):
    w = [1.0] + [weight for text, weight in pieces for _ in range(tokens(text))]
    return torch.tensor((w + [w[-1]] * 77)[:77])[:, None] * C


def weighted_from_the_start(C, pieces):
    w = [pieces[0][1]] + [weight for text, weight in pieces for _ in range(tokens(text))]
    return torch.tensor((w + [1.0] * 77)[:77])[:, None] * C


def weighted_with_eos(C, pieces):
    w = [weight for text, weight in pieces for _ in range(tokens(text))]
    return torch.tensor(([1.0, *w, w[-1]] + [1.0] * 77)[:77])[:, None] * C


def weighted_throughout(C, pieces):
    w = [weight for text, weight in pieces for _ in range(tokens(text))]
    return torch.tensor(([pieces[0][1], *w] + [w[-1]] * 77)[:77])[:, None] * C


def wiped_out(C, pieces):
    w = [1.0] + [weight for text, weight in pieces for _ in range(tokens(text))]
    return torch.tensor((w + [0.0] * 77)[:77])[:, None] * C


def all_in_one(C, pieces):
    text, w = "", [1.0]
    for piece, weight in pieces:
        before = len(tok.content(text))
        text += piece
        w += [weight] * (len(tok.content(text)) - before)
    return torch.tensor((w + [1.0] * 77)[:77])[:, None] * C


def columns(C, pieces):
    w = [1.0] + [weight for text, weight in pieces for _ in range(tokens(text))]
    return torch.tensor((w + [1.0] * 77)[:77]) * C


def added(C, pieces):
    return C + scale_words(torch.ones_like(C), pieces)


def scaled_and_restored(C, pieces):
    scaled = scale_words(C, pieces)
    return scaled * C.mean() / scaled.mean()


# 04.3


def restore(C, w):
    scaled = w[:, None] * C
    return scaled * (C.mean() / scaled.mean())


def restore_by_sums(C, w):
    scaled = torch.einsum("i,ij->ij", w, C)
    return scaled / scaled.sum() * C.sum()


def restore_with_numpy(C, w):
    C = C.numpy().astype("float64")
    scaled = w.numpy()[:, None] * C
    return scaled * C.mean() / scaled.mean()


def restore_in_place(C, w):
    mean = C.mean()
    C *= w[:, None]
    return C * (mean / C.mean())


def along(axis):
    def answer(C, w):
        scaled = w[:, None] * C
        return scaled * C.mean(axis, keepdim=True) / scaled.mean(axis, keepdim=True)

    return answer


def only_the_heavy(C, w):
    return torch.where((w != 1)[:, None], restore(C, w), C)


# 04.4


def move(C, w, e):
    return e + w[:, None] * (C - e)


def mix(C, w, e):
    return torch.lerp(e, C, w[:, None])


def move_from_c(C, w, e):
    return C + (w - 1)[:, None] * (C - e)


def row_after_row(C, w, e):
    return torch.stack([e[i] + w[i] * (C[i] - e[i]) for i in range(len(C))])


def move_in_place(C, w, e):
    C -= e
    C *= w[:, None]
    return C.add_(e)


# 04.5


def every_row_in_turn(operator, C):
    before = operator(C)
    for i in range(len(C)):
        other = C.clone()
        other[i] += torch.randn(C.shape[1])
        moved = (operator(other) - before).abs().amax(-1) > 1e-6
        moved[i] = False
        if moved.any():
            return False
    return True


def by_numpy(operator, C):
    before, same = operator(C).numpy(), np.True_
    for i in range(len(C)):
        other = C.numpy().astype("float64")
        other[i] *= -3
        after = operator(torch.from_numpy(other)).numpy()
        same &= np.allclose(np.delete(after, i, 0), np.delete(before, i, 0))
    return same


def by_jacobian(operator, C):
    J = torch.autograd.functional.jacobian(operator, C).abs().sum((1, 3))
    return bool((J - J.diag().diag()).max() == 0)


def only_row(k):
    def answer(operator, C):
        other = C.clone()
        other[k] += 1
        return torch.equal(
            operator(other)[torch.arange(len(C)) != k % len(C)],
            operator(C)[torch.arange(len(C)) != k % len(C)],
        )

    return answer


def first_and_last(operator, C):
    return only_row(0)(operator, C) and only_row(-1)(operator, C)


def only_its_neighbors(operator, C):
    before = operator(C)
    for i in range(len(C)):
        other = C.clone()
        other[i] += 1
        moved = (operator(other) != before).any(-1)
        if any(moved[j] for j in (i - 1, i + 1) if 0 <= j < len(C)):
            return False
    return True


def only_later_rows(operator, C):
    before = operator(C)
    for i in range(len(C)):
        other = C.clone()
        other[i] += 1
        if not operator(other)[i + 1 :].equal(before[i + 1 :]):
            return False
    return True


def the_changed_row_as_well(operator, C):
    other = C.clone()
    other[0] += 1
    return torch.equal(operator(other), operator(C))


def change_in_place(operator, C):
    before = operator(C)
    C[0] += 1
    return torch.equal(operator(C)[1:], before[1:])


RIGHT = {
    "04.1": [with_a_stack, with_recursion, by_the_package, word_by_word],
    "04.2": [scale_words, scale_a_copy, scale_with_numpy],
    "04.3": [restore, restore_by_sums, restore_with_numpy, restore_mean],
    "04.4": [move, mix, move_from_c, row_after_row, from_empty],
    "04.5": [every_row_in_turn, by_numpy, by_jacobian],
}

WRONG = {
    "04.1": [
        (adding, "multiply; yours add"),
        (lambda prompt: with_a_stack(prompt, square=0.9), "not 0.9"),
        (lambda prompt: with_a_stack(prompt, square=1.1), "divide by 1.1"),
        (lambda prompt: with_a_stack(prompt, square=1), "square brackets have"),
        (lambda prompt: with_a_stack(prompt, explicit=1.1), "not 1.1 r"),
        (absolute, "ComfyUI"),
        (innermost, "innermost"),
        (outermost, "outermost"),
        (lambda prompt: [(text, str(w)) for text, w in with_a_stack(prompt)], "pairs"),
        (number_ignored, "number in (x:r) is not used"),
        (lambda prompt: [(text, 1) for text, _ in with_a_stack(prompt)], "at the letter 'r'"),
        (number_in_the_text, "left in the text"),
        (lambda prompt: [(prompt, 1.0)], "brackets are left"),
        (lambda prompt: with_a_stack(prompt)[:1], "every word stays"),
        (lambda prompt: [text for text, _ in with_a_stack(prompt)], "pairs"),
        (lambda prompt: 1.1, "pairs"),
    ],
    "04.2": [
        (per(tokens, start=()), "row 0 is BOS"),
        (weighted_from_the_start, "BOS is weighted"),
        (weighted_to_the_end, "EOS and padding are weighted"),
        (weighted_with_eos, "EOS is weighted"),
        (weighted_throughout, "BOS, EOS and padding"),
        (wiped_out, "wiped out"),
        (per(lambda text: len(text.split())), "not to a word"),
        (per(len), "not to a character"),
        (per(lambda text: len(tok(text))), "BOS and an EOS of its own"),
        (per(lambda text: 1), "not to a whole piece"),
        (all_in_one, "each piece by itself"),
        (columns, "columns"),
        (added, "added"),
        (scaled_and_restored, "restores the mean"),
        (scale_in_place, "changed in place"),
        (lambda C, pieces: C, "values differ"),
        (lambda C, pieces: C[:5], "shape"),
    ],
    "04.3": [
        (scale, "not restored"),
        (lambda C, w: C * (w[:, None] * C).mean() / C.mean(), "values differ"),
        (lambda C, w: w[:, None] * C * ((w[:, None] * C).mean() / C.mean()), "upside down"),
        (along(-1), "wrong axis"),
        (along(0), "wrong axis"),
        (lambda C, w: C, "this is C again"),
        (lambda C, w: scale(C, w) * (C.mean(1) / scale(C, w).mean(1)), "weighs columns"),
        (lambda C, w: w * C * (C.mean() / (w * C).mean()), "rows want"),
        (only_the_heavy, "only the weighted rows"),
        (lambda C, w: scale(C, w) + C.mean() - scale(C, w).mean(), "multiply"),
        (lambda C, w: scale(C, w) * C.norm() / scale(C, w).norm(), "norm"),
        (lambda C, w: scale(C, w) * C.std() / scale(C, w).std(), "spread"),
        (lambda C, w: scale(C, w) / w.mean(), "not of the weights"),
        (lambda C, w: C * (C.mean() / scale(C, w).mean()), "weights are gone"),
        (restore_in_place, "changed in place"),
    ],
    "04.4": [
        (lambda C, w, e: e + w[:, None] * (e - C), "yours is e − C"),
        (lambda C, w, e: scale(C, w), "should give e"),
        (lambda C, w, e: w[:, None] * (C - e), "e is not added"),
        (lambda C, w, e: C + w[:, None] * (C - e), "start from e"),
        (lambda C, w, e: move(e, w, C), "backwards"),
        (lambda C, w, e: e + w[:, None] * C, "along C − e"),
        (lambda C, w, e: e + w * (C - e), "columns"),
        (lambda C, w, e: move(C, w, e[0]), "row 0 of e"),
        (lambda C, w, e: move(C, w, e[-1]), "the last"),
        (lambda C, w, e: move(C, w, e.mean(0)), "not the mean"),
        (lambda C, w, e: torch.where(w[:, None] < 1, e, C), "not whether"),
        (lambda C, w, e: move(C, w.clamp(0, 1), e), "stops at e and C"),
        (lambda C, w, e: move(C, w.clamp(min=0), e), "stops at e."),
        (move_in_place, "changed in place"),
    ],
    "04.5": [
        (only_row(0), "every row in turn"),
        (only_row(-1), "every row in turn"),
        (first_and_last, "every row in turn"),
        (only_its_neighbors, "compare all the others"),
        (only_later_rows, "compare all the others"),
        (the_changed_row_as_well, "the changed row may"),
        (change_in_place, "clone"),
        (lambda operator, C: True, "every row in turn"),
        (lambda operator, C: False, "should be True"),
    ],
}
