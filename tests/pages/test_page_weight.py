"""No page sends more scripts, styles and fonts than a part of what it sent once."""

import pytest

from tools import page_weight

from .conftest import PAGES


@pytest.mark.parametrize("name", [*PAGES, "search", "genindex"])
def test_a_page_is_light(browser, site, address, name):
    sent = page_weight.weight(browser, address, site, name)
    formulas = 'class="math ' in (site / f"{name}.html").read_text(encoding="utf-8")
    assert 100_000 < sent <= page_weight.allowed(name, formulas), f"{name}: {sent:,} bytes"
