"""The demo of the encoder against the encoder itself."""

import functools
import re

import pytest
import torch
from playwright.sync_api import expect

import cliplab
from cliplab.demos.encoder import Live

from .demos import reveal, settled, table, write

PROMPT, OTHER = Live().prompt, Live().other
NEAR = {"moved": 3, "score": 0.3, "weight": 0.05}  # the page's weights have 8 bits
COLUMNS = ["slot", "token", "changed to", "moved, % of its length", "score S", "weight"]


@functools.cache
def traced(*prompts):
    """These prompts, padded to 77 slots, through the encoder under the causal mask."""
    clip = cliplab.load_clip("mini").requires_grad_(False)
    ids = cliplab.length_normalization(clip.tokenizer(list(prompts)))
    return clip.text_model(ids, trace=True)


def attention(layer, head, name, *prompts):
    """What the trace has of the first prompt under this name: [L, L]."""
    return traced(*prompts).trace[f"encoder.layers.{layer - 1}.self_attn.{name}"][0, head]


def moved(layer, *prompts):
    """How far each row lies from that of the first prompt, in % of its length: [L]."""
    one, two = traced(*prompts).hidden_states[layer]
    return 100 * (two - one).norm(dim=-1) / one.norm(dim=-1)


def column(demo, name):
    """A column of the table view, as numbers where it holds numbers."""
    shown = [row[COLUMNS.index(name)] for row in table(demo)]
    if name in COLUMNS[1:3]:
        return shown
    return torch.tensor([float(x.replace("−∞", "-inf").replace("−", "-")) for x in shown])


def near(shown, wanted, what):
    return torch.allclose(shown, wanted[: len(shown)], rtol=0, atol=NEAR[what])


@pytest.fixture
def demo(live):
    return live("encoder")


def test_the_numbers_of_a_row_are_the_encoders(demo):
    settled(demo, "8 of 10 rows moved. In head 1 of layer 1, EOS looks most at “red” (slot 2)")
    S, A = (attention(1, 1, name, PROMPT)[9] for name in ("S", "weights"))
    assert near(column(demo, "score S"), S, "score")
    assert near(column(demo, "weight"), A, "weight")
    formula = demo.locator(".cld-enc-formula")
    expect(formula).to_contain_text("S9,2 = q9 · k2 / √32")
    (*_, product, root, score), (*_, share, total, weight) = (
        map(float, re.findall(r"\d+\.\d+", line)) for line in formula.locator("p").all_inner_texts()
    )
    assert product / root == pytest.approx(score, abs=0.01)
    assert share / total == pytest.approx(weight, abs=0.01)
    assert weight == pytest.approx(A[2].item(), abs=NEAR["weight"])


def test_a_changed_word_moves_what_comes_after_it(demo):
    write(demo, "Change a word", "a red fox beside a green boat")
    settled(demo, "3 of 10 rows moved")
    wanted = moved(1, PROMPT, "a red fox beside a green boat")
    shown = column(demo, "moved, % of its length")
    assert shown[:7].tolist() == [0] * 7
    assert (shown[7:] > 0).all()
    assert near(shown, wanted, "moved")
    assert column(demo, "changed to") == [""] * 7 + ["green", "", ""]


def test_what_is_typed_is_cut_into_the_miniatures_tokens(demo):
    write(demo, "Prompt", "two <b>red</b> hearts")
    settled(demo, "“>” (slot 9) looks most at “<” (slot 2)")
    tokens = cliplab.load_clip("mini").tokenizer.tokens("two <b>red</b> hearts")
    words = [token.removesuffix("</w>") for token in tokens[1:-1]]
    assert column(demo, "token") == ["BOS", *words, "EOS"]
    assert demo.locator("b", has_text=re.compile("^red$")).count() == 0  # "Predict" is bold, too


def test_keys_go_through_layers_rows_and_cells(demo):
    tower = demo.get_by_role("application").first
    tower.focus()
    settled(demo, "After layer 1, EOS has moved by")
    for key in ("ArrowUp", "ArrowUp", "Home", "ArrowRight"):
        tower.press(key)
    settled(demo, "After layer 3, “a” (slot 1) has not moved.")
    tower.press("End")
    settled(demo, "After layer 3, EOS has moved by")
    settled(demo, f"{column(demo, COLUMNS[3])[9]:.0f} % of its length.")
    field = demo.get_by_role("application").nth(1)
    field.focus()
    for key in ("ArrowUp", "End", "ArrowLeft", "ArrowLeft"):
        field.press(key)
    settled(demo, "“boat” (slot 8) looks at “blue” (slot 7): score")
    field.press("End")
    settled(demo, "“boat” (slot 8) may not look at EOS, which comes later: weight 0.")
    expect(demo.locator(".cld-enc-formula")).to_contain_text("the mask puts −∞ in its place")
    assert near(column(demo, "weight"), attention(3, 1, "weights", PROMPT)[8], "weight")
    field.blur()
    settled(demo, "of 10 rows moved. In head 1 of layer 3, “boat”")


def test_the_pointer_reads_and_a_click_chooses(demo):
    cell = demo.locator('[data-layer="2"][data-slot="3"]')
    cell.hover()
    settled(demo, "After layer 2, “fox” (slot 3) has moved by")
    cell.click()
    expect(demo.locator(".cld-enc-numbers")).to_contain_text("Head 1: where “fox” (slot 3) looks")
    demo.get_by_role("button", name="head 0").click()
    settled(demo, "In head 0 of layer 2, “fox” (slot 3) looks most at BOS")
    demo.locator(".cld-enc-softmax tbody tr").nth(2).hover()
    settled(demo, "“fox” (slot 3) looks at “red” (slot 2)")
    expect(demo.locator(".cld-enc-formula")).to_contain_text("S3,2")


def test_the_last_word_is_noticed_by_itself_and_EOS(demo):
    reveal(demo, "the last word")
    settled(demo, "After layer 4, 2 of 10 rows moved.")
    wanted = torch.stack([moved(n, PROMPT, "a red fox beside a blue star") for n in range(5)])
    assert (wanted[:, :8] == 0).all()
    assert (wanted[4, 8:] > 10).all()
    assert near(column(demo, COLUMNS[3]), wanted[4], "moved")


def test_the_first_word_is_noticed_everywhere_after_one_layer(demo):
    reveal(demo, "the first word")
    settled(demo, "After layer 1, 9 of 10 rows moved.")
    other = "the red fox beside a blue boat"
    assert moved(0, PROMPT, other)[:10].nonzero().flatten().tolist() == [1]
    wanted = moved(1, PROMPT, other)
    assert wanted[0] == 0
    assert (wanted[1:10] > 5).all()
    assert wanted[3] > wanted[2] + 10  # fox and red
    assert near(column(demo, COLUMNS[3]), wanted, "moved")
    tower = demo.get_by_role("application").first
    tower.press("ArrowDown")
    tower.blur()
    settled(demo, "After the embeddings, 1 of 10 rows moved. Each row is its token's embedding")
    expect(demo.locator(".cld-enc-attention")).to_be_hidden()


def test_four_cats_are_not_looked_at_alike(demo):
    reveal(demo, "four cats")
    settled(demo, "“cat” (slot 4) looks most at “cat” (slot 1), with weight 0.4")
    wanted = attention(1, 1, "weights", "cat cat cat cat")[4]
    assert wanted[1] == pytest.approx(0.44, abs=0.02)
    assert all(wanted[slot] == pytest.approx(1 / 6, abs=0.02) for slot in (2, 3, 4))
    rows = demo.locator(".cld-enc-softmax tbody tr").all_inner_texts()
    assert near(torch.tensor([float(row.split()[-1]) for row in rows]), wanted, "weight")


def test_long_and_empty_prompts_are_shown_as_far_as_they_can(demo):
    write(demo, "Prompt", "cat " * 50)
    expect(demo.locator(".cld-hint", has_text="The first 20 of 52 rows are shown.")).to_be_visible()
    write(demo, "Prompt", "🐕‍🦺" * 30)
    expect(demo.locator(".cld-hint", has_text="found no slot and are lost")).to_be_visible()
    write(demo, "Prompt", "")
    write(demo, "Change a word", "")
    settled(demo, "In head 1 of layer 1, EOS looks most at")
    assert column(demo, "token") == ["BOS", "EOS"]
