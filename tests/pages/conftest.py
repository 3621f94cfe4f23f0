"""The built site, served on localhost, and a browser that can reach nothing else.

A visit is one page, loaded once and seen in four looks: both themes at both widths. Its tests are
grouped by page and look, since the fixture is parametrized and module-scoped.
"""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import pytest
import yaml
from playwright.sync_api import expect

from tools import doctor
from tools.chromium import QUIET
from tools.serve import serving

from .demos import redrawn

ROOT = Path(__file__).parents[2]
SITE = ROOT / "_build" / "html"
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
PAGES = [TOC["root"]] + [
    Path(chapter["file"]).with_suffix("").as_posix()
    for part in TOC["parts"]
    for chapter in part["chapters"]
]
LOOKS = [("light", 1200), ("dark", 1200), ("dark", 390), ("light", 390)]  # one step apart
PATIENCE = 300_000  # ms; a guard against hangs: nothing takes 10 s on a machine of its own
expect.set_options(timeout=PATIENCE)


@dataclass
class Visit:
    """A loaded page and what went wrong on the way.

    known: the trees and boxes (see axe.py) that have been looked at in another theme.
    """

    page: object
    name: str
    outside: list = field(default_factory=list)
    errors: list = field(default_factory=list)
    failed: list = field(default_factory=list)
    known: list = field(default_factory=list)


def look(page, theme, width):
    """Show a page as it is for a reader with this theme and this width of window."""
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=theme)
    chosen = "theme => document.documentElement.dataset.theme === theme"
    page.wait_for_function(chosen, arg=theme)
    frame = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
    page.evaluate(frame)  # until scripts that watch sizes have done their work


@pytest.fixture(scope="session")
def site():
    """The folder of the built site."""
    missing = [name for name in PAGES if not (SITE / f"{name}.html").is_file()]
    if missing:
        pytest.fail(f"The site is not built: {missing[0]}.html is missing. Run `make book` first.")
    return SITE


@pytest.fixture(scope="session")
def address(site):
    """http://127.0.0.1:PORT of a server that lives as long as the session."""
    with serving(site) as address:
        yield address


@pytest.fixture(scope="session")
def browser_type_launch_args():
    """Debian's Chromium for pytest-playwright, which brings none here."""
    chromium = doctor.browser()
    if chromium is None:
        why = "No Chromium found: install one, or set CHROMIUM to its path, to run the page tests."
        required = os.environ.get("CLIPLAB_REQUIRE_BROWSER") == "1"
        (pytest.fail if required else pytest.skip)(why)
    return {"executable_path": chromium, "args": QUIET}


@pytest.fixture(scope="session")
def new_context(browser):
    """new_context(**options) -> a browser context that waits as long as a busy machine needs."""
    contexts = []

    def new_context(**options):
        context = browser.new_context(**options)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        return context

    yield new_context
    for context in contexts:
        context.close()


@pytest.fixture
def new_page(new_context):
    """new_page(**options) -> a page in a context of its own, for one test."""
    contexts = []

    def new_page(**options):
        contexts.append(new_context(**options))
        return contexts[-1].new_page()

    yield new_page
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def open_page(new_context, address):
    """open_page(name, theme, width) -> Visit; one browser context per look is used again."""
    contexts = {}

    def open_page(name, theme="light", width=1200, base=address):
        if (theme, width) not in contexts:
            contexts[theme, width] = new_context(
                viewport={"width": width, "height": 900},
                color_scheme=theme,
                reduced_motion="reduce",
            )
        visit = Visit(contexts[theme, width].new_page(), name)
        page = visit.page
        inside = (base, "data:", "blob:")
        page.on("request", lambda r: r.url.startswith(inside) or visit.outside.append(r.url))
        page.on("pageerror", lambda error: visit.errors.append(str(error)))
        page.on("console", lambda m: m.type == "error" and visit.errors.append(m.text))
        page.on("requestfailed", lambda request: visit.failed.append(request.url))
        page.on("response", lambda r: r.status >= 400 and visit.failed.append(r.url))
        page.goto(f"{base}/{name}.html")
        page.evaluate("() => window.MathJax?.startup?.promise.then(() => null)")
        return visit

    return open_page


@pytest.fixture(scope="session")
def live(new_context, address):
    """live("merges") -> Locator of that demo, alive on the page that holds all of them.

    One page serves all tests, and each gets its demo reset. With a `state`, which is put into the
    address as a link does, the page is a new one.
    """
    context = new_context(
        viewport={"width": 1200, "height": 900},
        color_scheme="light",
        reduced_motion="reduce",
        permissions=["clipboard-read", "clipboard-write"],
    )
    pages = []

    def live(name, state=None):
        used = pages and state is None
        page = pages[0] if used else context.new_page()
        if not used:
            link = "#" + urlencode({"demo": name, "state": json.dumps(state)}) if state else ""
            page.goto(f"{address}/book/playground.html{link}")
        if state is None:
            pages[:] = [page]
        place = page.locator(f'.cld[data-demo="{name}"]')
        place.scroll_into_view_if_needed()
        place.and_(page.locator("[data-ready]")).wait_for()
        demo = place.locator(".cld-demo")
        if used:
            page.mouse.move(0, 0)
            redrawn(demo, demo.get_by_role("button", name="Reset").click)
        return demo

    return live


@pytest.fixture(scope="module")
def current():
    """The page that `visit` has open."""
    visits = []
    yield visits
    for visit in visits:
        visit.page.close()


def looks_at_every_page():
    """Each page in all looks, and loaded in another one than the page before."""
    for n, name in enumerate([*PAGES, "search", "genindex"]):
        first = n % len(LOOKS)
        yield from ((name, *look) for look in LOOKS[first:] + LOOKS[:first])


@pytest.fixture(
    scope="module", params=looks_at_every_page(), ids=lambda param: "-".join(map(str, param))
)
def visit(request, open_page, current):
    """Every page of the site in both themes at both widths."""
    name, theme, width = request.param
    if not current or current[0].name != name:
        for visit in current:
            visit.page.close()
        current[:] = [open_page(name, theme, width)]
    (visit,) = current
    look(visit.page, theme, width)
    return visit
