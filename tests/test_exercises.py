"""The checks for learners: the three states, and that each known wrong answer gets its reason.

`wrong_answers/chNN.py` (`aN.py` of an assignment) holds, for each of its exercises, right answers
and at least three wrong ones with a word that the reason must contain; a tuple stands for several
answers at once.
"""

from __future__ import annotations

import importlib
import subprocess
import sys

import numpy as np
import pytest
import torch

from classroom import exercises
from classroom.exercises import Almost, check, exercise, expect, trying, verdict


def answers(id: str, kind: str) -> list:
    """The recorded answers of that kind ("RIGHT" or "WRONG") for one exercise."""
    module = importlib.import_module(f"wrong_answers.{exercises.module_of(id)}")
    return getattr(module, kind).get(id, [])


def as_arguments(answer) -> tuple:
    return answer if isinstance(answer, tuple) else (answer,)


@pytest.mark.parametrize("id", exercises.ids())
def test_right_answers_are_correct(id):
    right = answers(id, "RIGHT")
    assert right, f"wrong_answers/ has no right answer for {id}."
    for answer in right:
        state, message = verdict(id, *as_arguments(answer))
        assert state == "Correct", f"{id}: {message}"
        assert message.endswith((".", "!")), f"{id}: the praise is not a sentence: {message!r}"


@pytest.mark.parametrize("id", exercises.ids())
def test_wrong_answers_are_told_apart(id):
    wrong = answers(id, "WRONG")
    assert len(wrong) >= 3, f"wrong_answers/ has {len(wrong)} of 3 for {id}."
    for answer, word in wrong:
        state, message = verdict(id, *as_arguments(answer))
        assert state == "Almost", f"{id}, {word!r}: {state}: {message}"
        assert word.lower() in message.lower(), f"{id}: {word!r} is not in {message!r}"


@pytest.mark.parametrize("id", exercises.ids())
def test_the_stub_is_no_answer_yet(id):
    def stub(*args, **kwargs):
        raise NotImplementedError(f"exercise {id}")

    right = as_arguments(answers(id, "RIGHT")[0])
    state, _ = verdict(id, *[stub if callable(part) else None for part in right])
    assert state == "Not yet"


def ruin(value):
    """Overwrites a tensor or an array, and empties a list or a dict, with all that is in them."""
    if torch.is_tensor(value):
        value.detach().zero_()
    elif isinstance(value, np.ndarray):
        value[...] = 0
    elif isinstance(value, (list, tuple, dict)):
        for part in value.values() if isinstance(value, dict) else value:
            ruin(part)
        if not isinstance(value, tuple):
            value.clear()


SAYS_WHAT_WAS_CHANGED = {"04.2", "04.3", "04.4", "04.5", "11.2", "A3.3"}


@pytest.mark.parametrize("id", exercises.ids())
def test_what_an_answer_does_to_its_inputs_does_not_reach_the_check(id):
    def ruining(function):
        def answer(*args, **kwargs):
            value = exercises._copied(function(*args, **kwargs))  # it may be a view of an input
            ruin([*args, kwargs])
            return value

        return answer

    right = as_arguments(answers(id, "RIGHT")[0])
    state, message = verdict(id, *[ruining(part) if callable(part) else part for part in right])
    if id in SAYS_WHAT_WAS_CHANGED:
        assert state == "Almost"
        assert "change" in message, f"{id}: {message}"
    else:
        assert state == "Correct", f"{id}: {message}"


@pytest.fixture
def double(monkeypatch):
    """A toy exercise: double a number, or every number in a tensor."""
    monkeypatch.setattr(exercises, "_registry", {})

    @exercise("99.1", title="Double")
    def grade(answer):
        call = trying(answer)
        expect(call(3), 6, "for 3", hint="twice, not squared")
        x = torch.tensor([[1.0, 2.0, 3.0]])
        expect(call(x), 2 * x, "for a tensor")
        return "Twice it is."


def refuse(x):
    raise ValueError("no\n  such thing")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (None, "Not yet: there is no answer"),
        (..., "Not yet: there is no answer"),
        (lambda x: None, "Not yet: the function returns nothing"),
        (lambda x: 2 * x, "Correct: Twice it is.\n"),
        (7, "Almost: a function is asked for; this is 7.\n"),
        (refuse, "Almost: your function raised ValueError: no such thing on the input 3.\n"),
        (
            lambda x: x * x,
            "Almost: for 3 the answer is 9, and should be 6: twice, not squared.\n",
        ),
        (
            lambda x: x.sum() if torch.is_tensor(x) else 6,
            "Almost: for a tensor the shape is [], and should be [1, 3].\n",
        ),
        (
            lambda x: x + x.clip(max=2) if torch.is_tensor(x) else 6,
            "Almost: for a tensor 1 of 3 values differ: at [0, 2] stands 5, and should stand 6.\n",
        ),
        (
            lambda x: x > 0 if torch.is_tensor(x) else 6,
            "Almost: for a tensor the type is torch.bool, and should be torch.float32.\n",
        ),
        (
            lambda x: "six" if torch.is_tensor(x) else 6,
            "Almost: for a tensor a tensor of shape [1, 3] is asked for; this is 'six'.\n",
        ),
    ],
)
def test_three_states(double, capsys, answer, said):
    assert check("99.1", answer) is None
    assert capsys.readouterr().out.startswith(said)


@pytest.mark.parametrize(
    ("given", "numbers"),
    [
        (torch.tensor([1.0, 2.0]), lambda x: x),
        (np.array([1.0, 2.0]), lambda x: x),
        ([1.0, 2.0], lambda x: x),
        ({"a": (torch.tensor([1.0, 2.0]), "b")}, lambda x: x["a"][0]),
    ],
)
def test_an_answer_in_place_cannot_fool_a_check(double, given, numbers):
    @exercise("99.3", title="The same numbers")
    def grade(answer):
        got = trying(answer)(given)
        expect(numbers(got), numbers(given))  # what is wanted is looked up after the call
        return "They are."

    def first_to_0(x):
        numbers(x)[0] = 0
        return x

    assert verdict("99.3", lambda x: x) == ("Correct", "They are.")
    assert verdict("99.3", first_to_0)[0] == "Almost"


def test_what_must_be_kept_is_named():
    def answer(x, factor, more):
        more.pop()
        return x.mul_(factor)

    call = trying(answer, kept=["x", "factor", "more"])
    with pytest.raises(Almost, match="x itself was changed"):
        call(torch.ones(2), 2, ["a"])
    with pytest.raises(Almost, match="more itself was changed"):
        call(torch.zeros(2), 2, ["a"])
    assert trying(answer)(torch.ones(2), 2, ["a"]).tolist() == [2, 2]


def test_gradients_flow_through_the_copies():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    trying(lambda x: x.mul_(3))(x).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]


def test_an_error_of_torch_is_not_taken_for_the_stub(double):
    def torch_says_not_implemented(x):
        raise NotImplementedError("'add' not implemented for 'Bool'")

    assert verdict("99.1", torch_says_not_implemented)[0] == "Almost"


def test_an_answer_that_the_exercise_cannot_look_at_is_almost(double):
    @exercise("99.2", title="Careless")
    def grade(answer):
        return f"The length is {len(answer)}."

    assert verdict("99.2", 5) == (
        "Almost",
        "the answer is not of the kind asked for (TypeError: object of type 'int' has no len()).",
    )


def test_the_same_tensor_counts_and_nan_equals_nan():
    expect(torch.tensor([1.0, torch.nan]), torch.tensor([1.0, torch.nan]))
    expect(torch.tensor(3.0), 3.0)
    with pytest.raises(Almost, match=r"^the answer is 3, and should be 4\.$"):
        expect(3, torch.tensor(4.0))
    expect([True, False], torch.tensor([True, False]))
    with pytest.raises(Almost, match="1 of 2 values differ"):
        expect(torch.tensor([1, 2]), torch.tensor([1, 3]), tolerance=5)


def test_no_message_holds_an_address():
    with pytest.raises(Almost) as caught:
        expect(test_no_message_holds_an_address, 3)
    assert "0x" not in str(caught.value)


def test_ids(double):
    with pytest.raises(KeyError, match=r"There is no exercise '99.7'. Those that exist: 99.1."):
        check("99.7", 1)
    with pytest.raises(ValueError, match=r"looks like '03.1'"):
        exercise("3", title="?")
    with pytest.raises(ValueError, match=r"Two exercises have the id 99.1"):
        exercise("99.1", title="Another")(test_ids)


def test_chapters_are_read_when_asked_for():
    """`from classroom.exercises import check` reads no chapter, and no torch."""
    code = (
        "import re, sys, classroom.exercises; "
        r"print([m for m in sys.modules if re.search(r'^torch$|exercises\.(ch|a)\d', m)])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"
