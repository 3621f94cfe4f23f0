"""A sample of what `python -m tools.rates` measures, and the parts that it is made of."""

import pytest
import torch

from tools.rates.measure import Found, exercises, quietly, try_right, try_wrong
from tools.rates.mutants import mutants
from tools.rates.rewrites import rewrites

# Those in which most comes back as something else; the command tries them all.
STYLES = [
    *("tuples", "deques", "generators", "arrays of objects", "tensors of ids", "ids as int32"),
    *("numpy's whole numbers", "floats in tensors", "strided", "in double precision", "arrays"),
    "decorated",
]


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_check_and_tests_accept_right_answers_in_ten_styles(number):
    tried = 0
    for exercise in exercises(number):
        found = Found(exercise.id)
        with quietly():
            try_right(exercise, found, STYLES)
        assert found.right >= 10, exercise.id
        assert (found.refused, found.unlike) == ([], []), exercise.id
        tried += 1
    assert tried >= 4


def test_no_mutant_of_a_sample_is_accepted():
    for exercise in exercises(1):
        if exercise.id != "A1.3":  # whose mutants run into their limit of time
            found = Found(exercise.id)
            with quietly():
                try_wrong(exercise, found, draws=250, most=12)
            assert found.wrong > 10, exercise.id
            assert (found.accepted, found.refused) == ([], []), exercise.id


def test_an_answer_that_is_right_on_visible_inputs_alone_is_wrong():
    (exercise,) = (one for one in exercises(1) if one.id == "A1.4")

    def nearly(content, length, bos, eos, pad):
        ids, lost = exercise.solution(content, length, bos, eos, pad)
        return ids, lost if pad != 49407 else [*lost, 1]

    with quietly():
        assert exercise.differing([nearly, exercise.solution], draws=1000) == [True, False]


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
