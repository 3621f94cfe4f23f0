"""The demo "journey": its stations compute what cliplab does, and close-ups share its prompt."""

import functools
import re
from importlib.resources import files

import numpy as np
import pytest
import torch
from playwright.sync_api import expect

import cliplab
from cliplab.demos import NAMES
from cliplab.demos.journey import STATIONS, Live
from cliplab.weighting import from_empty

from .conftest import ROOT
from .demos import redrawn, settled, table, until, write

PROMPT, SEED = Live().prompt, Live().seed
# A page's weights are rounded to 8 bits, and the numbers that it shows to 2 or 3 digits.
NEAR = {"number": 0.02, "share": 0.005, "moved": 0.02, "map": 0.008}
SHOWN = {  # by each station, in its table, once there is something to show
    "tokens": "tokens",
    "slots": "slot",
    "rows": "numbers of each row",
    "attention": "attention each row",
    "weights": "moves under its weight",
    "steps": "After each step",
    "picture": "attention each word got",
}
CLOSE_UPS = {  # demo → the field that has the prompt there
    "merges": "Your text",
    "slots": "Your prompt",
    "similarity": "Caption 1",
    "encoder": "Prompt",
    "weights": "Your prompt",
    "picture": "Your prompt",
    "regions": "Prompt",
    "zero_shot": "Labels",
}


@functools.cache
def pipe():
    loaded = cliplab.load_pipeline("mini")
    loaded.set_progress_bar_config(disable=True)
    return loaded


@functools.cache
def context_of(prompt, method="from_empty"):
    return cliplab.encode_prompt(prompt, pipe().tokenizer, pipe().text_encoder, method=method)


def plain(prompt):
    return "".join(fragment.text for fragment in cliplab.parse_prompt(prompt))


@pytest.fixture
def demo(live):
    return live("journey")


def alive(page):
    """The journey on a page that holds it, once it is started."""
    place = page.locator('.cld[data-demo="journey"]')
    place.scroll_into_view_if_needed()
    place.and_(page.locator("[data-ready=live]")).wait_for()
    return place.locator(".cld-demo")


def open_station(demo, name):
    demo.get_by_role("tab", name=name).click()
    caption = demo.locator(".cld-table caption")
    table(demo)
    expect(caption).to_contain_text(SHOWN[name])


def paint(demo):
    demo.get_by_role("button", name="Paint", exact=True).click()
    until(demo, lambda: len(table(demo)) > 1)


def number(text):
    """'−1.25' → −1.25, '12.3 %' → 0.123, 'stays' and 'hidden' → 0"""
    if text in ("stays", "hidden"):
        return 0.0
    found = float(text.replace("−", "-").removesuffix("\u00a0%"))
    return found / 100 if text.endswith("%") else found


def test_the_stations_are_those_that_python_knows():
    text = (files("cliplab") / "demos" / "journey" / "panel.js").read_text(encoding="utf-8")
    listed = re.search(r"const STATIONS = \[(.*?)\];", text, re.DOTALL)[1]
    assert tuple(re.findall(r"(\w+)Station", listed)) == STATIONS


# Its numbers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "prompt", [PROMPT, "a turquoise (star:0.5) above [two] blue\u00e9 squares"]
)
def test_tokens_and_slots_are_the_tokenizers(prompt, demo):
    write(demo, "Your prompt", prompt)
    tok = pipe().tokenizer
    ids = tok(plain(prompt)).input_ids[1:-1]
    shown = table(demo)
    assert " ".join(row[2] for row in shown) == " ".join(map(str, ids))
    tokens = [token.removesuffix("</w>") for token in tok.convert_ids_to_tokens(ids)]
    assert " + ".join(row[1] for row in shown) == " + ".join(tokens)
    course = cliplab.CLIPTokenizer.load(files("cliplab") / "assets" / "sd-mini" / "tokenizer")
    for word, _, _, merges in shown:
        assert int(merges) == len(course.merge_steps(word)), word

    open_station(demo, "slots")
    assert [int(row[2]) for row in table(demo)] == context_of(prompt, "ignore").ids.tolist()


def test_rows_are_the_encoders(demo):
    open_station(demo, "rows")
    C = context_of(PROMPT, "ignore").tensor
    shown = torch.tensor([[number(cell) for cell in row[2:]] for row in table(demo)])
    assert len(shown) == len(pipe().tokenizer(plain(PROMPT)).input_ids) + 1  # and one of padding
    want = C[: len(shown), : shown.shape[1]]
    torch.testing.assert_close(shown, want, atol=NEAR["number"], rtol=0)
    settled(demo, f"{C.shape[1]} numbers, from −")


def test_attention_is_the_encoders(demo):
    open_station(demo, "attention")
    model = cliplab.load_text_encoder(files("cliplab") / "assets" / "sd-mini").float()
    N = model.config.layers
    with torch.no_grad():
        out = model(context_of(PROMPT, "ignore").ids[None], trace=True)
    each = [out.trace[f"encoder.layers.{n}.self_attn.weights"][0] for n in range(N)]
    mean = torch.stack(each).mean((0, 1))  # [L, L]
    shown = torch.tensor([[number(cell) for cell in row[2:]] for row in table(demo)])
    n = len(shown)
    torch.testing.assert_close(shown, mean[:n, :n], atol=NEAR["share"], rtol=0)
    settled(demo, f"the mean of {N} layers with {model.config.heads} heads each")


def test_a_weight_moves_what_from_empty_moves(demo):
    open_station(demo, "weights")
    demo.get_by_role("slider").fill("1.6")
    expect(demo.get_by_label("Your prompt")).to_have_value(PROMPT.replace("1.3", "1.6"))
    settled(demo, "At weight 1.6, row 2 of “yellow” moves by")
    settled(demo, "Of all 77 rows, 1 moved.")
    read = context_of(PROMPT.replace("1.3", "1.6"), "ignore")
    C, e = read.tensor, context_of("", "ignore").tensor
    moved = (from_empty(C, read.weights, e) - C).norm(dim=-1) / C.norm(dim=-1)
    shown = table(demo)
    assert [float(row[2]) for row in shown] == pytest.approx(read.weights.tolist())
    assert [number(row[3]) for row in shown] == pytest.approx(moved.tolist(), abs=NEAR["moved"])
    demo.get_by_role("slider").press("ArrowLeft")
    expect(demo.get_by_label("Your prompt")).to_have_value(PROMPT.replace("1.3", "1.5"))


def test_a_word_of_several_rows_is_said_to_have_them(demo):
    """Each row moves by a distance of its own; the last one has heard the others."""
    open_station(demo, "weights")
    write(demo, "Your prompt", "a (turquoise:1.5) star")
    own = [row for row in table(demo) if float(row[2]) != 1]
    shares = [cell for *_, cell in sorted(own, key=lambda row: number(row[3]))]
    assert len(own) > 2
    assert shares[0] != shares[-1]
    settled(demo, f"rows 2 to {len(own) + 1} of “turquoise” move by {shares[0]} to {shares[-1]}.")
    write(demo, "Your prompt", "a turquoise star")
    settled(demo, "of “turquoise” stay.")
    open_station(demo, "attention")
    settled(demo, "The last row of “turquoise” gives")
    expect(demo.get_by_text("Where the last row of “turquoise” looks")).to_be_visible()


def test_steps_and_picture_are_those_of_generate(demo):
    open_station(demo, "steps")
    assert table(demo) == []
    paint(demo)
    want = cliplab.generate(pipe(), PROMPT, seed=SEED, method="from_empty")
    steps = len(want.latents) - 1
    expect(demo.get_by_text(f"Step {steps} of {steps}")).to_be_visible()
    differ = [float(share) for _, share in table(demo)]
    assert len(differ) == steps + 1
    assert differ[-1] == 0
    assert differ[0] > 50
    side, pixels = demo.locator("canvas").evaluate("""(one) => [one.height,
      [...one.getContext('2d').getImageData(0, 0, one.width, one.height).data]]""")
    shown = np.array(pixels).reshape(side, side, 4)[..., :3]
    apart = np.abs(shown - np.asarray(want.images[0]).astype(int))
    assert apart.mean() < 2

    open_station(demo, "picture")
    for (word, map_), row in zip(want.word_maps[0], table(demo)[1:-2], strict=True):
        assert row[0] == word
        said = [number(cell) for cell in row[1:]]
        wanted = [share.item() for share in (map_.mean(), map_.min(), map_.max())]
        assert said == pytest.approx(wanted, abs=NEAR["map"]), word
    settled(demo, "“yellow” got")


@pytest.mark.parametrize(("prompt", "own"), [("", 0), ("turquoise " * 20, 0), ("star", 1)])
def test_only_a_word_with_rows_is_marked_among_what_was_read(prompt, own, demo):
    """An empty prompt has none, and here the first word that found no slot is followed."""
    write(demo, "Your prompt", prompt)
    open_station(demo, "slots")
    while not own and demo.locator(".cld-trip-slots [data-own]").count():
        redrawn(demo, lambda: demo.get_by_role("radio", checked=True).press("ArrowRight"))
    open_station(demo, "picture")
    paint(demo)
    expect(demo.locator(".cld-trip-bars [data-own]")).to_have_count(own)


def test_what_the_presets_say_is_true():
    tok = pipe().tokenizer
    assert len(tok("turquoise").input_ids) > 4
    heavy, plain_one = (context_of("a yellow star above a (blue:1.8) square", method).tensor
                        for method in ("from_empty", "ignore"))  # fmt: skip
    assert ((heavy - plain_one).abs() > 1e-5).any(dim=-1).sum() == 1


# The line -----------------------------------------------------------------------------------------


def test_arrow_keys_go_through_all_stations(demo):
    tabs = demo.get_by_role("tab")
    expect(tabs).to_have_count(len(STATIONS))
    tabs.first.focus()
    said = set()
    for n, name in enumerate(STATIONS):
        expect(tabs.nth(n)).to_be_focused()
        expect(demo.get_by_role("tab", selected=True)).to_have_text(re.compile(name))
        panel = demo.get_by_role("tabpanel", name=f"Station {n + 1} of {len(STATIONS)}")
        expect(panel).to_be_visible()
        table(demo)
        expect(demo.locator(".cld-table caption")).to_contain_text(SHOWN[name])
        said.add(demo.locator(".cld-read").text_content())
        demo.page.keyboard.press("ArrowRight")
    assert len(said) == len(STATIONS)
    demo.page.keyboard.press("Home")
    expect(tabs.first).to_be_focused()
    assert [tab.get_attribute("tabindex") for tab in tabs.all()] == ["0"] + ["-1"] * 6
    demo.get_by_role("button", name="slots →").press("Enter")
    expect(demo.get_by_role("tab", selected=True)).to_have_text(re.compile("slots"))
    expect(demo.get_by_role("button", name="← tokens")).to_be_visible()


def test_a_word_is_followed_through_the_stations(demo):
    words = demo.get_by_role("radio")
    demo.get_by_role("radio", name="yellow").focus()
    demo.page.keyboard.press("ArrowRight")
    expect(words.nth(2)).to_be_focused()
    settled(demo, "“star” is one of")
    for name, what in (("slots", "“star” stands in slot 3"), ("rows", "“star” has become row 3"),
                       ("attention", "The row of “star” gives"),
                       ("weights", "row 3 of “star” stays")):  # fmt: skip
        demo.get_by_role("tab", name=name).click()
        settled(demo, what)


def test_empty_long_and_broken_prompts(demo):
    open_station(demo, "slots")
    write(demo, "Your prompt", "")
    settled(demo, "An empty prompt has no word to follow. With BOS and EOS the prompt takes 2 of")
    for name in ("tokens", "rows", "attention", "weights"):
        open_station(demo, name)
    write(demo, "Your prompt", "turquoise " * 20)
    open_station(demo, "slots")
    settled(demo, "tokens found no slot")
    for _ in range(19):
        demo.get_by_role("radio", checked=True).press("ArrowRight")
    settled(demo, "“turquoise” found no slot, and is lost.")
    for name in ("rows", "attention", "weights"):
        open_station(demo, name)
        settled(demo, "“turquoise” found no slot, and is lost.")
    write(demo, "Your prompt", "a (star:1.2.3)")
    expect(demo.locator("mark")).to_be_visible()
    expect(demo.get_by_label("Your prompt")).to_have_attribute("aria-invalid", "true")


# What it fetches ----------------------------------------------------------------------------------


def test_graphs_come_when_their_stations_are_opened(new_page, address):
    page = new_page(viewport={"width": 1200, "height": 900}, reduced_motion="reduce")
    fetched, sizes = [], []
    page.on("request", lambda r: fetched.append(r.url.split("/")[-1].split("?")[0]))
    page.on("requestfinished", lambda r: sizes.append(
        r.sizes()["responseBodySize"] if "/demos/" in r.url or "/vendor/" in r.url else 0
    ))  # fmt: skip
    page.goto(f"{address}/book/playground.html")
    demo = alive(page)

    def graphs():
        return {name.removesuffix(".onnx.gz") for name in fetched if name.endswith(".onnx.gz")}

    open_station(demo, "slots")
    assert graphs() == set()
    open_station(demo, "rows")
    assert graphs() == {"paint_text", "weigh"}
    open_station(demo, "attention")
    assert graphs() == {"paint_text", "weigh", "looks"}
    open_station(demo, "steps")
    assert "paint_step" not in graphs()
    paint(demo)
    assert graphs() == {*Live.graphs}
    assert sum(sizes) < 8_000_000, f"{sum(sizes):,} bytes"


@pytest.mark.parametrize(("motion", "looks"), [("reduce", 1), ("no-preference", 3)])
def test_motion_is_for_those_who_want_it(motion, looks, new_page, address):
    """How often the picture is drawn until it is done: once, or now and then on the way."""
    page = new_page(viewport={"width": 1200, "height": 900}, reduced_motion=motion)
    page.add_init_script("""window.drawn = 0;
      const put = CanvasRenderingContext2D.prototype.putImageData;
      CanvasRenderingContext2D.prototype.putImageData = function (...what) {
        if (this.canvas.className === "cld-trip-picture") window.drawn += 1;
        return put.apply(this, what);
      };""")
    page.goto(f"{address}/book/playground.html")
    demo = alive(page)
    open_station(demo, "steps")
    demo.get_by_role("button", name="Paint", exact=True).click()
    expect(demo.get_by_role("progressbar")).to_be_visible()
    settled(demo, "Done.")
    drawn = page.evaluate("window.drawn")
    assert drawn == 1 if looks == 1 else drawn >= looks


# Its close-ups ------------------------------------------------------------------------------------


def test_every_other_demo_is_a_close_up(demo):
    led = set()
    for name in STATIONS:
        demo.get_by_role("tab", name=name).click()
        links = demo.locator(".cld-trip-links a")
        for link in links.evaluate_all("all => all.map((one) => one.href)"):
            if "#demo=" in link:
                led.add(re.search(r"#demo=(\w+)", link)[1])
                assert "/book/playground.html#" in link
            else:
                assert (ROOT / re.search(r"chapters/\w+", link)[0]).with_suffix(".ipynb").is_file()
    assert led == {*NAMES} - {"journey"} == {*CLOSE_UPS}


def test_a_prompt_travels_to_the_close_ups(live):
    """From the playground to a demo on the same page."""
    demo = live("journey", state={"prompt": "a (red:1.4) ring, small"})
    page = demo.page
    for name in STATIONS:
        demo.get_by_role("tab", name=name).click()
        for link in demo.locator('.cld-trip-links a[href*="#demo="]').all():
            close_up = re.search(r"#demo=(\w+)", link.get_attribute("href"))[1]
            link.click()
            place = page.locator(f'.cld[data-demo="{close_up}"]')
            expect(place).to_be_focused()
            expect(place).to_be_in_viewport()
            field = place.locator(".cld-demo").get_by_label(CLOSE_UPS[close_up]).first
            whole = close_up in ("weights", "picture")
            wanted = "a (red:1.4) ring, small" if whole else "a red ring"
            expect(field).to_have_value(re.compile(re.escape(wanted)))
    page.close()


def test_a_prompt_travels_from_another_page(open_page):
    page = open_page("book/intro").page
    demo = alive(page)
    write(demo, "Your prompt", "a green cross")
    demo.get_by_role("tab", name="slots").click()
    demo.locator('.cld-trip-links a[href*="#demo=slots"]').click()
    page.wait_for_url("**/book/playground.html#**")
    slots = page.locator('.cld[data-demo="slots"]')
    expect(slots.locator(".cld-demo").get_by_label("Your prompt")).to_have_value("a green cross")
    expect(slots).to_be_in_viewport()
    page.close()


# On a telephone -----------------------------------------------------------------------------------


def test_a_station_fits_on_a_telephone(new_page, address):
    """Prompt, line and result on one screen; no text under 11 px; pictures of 96 px or more."""
    page = new_page(viewport={"width": 390, "height": 844}, reduced_motion="reduce")
    page.goto(f"{address}/book/playground.html")
    demo = alive(page)
    heights = {}
    for name in STATIONS:
        open_station(demo, name)
        if name == "steps":
            paint(demo)
        top = demo.get_by_label("Your prompt").bounding_box()["y"]
        panel = demo.get_by_role("tabpanel").bounding_box()
        heights[name] = round(panel["y"] + panel["height"] - top)
        small = demo.evaluate("""(demo) => [...demo.querySelectorAll("*")].filter((one) =>
          [...one.childNodes].some(({ nodeType, data }) => nodeType === 3 && data.trim()) &&
          parseFloat(getComputedStyle(one).fontSize) < 11).map((one) => one.outerHTML)""")
        assert small == []
        wide = demo.evaluate("demo => demo.scrollWidth <= demo.clientWidth")
        assert wide, name
        for picture in demo.locator("canvas.cld-trip-picture:visible").all():
            assert picture.bounding_box()["width"] >= 96
    assert max(heights.values()) <= 844, heights


def test_a_prompt_that_a_link_brings_is_data(live):
    demo = live("journey", state={"prompt": "<b>star</b>", "station": "nowhere"})
    expect(demo.locator(".cld-read")).to_contain_text("station")
    assert demo.locator("b", has_text=re.compile("^star$")).count() == 0
    expect(demo.get_by_label("Your prompt")).to_have_value("<b>star</b>")
    redrawn(demo, demo.get_by_role("button", name="Reset").click)
    expect(demo.get_by_label("Your prompt")).to_have_value(PROMPT)
