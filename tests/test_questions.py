"""The page of what people ask: each question is answered, shown in numbers, and asked in public."""

from __future__ import annotations

import re

import pytest

from tools import notebooks

CELLS = notebooks.read(notebooks.QUESTIONS).cells
AT = [n for n, cell in enumerate(CELLS) if cell.source.startswith("### ")]
THREAD = re.compile(r"\]\(https://github\.com/[\w.-]+/[\w.-]+/(?:issues|pull)/\d+\)")


@pytest.fixture(params=AT, ids=lambda n: CELLS[n].source.splitlines()[0].removeprefix("### "))
def question(request):
    """The cell with a question and its answer, and the cell that shows it."""
    return CELLS[request.param], CELLS[request.param + 1]


def test_there_are_twelve_or_more():
    titles = [CELLS[n].source.splitlines()[0] for n in AT]
    assert len(set(titles)) == len(titles) >= 12
    assert all(title.endswith("?") for title in titles)


def test_an_answer_is_short_and_says_who_asked_and_where_more_stands(question):
    answer, asked = question[0].source.split("\nAsked in ")
    assert len(answer.split()) <= 150
    threads, chapters = asked.split("\nExplained in ")
    assert THREAD.search(threads)
    assert "](../chapters/" in chapters


def test_the_cell_is_small_and_shows_numbers(question):
    lines = question[1].source.splitlines()
    assert question[1].cell_type == "code"
    assert len(lines) <= 12
    assert max(map(len, lines)) <= 76
    said = "".join(output.get("text", "") for output in question[1].outputs)
    assert re.search(r"\d|True|False", said)


def test_no_code_without_a_question():
    """But for the setup on Colab and what all cells import."""
    first = [n for n, cell in enumerate(CELLS) if cell.cell_type == "code"][2:]
    assert first == [n + 1 for n in AT]
