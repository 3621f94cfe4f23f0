r"""ComfyUI's page: what it sends, what to type so that it sends a prompt, and who is told of it."""

import json
import re
import time
import warnings
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import cliplab
from cliplab import PromptWarning, convert_prompt, encode_prompt, parse_prompt
from cliplab.prompts import SYNTAXES, TOOLS
from cliplab.prompts.comfyui import page, typed
from cliplab.prompts.comfyui.tool import rewritten
from cliplab.text_encoder import CLIPTextConfig, CLIPTextModel

CASES = json.loads((Path(__file__).parent / "data/comfy_page.json").read_text("utf-8"))["cases"]
PIECES = [*"{}|\\/*ab \n:()", "//", "/*", "*/", "{a|b}", r"\{", "(a:1.2)", "é", "http://x.org"]
PROMPT = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)
SEED = st.integers(0, 99)


def ends_alone(prompt):
    """Whether it ends in an odd number of backslashes."""
    return len(re.search(r"\\*\Z", prompt)[0]) % 2 == 1


def test_the_page_sends_what_the_program_sends():
    wrong = [(prompt, page(prompt, seed), sent) for prompt, seed, sent in CASES]
    assert [one for one in wrong if one[1] != one[2]] == []
    assert sum(prompt != sent for prompt, _, sent in CASES) > 150


@pytest.mark.parametrize(
    ("prompt", "sent"),
    [
        ("{cat}", "cat"),
        ("{}", ""),
        ("see http://x.org\nb", "see http:\nb"),
        ("a /* b\nc */d", "a d"),
        ("/* open // line\nb", "/* open \nb"),
        (r"\{a|b\} c\|d", "{a|b} c|d"),
        (r"\(a\) \\", r"\(a\) \\"),
        ("a } b | c", "a } b | c"),
        ("a cat \\", r"a cat \undefined"),
        (r"\//", "\\undefined"),
        (r"{\\\|}", r"\|"),
        ('{"a": [1]}', '"a": [1]'),
        ("", ""),
    ],
)
def test_by_hand(prompt, sent):
    assert {page(prompt, seed) for seed in range(5)} == {sent}


def test_options_are_equally_likely():
    drawn = Counter(page("{a|b|{c|d}}", seed) for seed in range(3000))
    assert drawn.keys() == {*"abcd"}
    for option, share in {"a": 1 / 3, "b": 1 / 3, "c": 1 / 6, "d": 1 / 6}.items():
        assert drawn[option] / 3000 == pytest.approx(share, abs=0.03)
    assert page("{a|b}") == page("{a|b}", seed=0)


@example(r"\{ \\{ \\\{ /// /* \\", 0)
@example("a\\", 0)
@given(PROMPT | st.text(max_size=20), SEED)
def test_what_is_typed_is_what_is_sent(prompt, seed):
    assert page(typed(prompt), seed) == prompt + " " * ends_alone(prompt)


@given(PROMPT | st.text(max_size=20), SEED)
def test_a_mark_stands_where_the_page_rewrites_and_nowhere_else(prompt, seed):
    found = [mark for mark in rewritten(prompt) if mark.pattern.search(prompt)]
    assert bool(found) == (page(prompt, seed) != prompt)
    place = min((mark.pattern.search(prompt).start() for mark in found), default=len(prompt))
    assert page(prompt, seed)[:place] == prompt[:place]


@pytest.mark.parametrize(
    "piece", ["/*", "//", "/", "{", "{a|", "}", "|", "\\", r"\{", "/*/", "a\n"]
)
def test_any_length(piece):
    start = time.process_time()
    for prompt in (piece * 20_000, "{" + piece * 20_000):
        page(prompt)
        page(typed(prompt))
        for mark in rewritten(prompt):
            mark.pattern.search(prompt)
    assert time.process_time() - start < 3


def test_what_is_no_prompt_is_refused():
    with pytest.raises(TypeError, match="A prompt is a str; this is list"):
        page(["a"])


# Who is told --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def model():
    return CLIPTextModel(CLIPTextConfig(49408, 77, 32, 2, 1, 32)).eval()


@pytest.mark.parametrize(
    ("prompt", "place", "says"),
    [
        ("a {red|blue} cat", 2, "draws one of the options"),
        ('{"a": 1}', 0, "draws one of the options"),
        ("see http://x.org {a}", 9, "takes out // and the rest"),
        ("a /* b */ c", 2, r"takes out /\* and what follows"),
        (r"a \| b // c", 2, "takes out this backslash"),
        ("a cat \\", 6, "writes .undefined. after"),
    ],
)
def test_a_prompt_that_the_page_would_rewrite_is_pointed_at(prompt, place, says, tokenizer, model):
    caret = " " * (4 + place) + r"\^$"
    with pytest.warns(PromptWarning, match=rf"(?s)^ComfyUI's page {says}.*\n{caret}") as caught:
        made = encode_prompt(prompt, tokenizer, model, "comfyui")
    assert len(caught) == 1
    assert made.ids.tolist() == encode_prompt(prompt, tokenizer, model, "plain").ids.tolist()
    with pytest.warns(PromptWarning, match=rf"(?s){says}.*as the server reads it.*\n{caret}"):
        convert_prompt(prompt, "comfyui", "plain")


@pytest.mark.parametrize("prompt", ["a } b | c", "a / b * c", "/* open", r"\(a\) \\"])
def test_nothing_is_said_of_what_the_page_sends_as_it_stands(prompt, tokenizer, model):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        encode_prompt(prompt, tokenizer, model, "comfyui")
        convert_prompt(prompt, "comfyui", "plain")


@pytest.mark.parametrize("syntax", ["a1111", "compel"])
def test_other_tools_point_at_a_choice(syntax, tokenizer, model):
    with pytest.warns(PromptWarning, match=r"(?s)\{a\|b\} is a choice.*\n {6}\^$"):
        encode_prompt("a {red|blue} cat", tokenizer, model, syntax)


# Conversions --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prompt", "source", "expected"),
    [
        ("a {red|blue} cat", "a1111", r"a \{red|blue} cat"),
        ("(see http://x.org:1.2)", "a1111", "(see http:/{}/x.org:1.2)"),
        ("a /* b */", "compel", "a /{}* b */"),
        ('{"a": 1}', "plain", r'\{"a": 1}'),
        (r"\| (", "plain", r"\\| \("),
        (r"\{", "plain", r"\\{\{}"),
        ("a \\", "plain", "a \\ "),
    ],
)
def test_conversions_guard_what_the_page_would_rewrite(prompt, source, expected):
    assert convert_prompt(prompt, source, "comfyui") == expected


@pytest.mark.filterwarnings("ignore::cliplab.prompts.PromptWarning")
@given(PROMPT, st.sampled_from([s for s in SYNTAXES if s != "comfyui"]), SEED)
def test_conversions_keep_their_tokens_through_the_page(prompt, source, seed):
    content = cliplab.CLIPTokenizer().content
    try:
        blocks = TOOLS[source].blocks(prompt)
        sent = page(convert_prompt(prompt, source, "comfyui"), seed)
    except cliplab.prompts.PromptError:
        return
    fragments = [f for _, block in blocks for f in block]
    wanted = [(i, pytest.approx(f.weight)) for f in fragments for i in content(f.text)]
    read = parse_prompt(sent, "comfyui")
    assert [(i, f.weight) for f in read for i in content(f.text)] == wanted
