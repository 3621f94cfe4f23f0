"""The one rule of comparison: what counts as the answer, and what does not."""

import math
import subprocess
import sys
from collections import OrderedDict, deque, namedtuple
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import torch

from classroom.compare import difference, number, same, settled

NAN, INF = math.nan, math.inf
Pair = namedtuple("Pair", "a b")
EYE = torch.eye(2)

RIGHT = [
    ("dog", "dog"),
    (np.str_("dog"), "dog"),
    (3.0, 3),  # a count
    (torch.tensor(3), 3),
    (np.int8(3), 3),
    (1, 1.0),
    (1.0 + 9e-6, 1.0),
    (1e6 + 9, 1e6),  # relative above 1
    (Fraction(1, 3), 1 / 3),
    (Decimal("0.5"), 0.5),
    (np.float16(0.5), 0.5),
    (torch.tensor(0.5, dtype=torch.bfloat16), 0.5),
    (INF, INF),
    (NAN, NAN),
    ((1, 2), [1, 2]),
    (deque([1, 2]), [1, 2]),
    (range(1, 3), [1, 2]),
    (iter([1, 2]), [1, 2]),
    ({1: "a", 2: "b"}.keys(), [1, 2]),
    (np.array([1, 2], dtype=np.uint16), [1, 2]),
    (torch.tensor([1, 2], dtype=torch.int32), [1, 2]),
    ([torch.tensor(1), np.int64(2)], [1, 2]),
    (torch.tensor([]), []),
    (Pair("red", 1.1), ["red", 1.1]),
    (np.array(["a", "b"]), ["a", "b"]),
    ([[1, 2], (3,)], [[1, 2], [3]]),
    (OrderedDict(b=1, a=2), {"a": 2, "b": 1}),
    (frozenset({1}), {1}),
    (EYE.double(), EYE),
    (EYE.numpy(), EYE),
    (EYE.tolist(), EYE),
    (EYE.long(), EYE),
    (EYE.clone().requires_grad_(), EYE),
    (EYE == 1, EYE == 1),
    (torch.zeros(0, 3), torch.zeros(0, 3)),
    (torch.tensor([NAN, -INF]), torch.tensor([NAN, -INF])),
]

WRONG = [
    ("Dog", "dog"),
    (b"dog", "dog"),
    (["d", "o", "g"], "dog"),
    ("ab", ["a", "b"]),
    ({"a": 0, "b": 1}, ["a", "b"]),
    ({1, 2}, [1, 2]),
    (3.5, 3),
    (True, 1),
    (1, True),
    (True, 1.0),
    ("3", 3),
    (NAN, 1.0),
    (INF, 1.0),
    (-INF, INF),
    (1.0, NAN),
    (1 + 0j, 1.0),
    (torch.tensor([1.0]), 1.0),
    (torch.tensor([49406, 2]).to(torch.uint8), [49406, 2]),
    ([1.0, 2.0], [1, 2]),
    (torch.tensor([1.0, 2.0]), [1, 2]),
    ([True, 2], [1, 2]),
    ([1], [1, 1]),
    ([], [1]),
    ([1, 2, 3], [1, 2]),
    ([[1], [2]], [1, 2]),
    (None, []),
    ({"a": 1}, {"a": 1, "b": 2}),
    ([1], {1}),
    (torch.zeros(0), torch.zeros(0, 3)),
    (torch.zeros(1), torch.zeros(3)),
    (torch.zeros(3, 1), torch.zeros(1, 3)),
    (0.0, torch.zeros(3)),
    (torch.tensor([NAN, 0]), torch.zeros(2)),
    (torch.tensor([INF, 0]), torch.zeros(2)),
    (EYE, EYE == 1),
    (EYE == 1, EYE),
    (EYE, EYE.long()),
    (EYE.cfloat(), EYE),
    ([[1.0], [0.0, 1.0]], EYE),
    ("ab", EYE),
    (torch.tensor([254], dtype=torch.uint8), torch.tensor([49406])),
]


@pytest.mark.parametrize(("got", "wanted"), RIGHT, ids=lambda v: type(v).__name__)
def test_what_the_words_allow_is_right(got, wanted):
    assert same(got, wanted)


@pytest.mark.parametrize(("got", "wanted"), WRONG, ids=repr)
def test_neither_chance_nor_another_kind_is_right(got, wanted):
    assert not same(got, wanted)


def test_a_container_that_never_ends_is_wrong_and_a_huge_one_is_not_listed():
    def forever():
        while True:
            yield 1

    assert not same(forever(), [1, 1])
    assert not same(torch.zeros(1).expand(10**9), [0.0])


def test_of_a_long_list_the_first_difference_is_told():
    wanted = list(range(30))
    for container in (list, tuple, torch.tensor):
        got = container([*wanted[:4], 9, *wanted[5:29], 0])
        said = "2 of 30 values differ: at [4] stands 9, and should stand 4"
        assert difference(got, wanted) == said
    assert difference(wanted[:-1], wanted).startswith("the answer is [0, 1, 2,")
    rows = [[n] for n in wanted]
    assert difference([*rows[:-1], []], rows).endswith("at [29] stands [], and should stand [29]")


def test_what_can_be_read_once_is_settled_inside_too():
    pair = settled((map(str, [1, 2]), (x for x in "ab")))
    for _ in range(2):
        assert same(pair, [["1", "2"], ["a", "b"]])
    assert settled(Pair(1, 2)) == Pair(1, 2)


def test_a_number_stands_in_any_tensor_of_one():
    assert number(torch.tensor([[2.5]])) == 2.5
    assert number(np.array([3])) == 3
    assert number(torch.ones(2)) is None
    assert number("3") is None


def test_plain_values_are_compared_without_torch():
    code = "import sys; from classroom.compare import same; assert same((1, 2), [1, 2]); "
    code += "assert not {'torch', 'numpy'} & {*sys.modules}"
    subprocess.run([sys.executable, "-c", code], check=True)
