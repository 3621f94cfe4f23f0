"""The demo of similarity and temperature against what cliplab says of the same captions."""

import functools
import math
import re

import pytest
import torch

import cliplab
from cliplab.demos.data import pictures
from cliplab.demos.similarity import Live

from .demos import reveal, settled, table, until

NEAR = 0.06  # of a cosine: the page's weights have 8 bits
SIX = Live().captions
START = "Caption 4, “tomato” · picture 4 (tomato), a pair"


@functools.cache
def clip():
    return cliplab.load_clip("mini").requires_grad_(False)


@functools.cache
def images():
    return clip().encode_image([pair.image for pair in pictures.chosen()[:6]])


def cosines(captions):
    return clip().encode_text(list(captions)) @ images().T


def loss(captions, tau):
    return cliplab.clip_loss(clip().encode_text(list(captions)), images(), tau).item()


def numbers(demo):
    """The matrix as shown, [6, 6]: rows are captions."""
    texts = demo.locator(".cld-cell").all_text_contents()
    return torch.tensor([float(text.replace("−", "-")) for text in texts]).view(6, 6)


def shown_loss(demo):
    return float(re.search(r"Loss ([\d.]+)", demo.inner_text())[1])


@pytest.fixture
def demo(live):
    demo = live("similarity")
    demo.locator(".cld-cell").nth(21).hover()
    settled(demo, START)
    return demo


def test_the_trained_temperature_is_the_models():
    assert Live().temperature == pytest.approx(clip().tau.item(), abs=5e-5)
    assert [pair.caption for pair in pictures.chosen()[:6]] == SIX


def test_cells_hold_cosines_and_both_softmaxes(demo):
    demo.get_by_role("button", name="cosines").click()
    until(demo, lambda: (numbers(demo) - cosines(SIX)).abs().max() < NEAR)
    S = cosines(SIX) / clip().tau
    for name, dim in (("rows: which picture?", 1), ("columns: which caption?", 0)):
        demo.get_by_role("button", name=name).click()
        until(demo, lambda dim=dim: (numbers(demo) - S.softmax(dim)).abs().max() < 0.1)
    assert (S.softmax(1) - S.softmax(0)).abs().max() > 0.3  # so one is not taken for the other


def test_a_typed_caption_is_encoded(demo):
    demo.get_by_role("button", name="cosines").click()
    demo.get_by_label("Caption 4", exact=True).fill("tomato vegetable")
    settled(demo, "“tomato vegetable”")
    wanted = cosines([*SIX[:3], "tomato vegetable", *SIX[4:]])
    assert (numbers(demo) - wanted).abs().max() < NEAR


def test_arrow_keys_walk_and_the_read_out_follows(demo):
    demo.locator(".cld-cell").nth(21).focus()
    demo.page.keyboard.press("ArrowUp")
    settled(demo, "Caption 3, “red apple” · picture 4 (tomato): cosine")
    said = demo.locator(".cld-read").inner_text()
    assert abs(float(re.search(r"cosine ([\d.]+)", said)[1]) - cosines(SIX)[2, 3]) < NEAR
    demo.page.keyboard.press("Home")
    settled(demo, "Caption 3, “red apple” · picture 1 (dog face)")
    assert demo.locator(".cld-cell[tabindex='0']").count() == 1


def test_the_read_out_is_never_stale(demo):
    before = demo.locator(".cld-read").inner_text()
    demo.get_by_role("slider").focus()
    demo.page.keyboard.press("ArrowLeft")
    until(demo, lambda: demo.locator(".cld-read").inner_text() != before)
    settled(demo, START)


def test_a_swapped_caption_makes_the_loss_jump(demo):
    assert shown_loss(demo) == pytest.approx(loss(SIX, clip().tau), abs=0.15)
    demo.get_by_role("button", name="Swap captions 5 and 6").focus()
    demo.page.keyboard.press("Enter")
    until(demo, lambda: shown_loss(demo) > math.log(6))
    assert demo.get_by_label("Caption 5", exact=True).input_value() == "airplane"


def test_colder_raises_the_loss(demo):
    colder, trained, best = (loss(SIX, tau) for tau in (0.01, 0.0194, 0.025))
    assert colder / trained == pytest.approx(1.4, abs=0.05)
    assert best < min(trained, loss(SIX, 0.035))
    warm = shown_loss(demo)
    reveal(demo, "colder")
    until(demo, lambda: 1.25 < shown_loss(demo) / warm < 1.55)
    assert demo.locator(".cld-cell.cld-wrong").count() == 1  # the tomato, taken for a red apple


def test_a_swap_is_worse_than_a_guess(demo):
    reveal(demo, "a swap")
    until(demo, lambda: 7 < shown_loss(demo) < 9)
    pairs = [float(text) for text in demo.locator(".cld-number.cld-cost").all_text_contents()]
    assert min(pairs[0], pairs[4]) > 20


def test_no_temperature_brings_twice_the_same_below_ln_2(demo):
    reveal(demo, "each caption twice")
    until(demo, lambda: math.log(2) < shown_loss(demo) < 0.85)
    assert numbers(demo).diagonal().max() <= 0.5
    demo.get_by_role("slider").focus()
    for key in ("PageUp", "PageUp", "PageDown", "PageDown", "PageDown"):
        before = shown_loss(demo)
        demo.page.keyboard.press(key)
        until(demo, lambda before=before: shown_loss(demo) != before)
        assert shown_loss(demo) > math.log(2)


def test_the_table_has_every_pair(demo):
    rows = table(demo)
    assert len(rows) == 36
    caption, picture, cosine, *_ = rows[7]
    assert (caption, picture) == ("wolf", "2: wolf")
    assert abs(float(cosine) - cosines(SIX)[1, 1]) < NEAR
