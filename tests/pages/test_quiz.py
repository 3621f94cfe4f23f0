"""Quizzes on the built pages: they open with no script, by keyboard, in both themes and widths."""

import pytest
from playwright.sync_api import expect

from classroom.quizzes import VERDICTS, quiz

from .axe import said, violations
from .conftest import PAGES

CHAPTERS = [name for name in PAGES if name.startswith("chapters/")]
QUIZ = ".clq:not(.clp)"


def quiz_of(name):
    return quiz(name.removeprefix("chapters/")[:2])


@pytest.fixture(scope="module")
def scriptless(new_context):
    """A page on a telephone's screen, in a browser in which JavaScript is switched off."""
    return new_context(java_script_enabled=False, viewport={"width": 390, "height": 900}).new_page()


@pytest.mark.parametrize("name", CHAPTERS)
def test_every_option_opens_without_script(scriptless, address, name):
    scriptless.goto(f"{address}/{name}.html")
    options = [option for question in quiz_of(name).questions for option in question.options]
    shown = scriptless.locator(f"{QUIZ} details")
    expect(shown).to_have_count(len(options))
    expect(shown.locator("> :is(b, i):visible")).to_have_count(0)
    for place in shown.locator("summary").all():
        place.click()
    opened = scriptless.locator(f"{QUIZ} details[open]")
    expect(opened).to_have_count(len(options))  # to compare them
    for text, option in zip(shown.all_inner_texts(), options, strict=True):
        said = f"{option.text} {VERDICTS[option.verdict]} {option.why}".replace("`", "")
        assert " ".join(text.split()) == said
    box = scriptless.locator(QUIZ).bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390


@pytest.mark.wcag("2.1.1", "2.4.3")
def test_keyboard_walks_through_the_options(open_page):
    page = open_page(CHAPTERS[0]).page
    options = page.locator(f"{QUIZ} details")
    options.first.locator("summary").focus()
    for n in range(4):  # from one question into the next
        expect(options.nth(n).locator("summary")).to_be_focused()
        page.keyboard.press("Enter" if n % 2 else "Space")
        expect(options.nth(n)).to_have_attribute("open", "")
        page.keyboard.press("Tab")
    page.close()


@pytest.mark.wcag("1.3.1", "3.3.2")
def test_a_question_is_a_group_with_a_name(open_page):
    page = open_page(CHAPTERS[1]).page
    for number, question in enumerate(quiz_of(CHAPTERS[1]).questions, start=1):
        named = page.get_by_role("group", name=f"{number}. {question.text}".replace("`", ""))
        expect(named).to_have_count(1)
        expect(named.locator("summary")).to_have_count(len(question.options))
    page.close()


@pytest.mark.wcag("1.4.3", "4.1.2")
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_is_accessible_when_open(open_page, theme):
    page = open_page(CHAPTERS[1], theme, 390).page
    page.evaluate("document.querySelectorAll('.clq details').forEach(one => one.open = true)")
    found = said(violations(page, ".clq"))
    page_width, window = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    page.close()
    assert found == [], "\n".join(found)
    assert page_width <= window


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_words_are_the_pages_color(open_page, theme):
    """The theme gives other outputs the color of paper, even where it is dark."""
    page = open_page(CHAPTERS[0], theme).page
    color = "selector => getComputedStyle(document.querySelector(selector)).color"
    assert page.evaluate(color, ".clq summary") == page.evaluate(color, "article p")
    right, wrong = (page.evaluate(color, f".clq details > {mark}") for mark in "bi")
    assert right != wrong
    page.close()
