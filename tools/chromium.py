"""Chromium, for commands that draw, print or measure pages."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from tools import doctor


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser, for as long as a block of code needs it; without one the command ends."""
    path = doctor.browser()
    if path is None:
        sys.exit("This needs Chromium or Chrome. Install one, or set CHROMIUM to its path.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()
