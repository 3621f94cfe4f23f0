"""Automatic1111's grammar: what the web UI answers, and what we say where it says nothing."""

import contextlib
import json
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cliplab.prompts import PromptError, PromptWarning, a1111
from cliplab.prompts.a1111 import emphasis

DATA = Path(__file__).parent / "data"
MIXED = st.lists(
    st.sampled_from(
        [*"()[]:|\\<>#,. \n\u00a0", "a", "cat", "é😀", "12", ":1.2)", "0.5]", "-1", "1e3"]
    )
    | st.sampled_from([" BREAK ", "AND", "\\(", "[a:b:", "(a:", "<lora:a:1>"]),
    max_size=40,
).map("".join)
ANY = MIXED | st.text(max_size=40)


def stored(name):
    return json.loads((DATA / name).read_text(encoding="utf-8"))["cases"]


def read(prompt, **options):
    return [(f.text, f.weight) for f in a1111.fragments(prompt, **options)]


def attempt(prompt, **options):
    try:
        return a1111.fragments(prompt, **options)
    except PromptError as error:
        return error


# Emphasis -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", stored("a1111_parse.json"), ids=lambda case: case["prompt"][:30])
def test_fragments_are_the_tools(case):
    if "error" in case:
        with pytest.raises(PromptError):
            a1111.fragments(case["prompt"])
    else:
        assert read(case["prompt"]) == [tuple(pair) for pair in case["parsed"]]


@pytest.mark.parametrize(
    ("prompt", "parsed"),
    [  # the answers of v1.10.1 (82a973c)
        ("([a)]", [("a", 1.0)]),
        ("a:1.2)", [("a:1.2)", 1.0)]),
        ("[a:1.2)", [("a:1.2)", 0.9090909090909091)]),
        ("(a\\:1.2)", [("a", 1.2)]),
        ("(:1.2)", [("", 1.0)]),
        ("([a])b", [("ab", 1.0)]),
        ("(a BREAK b:1.2)", [("a", 1.2), ("BREAK", -1.2), ("b", 1.2)]),
        ("BREAK", [("", 1.0), ("BREAK", -1.0), ("", 1.0)]),
        ("_BREAK BREAKS", [("_BREAK BREAKS", 1.0)]),
        ("a\xa0BREAK\u3000b", [("a", 1.0), ("BREAK", -1.0), ("b", 1.0)]),
        ("(a : \xa0+.5 )", [("a ", 0.5)]),
        ("(a:٢.٥)", [("a", 2.5)]),
        ("(a:0)(b:-0)", [("ab", 0.0)]),
        ("(ratio 16:9)", [("ratio 16", 9.0)]),
    ],
)
def test_what_surprises_is_kept(prompt, parsed):
    assert read(prompt) == parsed


@pytest.mark.equation(15)
@given(st.integers(0, 60), st.integers(0, 60))
def test_nested_brackets_are_equation_15_with_the_inverse_for_squares(rounds, squares):
    prompt = "[" * squares + "(" * rounds + "span" + ")" * rounds + "]" * squares
    ((text, weight),) = read(prompt)
    assert text == "span"
    assert weight == pytest.approx(1.1**rounds / 1.1**squares, rel=1e-12)
    assert read(prompt[: squares + rounds + 4]) == [("span", pytest.approx(weight, rel=1e-12))]


@pytest.mark.equation(15)
def test_square_brackets_are_not_nine_tenths():
    assert read("[a]") == [("a", 1 / 1.1)]  # erratum E10
    assert read("(a:0.9)") != read("[a]")


@pytest.mark.equation(16)
@given(st.lists(st.decimals(-9, 9, places=3).map(str), min_size=1, max_size=20))
def test_explicit_weights_are_equation_16_and_multiply(numbers):
    prompt, weight = "span", 1.0
    for number in numbers:
        prompt, weight = f"({prompt}:{number})", weight * float(number)
    assert read(prompt) == [("span", weight)]


@given(ANY)
def test_any_prompt_is_read_or_refused(prompt):
    found = attempt(prompt)
    if isinstance(found, PromptError):
        assert prompt[found.position] in "+-.0123456789"
        return
    places = [place for f in found for place in (f.start, f.end)]
    assert places == sorted(places)
    assert places[0] >= 0
    assert places[-1] <= len(prompt)
    for f in found:
        typed = iter(prompt[f.start : f.end])
        assert all(character in typed for character in f.text)  # in order; the rest was syntax
        if f.text:
            assert (prompt[f.start], prompt[f.end - 1]) == (f.text[0], f.text[-1])
        else:
            assert f.start == f.end
    assert all(a.weight != b.weight for a, b in pairwise(found))


@given(ANY)
def test_what_passes_without_quirks_reads_the_same_with_them(prompt):
    strict = attempt(prompt, quirks=False)
    if isinstance(strict, PromptError):
        assert 0 <= strict.position < len(prompt)
        return
    assert strict == a1111.fragments(prompt)
    assert a1111.split_and(prompt)[0].text == prompt.rstrip()
    assert a1111.extra_networks(prompt) == (prompt, [])
    assert a1111.schedule(prompt, 10) == [(10, prompt)]


@given(ANY)
def test_escaped_text_comes_back(text):
    text = text.replace("BREAK", "break")
    assert a1111.fragments(a1111.escape(text)) == [
        (text, 1.0, len(text) > 0 and text[0] in "()[]\\", len(a1111.escape(text)))
    ]


def test_places():
    prompt = r"a (big:1.2) \(cat\), [[dim]] BREAK end"
    found = a1111.fragments(prompt)
    assert [prompt[f.start : f.end] for f in found] == [
        "a ",
        "big",
        r" \(cat\), ",
        "dim",
        "",
        "BREAK",
        "end",
    ]
    assert a1111.fragments("(a:1.2)(b:1.2)") == [("ab", 1.2, 1, 9)]
    assert a1111.fragments("") == [("", 1.0, 0, 0)]


@pytest.mark.parametrize(
    ("prompt", "position", "message"),
    [
        ("a (cat", 2, "not closed"),
        ("a cat)", 5, "closes nothing"),
        ("([a)]", 3, "closes nothing"),
        ("[a:1.2)", 6, "closes nothing"),
        ("(a BREAK b)", 3, "BREAK is a word"),
        ("(a:1e3)", 3, "takes this for text"),
        ("(a:1,2)", 3, "takes this for text"),
        ("(a:inf)", 3, "takes this for text"),
        ("[a:1.2]", 3, "step of a switch"),
        ("[a:0.9]", 3, "step of a switch"),
        ("[a:b: 5 ]", 5, "step of a switch"),
        ("[a|b]", 2, "alternations"),
        ("a AND b", 2, "split_and"),
        ("a <lora:ink:1>", 2, "extra_networks"),
        ("a #1 cat", 2, "comment"),
        ("time 12:30", 7, "weight of the whole prompt"),
        ("(ratio 16:9)", 9, r"write :9\.0\) if it is one, and :9:1\.1\) if it is text"),
        (r"a\b", 1, "drops this backslash"),
        ("(a:1.2)(b:1.2)", 8, "become one word"),
        ("(a:1.2.3)", 3, "is no number"),
    ],
)
def test_quirks_false_points_at_what_misleads(prompt, position, message):
    with pytest.raises(PromptError, match=message) as caught:
        a1111.fragments(prompt, quirks=False)
    assert caught.value.position == position
    *_, line, caret = str(caught.value).split("\n")
    assert line[caret.index("^")] == prompt[position]


@pytest.mark.parametrize(
    "prompt",
    [
        "(ratio 16:9:1.1)",
        "(ratio 16:9.0)",
        "(a:1.2) (b:1.2)",
        "(a:1.2)(, b:1.2)",
        "(a|b), [a:b]",
        "((a)) [b] \\(c\\) BREAK d",
        "(a:b:-1.2), 12:30 sharp",
        "C\\\\D",
        "(:-)",
        "(a:1)b",
    ],
)
def test_quirks_false_lets_plain_meanings_pass(prompt):
    assert a1111.fragments(prompt, quirks=False) == a1111.fragments(prompt)


def test_a_crash_of_the_tool_is_an_error_with_a_place():
    with pytest.raises(
        PromptError, match=r"'\.\.' is no number.*\n    a \(b:\.\.\)\n {9}\^"
    ) as caught:
        a1111.fragments("a (b:..)")
    assert caught.value.position == 5
    with pytest.raises(TypeError, match="A prompt is a str"):
        a1111.fragments(None)
    assert read("(a:" + "9" * 400 + ")") == [("a", float("inf"))]


# Beside the text ----------------------------------------------------------------------------------


@pytest.mark.parametrize("case", stored("a1111_schedule.json"), ids=lambda c: c["prompt"][:30])
@pytest.mark.filterwarnings("ignore::cliplab.prompts.PromptWarning")
def test_schedules_and_parts_are_the_tools(case):
    prompt, wanted = case["prompt"], case["schedule20"]
    wanted = [[20, prompt]] if wanted == "unchanged" else wanted
    assert a1111.schedule(prompt, 20) == [tuple(step) for step in wanted]
    parts = a1111.split_and(prompt)
    assert [[part.text, part.weight] for part in parts] == case["and"]


@pytest.mark.parametrize(
    ("prompt", "parts"),
    [  # the answers of v1.10.1 (82a973c)
        ("a :1.2 AND b:.5", [("a", 1.2), (" b", 0.5)]),
        ("(a AND b)", [("(a", 1.0), (" b)", 1.0)]),
        ("ANDa AND_ AND", [("ANDa AND_", 1.0), ("", 1.0)]),
        ("a:1e3 AND b:+2. ", [("a:1e3", 1.0), (" b", 2.0)]),
        ("a\n AND b :-1\n", [("a", 1.0), (" b", -1.0)]),
        ("AND a:1:2", [("", 1.0), (" a:1", 2.0)]),
        ("a and b", [("a and b", 1.0)]),
    ],
)
def test_and_parts_a_prompt(prompt, parts):
    found = a1111.split_and(prompt)
    assert [(part.text, part.weight) for part in found] == parts
    assert [prompt[part.start : part.end] for part in found] == [text for text, _ in parts]


def test_a_number_at_the_end_of_a_prompt_is_warned_of():
    with pytest.warns(PromptWarning, match="does not encode ':30'"):
        assert a1111.split_and("time 12:30") == [("time 12", 30.0, 0, 7)]


def test_extra_networks_leave_the_text():
    assert a1111.extra_networks("a <lora:ink:0.8> cat<x:y>, a < b:c") == (
        "a  cat, a < b:c",
        [("lora", ("ink", "0.8"), 2, 16), ("x", ("y",), 20, 25)],
    )
    text, tags = a1111.extra_networks("<:a><a><a:><a:b<c:d> :>")
    assert (text, tags) == ("<:a><a><a:> :>", [("a", ("b<c", "d"), 11, 20)])


@pytest.mark.parametrize(
    ("prompt", "steps"),
    [  # the answers of v1.10.1 (82a973c) with lark 1.1.2 for five steps
        ("[a:b]", [(5, "[a:b]")]),
        ("[a|b:0.5]", [(5, "[a|b:0.5]")]),
        ("[a:b:c:0.5]", [(5, "[a:b:c:0.5]")]),
        ("[(a:1.2):b:0.5]", [(2, "(a:1.2)"), (5, "b")]),
        ("[a:b: 3 ]", [(3, "a"), (5, "b")]),
        ("[a:.5]", [(2, ""), (5, "a")]),
        ("[|a]", [(1, ""), (2, "a"), (3, ""), (4, "a"), (5, "")]),
        ("[a||]", [(1, "a"), (2, ""), (3, ""), (4, "a"), (5, "")]),
        ("[::3]", [(3, ""), (5, "")]),
        ("[a::3]", [(3, "a"), (5, "")]),
        ("(x:[a:b:3])", [(3, "(x:a)"), (5, "(x:b)")]),
        ("[[a:b:2]:c:4]", [(2, "a"), (4, "b"), (5, "c")]),
        ("[a:[b|c]:3] d", [(1, "a d"), (2, "a d"), (3, "a d"), (4, "c d"), (5, "b d")]),
        ("[a|b|c] [d:e:0.4]", [(1, "a d"), (2, "b d"), (3, "c e"), (4, "a e"), (5, "b e")]),
        ("(a [b:c:3]", [(3, "(a b"), (5, "(a c")]),
        ("[a:b:3] c ) d", [(3, "a c ) d"), (5, "b c ) d")]),
        ("a | b [c:d:3]", [(5, "a | b [c:d:3]")]),
        ("[a:b:3] \\", [(5, "[a:b:3] \\")]),
        ("\\[a:b:3\\]", [(5, "\\[a:b:3\\]")]),
        ("[ [a:b:3] : c : d ]", [(3, "[ a : c : d ]"), (5, "[ b : c : d ]")]),
        ("[a|(b:c:d)]", [(5, "[a|(b:c:d)]")]),
        ("[a:b:٣]", [(5, "[a:b:٣]")]),
        ("", [(5, "")]),
    ],
)
@pytest.mark.filterwarnings("error")
def test_schedules_of_odd_prompts_are_the_tools(prompt, steps):
    assert a1111.schedule(prompt, 5) == steps


@pytest.mark.parametrize(
    ("prompt", "steps", "lost"),
    [
        ("a [cat:1.2]", [(5, "a ")], "'cat'"),
        ("[a:b:-1]", [(5, "b")], "'a'"),
        ("[a:[b:c:3]:9]", [(3, "a"), (5, "a")], "'b', 'c'"),
        ("[a|b|c|d|e|f]", [(1, "a"), (2, "b"), (3, "c"), (4, "d"), (5, "e")], "'f'"),
    ],
)
def test_words_that_no_step_shows_are_warned_of(prompt, steps, lost):
    with pytest.warns(PromptWarning, match=f"No step from 1 to 5 shows {lost}[.]") as caught:
        assert a1111.schedule(prompt, 5) == steps
    assert caught[0].filename == __file__


def test_schedule_refuses_what_it_cannot_count():
    with pytest.raises(PromptError, match="1e999 is too great a number") as caught:
        a1111.schedule("[a:b: 1e999]", 5)
    assert caught.value.position == 5
    for steps in (0, -1, 1.5, True, "5", None):
        with pytest.raises(ValueError, match="steps is a whole number of at least 1; not"):
            a1111.schedule("a", steps)


@given(ANY, st.integers(1, 12))
@pytest.mark.filterwarnings("ignore::cliplab.prompts.PromptWarning")
def test_a_schedule_covers_the_steps_with_the_prompts_own_characters(prompt, steps):
    found = a1111.schedule(prompt, steps)
    ends = [step.end for step in found]
    assert ends == sorted({*ends, steps})
    assert ends[0] >= 1
    for step in found:
        typed = iter(prompt)
        assert all(character in typed for character in step.text)


# Time ---------------------------------------------------------------------------------------------

LONG = 100_000
REPEATED = ["(", "[", ")", ":", "\\", " ", "(a", "(a:", "[a|", "<a:", "[|]", "[a|b]", "[a:b:3]"]
REPEATED += ["(a:1.2)", " BREAK ", "a :1 AND "]
NESTED = [
    "(" * 33_333 + "a)" * 33_333,
    "(a" * 20_000 + ":1)" * 20_000,
    "([a" * 15_000 + "]b)" * 15_000,
    "[" * 24_000 + "|a]" * 24_000,
    "[" + "|" * LONG + "]",
    " " * 50_000 + "BREAK" + " " * 50_000,
    ":" + " " * 50_000 + "1" * 50_000,
    "(a:" + "1" * LONG + ")",
    "<" + "a" * LONG,
]
STAGES = {
    "fragments": a1111.fragments,
    "fragments, quirks=False": lambda prompt: a1111.fragments(prompt, quirks=False),
    "escape": a1111.escape,
    "split_and": a1111.split_and,
    "extra_networks": a1111.extra_networks,
    "schedule": lambda prompt: a1111.schedule(prompt, 150),
}


def seconds(stage, prompt):
    """Of this process's own time; other work on the machine does not count."""
    start = time.process_time()
    with contextlib.suppress(PromptError):
        stage(prompt)
    return time.process_time() - start


@pytest.mark.parametrize("prompt", [u * (LONG // len(u)) for u in REPEATED] + NESTED)
@pytest.mark.filterwarnings("ignore::cliplab.prompts.PromptWarning")
def test_any_long_prompt_takes_less_than_a_second(prompt):
    for name, stage in STAGES.items():
        # What grew faster than its prompt would take minutes; the second try is for a busy machine.
        assert seconds(stage, prompt) < 1 or seconds(stage, prompt) < 1, name


@pytest.mark.parametrize(
    "prompt",
    ["[a:" * 9_000, "(a" * 9_000, "[" * 9_000 + "a](b:2)" * 9_000, "([" * 300 + "[a" * 9_000],
)
def test_weights_so_small_or_large_that_they_stay_are_multiplied_to_the_last_bit(prompt):
    pieces, spans = emphasis.read(prompt, list(emphasis.TOKEN.finditer(prompt)))
    weights = np.ones(len(pieces))
    with np.errstate(over="ignore", under="ignore"):
        for start, stop, factor in spans:
            weights[start:stop] *= factor
    assert emphasis.weigh(pieces, spans) == weights.tolist()


def test_depth_has_no_limit():
    assert read("(" * 200 + "a" + ")" * 200) == [("a", pytest.approx(1.1**200, rel=1e-12))]
    assert read("(" * 49_999 + "a" + ")" * 49_999) == [("a", float("inf"))]
    assert a1111.schedule("[" * 20_000 + "a" + ":1]" * 20_000, 2) == [(1, ""), (2, "a")]
