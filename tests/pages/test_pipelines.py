"""The table of pipelines on its page: whole, sorted by keyboard, readable on a telephone."""

import json

import pytest
from playwright.sync_api import expect

from .conftest import ROOT

PAGE = "book/pipelines"
TABLE = json.loads((ROOT / "book" / "pipelines.json").read_text(encoding="utf-8"))["pipelines"]
TITLES = [cells["title"] for cells in TABLE.values()]
LONGEST = 5  # the column "Rows, at most"


def titles(page):
    return page.locator(".wide-table tbody th b").all_text_contents()


def longest(page):
    return [
        int(text)
        for text in page.locator(f".wide-table td:nth-child({LONGEST + 1})").all_text_contents()
    ]


@pytest.fixture(scope="module")
def page(open_page):
    visit = open_page(PAGE)
    yield visit.page
    visit.page.close()


@pytest.mark.wcag("2.1.1", "4.1.2")
def test_sorts_by_keyboard_and_says_so(page):
    head = page.locator(".wide-table thead th").nth(LONGEST)
    button = head.get_by_role("button", name="Rows, at most", exact=True)
    assert titles(page) == TITLES
    button.focus()
    page.keyboard.press("Enter")
    expect(head).to_have_attribute("aria-sort", "ascending")
    stored = [cells["rows of a long prompt"] for cells in TABLE.values()]
    assert longest(page) == sorted(stored)  # as numbers: 77 before 1024
    page.keyboard.press("Space")
    expect(head).to_have_attribute("aria-sort", "descending")
    assert longest(page) == sorted(stored, reverse=True)
    page.keyboard.press("Enter")
    assert page.locator(".wide-table [aria-sort]").count() == 0
    assert titles(page) == TITLES


def test_one_column_is_sorted_at_a_time(page):
    heads = page.locator(".wide-table thead th")
    heads.nth(LONGEST).get_by_role("button").click()
    heads.nth(0).get_by_role("button").click()
    sorted_by = page.locator(".wide-table [aria-sort]").all_text_contents()
    assert sorted_by == ["Pipeline"]
    assert titles(page) == sorted(TITLES, key=str.casefold)


def test_is_whole_without_scripts(new_context, address):
    page = new_context(java_script_enabled=False).new_page()
    page.goto(f"{address}/{PAGE}.html")
    assert titles(page) == TITLES
    assert page.locator(".wide-table thead button").count() == 0
    cells = page.locator(".wide-table tbody td")
    assert cells.count() == len(TITLES) * (page.locator(".wide-table thead th").count() - 1)
    assert all(text.strip() for text in cells.all_text_contents())


def test_says_what_was_not_run(page):
    row = page.locator(".wide-table tbody tr", has_text="QwenImagePipeline")
    expect(row.locator(".as-read")).to_have_text(
        f"Read, not run: {TABLE['qwen_image']['as read']['rows']}"
    )
    assert page.locator(".as-read").count() == sum(len(c["as read"]) for c in TABLE.values())
    not_run = [cells["denoising call"] for cells in TABLE.values()].count("not run")
    assert page.locator(".not-run", has_text="not run").count() == not_run


def test_on_a_telephone_the_names_stay_while_the_rest_scrolls(open_page):
    visit = open_page(PAGE, "light", 390)
    region = visit.page.get_by_role("region", name="Table of pipelines")
    region.focus()
    name = region.locator("tbody th").first
    last = region.locator("tbody tr").first.locator("td").last
    before = name.bounding_box()
    region.evaluate("e => e.scrollTo(e.scrollWidth, 0)")
    box, window = last.bounding_box(), visit.page.viewport_size["width"]
    assert name.bounding_box()["x"] == before["x"]
    widest = region.evaluate(
        "e => Math.max(...[...e.querySelectorAll('td')].map(td => td.offsetWidth))"
    )
    assert before["x"] + before["width"] + widest <= window
    # All of the last cell is beside the names and inside the window.
    assert box["x"] >= before["x"] + before["width"]
    assert box["x"] + box["width"] <= window
    visit.page.close()
