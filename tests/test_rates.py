"""A sample of what `python -m tools.rates` measures, and the parts that it is made of."""

import functools
import re

import pytest
import torch

from tools.rates import page
from tools.rates.measure import Found, exercises, quietly, try_right, try_wrong
from tools.rates.mutants import mutants
from tools.rates.rewrites import rewrites

# Those in which most comes back as something else; the command tries them all.
STYLES = [
    *("tuples", "deques", "generators", "arrays of objects", "tensors of ids", "ids as int32"),
    *("numpy's whole numbers", "floats in tensors", "strided", "in double precision", "arrays"),
    "decorated",
]


@functools.cache
def exercises_of(number):
    return {exercise.id: exercise for exercise in exercises(number)}


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_check_and_tests_accept_right_answers_in_ten_styles(number):
    tried = [Found(id) for id in exercises_of(number)]
    for found in tried:
        with quietly():
            try_right(exercises_of(number)[found.id], found, STYLES)
        assert found.right >= 10, found.id
        assert (found.refused, found.unlike) == ([], []), found.id
    assert len(tried) >= 4


@pytest.mark.parametrize("id", ["A1.2", "A1.4", "A1.6"])
def test_no_mutant_of_a_sample_is_accepted(id):
    found = Found(id)
    with quietly():
        try_wrong(exercises_of(1)[id], found, draws=250, most=12)
    assert found.wrong > 10
    assert (found.accepted, found.refused) == ([], [])


def test_an_answer_that_is_right_on_visible_inputs_alone_is_wrong():
    exercise = exercises_of(1)["A1.4"]

    def nearly(content, length, bos, eos, pad):
        ids, lost = exercise.solution(content, length, bos, eos, pad)
        return ids, lost if pad != 49407 else [*lost, 1]

    with quietly():
        assert exercise.differing([nearly, exercise.solution], draws=1000) == [True, False]


def softmax_of_matrices(scores, mask):
    """Takes the largest of axis 1 off, which is the last one of a matrix alone."""
    top = scores.masked_fill(~mask, -torch.inf).amax(1, keepdim=True)
    E = torch.where(mask, torch.exp(torch.where(mask, scores - top, 0.0)), 0.0)
    return E / E.sum(-1, keepdim=True).clamp(min=1e-30)


def scores_of_long_vectors(x, y, s):
    lengths = (x.norm(dim=1)[:, None] * y.norm(dim=1)).clamp(min=1)
    return torch.tensor(s).exp().clamp(1, 100) * (x @ y.T) / lengths


def weighting_of_long_rows(C, w, e):
    x, v = e + w[:, None] * (C - e), w[:, None]
    most = torch.maximum(C.norm(dim=1), e.norm(dim=1))[:, None]
    return torch.where(
        v == 1, C, x * (most / x.norm(dim=1, keepdim=True).clamp(min=1)).clamp(max=1)
    )


@pytest.mark.parametrize(
    ("id", "answer"),
    [
        ("A2.3", softmax_of_matrices),
        ("A4.1", scores_of_long_vectors),
        ("A3.4", weighting_of_long_rows),
    ],
)
def test_mutants_that_once_were_accepted_are_refused(id, answer):
    exercise = exercises_of(int(id[1]))[id]
    with quietly():
        assert not any(exercise.passes(answer, seed) for seed in range(6))


def test_the_page_has_no_fault_and_a_reason_for_every_mutant_that_lives():
    text = page.PAGE.read_text(encoding="utf-8")
    rows = re.findall(r"^\| \*\*A(\d)\*\* \|" + r" (\d+) \|" * 6, text, re.M)
    assert [row[0] for row in rows] == ["1", "2", "3", "4"]
    for _, wrong, accepted, right, refused, unlike, _ in rows:
        assert min(int(wrong), int(right)) >= 300
        assert (accepted, refused, unlike) == ("0", "0", "0")
    assert page.NONE not in text
    for line in re.findall(r"^- `(A\d.*)`$", text, re.M):
        assert page.reason(line) in text


def test_the_page_names_what_must_not_be_and_what_has_no_reason():
    bad = Found("A1.1", wrong=2, right=1, accepted=["f, line 1"], equivalent=["f, line 9: a → b"])
    text = page.page([bad], draws=10)
    assert "Of 2 wrong answers 1 earned full\npoints" in text
    assert "| **A1** | 2 | 1 | 1 | 0 | 0 | 1 |" in text
    assert "- A1.1, accepted: `f, line 1`" in text
    assert f"{page.NONE}:\n\n- `A1.1 f, line 9: a → b`" in text


def test_mutants_are_one_change_each_and_python():
    made = mutants('def f(a, b):\n    """Says."""\n    return a[1:] if a < b else [b + 1]')
    assert len(made) > 12
    assert any("a <= b" in text for text in made)
    assert any("b - 1" in text for text in made)
    assert all("Says." in text for text in made)


def test_rewrites_change_how_an_answer_comes_and_not_what_it_is():
    styles = rewrites("A1.4", lambda: ([1, 2], torch.ones(2)))
    assert len(styles) >= 20
    assert styles["arrays of ids"]()[0].tolist() == [1, 2]
    assert styles["in double precision"]()[1].dtype == torch.float64
    assert "nested lists" not in rewrites("A2.1", len)
