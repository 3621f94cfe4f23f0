"""The demo of byte-pair merges, against cliplab's tokenizer."""

import pytest
from playwright.sync_api import expect

import cliplab

from .demos import table, write

TEXTS = ["a lamplight glows", "an astronuat", "Café, 12 naïve 🐕‍🦺 dogs!", "<b>bold</b>"]


@pytest.fixture
def demo(live):
    return live("merges")


def tokens(demo):
    """(token, id) of every row of the table."""
    return [(cell[1], int(cell[2])) for cell in table(demo)]


@pytest.mark.parametrize("text", TEXTS)
def test_tokens_are_those_of_the_tokenizer(demo, text):
    write(demo, "Your text", text)
    tok = cliplab.CLIPTokenizer()
    ids = tok.content(text)
    expect(demo.locator(".cld-number")).to_contain_text(f"{len(ids)} token")
    assert tokens(demo) == list(zip(tok.tokens(text)[1:-1], ids, strict=True))


def test_the_ladder_is_that_of_the_word(demo):
    write(demo, "Your text", "a lamplight")
    demo.locator(".cld-word").nth(1).click()
    steps = cliplab.CLIPTokenizer().merge_steps("lamplight")
    rungs = demo.locator(".cld-ladder li")
    expect(rungs).to_have_count(len(steps) + 1)
    for rung, step in zip(rungs.all()[1:], steps, strict=True):
        assert rung.locator(".cld-piece").all_text_contents() == step.result
        expect(rung).to_contain_text(f"rank {step.rank:,}")


def test_the_ladder_is_climbed_by_keyboard(demo):
    write(demo, "Your text", "lamplight")
    demo.get_by_role("slider").focus()
    demo.page.keyboard.press("Home")
    expect(demo.locator(".cld-read")).to_contain_text("After 0 merges “lamplight” is 9 pieces")
    demo.page.keyboard.press("ArrowRight")
    expect(demo.locator(".cld-read")).to_contain_text("After 1 merge “lamplight” is 8 pieces")
    expect(demo.locator(".cld-ladder li")).to_have_count(2)


@pytest.mark.wcag("3.3.1")
def test_too_much_text_is_said(demo):
    write(demo, "Your text", "dog " * 80)
    expect(demo.locator(".cld-number")).to_have_text("80 tokens of 75; the last 5 would be cut off")


def test_no_text_is_said(demo):
    write(demo, "Your text", "")
    expect(demo.locator(".cld-read")).to_contain_text("An empty text has no tokens of its own")


def test_special_tokens_have_no_ladder(demo):
    write(demo, "Your text", "<|endoftext|>")
    expect(demo.locator(".cld-read")).to_contain_text("becomes 1 token")
    write(demo, "Your text", "<|ENDOFTEXT|>")  # special only once it is in lower case
    expect(demo.locator(".cld-read")).to_contain_text("becomes 6 tokens")


def test_a_letter_may_belong_to_two_words(demo):
    """İ becomes an i and a dot that stands alone; the ladder is that of the first word."""
    write(demo, "Your text", "tatlİ")
    tok = cliplab.CLIPTokenizer()
    steps = len(tok.merge_steps("tatli"))
    expect(demo.locator(".cld-read")).to_contain_text(f"{steps} merges led there.")


def test_the_examples_claim_what_is_so():
    tok = cliplab.CLIPTokenizer()
    assert tok.tokens("astronaut")[1:-1] == ["astronaut</w>"]
    assert tok.tokens("astronuat")[1:-1] == ["astron", "u", "at</w>"]
    assert len(tok.content("🐕‍🦺")) == 5
    assert len("🐕‍🦺".encode()) == 11
    word = "antidisestablishmentarianism"
    assert len(word) == 28
    assert tok.tokens(word)[1:-1] == ["anti", "dise", "stab", "lish", "ment", "arianism</w>"]


def test_an_answer_comes_at_once(demo):
    """Typing is answered before the next frame but one; benchmarks/ say in how many ms."""
    write(demo, "Your text", "a")
    frames = demo.evaluate("""demo => new Promise(done => {
      const field = demo.querySelector('textarea');
      let frames = 0;
      const count = () => { frames += 1; requestAnimationFrame(count); };
      requestAnimationFrame(count);
      new MutationObserver(() => done(frames))
        .observe(demo.querySelector('.cld-tokens'), { childList: true });
      field.value = 'another text that is typed';
      field.dispatchEvent(new Event('input'));
    })""")
    assert frames <= 2
