"""Quizzes and predictions on the built pages: with no script, by keyboard, in both themes."""

import json

import pytest
from playwright.sync_api import expect

from classroom.quizzes import VERDICTS, predict, quiz, stored

from .axe import said, violations
from .conftest import PAGES, look

CHAPTERS = [name for name in PAGES if name.startswith("chapters/")]
QUIZ = ".clq:not(.clp)"
RESULT = ".tag_answer > .cell_output > *"  # hidden until a prediction's answer is open


def quiz_of(name):
    return quiz(name.removeprefix("chapters/")[:2])


def predictions_of(name):
    number = name.removeprefix("chapters/")[:2]
    return [predict(number, each["id"]) for each in json.loads(stored("prediction", number))]


# With no script


@pytest.fixture(scope="module")
def telephone(new_context):
    """A page on a telephone's screen, in a browser in which JavaScript is switched off."""
    return new_context(java_script_enabled=False, viewport={"width": 390, "height": 900}).new_page()


@pytest.fixture(scope="module", params=CHAPTERS)
def scriptless(request, telephone, address):
    """The name of a chapter, and its page there; its tests touch different questions."""
    telephone.goto(f"{address}/{request.param}.html")
    return request.param, telephone


def test_every_option_opens_without_script(scriptless):
    name, page = scriptless
    options = [option for question in quiz_of(name).questions for option in question.options]
    shown = page.locator(f"{QUIZ} details")
    expect(shown).to_have_count(len(options))
    expect(shown.locator("> :is(b, i):visible")).to_have_count(0)
    for place in shown.locator("summary").all():
        place.click()
    opened = page.locator(f"{QUIZ} details[open]")
    expect(opened).to_have_count(len(options))  # to compare them
    for text, option in zip(shown.all_inner_texts(), options, strict=True):
        said = f"{option.text} {VERDICTS[option.verdict]} {option.why}".replace("`", "")
        assert " ".join(text.split()) == said
    box = page.locator(QUIZ).bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390


def test_a_result_is_hidden_until_its_own_question_is_answered(scriptless):
    name, page = scriptless
    asked, shown = predictions_of(name), page.locator(f"{RESULT}:visible")
    expect(page.locator(".clp")).to_have_count(len(asked))
    expect(shown).to_have_count(0)
    seen = 0
    for each in asked:
        group = page.locator(f".clp #p-{each.question.id}")
        group.locator("summary").first.click()  # any answer will do
        expect(group.locator("details[open]")).to_have_count(1)
        assert shown.count() > seen
        seen = shown.count()
    assert seen == page.locator(RESULT).count()


# With scripts


@pytest.fixture(scope="module")
def opened(open_page):
    page = open_page(CHAPTERS[1]).page
    yield page
    page.close()


@pytest.fixture
def page(opened):
    """A chapter's page, wide and light, with all options closed."""
    opened.evaluate("document.querySelectorAll('.clq details').forEach(one => one.open = false)")
    look(opened, "light", 1200)
    return opened


@pytest.mark.wcag("2.1.1", "2.4.3")
def test_keyboard_walks_through_the_options(page):
    options = page.locator(f"{QUIZ} details")
    options.first.locator("summary").focus()
    for n in range(4):  # from one question into the next
        expect(options.nth(n).locator("summary")).to_be_focused()
        page.keyboard.press("Enter" if n % 2 else "Space")
        expect(options.nth(n)).to_have_attribute("open", "")
        page.keyboard.press("Tab")


@pytest.mark.wcag("1.3.1", "3.3.2")
def test_a_question_is_a_group_with_a_name(page):
    for number, question in enumerate(quiz_of(CHAPTERS[1]).questions, start=1):
        named = page.get_by_role("group", name=f"{number}. {question.text}".replace("`", ""))
        expect(named).to_have_count(1)
        expect(named.locator("summary")).to_have_count(len(question.options))


@pytest.mark.wcag("1.4.3", "4.1.2")
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_is_accessible_when_open(page, theme):
    look(page, theme, 390)
    page.evaluate("document.querySelectorAll('.clq details').forEach(one => one.open = true)")
    found = said(violations(page, ".clq"))
    page_width, window = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert found == [], "\n".join(found)
    assert page_width <= window


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_words_are_the_pages_color(page, theme):
    """The theme gives other outputs the color of paper, even where it is dark."""
    look(page, theme, 1200)
    color = "selector => getComputedStyle(document.querySelector(selector)).color"
    assert page.evaluate(color, ".clq summary") == page.evaluate(color, "article p")
    right, wrong = (page.evaluate(color, f".clq details > {mark}") for mark in "bi")
    assert right != wrong
