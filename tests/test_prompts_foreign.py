"""A prompt that visibly speaks another syntax: one warning, at its place, and the same answer."""

import time
import warnings

import pytest
import torch

import cliplab
from cliplab import PromptWarning, convert_prompt, encode_prompt, parse_prompt
from cliplab.prompts import TOOLS
from cliplab.text_encoder import CLIPTextConfig, CLIPTextModel
from cliplab.weighting import PromptEncoder


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    model = CLIPTextModel(CLIPTextConfig(49408, 77, 32, 2, 1, 32)).eval()
    torch.nn.init.normal_(model.final_layer_norm.bias, mean=0.3)
    return model


def said_of(prompt, syntax, tokenizer, model) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        encode_prompt(prompt, tokenizer, model, syntax=syntax)
    assert all(w.category is PromptWarning and w.filename == __file__ for w in caught)
    return [str(w.message) for w in caught if "it is words" in str(w.message)]


WORDS = [  # prompt, syntax, where the caret points, what is said, the syntax that it speaks
    ("a (cat:1.3) on a hill", "compel", 2, "(word:1.3) is a weight", "a1111"),
    ("x, (old photo, sepia : .85), y", "compel", 3, "(word:1.3) is a weight", "a1111"),
    ("a ((cat)) b", "compel", 2, "((word)) is a weight", "a1111"),
    ("a [cat] b", "compel", 2, "Square brackets", "a1111"),
    ("[cat|dog] b", "comfyui", 0, "Square brackets", "a1111"),
    ("a cat BREAK b", "compel", 6, "BREAK and AND part a prompt", "a1111"),
    ("a cat AND a dog", "comfyui", 6, "BREAK and AND part a prompt", "a1111"),
    ("cat <lora:ink:0.8>", "comfyui", 4, "<lora:…> loads a network", None),
    ("<hypernet:x:1> cat", "compel", 0, "<lora:…> loads a network", None),
    ("a (red)1.3 cat", "comfyui", 6, "(word)1.3 and (word)++ are weights", "compel"),
    ("a (red)--, cat", "a1111", 6, "(word)1.3 and (word)++ are weights", "compel"),
    ("a cat+++ b", "a1111", 2, "word++ is a weight", "compel"),
    ("a cat++, b", "comfyui", 2, "word++ is a weight", "compel"),
    ('("a", "b").blend(1, 2)', "a1111", 9, ".blend(…), .and(…) and .swap", "compel"),
    ("a cat.swap(dog)", "comfyui", 4, ".blend(…), .and(…) and .swap", "compel"),
    ("a embedding:easynegative", "comfyui", 2, "embedding:NAME is a learned word", None),
    ("embedding:bad-hands-5, a", "compel", 0, "embedding:NAME is a learned word", None),
    ("embedding:x.pt", "a1111", 0, "embedding:NAME is a learned word", None),
    ('a photo ("cat", "dog").blend(0.7, 0.3)', "compel", 21, "Compel reads .blend(…)", None),
    ('x ("a", "b") .and(1, 1)', "compel", 11, "Compel reads .blend(…)", None),
]


@pytest.mark.parametrize(("prompt", "syntax", "place", "words", "source"), WORDS)
def test_one_warning_at_its_place(prompt, syntax, place, words, source, tokenizer, model):
    (message,) = said_of(prompt, syntax, tokenizer, model)
    sentence, shown, caret = message.split("\n")
    assert sentence.startswith(words)
    assert shown == f"    {prompt}"
    assert caret == f"{' ' * (4 + place)}^"
    assert "convert_prompt" in sentence
    if source:
        assert f'convert_prompt(prompt, "{source}", "{syntax}")' in sentence


@pytest.mark.parametrize(
    ("prompt", "syntax"),
    [
        ("a (cat:1.3), ((b)) [c] (d)", "a1111"),
        ("a BREAK b", "a1111"),
        ("a (cat:1.3) ((b))", "comfyui"),
        ("cat++ (a b)1.3 ((c)0.8 d)1.1 e-", "compel"),
        ('("a cat", "a dog").blend(0.7, 0.3)', "compel"),
        ('("a", "b").and(1, 2)', "compel"),
        ("withLora(ink) cat.swap(dog)", "compel"),
        ("a C++ book, notepad++, 18+, A+, well-known", "comfyui"),
        ("a book (page 3) at 12:30, f(x)", "compel"),
        ("ROCK AND ROLL", "comfyui"),
        ("a ratio (16:9) of two", "compel"),
        (r"a \[cat\] and \(dog:1.3\)", "compel"),
        ("a < b, 3 > 2, <3", "comfyui"),
        ("an embedding: how it works", "comfyui"),
        ("(cat:1.3) [dog] cat++ BREAK", "plain"),
    ],
)
def test_no_warning_without_need(prompt, syntax, tokenizer, model):
    assert said_of(prompt, syntax, tokenizer, model) == []


def test_once_a_prompt_at_the_first_of_several(tokenizer, model):
    (message,) = said_of("a [b] and (c:1.2) BREAK (d:0.8) [e]", "compel", tokenizer, model)
    assert message.startswith("Square brackets")
    with pytest.warns(PromptWarning) as caught:
        PromptEncoder(tokenizer, model, "compel")(["a (b:1.2)", "plain words", "(c:1.3)"])
    assert len(caught) == 2


@pytest.mark.parametrize(
    ("prompt", "source", "target"),
    [
        ("a (cat:1.3) on a hill", "a1111", "compel"),
        ("a ((cat)) b", "a1111", "compel"),
        ("a (red)1.3 cat++", "compel", "comfyui"),
        ("a (red)1.3 cat++", "compel", "a1111"),
    ],
)
def test_what_is_advised_helps(prompt, source, target, tokenizer, model):
    assert said_of(prompt, target, tokenizer, model)
    converted = convert_prompt(prompt, source, target)
    assert said_of(converted, target, tokenizer, model) == []

    def words(fragments):
        return [(f.text.split(), pytest.approx(f.weight)) for f in fragments if f.text.strip()]

    assert words(parse_prompt(converted, target)) == words(parse_prompt(prompt, source))


@pytest.mark.parametrize("syntax", TOOLS)
def test_marks_have_names_and_linear_time(syntax):
    assert set(TOOLS[syntax].reads or ()) <= {
        name for tool in TOOLS.values() for name in tool.marks
    }
    pieces = ("(a", "[a", "(a:1", "1", " ", "<a:", ")", "+", "a+", "[ ", ") ", "A", "ing:")
    for piece in pieces:
        start = time.process_time()
        for mark in TOOLS[syntax].marks.values():
            mark.pattern.search(piece * 20_000)
            mark.pattern.search("(a:" + piece * 20_000)
        assert time.process_time() - start < 2, piece


def test_the_answer_is_the_tools(tokenizer, model):
    with pytest.warns(PromptWarning):
        made = encode_prompt("a (cat:1.3) b", tokenizer, model, syntax="compel")
    assert set(made.weights.tolist()) == {1.0}
    assert cliplab.convert_prompt("a (cat:1.3) b", "a1111", "compel") == "a (cat)1.3 b"
