"""The demo "picture": text and chips stay in step, and what it paints is what cliplab paints."""

import json
import re
from importlib.resources import files

import numpy as np
import pytest
import torch
from playwright.sync_api import expect

import cliplab
from cliplab.demos.graphs.paint import STEPS
from cliplab.demos.picture import Live
from cliplab.training.data.scenes import PALETTE
from cliplab.weighting import from_empty, restore_mean

from .demos import table, until

FOLDER = files("cliplab") / "assets" / "sd-mini"


@pytest.fixture(scope="module")
def pipe():
    return cliplab.load_pipeline("mini")


@pytest.fixture
def demo(live):
    """The demo in its first state, both pictures painted."""
    demo = live("picture")
    painted(demo)
    return demo


def painted(demo):
    """Wait for the pictures; gives the sentence about them."""
    expect(demo.locator(".cld-pic-old")).to_have_count(0)
    expect(demo.locator(".cld-pic-stage input")).to_be_enabled()
    return demo.locator(".cld-read").text_content()


def prompt_of(demo):
    return demo.get_by_label("Your prompt").input_value()


def write(demo, prompt):
    demo.get_by_label("Your prompt").fill(prompt)


def pictures(demo):
    """Both canvases, [H, W, 3] each."""
    found = demo.locator("canvas").evaluate_all("""all => all.map((one) => [
      one.height, [...one.getContext('2d').getImageData(0, 0, one.width, one.height).data]])""")
    return [np.array(data).reshape(side, side, 4)[..., :3] for side, data in found]


def rows(demo):
    """The table's weights, pieces and rows of the context, word by word."""
    return [[float(w), pieces.split(" + "), int(row)] for _, w, pieces, row in table(demo)]


@pytest.mark.parametrize("prompt", [
    "a ((red:1.3) circle) on a [black] background", "two [kittens:0.5], (sun:1.2)flower \\(x\\)", ""
])  # fmt: skip
def test_words_weights_and_pieces_are_those_of_the_encoder(prompt, demo, pipe):
    write(demo, prompt)
    with pytest.warns() if "kittens" in prompt else torch.no_grad():
        context = cliplab.encode_prompt(prompt, pipe.tokenizer, pipe.text_encoder)
    expected, first = [], True
    for row, (token, weight, owner) in enumerate(
        zip(context.tokens, context.weights.tolist(), context.owner, strict=True)
    ):
        if owner is None:
            continue
        if first:
            expected.append([round(weight, 3), [], row])
        expected[-1][1].append(token.removesuffix("</w>"))
        first = token.endswith("</w>")
    until(demo, lambda: rows(demo) == expected)  # nothing need be painted for it


@pytest.mark.wcag("2.1.1", "2.5.3")
def test_buttons_sliders_and_arrow_keys_write_the_text(demo):
    write(demo, "a red circle")
    more = demo.get_by_role("button", name="More weight for red")
    for _ in range(3):
        more.press("Enter")
    assert prompt_of(demo) == "a (red:1.3) circle"
    slider = demo.get_by_role("slider", name="Weight of red")
    assert slider.input_value() == "1.3"
    slider.press("ArrowLeft")
    assert prompt_of(demo) == "a (red:1.2) circle"
    demo.get_by_role("slider", name="Weight of circle").fill("1.2")
    assert prompt_of(demo) == "a (red circle:1.2)"  # neighbors of one weight share a bracket
    slider.press("Home")
    assert prompt_of(demo) == "a (red:0) (circle:1.2)"
    expect(slider).to_be_focused()  # it was not taken away
    expect(demo.locator(".cld-read")).to_have_text(
        "“red” is one token, row 2 of 77. At weight 0 its row becomes the empty prompt's. "
        "Painting …"
    )


@pytest.mark.parametrize("prompt", [
    "a ((red:1.3) circle) on a [black] sheet", "(a \\(red\\) circle", "one BREAK (two:1.4) [three]"
])  # fmt: skip
def test_a_chip_changes_its_own_word_alone(prompt, demo):
    def weights(text):
        fragments = cliplab.parse_prompt(text, "a1111")
        return [(word, round(f.weight, 2)) for f in fragments for word in f.text.split()]

    write(demo, prompt)
    demo.get_by_role("slider", name="Weight of").first.fill("0.5")
    before, after = weights(prompt), weights(prompt_of(demo))
    assert after == [(before[0][0], 0.5), *before[1:]]


def test_it_paints_what_generate_paints(demo, pipe):
    """Both pictures, as they come with the page and as it paints them, with rounded weights."""
    state = Live().state
    for seed, method in ((state["seed"], state["method"]), (7, "restore_mean"), (7, "attention")):
        demo.get_by_label("Seed").fill(str(seed))
        demo.get_by_label("Method").select_option(method)
        said = painted(demo)
        plain = re.sub(r"\((\w+):[\d.]+\)", r"\1", state["prompt"])
        ours = [np.asarray(cliplab.generate(
            pipe, text, method=method, seed=seed, guidance=state["guidance"]
        ).images[0]).astype(int) for text in (plain, state["prompt"])]  # fmt: skip
        for shown, expected in zip(pictures(demo), ours, strict=True):
            assert (np.abs(shown - expected).max(axis=-1) > 16).mean() < 0.01
        changed = (np.abs(ours[0] - ours[1]).max(axis=-1) > 16).mean()
        percent = int(re.search(r"(\d+) % of the pixels changed", said)[1])
        assert percent == pytest.approx(100 * changed, abs=2)


def test_the_steps_lead_from_one_noise_to_two_pictures(demo):
    steps = demo.locator(".cld-pic-stage input")
    steps.press("Home")
    expect(demo.locator(".cld-read")).to_contain_text("0 % of the pixels changed, after step 0.")
    noise = pictures(demo)
    assert (noise[0] == noise[1]).all()
    steps.press("End")
    expect(demo.locator(".cld-read")).not_to_contain_text("after step")
    assert (pictures(demo)[0] != noise[0]).mean() > 0.5
    assert "Mean color: red" in demo.locator("canvas").nth(1).get_attribute("aria-label")


def test_the_latest_request_cancels_those_before(demo):
    first = painted(demo)
    another = demo.get_by_role("button", name="Another seed")
    for _ in range(3):
        another.click()
        demo.page.wait_for_timeout(500)  # long enough to begin, too short to end
    expect(demo.locator(".cld-pic-old")).not_to_have_count(0)
    expect(demo.locator(".cld-read")).to_have_text("Painting …")
    drawn = int(demo.get_attribute("data-drawn"))
    demo.get_by_label("Seed").fill(str(Live().seed))
    assert painted(demo) == first  # and it was kept
    assert int(demo.get_attribute("data-drawn")) > drawn


def test_without_weights_the_two_are_one(demo):
    demo.get_by_role("slider", name="Weight of red").fill("1")
    assert painted(demo).endswith("so both pictures are the same. Give a word another weight.")
    written, weighted = pictures(demo)
    assert (written == weighted).all()


@pytest.mark.wcag("3.3.1")
def test_what_cannot_be_read_is_said_at_its_character(demo):
    write(demo, "a (red:1.2.3) circle")
    expect(demo.locator(".cld-read")).to_contain_text("At character 8: '1.2.3' is no number")
    assert demo.locator(".cld-notes mark").text_content() == "1"
    expect(demo.locator(".cld-pic-old")).to_have_count(2)
    write(demo, "a (red:11) circle")
    expect(demo.locator(".cld-read")).to_contain_text("At character 4: This demo takes weights")
    write(demo, "a [red:blue:0.5] circle")
    expect(demo.locator(".cld-notes")).to_contain_text("a schedule in square brackets")


def test_the_presets_say_what_is_so(pipe):
    """What their answers claim, asked of the operators and of the study."""
    texts = ["", "a large red circle"]
    e, C = (cliplab.encode_prompt(t, pipe.tokenizer, pipe.text_encoder).tensor for t in texts)
    weighted = cliplab.encode_prompt("(a large red circle:1.5)", pipe.tokenizer, pipe.text_encoder)
    w = weighted.weights.float()
    assert (int((w != 1).sum()), int((w == 1).sum())) == (4, 73)
    factors = (restore_mean(C, w) / C).median(dim=-1).values
    torch.testing.assert_close(factors[1:5] / factors[0], torch.full((4,), 1.5))
    torch.testing.assert_close(factors[5:] / factors[0], torch.ones(72))

    at = from_empty(C, torch.full((77,), -1.0), e)
    torch.testing.assert_close(at - e, e - C)  # as far, on the other side

    # "At times even red", not always; and no thing of the training is gray.
    study = json.loads((FOLDER / "study.json").read_text(encoding="utf-8"))
    at_0 = study["effects"]["color"]["from_empty"]["present"][study["weights"].index(0)]
    assert 0 < at_0 < 0.7
    assert "gray" not in PALETTE


def test_it_starts_with_the_guidance_that_suits_the_model():
    best = json.loads((FOLDER / "generation.json").read_text(encoding="utf-8"))
    assert (Live().guidance, STEPS) == (best["guidance"], best["steps"])
