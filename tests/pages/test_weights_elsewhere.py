"""The table of tools on its page: whole without scripts, sorted by keyboard, its marks in words."""

import json

import pytest
from playwright.sync_api import expect

from .conftest import ROOT

PAGE = "book/weights_elsewhere"
STORED = json.loads((ROOT / "book" / "weights_elsewhere.json").read_text(encoding="utf-8"))
TOOLS = STORED["tools"].values()
TITLES = [tool["title"] for tool in TOOLS]
WEIGHT = 2  # the column of (cat:1.3)


def titles(page):
    return page.locator(".wide-table tbody th b").all_text_contents()


@pytest.fixture(scope="module")
def page(open_page):
    visit = open_page(PAGE)
    yield visit.page
    visit.page.close()


def test_is_whole_without_scripts(new_context, address):
    page = new_context(java_script_enabled=False).new_page()
    page.goto(f"{address}/{PAGE}.html")
    assert titles(page) == TITLES
    cells = page.locator(".wide-table tbody td")
    assert cells.count() == len(TITLES) * (page.locator(".wide-table thead th").count() - 1)
    assert all(text.strip() for text in cells.all_text_contents())


def test_sorts_by_keyboard(page):
    head = page.locator(".wide-table thead th").nth(WEIGHT)
    button = head.get_by_role("button", name=STORED["prompts"]["weight"])
    button.focus()
    page.keyboard.press("Enter")
    expect(head).to_have_attribute("aria-sort", "ascending")
    assert sorted(titles(page)) == sorted(TITLES) != titles(page)
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    assert titles(page) == TITLES


def test_says_what_was_read_and_what_was_not_run(page):
    how = [key for tool in TOOLS for cell in tool["cells"].values() for key in cell]
    assert page.locator(".wide-table .as-read").count() == how.count("read")
    assert page.locator(".wide-table .not-run").count() == how.count("not run")
    row = page.locator(".wide-table tbody tr", has_text="SD.Next")
    assert all(text.startswith("Read: ") for text in row.locator(".as-read").all_text_contents())


def test_on_a_telephone_each_cell_fits_beside_the_names(open_page):
    visit = open_page(PAGE, "light", 390)
    region = visit.page.get_by_role("region", name="Table of tools")
    name = region.locator("tbody th").first.bounding_box()
    widest = region.evaluate(
        "e => Math.max(...[...e.querySelectorAll('td')].map(td => td.offsetWidth))"
    )
    assert name["x"] + name["width"] + widest <= visit.page.viewport_size["width"]
    visit.page.close()
