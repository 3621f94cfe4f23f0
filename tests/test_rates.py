"""A sample of what `python -m tools.rates` measures, and the parts that it is made of."""

import pytest
import torch

from tools.rates.measure import exercises, measure
from tools.rates.mutants import mutants
from tools.rates.rewrites import rewrites


@pytest.mark.parametrize("id", ["A1.1", "A1.2", "A1.4", "A1.6"])
def test_no_wrong_answer_is_accepted_and_no_right_one_refused(id):
    (exercise,) = (one for one in exercises(1) if one.id == id)
    found = measure(exercise, draws=300, most=12)
    assert found.wrong > 10
    assert found.right == 12
    assert (found.accepted, found.refused, found.unlike) == ([], [], [])


def test_an_answer_that_is_right_on_visible_inputs_alone_is_wrong():
    (exercise,) = (one for one in exercises(1) if one.id == "A1.4")

    def nearly(content, length, bos, eos, pad):
        ids, lost = exercise.solution(content, length, bos, eos, pad)
        return ids, lost if pad != 49407 else [*lost, 1]

    assert exercise.differs(nearly, draws=1000)
    assert not exercise.differs(exercise.solution, draws=50)


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
