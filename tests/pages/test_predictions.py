"""Predictions on the built pages: the result is hidden until an answer is open, with no script."""

import json

import pytest
from playwright.sync_api import expect

from classroom.quizzes import predict, stored

from .conftest import PAGES

CHAPTERS = [name for name in PAGES if name.startswith("chapters/")]
RESULT = ".tag_answer > .cell_output > *"


def predictions(name):
    number = name.removeprefix("chapters/")[:2]
    return [predict(number, each["id"]) for each in json.loads(stored("prediction", number))]


@pytest.fixture(scope="module")
def scriptless(new_context):
    """A page on a telephone's screen, in a browser in which JavaScript is switched off."""
    return new_context(java_script_enabled=False, viewport={"width": 390, "height": 900}).new_page()


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_result_is_hidden_until_its_own_question_is_answered(scriptless, address, name):
    scriptless.goto(f"{address}/{name}.html")
    asked, shown = predictions(name), scriptless.locator(f"{RESULT}:visible")
    expect(scriptless.locator(".clp")).to_have_count(len(asked))
    expect(shown).to_have_count(0)
    seen = 0
    for each in asked:
        group = scriptless.locator(f".clp #p-{each.question.id}")
        group.locator("summary").first.click()  # any answer will do
        expect(group.locator("details[open]")).to_have_count(1)
        assert shown.count() > seen
        seen = shown.count()
    assert seen == scriptless.locator(RESULT).count()
