"""Words that the miniature has not learned: said below a prompt, as Python says them."""

import json
import re
import warnings

import pytest
from playwright.sync_api import expect

import cliplab
from cliplab.demos.register import all_data
from cliplab.pipeline import beside, known_words
from cliplab.prompts import PromptWarning
from tools.serve import serving

from .conftest import ROOT

DEMOS = {"picture": "Your prompt", "journey": "Your prompt", "regions": "Prompt"}  # its field
LATER = {  # as a later miniature may know them
    "color": ["teal", "café-brown"],
    "thing": ["dog", "T-shirt", "naïve owl", "ΟΔΟΣ", "İglu", "7up"],
    "relation": ["in front of"],
    "other": ["a", "the"],
}
PROMPTS = [
    "",
    "   ",
    "a red circle",
    "a running dog",
    "RED Circles, a red CIRCLE!",
    "(running:1.3) dog, (running:0.5) dog",
    "a ((shiny)) [matte] (red:0) star",
    r"a star \(glowing\)",
    "red_ring red-ring ring's ring.star",
    "left of the right, lef tof",
    "a star BREAK a moon break",
    "2 stars, (2:1.1) ²½ ٣ 42nd 3.5",
    "a red\ncircle\tand\u3000cube",
    "🙂 ★ — … (!:1.2)",
    "naïve naive\u0308 NAÏVE owl",
    "ΟΔΟΣ οδος İglu iglu straße",
    "圆 круг T-shirts 7UP",
    "<|endoftext|> circle<|startoftext|>dog <|ENDOFTEXT|>",
    "a photograph of an astronaut riding a horse on the moon, highly detailed",
    "red circle, " * 30 + "zebra",
]
SENTENCES = {
    "a red circle on a white background": None,
    "": None,
    "running": "The miniature does not know “running”.",
    "a running dog": "The miniature knows “dog”, not “running”.",
    "a Running fox": "The miniature does not know “running” or “fox”.",
    "a (red:1.3) circle left of a big shiny fox": (
        "The miniature knows “red” and “circle”, not “big”, “shiny” or “fox”."
    ),
    "a star and a fox": "The miniature knows “star”, not “fox”.",
    "a large red star on a shiny ground": (
        "The miniature knows “large”, “red” and “star”, not “shiny” or “ground”."
    ),
    "a large red star above a small fox": "The miniature does not know “fox”.",
}
RUN = """async ([known, vocabulary, prompts]) => {
  const load = (file) => import(`/cliplab/demos/lib/${file}.js`);
  const { sortedWords, unknownSentence } = await load("known_words");
  const { createTokenizer } = await load("bpe");
  const { parsePrompt } = await load("prompts");
  const painter = { known, tokenizer: createTokenizer(vocabulary) };
  return prompts.map((prompt) => {
    const { fragments } = parsePrompt(prompt, "a1111");
    const { unknown } = sortedWords(painter, fragments);
    return [unknown, unknownSentence(painter, fragments) ?? null];
  });
}"""


@pytest.fixture(scope="module")
def pipe():
    return cliplab.load_pipeline("mini")


@pytest.fixture(scope="module")
def ask(new_context):
    """ask(known, prompts) -> of each its unknown words and its sentence, by the demos' modules."""
    vocabulary = json.loads(all_data()["sd_vocabulary"]())
    with serving(ROOT) as sources:
        page = new_context().new_page()
        page.goto(f"{sources}/cliplab/demos/lib/")
        yield lambda known, prompts: page.evaluate(RUN, [known, vocabulary, prompts])
        page.close()


def warned(pipe, prompt):
    """The words that `cliplab.generate` would name."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        context = cliplab.encode_prompt(prompt, pipe.tokenizer, pipe.text_encoder)
        beside.warn_of_unknown_words(pipe, prompt, context)
    said = [str(w.message) for w in caught if issubclass(w.category, PromptWarning)]
    names = [found[1] for one in said if (found := re.search("has not learned (.*?): what", one))]
    return re.findall('"(.*?)"', names[0]) if names else []


@pytest.mark.parametrize("of", ["now", "later"])
def test_a_page_and_python_know_the_same_words(of, pipe, ask, monkeypatch):
    known = known_words(pipe) if of == "now" else LATER
    monkeypatch.setattr(beside, "known_words", lambda _: known)
    expected = {prompt: warned(pipe, prompt) for prompt in PROMPTS}
    found = [unknown for unknown, _ in ask(known, PROMPTS)]
    assert dict(zip(PROMPTS, found, strict=True)) == expected
    assert sum(map(bool, expected.values())) >= 15
    assert "zebra" in expected[PROMPTS[-1]]  # beyond the first chunk, as Python has it


def test_the_words_on_the_page_are_those_of_the_folder(pipe):
    assert json.loads(all_data()["sd_words"]()) == known_words(pipe)


def test_the_sentence_names_what_is_unknown(pipe, ask):
    found = [sentence for _, sentence in ask(known_words(pipe), [*SENTENCES])]
    assert dict(zip(SENTENCES, found, strict=True)) == SENTENCES


@pytest.mark.parametrize("name", DEMOS)
def test_the_line_comes_and_goes_with_the_word(name, live):
    demo = live(name)
    field = demo.get_by_role("textbox", name=DEMOS[name])
    notes = demo.locator(".cld-notes")
    expect(notes).to_be_empty()
    field.fill("a running star")
    expect(notes).to_have_text("The miniature knows “star”, not “running”.")
    field.press_sequentially("s")
    expect(notes).to_have_text("The miniature does not know “running” or “stars”.")
    field.fill("a <b>fox</b>")
    expect(notes).to_have_text("The miniature does not know “b” or “fox”.")
    field.fill("a red star")
    expect(notes).to_be_empty()
    if name == "regions":  # which reads no weights
        return
    field.fill("a (fox:1.2.3) star")
    expect(notes).to_have_text("a (fox:1.2.3) star")  # with the place where it cannot be read
    field.fill("a (running:1.3) star")
    expect(notes).to_have_text("The miniature knows “star”, not “running”.")


@pytest.mark.wcag("2.1.1")
@pytest.mark.parametrize("name", DEMOS)
def test_the_known_words_are_at_hand(name, live, pipe):
    demo = live(name)
    view = demo.locator(".cld-known")
    expect(view.locator("dl")).to_be_hidden()
    assert view.bounding_box()["height"] < 30
    demo.get_by_text("Words that the miniature knows").press("Enter")
    expect(view.locator("dl")).to_be_visible()
    kinds, words = (view.locator(tag).all_text_contents() for tag in ("dt", "dd"))
    shown = {kind: line.split(", ") for kind, line in zip(kinds, words, strict=True)}
    assert shown == known_words(pipe)
    demo.get_by_text("Words that the miniature knows").press("Enter")
    expect(view.locator("dl")).to_be_hidden()
