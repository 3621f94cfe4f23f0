"""Every equation of the lecture has an owner in the package, a test and a page."""

import pytest

from book._ext import equations, formulas

NAMED = [number for names in equations.PARTS.values() for number in names]


def test_the_index_names_every_equation_once():
    assert sorted([*NAMED, *equations.ABSENT]) == list(range(1, 65))


def test_the_index_shows_every_equation():
    assert list(formulas.FORMULAS) == sorted(NAMED)


def test_numbers_are_read_as_they_are_written():
    assert equations.numbers_in("Source: Lecture eq. 7.") == {7}
    assert equations.numbers_in("(Lecture eqs 7–9, 55–57; erratum E2)") == {7, 8, 9, 55, 56, 57}
    assert equations.numbers_in("Lecture eqs 11,\n  48 and 53") == {11, 48, 53}
    assert equations.numbers_in("Equation 7 of another text") == set()


@pytest.fixture(scope="module")
def owners():
    return equations.owners()


@pytest.fixture(scope="module")
def tests():
    return equations.tests()


@pytest.fixture(scope="module")
def pages():
    return equations.pages()


@pytest.mark.parametrize("number", NAMED)
def test_an_equation_has_an_owner_a_test_and_a_page(number, owners, tests, pages):
    if number not in equations.NOTATION:
        assert number in owners, f"No docstring in cliplab says `Lecture eq. {number}`."
    assert number in tests, f"No test is marked `@pytest.mark.equation({number})`."
    assert number in pages, f"No chapter says `Lecture eq. {number}`."


def test_no_number_is_invented(owners, tests, pages):
    claimed = {*owners, *tests, *pages}
    assert claimed <= set(NAMED), "The lecture has no such equation."
