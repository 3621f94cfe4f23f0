"""The softmax that plays: it moves when asked, stops when asked, and is torch's at every stop."""

import math

import pytest
import torch
from playwright.sync_api import expect

from cliplab import plots

COSINES = torch.tensor([[0.5, 0.4, -0.1], [0.2, 0.1, 0.3]])
NAMES, TAUS = ["pizza", "pie", "rocket"], [1, 0.3, 0.07, 0.01]
WIDTHS = """() => [...document.querySelectorAll(".clt-r s")].map(
  bar => bar.getBoundingClientRect().width / bar.parentElement.clientWidth)"""
S = "() => +getComputedStyle(document.querySelector('.clt')).getPropertyValue('--clt-s')"
MOVING = "() => document.getAnimations().filter(one => one.playState === 'running').length"
TWO_FRAMES = "() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))"


@pytest.fixture
def shown(new_page):
    """shown(motion) -> a page of a telephone's width with the figure alone, without JavaScript."""

    def shown(motion="no-preference", width=390):
        page = new_page(viewport={"width": width, "height": 800}, reduced_motion=motion)
        figure = plots.softmax_by_temperature(COSINES, ["pizza", "rocket"], NAMES, TAUS, 0.07)
        page.set_content(f"<!doctype html><body style='margin:0 24px'>{figure.html()}")
        return page

    return shown


def at_rest(page):
    page.wait_for_function(f"() => ({MOVING})() === 0")


def wanted(s):
    return (COSINES * math.exp(s)).softmax(dim=1).flatten().tolist()


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_every_stop_is_torchs_softmax(shown, motion):
    page = shown(motion)
    assert page.evaluate(MOVING) == 0
    for tau in [0.07, *TAUS]:
        page.get_by_role("radio", name=f"{tau:g}", exact=True).check()
        at_rest(page)
        assert page.evaluate(S) == pytest.approx(-math.log(tau), abs=1e-3)
        assert page.evaluate(WIDTHS) == pytest.approx(wanted(-math.log(tau)), abs=0.006)


@pytest.mark.wcag("2.2.2")
def test_it_plays_pauses_and_goes_on(shown):
    page = shown()
    page.get_by_role("radio", name="Play").check()
    page.wait_for_function(f"() => ({S})() > 0.3 && ({S})() < 2")
    page.get_by_role("radio", name="Pause").check()
    assert page.evaluate(MOVING) == 0
    page.evaluate(TWO_FRAMES)  # it stands still from the next one on
    held = page.evaluate(S)
    assert page.evaluate(WIDTHS) == pytest.approx(wanted(held), abs=0.006)
    page.wait_for_timeout(400)
    assert page.evaluate(S) == pytest.approx(held, abs=1e-3)  # playing, it would move by 0.1
    page.get_by_role("radio", name="Play").check()
    page.wait_for_function(f"() => ({S})() > {held} + 0.1")  # it goes on from there


@pytest.mark.wcag("2.1.1")
def test_arrow_keys_go_from_one_to_the_next(shown):
    page = shown("reduce")
    page.get_by_role("radio", name="0.07").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name="0.01")).to_be_checked()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("radio", name="0.07")).to_be_checked()


@pytest.mark.wcag("2.2.2")
def test_who_wants_less_motion_is_offered_none(shown):
    page = shown("reduce")
    expect(page.get_by_role("radio")).to_have_count(len(TAUS))
    expect(page.get_by_text("Play")).to_be_hidden()
    page.get_by_role("radio", name="0.01").check()
    assert page.evaluate(MOVING) == 0


@pytest.mark.wcag("1.4.10")
def test_it_fits_a_telephone(shown):
    page = shown(width=320)
    assert page.evaluate("document.documentElement.scrollWidth") == 320
