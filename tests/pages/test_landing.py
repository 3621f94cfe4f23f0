"""The landing page: what one sees at once, and the list of chapters; and the equation index."""

import re

import pytest
from playwright.sync_api import expect

from .conftest import PAGES
from .test_site import CHAPTERS


@pytest.mark.parametrize(("width", "height"), [(1200, 800), (390, 844)])
def test_a_picture_is_seen_at_once(new_page, address, width, height):
    """All of it is on the first screen, and each of its parts is large enough to look at."""
    page = new_page(viewport={"width": width, "height": height})
    page.goto(f"{address}/{PAGES[0]}.html")
    boxes = [image.bounding_box() for image in page.locator("figure.painted img").all()]
    assert len(boxes) == 6
    for box in boxes:
        assert box["width"] == pytest.approx(box["height"], abs=1)
        assert box["width"] >= 96
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert box["y"] + box["height"] <= height


def test_it_lists_every_chapter_with_its_time(open_page):
    page = open_page(PAGES[0]).page
    entries = page.locator("#chapters dl.index > dt")
    links = entries.locator("a").evaluate_all("all => all.map((one) => one.pathname)")
    assert links == [f"/{name}.html" for name in CHAPTERS]
    said = page.locator("#chapters dl.index > dd").all_inner_texts()
    assert [text for text in said if not re.search(r"\nAbout \d+ minutes\.", text)] == []
    page.close()


def test_the_equation_index_shows_every_equation(open_page):
    page = open_page("book/equations").page
    expect(page.locator("dl.index > dt")).to_have_count(63)
    expect(page.locator("dl.index > dd mjx-container[display=true]")).to_have_count(63)
    page.close()
