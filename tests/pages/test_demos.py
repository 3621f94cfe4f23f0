"""What every live demo on the published page must do, whatever it shows."""

import functools
import json
import threading
import time
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from cliplab import widgets
from tools import frames

ENCODER = 6_000_000
BUDGET = {  # bytes over the wire, everything that a first use fetches
    "merges": 400_000,
    "slots": ENCODER,
    "encoder": ENCODER,
    "weights": ENCODER,
    "similarity": ENCODER,
    "zero_shot": ENCODER,
    "picture": 8_000_000,
    "regions": 8_000_000,
}
# What the theme needs beside its own files: inline scripts that set the theme, inline styles, and
# pictures inside the page. No demo needs more than 'wasm-unsafe-eval'.
POLICY = (
    "default-src 'none'; connect-src 'self'; font-src 'self'; img-src 'self' data:; "
    "style-src 'self' 'unsafe-inline'; script-src 'self' 'wasm-unsafe-eval' {scripts}; "
    "worker-src 'self'; base-uri 'self'; form-action 'self'"
)
every_demo = pytest.mark.parametrize("name", widgets.NAMES)


def server_of(folder, headers=(), missing=()):
    """A server of a folder that adds headers, and says 404 to paths that hold one of `missing`."""

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

        def end_headers(self):
            for name, value in headers:
                self.send_header(name, value)
            super().end_headers()

        def send_head(self):
            if any(word in self.path for word in missing):
                return self.send_error(404)
            return super().send_head()

    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """A folder with one bare page per demo."""
    folder = tmp_path_factory.mktemp("bare")
    frames.write_harness(folder, widgets.NAMES)
    return folder


@pytest.fixture(scope="module")
def bare_address(bare):
    server = server_of(bare)
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@every_demo
def test_stays_on_its_host_and_in_its_budget(name, browser, bare_address):
    """A first visit: nothing from elsewhere, no error, few bytes, and alive within five seconds."""
    page = browser.new_page()
    sizes, outside, errors = [], [], []
    page.on("request", lambda r: r.url.startswith(bare_address) or outside.append(r.url))
    page.on("requestfinished", lambda r: sizes.append(sum(r.sizes()[k] for k in (
        "responseBodySize", "responseHeadersSize"))))  # fmt: skip
    page.on("console", lambda m: m.type == "error" and errors.append(m.text))
    page.on("pageerror", lambda error: errors.append(str(error)))
    start = time.perf_counter()
    page.goto(f"{bare_address}/{name}.html")
    page.wait_for_selector(".cld[data-ready=live]", timeout=60_000)
    seconds = time.perf_counter() - start
    page.wait_for_load_state("networkidle")
    page.close()
    assert outside == []
    assert [e for e in errors if "favicon" not in e and "404" not in e] == []
    assert sum(sizes) < BUDGET[name], f"{name} fetched {sum(sizes):,} bytes"
    assert sum(sizes) > 10_000  # the count counts
    assert seconds < 15, f"{name} took {seconds:.1f} s"  # 5 s on a quiet machine: see benchmarks


@every_demo
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 360])
def test_is_accessible(name, theme, width, live):
    demo = live(name, theme, width)
    demo.locator(".cld-table").evaluate("table => { table.open = true; }")
    found = Axe().run(demo.page, context={"include": [[f'.cld[data-demo="{name}"]']]})
    found = found.response["violations"]
    said = [f"{one['id']}: {node['html'][:200]} {node['failureSummary'][:200]}"
            for one in found for node in one["nodes"]]  # fmt: skip
    assert said == [], "\n".join(said)
    assert demo.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@every_demo
def test_a_preset_asks_first_and_then_shows(name, live):
    demo = live(name)
    before = demo.get_attribute("data-drawn")
    for chip in demo.locator(".cld-chip").all()[:3]:
        chip.click()
        question = demo.locator(".cld-predict")
        expect(question).to_contain_text("Predict:")
        expect(question.locator(".cld-answer")).to_have_count(0)
        question.get_by_role("button", name="Reveal").click()
        expect(question.locator(".cld-answer")).not_to_be_empty()
        expect(question.locator(".cld-answer")).to_be_focused()
    expect(demo).not_to_have_attribute("data-drawn", before)
    assert demo.locator(".cld-chip").count() >= 3


@every_demo
def test_reset_leads_back(name, live):
    demo = live(name)
    first = demo.locator(".cld-read").text_content()
    demo.locator(".cld-chip").first.click()
    demo.get_by_role("button", name="Reveal").click()
    expect(demo.locator(".cld-read")).not_to_have_text(first, timeout=20_000)
    demo.get_by_role("button", name="Reset").click()
    expect(demo.locator(".cld-read")).to_have_text(first, timeout=20_000)
    expect(demo.locator(".cld-predict")).to_be_hidden()


@every_demo
def test_a_link_carries_the_state(name, live):
    """Copied after a preset, opened elsewhere: the same read-out."""
    demo = live(name)
    first = demo.get_attribute("data-drawn")
    demo.locator(".cld-chip").nth(1).click()
    demo.get_by_role("button", name="Reveal").click()
    expect(demo).not_to_have_attribute("data-drawn", first, timeout=20_000)
    shown = demo.locator(".cld-read").text_content()
    demo.get_by_role("button", name="Copy link").click()
    expect(demo.locator(".cld-read")).to_have_text("Copied.")
    link = demo.page.evaluate("navigator.clipboard.readText()")
    page = demo.page.context.new_page()
    page.goto(link)
    place = page.locator(f'.cld[data-demo="{name}"]')
    place.scroll_into_view_if_needed()
    expect(place.locator(".cld-demo .cld-read")).to_have_text(shown, timeout=30_000)


@every_demo
def test_a_link_is_data(name, live):
    """What does not fit is refused and said; markup stays text; nothing runs."""
    evil = "<img src=x onerror=\"document.title='owned'\">"
    fields = widgets.demo(name).fields()
    state = {"__proto__x": evil, "constructor": 1} | {
        key: evil if field["kind"] in ("text", "choice") else [evil] * 6
        if field["kind"] == "texts" else "x" for key, field in fields.items()
    }  # fmt: skip
    demo = live(name, state=state)
    assert demo.page.title() != "owned"
    assert demo.locator("img[onerror]").count() == 0
    expect(demo.locator(".cld-read")).to_contain_text("__proto__x")
    assert demo.page.evaluate("({}).x") is None


@every_demo
def test_every_control_is_reached_by_keyboard(name, live):
    """Tab goes through all of them, in order, and none is a trap."""
    demo = live(name)
    controls = "button, input, textarea, select, summary, canvas[tabindex], [tabindex='0']"
    wanted = demo.locator(controls).evaluate_all("""all => {
      const seen = all.filter(e => e.tabIndex >= 0 && !e.disabled && e.checkVisibility());
      seen.forEach((e, i) => { e.dataset.order = i; });
      return seen.filter(e => e.type !== 'radio').length;
    }""")
    demo.locator(controls).first.focus()
    reached = set()
    for _ in range(wanted + 5):
        reached.add(demo.page.evaluate("document.activeElement.dataset.order"))
        demo.page.keyboard.press("Tab")
    reached.discard(None)
    assert len(reached) >= wanted, f"{len(reached)} of {wanted} controls"


@every_demo
def test_without_javascript_a_picture_and_a_sentence_stay(name, browser, address):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/book/playground.html")
    place = page.locator(f'.cld[data-demo="{name}"]')
    expect(place.locator(".cld-frame .cld-demo")).to_be_visible()
    expect(place.locator(".cld-still")).to_contain_text("it needs JavaScript")
    context.close()


@every_demo
def test_a_missing_model_is_said(name, browser, bare):
    """The frame stays, and a sentence says what is missing."""
    server = server_of(bare, missing=[".gz"])
    page = browser.new_page()
    page.goto(f"http://127.0.0.1:{server.server_port}/{name}.html")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("could not be started", timeout=30_000)
    expect(alert).to_contain_text("404")
    page.close()
    server.shutdown()


@every_demo
def test_the_recorded_frame_is_what_the_demo_shows(name, browser, bare_address):
    """Its words: pictures differ in the last bits from one machine to another."""
    live_frame = frames.record(browser, bare_address, name)
    words = "(html) => new DOMParser().parseFromString(html, 'text/html').body.textContent"
    page = browser.new_page()
    shown, stored = (page.evaluate(words, html) for html in (
        live_frame, (frames.HERE / name / "frame.html").read_text(encoding="utf-8")))  # fmt: skip
    page.close()
    assert shown.split() == stored.split(), f"Run `python tools/frames.py {name}`."


def test_works_under_a_strict_policy(site, browser):
    """Demos run under script-src 'self' 'wasm-unsafe-eval'; 'unsafe-inline' is for the theme."""
    headers = [("Content-Security-Policy", POLICY.format(scripts="'unsafe-inline'"))]
    server = server_of(site, headers)
    page = browser.new_page()
    complaints = []
    page.on("console", lambda m: m.type == "error" and complaints.append(m.text))
    page.goto(f"http://127.0.0.1:{server.server_port}/book/playground.html")
    for name in widgets.NAMES:
        place = page.locator(f'.cld[data-demo="{name}"]')
        place.scroll_into_view_if_needed()
        page.wait_for_selector(f'.cld[data-demo="{name}"][data-ready]', timeout=60_000)
        assert place.get_attribute("data-ready") == "live", place.text_content()
    assert complaints == []
    page.close()
    server.shutdown()


def test_nothing_is_fetched_before_the_reader_comes_near(browser, address):
    page = browser.new_page(viewport={"width": 1200, "height": 700})
    asked = []
    page.on("request", lambda r: asked.append(r.url))
    page.goto(f"{address}/book/playground.html", wait_until="networkidle")
    assert not any(f"/demos/{widgets.NAMES[-1]}.js" in url for url in asked)
    assert not any("onnxruntime" in url for url in asked)
    page.close()


def test_a_page_opened_as_a_file_says_what_to_do(browser, bare):
    page = browser.new_page()
    page.goto(f"file://{bare}/merges.html")
    expect(page.get_by_role("alert")).to_contain_text("python -m http.server", timeout=20_000)
    page.close()


def test_pages_without_demos_load_nothing_of_them(site):
    assert "demos/" not in (site / "book" / "glossary.html").read_text(encoding="utf-8")
    assert json.loads((site / "_static" / "demos" / "manifest.json").read_text(encoding="utf-8"))
