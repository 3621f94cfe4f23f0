"""The demo of weights: three readings of one prompt, against cliplab's own."""

import warnings

import pytest
from playwright.sync_api import expect

import cliplab

from .demos import table, write

TOOLS = {"Automatic1111": "a1111", "ComfyUI": "comfyui", "Compel": "compel"}
PROMPTS = [
    "a ((red:1.3) fox) in [fog]",
    "a red-- fox in fog+++",
    "(hearts:0) and (a dog)0.5, [[two]] apples",
]


def expected(prompt, syntax, method=None):
    """What cliplab makes of it: (tokens, weights, how far each row moves), by the miniature."""
    model, tok = cliplab.load_text_encoder("mini"), cliplab.load_clip("mini").tokenizer
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = cliplab.encode_prompt(prompt, tok, model, syntax, method)
    plain = model(made.ids[None]).context[0]
    return made, ((made.tensor - plain).norm(dim=-1) / plain.norm(dim=-1)).detach()


@pytest.fixture
def demo(live):
    return live("weights")


@pytest.mark.parametrize("prompt", PROMPTS)
def test_weights_and_moves_are_those_of_the_tools(demo, prompt):
    write(demo, "Your prompt", prompt)
    expect(demo.locator(".cld-read")).to_contain_text("row")
    for tool, syntax in TOOLS.items():
        made, moved = expected(prompt, syntax)
        shown = [row for row in table(demo) if row[0] == tool]
        assert len(shown) > 3
        for _, slot, token, weight, distance, _ in shown[:-1]:  # the last is padding
            assert float(weight) == pytest.approx(float(made.weights[int(slot)]), abs=1e-3)
            assert float(distance) == pytest.approx(float(moved[int(slot)]), abs=0.02)
            if token not in ("BOS", "EOS"):
                assert made.tokens[int(slot)].replace("</w>", "") == token


def test_no_norm_leaves_the_other_rows(demo):
    write(demo, "Your prompt", "a (red:1.5) fox in fog")
    expect(demo.locator(".cld-read")).to_contain_text("Automatic1111 changes 77 rows of 77")
    demo.get_by_label("No norm").check()
    expect(demo.locator(".cld-read")).to_contain_text("Automatic1111 changes 1 row of 77")
    demo.get_by_label("No norm").uncheck()


def test_compel_moves_the_word_and_all_after_it(demo):
    """The claim of the second example: rows before stay, and all others move."""
    write(demo, "Your prompt", "a red-- fox in fog")
    expect(demo.locator(".cld-read")).to_contain_text("Compel changes 75 rows of 77")
    compel = [row for row in table(demo) if row[0] == "Compel"]
    assert [row[2] for row in compel if float(row[4]) == 0] == ["BOS", "a"]


def test_an_open_bracket_is_read_by_one_tool_only(demo):
    write(demo, "Your prompt", "a (red fox in fog")
    expect(demo.locator(".cld-read")).to_have_text(
        "Automatic1111 changes 77 rows of 77; ComfyUI changes no row; Compel changes no row."
    )
    words = {tool: [row[2] for row in table(demo) if row[0] == tool] for tool in TOOLS}
    assert "(" not in words["Automatic1111"]
    assert "(" in words["ComfyUI"]
    assert "(" in words["Compel"]


def test_an_error_points_at_the_character(demo):
    """Compel refuses this; the other two read it."""
    prompt = '("a fox", "fog").blend(1)'
    with pytest.raises(cliplab.PromptError) as refused:
        cliplab.parse_prompt(prompt, "compel")
    write(demo, "Your prompt", prompt)
    expect(demo.locator(".cld-read")).to_contain_text("Compel cannot read this")
    said = demo.locator(".cld-tool").nth(2)
    expect(said).to_contain_text(str(refused.value).split("\n")[0])
    at = refused.value.position
    expect(said.locator("mark")).to_have_text(prompt[at : at + 1])


def test_the_reading_follows_the_arrow_keys(demo):
    write(demo, "Your prompt", "a fox")
    expect(demo.locator(".cld-read")).to_contain_text("ComfyUI changes no row")
    write(demo, "Your prompt", "a (red:1.5) fox")
    expect(demo.locator(".cld-read")).to_contain_text("ComfyUI changes 1 row")
    demo.locator(".cld-tools").focus()
    read = demo.locator(".cld-read")
    expect(read).to_contain_text("Automatic1111, row 0, “BOS”: no weight")
    for _ in range(2):
        demo.page.keyboard.press("ArrowRight")
    expect(read).to_contain_text("Automatic1111, row 2, “red”: weight 1.5; the row moves by")
    demo.page.keyboard.press("ArrowDown")
    expect(read).to_contain_text("ComfyUI, row 2, “red”: weight 1.5")
    demo.page.keyboard.press("End")
    expect(read).to_contain_text(
        "ComfyUI, row 5, “padding”: no weight; the row stays where it was."
    )


def test_the_reading_follows_the_mouse(demo):
    """Tools that cannot read the prompt have no card to point at."""
    write(demo, "Your prompt", '("a fox", "fog").blend(1)')
    expect(demo.locator(".cld-read")).to_contain_text("Compel cannot read this")
    demo.locator('[data-at="1 0"]').hover()
    expect(demo.locator(".cld-read")).to_contain_text("ComfyUI, row 0, “BOS”: no weight")
    expect(demo.locator(".cld-here")).to_have_count(1)
    demo.locator(".cld-tools").focus()
    demo.page.keyboard.press("ArrowDown")
    expect(demo.locator(".cld-read")).to_contain_text("ComfyUI, row 0")


def test_markup_in_a_prompt_stays_text(demo):
    write(demo, "Your prompt", "<b>a</b> (<img src=x onerror=alert(1)>:1.2)")
    expect(demo.locator(".cld-tools")).to_contain_text("alert")
    assert demo.locator(".cld-tools b", has_text="<").count() == 0
    assert demo.locator(".cld-tools img").count() == 0
