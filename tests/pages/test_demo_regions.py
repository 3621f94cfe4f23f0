"""Word to region: maps, bars and claims against what cliplab says of the same words."""

import functools
import json
import re
from pathlib import Path

import pytest
import torch
from playwright.sync_api import expect

import cliplab
from cliplab.cross_attention import region_maps, watch_attention
from cliplab.demos.graphs.paint import STEPS
from cliplab.demos.graphs.regions import REGIONS, Regions
from cliplab.demos.regions import Live
from cliplab.pipeline.painting import words_of

from .demos import reveal, settled, table

NEAR = 0.008  # of a share: the page's weights are rounded, and so are the numbers it shows
FOLDER = Path(cliplab.__file__).parent
PROMPT = Live().prompt
SIDE, L = 8, 77


@functools.cache
def pipe():
    loaded = cliplab.load_pipeline("mini")
    loaded.set_progress_bar_config(disable=True)
    return loaded


@functools.cache
@torch.no_grad()
def maps_of(*prompts):
    """A Painting of these prompts, seeds 0, 1, …, and the maps of each step, [B, S, L, h, w]."""
    with watch_attention(pipe().unet) as watch:
        painting = cliplab.generate(pipe(), list(prompts), seed=0)
    each = [region_maps(watch.maps[t : t + 1], SIDE) for t in range(STEPS)]
    return painting, torch.stack(each, dim=1)


def rows_of(context):
    """The rows of the demo's groups: BOS, every word, EOS, padding."""
    words = [rows for _, rows in words_of(context)]
    end = 1 + sum(map(len, words))
    return [[0], *words, [end], list(range(end + 1, L))]


def groups_of(context):
    """What the demo gives its graph: groups [G, L], words [G]."""
    rows = rows_of(context)
    groups = torch.zeros(len(rows), L)
    for group, of_it in enumerate(rows):
        groups[group, of_it] = 1
    words = torch.ones(len(rows))
    words[[0, -2, -1]] = 0
    return groups, words


def share(text):
    """'12.3 %' → 0.123"""
    return float(re.search(r"([\d.]+)\s%", text)[1]) / 100


def test_the_graph_adds_up_as_word_maps_do():
    painting, maps = maps_of(PROMPT, "a reddish circle")  # "reddish" is several tokens
    for b, context in enumerate(painting.contexts):
        groups, words = groups_of(context)
        (shares, among), means = Regions()(maps[b], groups, words)
        for (_, expected), found in zip(painting.word_maps[b], shares[-1, 1:-2], strict=True):
            torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
        named = shares[:, 1:-2]
        torch.testing.assert_close(among[:, 1:-2], named / named.sum(1, keepdim=True))
        torch.testing.assert_close(means[0], shares.mean((-1, -2)))
        torch.testing.assert_close(shares.sum(1), torch.ones(STEPS + 1, SIDE, SIDE))
        assert not among[:, [0, -2, -1]].any()


def test_without_words_nothing_is_among_them():
    graph = REGIONS["regions"]
    inputs = graph.inputs | {"words": torch.zeros(5)}
    both, means = graph.build()(**inputs)
    assert not both[1].any()
    assert not means[1].any()
    torch.testing.assert_close(both[0].sum(1), torch.ones(3, SIDE, SIDE))


def test_the_demo_paints_with_the_models_guidance():
    said = json.loads((FOLDER / "assets" / "sd-mini" / "generation.json").read_text())
    text = (FOLDER / "demos" / "lib" / "painting.js").read_text(encoding="utf-8")
    assert float(re.search(r"GUIDANCE = ([\d.]+);", text)[1]) == said["guidance"]


def test_maps_bars_and_words_are_those_of_python(live):
    demo = live("regions")
    painting, maps = maps_of(PROMPT, "a reddish circle")
    rows = rows_of(painting.contexts[0])
    mean = torch.stack([maps[0].mean(0)[of_it].sum(0) for of_it in rows])  # [G, h, w]
    cells = table(demo)
    words = [word for word, _ in painting.word_maps[0]]
    assert [row[0] for row in cells] == ["BOS", *words, "EOS", "padding × 67"]
    for row, expected in zip(cells, mean, strict=True):
        there = [expected.mean(), expected.min(), expected.max(), expected.flatten()[Live().spot]]
        shown = [share(row[i]) for i in (2, 3, 4, 6)]
        assert shown == pytest.approx([number.item() for number in there], abs=NEAR), row[0]

    # One step, another place: by keys alone.
    demo.get_by_role("slider").press("Home")
    demo.get_by_role("application").press("ArrowRight")
    settled(demo, f"in step 1 of {STEPS}")
    first = torch.stack([maps[0, 0][of_it].sum(0) for of_it in rows]).flatten(1)[:, 28]
    bars = demo.locator(".cld-regions-bars li > :last-child").all_text_contents()
    assert list(map(share, bars)) == pytest.approx(first.tolist(), abs=NEAR)
    expect(demo.locator(".cld-regions-place")).to_contain_text("Row 4, column 5 listened to")
    expect(demo.locator(".cld-read")).to_contain_text("Row 4, column 5")


def test_keys_walk_through_words_and_hold_one(live):
    demo = live("regions")
    words = demo.get_by_role("radio")
    words.nth(4).focus()
    words.nth(4).press("ArrowLeft")
    settled(demo, "“red” gets")
    expect(words.nth(3)).to_be_focused()
    expect(words.nth(3)).to_have_attribute("aria-checked", "true")
    expect(demo.get_by_role("radio", checked=True)).to_have_count(1)

    demo.get_by_role("checkbox", name="keep “red” in view").press("Space")
    words.nth(3).press("End")
    settled(demo, "Padding gets")
    legend = demo.locator(".cld-regions-legend")
    expect(legend).to_contain_text("padding")
    expect(legend).to_contain_text("“red”")
    words.nth(4).hover()  # shows the word for as long as the pointer is there
    settled(demo, "“circle” gets")
    demo.locator(".cld-read").hover()
    settled(demo, "Padding gets")

    # The answer is there in the microtask after the key: all sums are made already, so that no
    # model is asked and no frame is waited for.
    read = words.last.evaluate("""async (last) => {
      const read = last.closest(".cld-demo").querySelector(".cld-read");
      last.dispatchEvent(new KeyboardEvent("keydown", { key: "Home", bubbles: true }));
      await 0;
      return read.textContent;
    }""")
    assert "BOS gets" in read


def test_a_typed_prompt_is_painted_anew(live):
    demo = live("regions")
    before = demo.locator(".cld-regions-canvas").evaluate("canvas => canvas.toDataURL()")
    demo.get_by_role("textbox", name="Prompt").fill("a reddish <b>circle")
    expect(demo.get_by_role("radio")).to_have_count(9)  # three are <, b and >
    assert demo.locator(".cld-regions-canvas").evaluate("canvas => canvas.toDataURL()") != before
    settled(demo, "“b” gets")  # the word was the fourth, and is

    demo.get_by_role("textbox", name="Prompt").fill("")
    expect(demo.get_by_role("radio")).to_have_count(3)
    assert sum(share(row[2]) for row in table(demo)) == pytest.approx(1, abs=0.002)
    demo.get_by_role("checkbox", name="among the words only").check()
    settled(demo, "There is no word")

    demo.get_by_role("textbox", name="Prompt").fill("red " * 50)
    expect(demo.get_by_role("radio")).to_have_count(53)


def test_what_the_presets_say_is_true(live):
    demo = live("regions")
    reveal(demo, "“left” and “of”")
    settled(demo, "“of” gets")
    left, of = (share(row[2]) for row in table(demo)[4:6])
    assert of > left

    reveal(demo, "a single word")
    settled(demo, "gets 100.0 % of what the words got")
    expect(demo.locator(".cld-read")).to_contain_text("the same at every place")
    demo.get_by_role("checkbox", name="among the words only").uncheck()
    settled(demo, "of the attention")
    _, _, mean, least, most = (share(cell) if "%" in cell else 0 for cell in table(demo)[1][:5])
    assert least < mean < most < 0.6

    reveal(demo, "BOS")
    settled(demo, "BOS gets")
    last = share(table(demo)[0][2])
    demo.get_by_role("slider").press("Home")
    settled(demo, f"in step 1 of {STEPS}")
    assert last > share(table(demo)[0][2])


def test_what_the_presets_say_holds_for_other_prompts():
    painting, maps = maps_of(
        "a large yellow circle left of a cyan square",
        "a small green ring right of a large red star",
        "a purple triangle left of an orange cross on a black background",
        "a pink star right of a blue triangle on a gray background",
    )
    BOS = maps[:, :, 0].mean((-1, -2))  # [B, S]
    assert (BOS[:, -1] > BOS[:, 0]).all()
    more = []
    for context, of_prompt in zip(painting.contexts, maps.mean(1), strict=True):
        row = context.tokens.index("of</w>")
        left, of = of_prompt[[row - 1, row]].mean((-1, -2))
        more.append(bool(of > left))
    assert sum(more) >= 3  # "for most prompts": in 37 of 44 others


def test_on_a_telephone_the_chosen_word_is_in_sight(new_page, address):
    """Its strip is wider than the screen, and moves."""
    page = new_page(viewport={"width": 390, "height": 844})
    page.goto(f"{address}/book/playground.html")
    place = page.locator('.cld[data-demo="regions"]')
    place.scroll_into_view_if_needed()
    place.and_(page.locator("[data-ready=live]")).wait_for()
    strip, chosen = place.locator(".cld-regions-words"), place.locator("[aria-checked=true]")
    inside = """([strip, chosen]) => {
      const [out, one] = [strip.getBoundingClientRect(), chosen.getBoundingClientRect()];
      return strip.scrollWidth > strip.clientWidth &&
        one.left >= out.left - 1 && one.right <= out.right + 1; }"""
    for key in ("", "End", "Home"):
        if key:
            chosen.focus()
            page.keyboard.press(key)
        page.wait_for_function(inside, arg=[strip.element_handle(), chosen.element_handle()])
