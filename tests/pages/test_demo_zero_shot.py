"""The demo of zero-shot classification against `zero_shot_weights` and `classify`."""

import functools
import re

import numpy as np
import pytest
import torch

import cliplab
from cliplab.demos.data import pictures
from cliplab.demos.graphs.clip import Image
from cliplab.demos.zero_shot import Live
from cliplab.demos.zero_shot.graphs import ZeroShot
from cliplab.training import EmojiPairs, classify, zero_shot_weights

from .demos import reveal, settled, table, until

NEAR = 0.06  # of a cosine: the page's weights have 8 bits
FIRST = Live().labels.split(", ")
NAMES = [pair.caption for pair in pictures.chosen()]


@functools.cache
def clip():
    return cliplab.load_clip("mini").requires_grad_(False)


def asked(name, labels, templates=("{}",)):
    """Cosines and shares of the labels for a picture, as cliplab has them: {label: (…, …)}."""
    v = clip().encode_image(pictures.chosen()[NAMES.index(name)].image)
    W = zero_shot_weights(clip(), labels, templates)
    cosines, shares = (v @ W.T)[0].tolist(), classify(v, W, clip().tau)[0].tolist()
    return dict(zip(labels, zip(cosines, shares, strict=True), strict=True))


def bars(demo):
    """[(label, share, cosine)] as shown, from the top."""
    names = demo.locator(".cld-bar").evaluate_all("all => all.map((one) => one.ariaLabel)")
    form = re.compile(r"\d: (.*), (?:<\s)?([\d.]+)\s%, cosine (.*)")
    found = [form.fullmatch(name.replace("−", "-")).groups() for name in names]
    return [(label, float(share) / 100, float(cosine)) for label, share, cosine in found]


@pytest.fixture
def demo(live):
    return live("zero_shot")


def box(demo, name):
    return demo.get_by_role("textbox", name=name)


def first(demo):
    """The label on top and its share."""
    return bars(demo)[0][:2] if demo.locator(".cld-bar").count() else ("", 0)


def agree(demo, expected):
    shown = {label: cosine for label, _, cosine in bars(demo)}
    assert shown.keys() == expected.keys()
    for label, cosine in shown.items():
        assert cosine == pytest.approx(expected[label][0], abs=NEAR)


def test_the_graph_is_the_packages_classifier():
    labels, templates = ["dog", "a taco", "key"], ["{}", "an emoji of a {}"]
    texts = clip().encode_text([t.format(one) for one in labels for t in templates])
    pixels = np.frombuffer(pictures.pictures(), np.uint8).reshape(-1, 64, 64, 3)
    (v,) = Image()(torch.from_numpy(pixels[:1].copy()))
    weights, cosine, share, length = ZeroShot()(texts.view(3, 2, -1), v)
    wanted = zero_shot_weights(clip(), labels, templates)
    assert torch.allclose(weights, wanted, atol=1e-6)
    assert torch.allclose(cosine, (v @ wanted.T)[0], atol=1e-6)
    assert torch.allclose(share, classify(v, wanted, clip().tau)[0], atol=1e-5)
    assert (length < 1).all()


def test_pictures_are_what_the_encoder_is_given():
    pixels = np.frombuffer(pictures.pictures(), np.uint8).reshape(-1, 64, 64, 3)
    (v,) = Image()(torch.from_numpy(pixels.copy()))
    wanted = clip().encode_image([pair.image for pair in pictures.chosen()])
    assert torch.allclose(v, wanted, atol=1e-5)


def test_bars_are_sorted_shares(demo):
    shown = bars(demo)
    agree(demo, asked("dog face", FIRST))
    assert [share for _, share, _ in shown] == sorted((s for _, s, _ in shown), reverse=True)
    assert first(demo)[1] > 0.8
    settled(demo, "The picture of “dog face”: “dog”")


def test_typed_labels_reorder_the_bars(demo):
    box(demo, "Labels").fill("pizza, wolf, cat\nsnail")
    settled(demo, "“wolf”")
    agree(demo, asked("dog face", ["pizza", "wolf", "cat", "snail"]))


def test_templates_are_averaged(demo):
    box(demo, "Templates").fill("{}\na picture of a {}\nno gap")
    settled(demo, "“no gap” is left out")
    agree(demo, asked("dog face", FIRST, ["{}", "a picture of a {}"]))
    rows = table(demo)
    assert len(rows) == 6
    assert all(0 < float(row[-1]) < 1 for row in rows)


def test_what_cannot_be_asked_is_said(demo):
    box(demo, "Labels").fill(", ".join("abcdefghij"))
    settled(demo, "Only the first 8 labels take part.")
    assert demo.locator(".cld-bar").count() == 8
    box(demo, "Labels").fill(" , ")
    settled(demo, "Give at least one label.")
    assert demo.locator(".cld-bar").count() == 0


def test_arrow_keys_choose_a_picture_and_bars_are_read(demo):
    demo.get_by_role("radio", name="dog face").focus()
    for _ in range(4):
        demo.page.keyboard.press("ArrowRight")
    settled(demo, "The picture of “rocket”: “rocket”")
    assert demo.get_by_role("radio", checked=True).get_attribute("aria-label") == "rocket"
    agree(demo, asked("rocket", FIRST))
    demo.locator(".cld-bar").nth(1).focus()
    settled(demo, "below that of “rocket”")


def test_a_drawing_is_classified(demo):
    demo.get_by_role("button", name="White paper").click()
    settled(demo, "Your drawing")
    white = bars(demo)
    v = clip().encode_pixels(torch.ones(1, 3, 64, 64))  # white, normalized
    cosines = (v @ zero_shot_weights(clip(), FIRST).T)[0]
    for label, _, cosine in white:
        assert cosine == pytest.approx(cosines[FIRST.index(label)].item(), abs=NEAR)

    board = demo.locator(".cld-board")
    board.scroll_into_view_if_needed()
    at = board.bounding_box()
    demo.page.mouse.move(at["x"] + 30, at["y"] + 30)
    demo.page.mouse.down()
    demo.page.mouse.move(at["x"] + 90, at["y"] + 90)
    demo.page.mouse.up()
    until(demo, lambda: bars(demo) != white)

    board.focus()
    said = demo.locator(".cld-read")

    def brush_moves():  # what the drawing is may be said once more after the first press
        demo.page.keyboard.press("ArrowRight")
        return re.search(r"Brush at \d+ from the left", said.inner_text())

    until(demo, brush_moves)
    drawn = bars(demo)
    demo.page.keyboard.press("Space")
    until(demo, lambda: bars(demo) != drawn)


def test_no_label_is_right(demo):
    reveal(demo, "no label is right")
    until(demo, lambda: first(demo)[0] == "violin")
    assert first(demo)[1] > 0.99
    box(demo, "Labels").fill("banana, violin, bus, penguin, crown, rocket")
    until(demo, lambda: first(demo)[0] == "rocket")


def test_a_fitting_template_loses_the_rocket(demo):
    demo.get_by_role("radio", name="rocket").click()
    until(demo, lambda: first(demo)[0] == "rocket")
    reveal(demo, "a fitting template")
    until(demo, lambda: {label for label, *_ in bars(demo)[:2]} == {"dog", "guitar"})
    assert max(cosine for *_, cosine in bars(demo)) < 0.1
    assert dict(row[:2] for row in bars(demo))["rocket"] < 0.1


def test_a_thing_never_seen_is_named(demo):
    captions = EmojiPairs("train").captions()
    assert not any("hedgehog" in caption for caption in captions)
    reveal(demo, "never seen, never read")
    until(demo, lambda: first(demo)[0] == "hedgehog" and first(demo)[1] > 0.8)
    box(demo, "Labels").fill("dog, cat, snowman, hedgehog, sunflower, pizza, squirrel")
    until(demo, lambda: first(demo)[0] == "squirrel")
