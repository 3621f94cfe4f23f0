r"""stable-diffusion.cpp: its parser's answers, its chunks, its weights, and conversions."""

import json
import math
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from cliplab import PromptWarning, convert_prompt, encode_prompt, parse_prompt
from cliplab.prompts import PromptError
from cliplab.text_encoder import CLIPTextConfig, CLIPTextModel

CASES = json.loads((Path(__file__).parent / "data/sdcpp_parse.json").read_text("utf-8"))["cases"]


def read(prompt):
    return [(f.text, f.weight) for f in parse_prompt(prompt, "sdcpp")]


@pytest.mark.parametrize(("prompt", "parsed"), CASES)
def test_it_reads_as_the_tool(prompt, parsed):
    if parsed is None:
        with pytest.raises(PromptError, match="stops at it"):
            parse_prompt(prompt, "sdcpp")
    else:
        assert read(prompt) == [(text, float(np.float32(weight))) for text, weight in parsed]


def test_weights_are_floats_of_32_bits():
    assert read("(a:1.3)") == [("a", 1.2999999523162842)]
    assert read("(a:340282350000000000000000000000000000000)")[0][1] < math.inf
    assert read("(((a:99999999999999999999)b:99999999999999999999)c:2)")[0][1] == math.inf
    for number in ("340282360000000000000000000000000000000", "0." + "0" * 39 + "1", "." * 3):
        with pytest.raises(PromptError, match="stops at it") as caught:
            parse_prompt(f"(a:{number})", "sdcpp")
        assert caught.value.position == 3
    with pytest.raises(PromptError, match="stops at it"):
        parse_prompt("(a:0." + "0" * 400 + "1)", "sdcpp")


@pytest.mark.parametrize(
    ("prompt", "at", "says"),
    [
        ("a:1.2) b", 1, "leaves this out"),
        (r"\(cat\)", 5, "keeps this backslash"),
        (r"a \\ b", 2, "keeps this backslash"),
        ("(a: 1.3)", 2, "for text"),
        ("(a:1,2)", 2, "for text"),
        ("(a:1.2.3)", 3, "takes 1.2.3 for 1.2 and drops"),
        ("(a", 0, "not closed"),
        ("[a", 0, "not closed"),
        ("a) b", 1, "closes nothing"),
        ("DAYBREAK b", 3, "end of this word"),
        ("(a BREAK b)", 3, "In brackets"),
        ("(a:1.2)(b:1.2)", 8, "one word"),
    ],
)
def test_strictly(prompt, at, says):
    parse_prompt(prompt, "sdcpp")
    with pytest.raises(PromptError, match=says) as caught:
        parse_prompt(prompt, "sdcpp", quirks=False)
    assert caught.value.position == at


@pytest.mark.parametrize(
    "prompt", [r"a \(b", "a (b:1.3), [c] BREAK d", "BREAKFAST at 12:30", "a: b"]
)
def test_what_is_plain_passes_strictly(prompt):
    assert parse_prompt(prompt, "sdcpp", quirks=False) == parse_prompt(prompt, "sdcpp")


# Encoded ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    model = CLIPTextModel(CLIPTextConfig(49408, 77, 32, 2, 1, 32)).eval()
    torch.nn.init.normal_(model.final_layer_norm.bias, mean=0.3)
    return model


def test_rows_are_scaled_and_the_mean_of_each_chunk_restored(tokenizer, model):
    made = encode_prompt("a (cat:1.3) BREAK [dog]", tokenizer, model, "sdcpp")
    plain = encode_prompt("a cat BREAK dog", tokenizer, model, "sdcpp")
    assert made.tensor.shape == (154, 32)
    for rows in (slice(0, 77), slice(77, 154)):  # apply_token_weights, by hand
        H, w = plain.tensor[rows], made.weights[rows].float()
        Z = H * w[:, None]
        torch.testing.assert_close(made.tensor[rows], Z * (H.mean() / Z.mean()))
    assert sorted({round(w, 6) for w in made.weights.tolist()}) == [0.909091, 1, 1.3]


@pytest.mark.parametrize(
    ("prompt", "chunks"),
    [
        ("", 1),
        ("a", 1),
        ("BREAK a", 1),
        ("a BREAK", 1),
        ("a BREAK b", 2),
        ("a BREAK BREAK b", 2),
        ("DAYBREAK b", 2),
        ("(a BREAK b:1.2)", 1),
        ("a " * 75 + "BREAK b", 2),
        ("a " * 76 + "BREAK b", 3),
        ("a " * 76, 2),
    ],
)
def test_chunks(prompt, chunks, tokenizer, model):
    assert len(encode_prompt(prompt, tokenizer, model, "sdcpp").tensor) == 77 * chunks


@pytest.mark.parametrize(
    ("prompt", "says"),
    [
        ("a cat AND a dog", "AND parts a prompt for Automatic1111"),
        ("a [cat:dog:5]", "change from step to step"),
        ("a [cat|dog]", "change from step to step"),
        ("a cat++", "word.. is a weight for Compel"),
        ("a <lora:b:1>", "loads a network"),
    ],
)
def test_what_is_anothers_is_pointed_at(prompt, says, tokenizer, model):
    with pytest.warns(PromptWarning, match=says):
        encode_prompt(prompt, tokenizer, model, "sdcpp")


def test_nothing_is_said_of_its_own(tokenizer, model):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        encode_prompt("a (cat:1.3) ((b)) [c] BREAK d", tokenizer, model, "sdcpp")


# Conversions --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prompt", "source", "target", "expected"),
    [
        ("a (red:1.3) cat, ((b))", "a1111", "sdcpp", "a (red:1.3) cat, (b:1.21)"),
        ("((a:1.3) b:1.2)", "sdcpp", "comfyui", "(a:1.56)( b:1.2)"),
        ("a BREAK b", "sdcpp", "compel", '("a", "b").and()'),
        ("BREAK a BREAK BREAK (b:1.2)", "sdcpp", "a1111", "a BREAK (b:1.2)"),
        (r"\(cat\)", "a1111", "sdcpp", r"\(cat)"),
        ("DAYBREAK", "plain", "sdcpp", "DAYbreak"),
        ("a:1.2) c", "plain", "sdcpp", "a: 1.2) c"),
    ],
)
def test_conversions(prompt, source, target, expected):
    assert convert_prompt(prompt, source, target) == expected


@pytest.mark.parametrize(
    ("prompt", "source", "at", "says"),
    [
        ("a [b]", "plain", 0, "is its only escape"),
        (r"(a\):1.2)", "a1111", 1, "is its only escape"),
        ("a (b:1e39)", "comfyui", 3, "floats of 32 bits"),
        ("a (b:nan)", "comfyui", 3, "floats of 32 bits"),
    ],
)
@pytest.mark.filterwarnings("ignore::cliplab.prompts.PromptWarning")
def test_what_cannot_be_said_is_refused(prompt, source, at, says):
    with pytest.raises(PromptError, match=says) as caught:
        convert_prompt(prompt, source, "sdcpp")
    assert caught.value.position == at
