"""What every live demo on the published page must do, whatever it shows."""

import json
import re
from dataclasses import dataclass, field

import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import expect

from cliplab import demos
from tools import frames
from tools.serve import serving

from .axe import all_violations, said
from .conftest import ROOT, look
from .demos import redrawn, reveal

POLICY = (  # under which every demo must run
    "default-src 'none'; connect-src 'self'; font-src 'self'; img-src 'self' data:; "
    "style-src 'self' 'unsafe-inline'; script-src 'self' 'wasm-unsafe-eval'; "
    "worker-src 'self'; base-uri 'self'; form-action 'self'"
)
every_demo = pytest.mark.parametrize("name", demos.NAMES)


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """A folder with one bare page per demo."""
    folder = tmp_path_factory.mktemp("bare")
    frames.write_harness(folder, demos.NAMES)
    return folder


@pytest.fixture(scope="module")
def bare_address(bare):
    """Of a server that sends the strictest policy that demos work under."""
    with serving(bare, {"Content-Security-Policy": POLICY}) as address:
        yield address


@dataclass
class FirstVisit:
    """A demo on its bare page, for a reader who is new here: what it fetched, said and showed."""

    name: str
    sizes: list = field(default_factory=list)
    outside: list = field(default_factory=list)
    errors: list = field(default_factory=list)
    frame: str = ""


@pytest.fixture(scope="module", params=demos.NAMES)
def first_visit(request, new_context, bare_address):
    """How soon it is alive, benchmarks/ measure on a quiet machine."""
    visit = FirstVisit(request.param)
    context = new_context(**frames.LOOK)
    page = context.new_page()
    page.on("request", lambda r: r.url.startswith(bare_address) or visit.outside.append(r.url))
    page.on("requestfinished", lambda r: visit.sizes.append(sum(r.sizes()[k] for k in (
        "responseBodySize", "responseHeadersSize"))))  # fmt: skip
    page.on("console", lambda m: m.type == "error" and visit.errors.append(m.text))
    page.on("pageerror", lambda error: visit.errors.append(str(error)))
    visit.frame = frames.record(page, bare_address, visit.name)
    page.wait_for_load_state("networkidle")
    context.close()
    return visit


def test_stays_on_its_host_and_in_its_budget(first_visit):
    """Nothing from elsewhere, no error, few bytes."""
    name, sent = first_visit.name, sum(first_visit.sizes)
    assert first_visit.outside == []
    assert [e for e in first_visit.errors if "favicon" not in e and "404" not in e] == []
    assert sent < demos.live(name).budget, f"{name} fetched {sent:,} bytes"
    assert sent > 10_000  # the count counts


def test_the_recorded_frame_is_what_the_demo_shows(first_visit):
    """Its words: pictures differ in the last bits from one machine to another."""
    stored = (frames.HERE / first_visit.name / "frame.html").read_text(encoding="utf-8")
    shown, wanted = (BeautifulSoup(html, "html.parser").get_text() for html in (
        first_visit.frame, stored))  # fmt: skip
    assert shown.split() == wanted.split(), f"Run `python tools/frames.py {first_visit.name}`."


@pytest.mark.wcag("1.1.1", "1.3.1", "1.4.3", "4.1.2")
def test_all_are_accessible(live):
    """In every look, with their tables open."""
    for name in demos.NAMES:
        demo = live(name)
        demo.locator(".cld-table").evaluate("table => { table.open = true; }")
    page, known = demo.page, []
    assert page.locator('.cld[data-ready="live"] .cld-table[open]').count() == len(demos.NAMES)
    for theme, width in (("dark", 1200), ("dark", 360), ("light", 360), ("light", 1200)):
        look(page, theme, width)
        found = said(all_violations(page, known, within=".cld"))
        assert found == [], "\n".join([f"{theme}, {width} px:", *found])
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.wcag("2.4.3")
@every_demo
def test_a_preset_asks_first_and_then_shows(name, live):
    demo = live(name)
    assert demo.locator(".cld-chip").count() >= 3
    for chip in demo.locator(".cld-chip").all():
        chip.click()
        question = demo.locator(".cld-predict")
        expect(question).to_contain_text("Predict:")
        expect(question.locator(".cld-answer")).to_have_count(0)
        redrawn(demo, question.get_by_role("button", name="Reveal").click)
        expect(question.locator(".cld-answer")).not_to_be_empty()
        expect(question.locator(".cld-answer")).to_be_focused()


@every_demo
def test_reset_leads_back(name, live):
    demo = live(name)
    first = demo.locator(".cld-read").text_content()
    reveal(demo, demo.locator(".cld-chip").first.text_content())
    expect(demo.locator(".cld-read")).not_to_have_text(first)
    demo.get_by_role("button", name="Reset").click()
    expect(demo.locator(".cld-read")).to_have_text(first)
    expect(demo.locator(".cld-predict")).to_be_hidden()


def test_all_come_alive_at_once(new_page, address):
    """As where a reader scrolls fast: several ask for the same graph before it is there."""
    page = new_page(viewport={"width": 1200, "height": 12_000})
    page.goto(f"{address}/book/playground.html")
    alive = page.locator('.cld[data-ready="live"]')
    expect(alive).to_have_count(len(demos.NAMES))


@every_demo
def test_a_link_carries_the_state(name, live):
    """Copied after a preset, opened elsewhere: the same read-out."""
    demo = live(name)
    second = demo.locator(".cld-chip").nth(1).text_content()
    redrawn(demo, lambda: reveal(demo, second))
    shown = demo.locator(".cld-read").text_content()
    demo.get_by_role("button", name="Copy link").click()
    expect(demo.locator(".cld-read")).to_have_text("Copied.")
    link = demo.page.evaluate("navigator.clipboard.readText()")
    page = demo.page.context.new_page()
    page.goto(link)
    place = page.locator(f'.cld[data-demo="{name}"]')
    place.scroll_into_view_if_needed()
    expect(place.locator(".cld-demo .cld-read")).to_have_text(shown)
    page.close()


@every_demo
def test_a_link_is_data(name, live):
    """What does not fit is refused and said; markup stays text; nothing runs."""
    evil = "<img src=x onerror=\"document.title='owned'\">"
    fields = demos.demo(name).fields()
    state = {"__proto__x": evil, "constructor": 1} | {
        key: evil if field["kind"] in ("text", "choice") else [evil] * 6
        if field["kind"] == "texts" else "x" for key, field in fields.items()
    }  # fmt: skip
    demo = live(name, state=state)
    assert demo.page.title() != "owned"
    assert demo.locator("img[onerror]").count() == 0
    expect(demo.locator(".cld-read")).to_contain_text("__proto__x")
    assert demo.page.evaluate("({}).x") is None


@pytest.mark.wcag("2.1.1", "2.1.2", "2.4.3")
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


SMALL = """(demo) => {
  const shows = (one) => [...one.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
  const texts = [...demo.querySelectorAll("*")].filter((one) => one.checkVisibility() &&
    shows(one) && parseFloat(getComputedStyle(one).fontSize) < 11).map((one) => one.outerHTML);
  const pictures = [...demo.querySelectorAll("canvas, img")].filter((one) =>
    one.checkVisibility() && !one.closest(".cld-regions-legend") && one.clientWidth < 96)
    .map((one) => one.outerHTML);
  return [...texts, ...pictures]; }"""


@pytest.mark.wcag("1.4.10")
def test_on_a_telephone_the_sentence_stays_in_sight(new_page, address):
    """A reader who moves a control sees what it did; nothing is too small to be read.

    Pictures are 96 px or more; what stands for a size in the legend of *regions* is no picture.
    """
    page = new_page(viewport={"width": 390, "height": 844})
    page.goto(f"{address}/book/playground.html")
    for name in demos.NAMES:
        place = page.locator(f'.cld[data-demo="{name}"]')
        place.scroll_into_view_if_needed()
        place.and_(page.locator("[data-ready=live]")).wait_for()
        demo = place.locator(".cld-demo")
        for control in demo.locator(".cld-body :is(input, textarea, select)").all():
            if not control.is_visible():
                continue
            control.evaluate("one => one.scrollIntoView({block: 'center', behavior: 'instant'})")
            for seen in (control, demo.locator(".cld-read")):
                box = seen.bounding_box()
                assert box["y"] >= 0, name
                assert box["y"] + box["height"] <= 844, name
        assert demo.evaluate(SMALL) == [], name


def test_without_javascript_a_picture_and_a_sentence_stay(new_page, address):
    page = new_page(java_script_enabled=False)
    page.goto(f"{address}/book/playground.html")
    for name in demos.NAMES:
        place = page.locator(f'.cld[data-demo="{name}"]')
        expect(place.locator(".cld-frame .cld-demo")).to_be_visible()
        expect(place.locator(".cld-still")).to_contain_text("it needs JavaScript")


def test_recorded_pictures_lie_on_the_page_in_the_dark(open_page):
    """The theme would put white behind them, and most of a field of numbers is transparent."""
    pictures = open_page("book/playground", "dark").page.locator(".cld-frame img")
    looks = pictures.evaluate_all(
        "all => all.map(getComputedStyle).map(s => [s.backgroundColor, s.filter, s.padding])"
    )
    assert len(looks) > 20
    assert {tuple(look) for look in looks} == {("rgba(0, 0, 0, 0)", "none", "0px")}


@pytest.mark.wcag("3.3.1", "4.1.3")
@every_demo
def test_a_missing_model_is_said(name, new_page, bare):
    """The frame stays, and a sentence says what is missing."""
    with serving(bare, missing=[".gz"]) as address:
        page = new_page()
        page.goto(f"{address}/{name}.html")
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text("could not be started")
        expect(alert).to_contain_text("404")


def test_the_site_works_under_the_policy_that_the_playground_names(site, new_page):
    """That of the bare pages, and 'unsafe-inline' for the theme's own scripts."""
    said = (ROOT / "book" / "playground.md").read_text(encoding="utf-8")
    policy = " ".join(re.search(r"```text\n(.*?)```", said, re.DOTALL)[1].split())
    assert policy == POLICY.replace("script-src 'self'", "script-src 'self' 'unsafe-inline'")
    with serving(site, {"Content-Security-Policy": policy}) as address:
        page = new_page()
        complaints = []
        page.on("console", lambda m: m.type == "error" and complaints.append(m.text))
        page.goto(f"{address}/book/playground.html")
        for name in demos.NAMES:
            place = page.locator(f'.cld[data-demo="{name}"]')
            place.scroll_into_view_if_needed()
            page.wait_for_selector(f'.cld[data-demo="{name}"][data-ready]')
            assert place.get_attribute("data-ready") == "live", place.text_content()
        assert complaints == []


def test_nothing_is_fetched_before_the_reader_comes_near(new_page, address):
    page = new_page(viewport={"width": 1200, "height": 700})
    asked = []
    page.on("request", lambda r: asked.append(r.url))
    page.goto(f"{address}/book/playground.html", wait_until="networkidle")
    assert not any(f"/demos/{demos.NAMES[-1]}.js" in url for url in asked)
    assert not any("onnxruntime" in url for url in asked)


def test_a_page_opened_as_a_file_says_what_to_do(new_page, bare):
    page = new_page()
    page.goto(f"file://{bare}/merges.html")
    expect(page.get_by_role("alert")).to_contain_text("python -m http.server")


def test_pages_without_demos_load_nothing_of_them(site):
    assert "demos/" not in (site / "book" / "glossary.html").read_text(encoding="utf-8")
    assert json.loads((site / "_static" / "demos" / "manifest.json").read_text(encoding="utf-8"))
