"""Chromium, for commands that draw, print or measure pages."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from tools import doctor

# Without what a browser does for those who look at it: no talk with other hosts, and no menu behind
# the address bar. That menu is two pages more, which Chromium loads and lays out beside each page
# and which cost as much. (Its switch takes the place of Playwright's own list of features.) Nor is
# WebAssembly optimized before it has worked for seconds: pages of tests seldom live that long.
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup",
    "--js-flags=--wasm-tiering-budget=200000000",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser, for as long as a block of code needs it; without one the command ends."""
    path = doctor.browser()
    if path is None:
        sys.exit("This needs Chromium or Chrome. Install one, or set CHROMIUM to its path.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield browser
        browser.close()
