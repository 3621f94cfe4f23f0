"""The conformance statement: all criteria of WCAG 2.1 AA, and tests where it says "Tested"."""

from __future__ import annotations

import ast
from collections import Counter

import pytest

from book._ext import equations, wcag

TESTS = equations.marked("wcag")


def test_it_has_every_criterion_of_levels_a_and_aa():
    """There are 30 and 20; the last number of each guideline says that none was skipped."""
    assert Counter(level for _, level, _ in wcag.CRITERIA.values()) == {"A": 30, "AA": 20}
    last: dict[str, int] = {}
    for number in wcag.CRITERIA:
        guideline, _, criterion = number.rpartition(".")
        assert int(criterion) > last.get(guideline, 0), number
        last[guideline] = int(criterion)
    assert last == {
        "1.1": 1, "1.2": 5, "1.3": 5, "1.4": 13, "2.1": 4, "2.2": 2, "2.3": 1, "2.4": 7, "2.5": 4,
        "3.1": 2, "3.2": 4, "3.3": 4, "4.1": 3,
    }  # fmt: skip


@pytest.mark.parametrize("number", wcag.CRITERIA)
def test_tested_means_that_there_are_tests(number):
    assert (number in TESTS) == (wcag.state(number) == "Tested"), TESTS.get(number)


def test_no_criterion_is_invented():
    assert set(TESTS) <= set(wcag.CRITERIA)


def test_what_it_names_are_tests_of_pages_that_pytest_runs():
    places = {place for places in TESTS.values() for place in places}
    assert len(places) > 20
    for place in places:
        assert place.file.startswith("tests/pages/test_"), place
        tree = ast.parse((equations.ROOT / place.file).read_text(encoding="utf-8"))
        at_the_top = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert place.name in at_the_top, place
        assert place.name.startswith("test_"), place
