"""Prompt grammars: one door and its errors, ComfyUI's answers, the lecture's notation, any text."""

import json
import math
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cliplab.prompts import SYNTAXES, Fragment, PromptError, PromptWarning, comfyui, parse_prompt

COMFY = json.loads((Path(__file__).parent / "data" / "comfy_parse.json").read_text())["cases"]
GRAMMARS = [syntax for syntax in SYNTAXES if syntax != "plain"]
SYNTAX = st.sampled_from(SYNTAXES)
PIECES = [*'()[]:+-.,|<>{}=#é"\\', "++", "--", r"\(", r"\)", "1.2", "0.5", ":1.3", ":1.2)", ")0.8"]
PIECES += ["1e3", "inf", "-1", "cat", "dog", "日本", "😀", "BREAK", "AND", ".and()", ".blend(1,2)"]
PIECES += [
    ".swap(",
    "withLora(a,1)",
    "<lora:a:1>",
    "[a:b:0.5]",
    '("a","b")',
    " ",
    " ",
    "\n",
    "\u00a0",
]
PROMPT = st.one_of(
    st.text(max_size=40),
    st.text("()[]:+-.12a \\\"',|\n", max_size=40),
    st.lists(st.sampled_from(PIECES), max_size=16).map("".join),
)
quiet = pytest.mark.filterwarnings("ignore::cliplab.prompts.PromptWarning")


def read(prompt, syntax, quirks=True):
    return [(f.text, f.weight) for f in parse_prompt(prompt, syntax, quirks)]


# The door -----------------------------------------------------------------------------------------


def test_plain_is_one_fragment():
    prompt = "(a:1.2) [b] c++"
    assert parse_prompt(prompt, "plain") == [Fragment(prompt, 1.0, 0, len(prompt))]


def test_what_is_no_prompt_or_no_syntax_is_refused():
    with pytest.raises(TypeError, match="A prompt is a str; this is list"):
        parse_prompt(["a"])
    with pytest.raises(
        ValueError, match="a1111, comfyui, compel, sdcpp, lecture, plain; not 'sdxl'"
    ):
        parse_prompt("a", "sdxl")


def test_no_grammar_needs_torch():
    code = (
        "import sys; from cliplab.prompts import *\n"
        "for s in SYNTAXES: parse_prompt('a cat', s)\n"
        "print([m for m in ('torch', 'transformers', 'pyparsing', 'lark') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("prompt", "at"),
    [
        ("a) b", 1),
        ("a\n\tcat) b", 6),
        ("日本) b", 2),
        ("word " * 200 + ") end", 1000),
        (")" + " word" * 200, 0),
        ("word " * 200 + ")", 1000),
    ],
)
def test_the_caret_stands_under_its_character(prompt, at):
    with pytest.raises(PromptError) as caught:
        parse_prompt(prompt, "comfyui", quirks=False)
    assert (caught.value.prompt, caught.value.position) == (prompt, at)
    message, shown, caret = str(caught.value).split("\n")
    assert message.endswith(".")
    assert shown[caret.index("^")] == prompt[at] == ")"
    assert len(shown) < 90


# ComfyUI ------------------------------------------------------------------------------------------


@quiet
@pytest.mark.parametrize("case", COMFY, ids=lambda case: str(case["id"]))
def test_comfyui_reads_as_the_tool(case):
    found = parse_prompt(case["prompt"], "comfyui")
    assert [f.text for f in found] == [text for text, _ in case["parsed"]]
    for fragment, (_, weight) in zip(found, case["parsed"], strict=True):
        assert fragment.weight == pytest.approx(float(weight), rel=1e-12, abs=0, nan_ok=True)


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("", []),
        ("()", []),
        ("((a:1.3) b:1.2)", [("a", 1.3), (" b", 1.2)]),
        ("(((a)):2)", [("a", 2 * 1.1 * 1.1)]),
        ("(a:b:1.2)", [("a:b", 1.2)]),
        ("(:1.2)", [(":1.2", 1.1)]),
        ("(a: 1_5 )", [("a", 15.0)]),
        ("(a:１.５)", [("a", 1.5)]),
        (r"\(a\) (b\):1.2)", [("(a) ", 1.0), ("b)", 1.2)]),
        (r"\\(a\\)", [(r"\(a\)", 1.0)]),
        ("a) (b:1.3) c", [("a) (b:1.3) c", 1.0)]),
        ("(a:1.2))(b:1.3)", [("a", 1.2), (")(b:1.3)", 1.0)]),
        (")((b:1.3)", [(")(", 1.0), ("b", 1.3)]),
        ("(a", [("(a", 1.0)]),
        ("(a(b)", [("a", 1.1), ("(b", 1.1)]),
        ("((a)(b):1.2)", [("a", 1.2 * 1.1), ("b", 1.2 * 1.1)]),
        ("((a(b):1.2)", [("a", 1.2 * 1.1), ("(b", 1.2 * 1.1)]),
        ("[a] BREAK b AND c++", [("[a] BREAK b AND c++", 1.0)]),
        ("a\0\1 (b\0\2)", [("a) ", 1.0), ("b(", 1.1)]),
    ],
)
def test_comfyui_by_hand(prompt, expected):
    """Each as ComfyUI a125cd84b054 answered it."""
    found = read(prompt, "comfyui")
    assert [text for text, _ in found] == [text for text, _ in expected]
    assert [w for _, w in found] == pytest.approx([w for _, w in expected], rel=1e-12)


def test_comfyui_places():
    prompt = r"a (red\):1.3) ((cat))"
    places = [prompt[f.start : f.end] for f in parse_prompt(prompt, "comfyui")]
    assert places == ["a ", r"red\)", " ", "cat"]


@pytest.mark.parametrize(
    ("prompt", "at", "says"),
    [
        ("a) (b:1.2)", 1, "closes nothing"),
        ("(a (b)", 0, "never closed"),
        ("a ()", 2, "nothing in"),
        ("(:1.2)", 1, "nothing before it"),
        ("(a:1,2)", 2, "no number after this colon"),
        ("(a:)", 2, "no number after this colon"),
        ("(a:1_5)", 3, "the weight 15.0"),
        ("(a:1e999)", 3, "the weight inf"),
        ("(ratio 16:9)", 9, r"Write :9\.0\) .* :9:1\.1\)"),
        ("a\0\1", 1, "NUL"),
    ],
)
def test_comfyui_strictly(prompt, at, says):
    with pytest.raises(PromptError, match=says) as caught:
        parse_prompt(prompt, "comfyui", quirks=False)
    assert caught.value.position == at


@pytest.mark.parametrize("word", ["nan", "inf", "-Infinity", "1e999"])
def test_comfyui_weights_that_are_not_finite_are_said(word):
    with pytest.warns(PromptWarning, match=f"takes '{word}' for the weight") as caught:
        [fragment] = parse_prompt(f"(a:{word})", "comfyui")
    assert fragment.text == "a"
    assert not math.isfinite(fragment.weight)
    assert caught[0].filename == __file__


@given(st.text("()\\:1.a ", max_size=30))
def test_comfyui_escapes(text):
    # A backslash that the text has before a bracket is one that the tool cannot be told of.
    if not any(pair in text for pair in (r"\(", r"\)")):
        assert "".join(f.text for f in parse_prompt(comfyui.escape(text), "comfyui")) == text


# The lecture's notation ---------------------------------------------------------------------------


@pytest.mark.equation(15, 16, 17, 18, 20)
@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a (b) c", [("a ", 1), ("b", 1.1), (" c", 1)]),  # 15
        ("((b))", [("b", 1.1**2)]),
        ("[b] [[c]]", [("b", 0.9), (" ", 1), ("c", 0.81)]),  # the example, erratum E10
        ("(b: 1.5)(c:2)", [("b", 1.5), ("c", 2)]),  # 16
        ("(a (b:1.3) c:1.2)", [("a ", 1.2), ("b", 1.56), (" c", 1.2)]),
        ("cat+ and dog++, c", [("cat", 1.1), (" and ", 1), ("dog", 1.1**2), (", c", 1)]),  # 17
        ("(a cat)1.3 b", [("a cat", 1.3), (" b", 1)]),  # 18
        ("(a cat)0.7.", [("a cat", 0.7), (".", 1)]),  # 20
        ("((a)0.5 b+)2", [("a", 1), (" ", 2), ("b", 2.2)]),
        ("+a + b - c-, d: 3", [("+a + b - c-, d: 3", 1)]),  # no equation, no meaning
        ("(a: b)", [("a: b", 1.1)]),
        ("", []),
    ],
)
def test_the_lecture_reads_as_printed(prompt, expected):
    found = read(prompt, "lecture")
    assert [text for text, _ in found] == [text for text, _ in expected]
    assert [w for _, w in found] == pytest.approx([w for _, w in expected], rel=1e-12)
    assert read(prompt, "lecture", quirks=False) == found  # no tool, no quirks


@pytest.mark.equation(15, 16, 17, 18, 20)
@pytest.mark.parametrize(
    ("prompt", "at", "says"),
    [
        ("a (b", 2, "15–20 know only pairs"),
        ("a) b", 1, "15–20 know only pairs"),
        ("(a]", 2, "15–20 know only pairs"),
        ("()", 0, "no span"),
        ("(a:0.8)", 3, r"equation 16 asks for a number r > 1"),  # erratum E31
        ("(a: 1)", 4, "equation 16"),
        ("(a:-2)", 3, "equation 16"),
        ("(a:1e3)", 3, "equation 16"),
        ("(a:1.2.3)", 3, "equation 16"),
        ("(a)1", 3, "equation 18 .* equation 20"),
        ("(a)0", 3, "equation 18 .* equation 20"),
        ("(a)-0.5", 3, "equation 18 .* equation 20"),
        ("(a)2nd", 3, "equation 18 .* equation 20"),
        ("(a)+", 3, "Equation 17 puts a plus after a word"),
        ("(a:2)3", 5, "Equations 16 and 18"),
        ("[a:0.9]", 3, "carries no number"),
        ("[a]2", 3, "carries no number"),
        ("a" + "+" * 8000, 0, "weight inf"),
    ],
)
def test_the_lecture_defines_nothing_else(prompt, at, says):
    with pytest.raises(PromptError, match=says) as caught:
        parse_prompt(prompt, "lecture")
    assert caught.value.position == at


# All of them --------------------------------------------------------------------------------------


@quiet
@given(PROMPT, SYNTAX)
def test_any_text_is_read_or_refused(prompt, syntax):
    try:
        found, position = parse_prompt(prompt, syntax), 0
    except PromptError as error:
        found, position = [], error.position
    assert 0 <= position <= len(prompt)
    for f in found:
        assert isinstance(f, Fragment)
        assert (type(f.text), type(f.weight)) == (str, float)
        assert 0 <= f.start <= f.end <= len(prompt)


@quiet
@given(PROMPT, SYNTAX)
def test_what_passes_strictly_reads_the_same(prompt, syntax):
    try:
        strict = parse_prompt(prompt, syntax, quirks=False)
    except PromptError:
        return
    assert strict == parse_prompt(prompt, syntax)


@given(st.lists(st.from_regex(r"[a-z]{1,9}", fullmatch=True), min_size=1, max_size=20), SYNTAX)
def test_plain_words_are_themselves(words, syntax):
    prompt = " ".join(words)
    for quirks in (True, False):
        assert parse_prompt(prompt, syntax, quirks) == [Fragment(prompt, 1.0, 0, len(prompt))]


@pytest.mark.parametrize("syntax", GRAMMARS)
def test_nesting_of_any_depth(syntax):
    for depth, seconds in ((200, 0.05), (50_000, 1.0)):
        prompt = "(" * depth + "a" + ")" * depth
        start = time.process_time()
        if (syntax, depth) == ("lecture", 50_000):
            with pytest.raises(PromptError, match="weight inf"):
                read(prompt, syntax)
        else:
            weight = {"compel": 1.0}.get(syntax, math.inf if depth > 7500 else 1.1**depth)
            rounding = 1e-9 if syntax != "sdcpp" else depth * 2**-24  # floats of 32 bits
            assert read(prompt, syntax) == [("a", pytest.approx(weight, rel=rounding))]
        assert time.process_time() - start < seconds


NASTY = [
    *'()[]:+,"\\ 😀',
    "(a",
    "(a:",
    "[a|",
    "[a:",
    "(a)1.1",
    "a+",
    '("a",',
    "()",
    "a)",
    ")(",
    "\0\1",
]
NASTY += ["(a:1.2) b, ", "BREAK ", "<a:", "[a:b:1]", ".blend(", "a.swap(b)", "(]", "(a:nan)", "a.b"]
LONG = [(piece * 100_000)[:100_000] for piece in NASTY]
LONG += [
    "(" * 50_000 + ")" * 50_000,
    "(" * 50_000 + "a" + ")" * 49_999,
    "[" * 50_000 + "a" + "]" * 50_000,
    "(" * 16_000 + "a" + ":1.1)" * 16_000,
    "(" * 20_000 + "a" + ")1.1" * 20_000,
    '("' * 25_000 + "a" + '")' * 25_000,
    "(" * 33_000 + ":" + "a)" * 33_000,
    "(a:" + "1" * 99_990 + ")",
    "(a: " + " " * 99_990 + "x)",
    "[a:b:" + " " * 99_990,
]


@quiet
@pytest.mark.parametrize("quirks", [True, False])
@pytest.mark.parametrize("syntax", GRAMMARS)
def test_no_text_takes_longer_than_a_second(syntax, quirks):
    def seconds(prompt):
        start = time.process_time()
        try:
            parse_prompt(prompt, syntax, quirks)
        except PromptError as error:
            str(error)
        return time.process_time() - start

    took = {prompt: seconds(prompt) for prompt in LONG}
    slowest = max(took, key=took.get)
    if took[slowest] >= 1:  # the machine may have been busy with something else
        took[slowest] = min(seconds(slowest), seconds(slowest))
    print(f"{syntax}, quirks={quirks}: slowest {took[slowest]:.3f} s, {slowest[:12]!r}…")
    assert took[slowest] < 1, slowest[:40]


def test_only_warnings_of_our_own():
    refused = 0
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        for syntax in GRAMMARS:
            for piece in NASTY:
                try:
                    parse_prompt(piece * 20, syntax)
                except PromptError:
                    refused += 1
    assert len(said) > 0
    assert {one.category for one in said} == {PromptWarning}
    assert 0 < refused < len(GRAMMARS) * len(NASTY)
