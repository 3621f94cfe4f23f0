"""Compel's grammar: its own answers, places, errors, and the time that any text takes."""

import contextlib
import json
import random
import time
import warnings
from itertools import islice, pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cliplab.prompts import PromptError, PromptWarning, compel, tree

CASES = json.loads((Path(__file__).parent / "data" / "compel_parse.json").read_text())["cases"]
PIECES = [*'+-().",:=\\ab \n\t\u00a0é', "🙂", "1.2", "0.5", "-0.5", "cat", ", ", "(a)", '"b"', "++"]
PIECES += ["--", "\\(", "\\)", '\\"', "\\n", "[", "]", ".attend(", ".swap(", ".blend(", ".and("]
PIECES += [".add(", "withLora(", "s_start=", "shape_freedom=", "no_normalize", '("a", "b")', ", x)"]
PROMPT = st.lists(st.sampled_from(PIECES), max_size=20).map("".join) | st.text(max_size=30)
WORDS = st.from_regex(r"[a-z]{1,6}( [a-z]{1,6}){0,2}", fullmatch=True)
quiet = pytest.mark.filterwarnings("ignore::cliplab.prompts.PromptWarning")


def plain(item):
    """Fragments, swaps, prompts and blends as lists, without their places."""
    if isinstance(item, tree.Blend):
        return ["blend", [plain(p) for p in item.prompts], repr(item.weights), item.normalize]
    if isinstance(item, tree.Prompt):
        return [plain(f) for f in item.fragments]
    if isinstance(item, tree.Swap):
        sides = [[plain(f) for f in side] for side in (item.original, item.edited)]
        return ["swap", *sides, sorted((k, repr(v)) for k, v in item.options.items())]
    return [item.text, repr(item.weight)]


def read(prompt, **options):
    return [(f.text, f.weight) for f in compel.fragments(prompt, **options)]


def attempt(prompt, **options):
    try:
        return compel.parse(prompt, **options)
    except PromptError as error:
        return error


def refused(prompt, **options):
    with pytest.raises(PromptError) as caught:
        compel.fragments(prompt, **options)
    return caught.value


# The tool's answers -------------------------------------------------------------------------------


def stored(part):
    """A prompt, blend or fragment of the stored cases, as ``plain`` writes ours."""
    if isinstance(part, list):
        return [part[0], repr(float(part[1]))]
    if "swap" in part:
        sides = [[stored(f) for f in side] for side in part["swap"]]
        return ["swap", *sides, sorted((k, repr(v)) for k, v in part["options"].items())]
    if part["type"] == "blend":
        parts = [stored(p) for p in part["prompts"]]
        return ["blend", parts, repr(part["weights"]), part["normalize"]]
    return [stored(f) for f in part["fragments"]]


@quiet
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["prompt"][:30])
def test_parts_are_the_tools(case):
    if "error" in case:
        with pytest.raises(PromptError):
            compel.parse(case["prompt"])
        return
    parsed = compel.parse(case["prompt"])
    assert parsed.weights == case["weights"]
    assert [[lora.name, lora.weight] for lora in parsed.loras] == case["loras"]
    assert [plain(part) for part in parsed.prompts] == [stored(part) for part in case["prompts"]]


@quiet
def test_live_compel_says_the_same():
    tool = pytest.importorskip("compel.prompt_parser")

    def theirs(item):
        if isinstance(item, tool.Blend):
            parts = [theirs(p) for p in item.prompts]
            return ["blend", parts, repr(item.weights), item.normalize_weights]
        if isinstance(item, tool.FlattenedPrompt):
            return [theirs(f) for f in item.children]
        if isinstance(item, tool.CrossAttentionControlSubstitute):
            sides = [[theirs(f) for f in side] for side in (item.original, item.edited)]
            return ["swap", *sides, sorted((k, repr(v)) for k, v in item.options.items())]
        return [item.text, repr(item.weight)]

    def prompts(dice):
        """Pieces put together, and wholes with a piece too many."""
        while True:
            pieces = dice.choices(PIECES, k=dice.randint(1, 7))
            if dice.random() < 0.3:
                operator = dice.choice([".blend(", ".and("])
                options = dice.choice(["", "1", "1,2", "1, 2, no_normalize", "x, 1"])
                pieces = ['("a ', *pieces[:2], '", b)', operator, options, ")", *pieces[2:3]]
            prompt = "".join(pieces)
            if prompt.count("(") < 4:  # Compel takes seconds for brackets in brackets
                yield prompt

    parser, compared, refusals = tool.PromptParser(), 0, 0
    for prompt in islice(prompts(random.Random(3)), 250):
        compared += 1
        try:
            parsed = parser.parse_conjunction(prompt)
        except Exception:  # whatever it is: half of its crashes are no errors of its own
            assert isinstance(attempt(prompt), PromptError), prompt
            refusals += 1
            continue
        ours = compel.parse(prompt)
        assert [plain(p) for p in ours.prompts] == [theirs(p) for p in parsed.prompts], prompt
        assert repr(ours.weights) == repr(parsed.weights), prompt
        loras = [(lora.model, float(lora.weight)) for lora in parsed.lora_weights]
        assert [(lora.name, lora.weight) for lora in ours.loras] == loras, prompt
    assert refusals > 10
    assert compared > refusals + 100


# The lecture's equations --------------------------------------------------------------------------


@pytest.mark.equation(17)
@given(WORDS, st.integers(1, 40))
def test_signs_are_equation_17(words, count):
    word = words.split()[0]
    assert read(word + "+" * count) == [(word, 1.1**count)]
    assert read(f"({words})" + "+" * count) == [(words, 1.1**count)]
    assert read(f"({words})" + "-" * count) == [(words, 0.9**count)]  # 0.9, not 1 / 1.1
    assert read(f"({words}).attend({'+' * count})") == [(words, 1.1**count)]


@pytest.mark.equation(17)
@given(WORDS, st.integers(1, 60))
def test_nested_signs_multiply(words, depth):
    ((text, weight),) = read("(" * depth + words + ")+" * depth)
    assert text == words
    assert weight == pytest.approx(1.1**depth, rel=1e-12)


@pytest.mark.equation(18)
@given(WORDS, st.integers(101, 10**6))
def test_a_number_above_1_is_equation_18(words, hundredths):
    number = f"{hundredths / 100:.2f}"
    assert read(f"({words}){number}") == [(words, float(number))]
    assert read(f'"{words}"{number}') == [(words, float(number))]


@pytest.mark.equation(20)
@given(WORDS, st.integers(1, 999))
def test_a_number_below_1_is_equation_20(words, thousandths):
    number = f"{thousandths / 1000:.3f}"
    assert read(f"({words}){number}") == [(words, float(number))]


@pytest.mark.equation(18, 20)
def test_weights_go_from_0_to_anywhere_but_not_below():  # erratum E31
    assert read("(a)0") == [("a", 0.0)]
    assert read("(a)1000000") == [("a", 1e6)]
    assert read("(a)" + "9" * 400) == [("a", float("inf"))]
    assert read("(a)-0.5") == [("a", 0.9), ("0.5", 1.0)]
    assert read("cat.attend(-0.5)") == [("cat.attend(-0.5)", 1.0)]


def test_the_syntax_of_automatic1111_is_text():  # erratum E13
    assert read("(cat:1.5)") == [("cat:1 . 5", 1.0)]
    assert read("((cat))") == [("cat", 1.0)]
    assert read("[cat]") == [("[cat]", 1.0)]
    assert read("a BREAK b") == [("a BREAK b", 1.0)]


@pytest.mark.parametrize(
    ("prompt", "parsed"),
    [  # the answers of 2.5.1
        ("a,b", [("a, b", 1.0)]),
        (",,a", [(", ,a", 1.0)]),
        ("cat1.2", [("cat1.2", 1.0)]),
        ("(a b) 1.2", [("a b 1.2", 1.0)]),
        ("(a) .attend( 1.2 )", [("a", 1.2)]),
        ("(a).5", [("a", 0.5)]),
        ("(a)٣.٥", [("a", 3.5)]),
        ("(a)1e3", [("a e3", 1.0)]),
        ("a--b", [("a", 0.81), ("b", 1.0)]),
        ("a(b)+ c", [("a(b)+ c", 1.0)]),
        ("(a...)", [("a . . .", 1.0)]),
        ("\\\\(a", [("(a", 1.0)]),
        ("\\\\\\\\(a b", [("\\(a b", 1.0)]),
        ("\\\\\\\\(a b c", [("(a b c", 1.0)]),
        ('"a \\new car"+', [("a ew car", 1.1)]),
        ('"a\\x22b"', [('a"b', 1.0)]),
        ('"a\\" b', [("a\\ b", 1.0)]),
        ('"a\nb"', [('"a b"', 1.0)]),
        ('"a (b"+ c', [('"a (b"+ c', 1.0)]),
        ("(a)0.5(b)0.5", [("a b", 0.5)]),
        ('("")0.5', [("", 0.5)]),
        ("", [("", 1.0)]),
        (" \v\f", [("", 1.0)]),
        ("a \f\u00a0 b", [("a b", 1.0)]),
        ("a\u00a0b", [("a\u00a0b", 1.0)]),
        ('("a").and()', [("a", 1.0)]),
    ],
)
def test_what_surprises_is_kept(prompt, parsed):
    assert read(prompt) == [(text, pytest.approx(weight, rel=1e-15)) for text, weight in parsed]


def test_wholes():
    assert compel.parse('("a", (b)).add(0.5, -2)').weights == [0.5, -2.0]
    (blend,) = compel.parse('withLora(x, 2) (a, "b (c").blend(nan, 1, no_normalize)').prompts
    assert [read_part(p) for p in blend.prompts] == [["a"], ["b (c"]]
    assert (repr(blend.weights), blend.normalize) == ("[nan, 1.0]", False)
    (swap,) = compel.parse("a.swap(b c, shape_freedom=0.5, s_start=.1)").prompts[0].fragments
    assert swap.options == {"s_start": 0.1, "s_end": 1 - 0.5 ** (1 / 3), "t_start": 0.2, "t_end": 1}
    assert compel.parse("()").prompts == compel.parse("withLora(a)").prompts == []
    assert compel.parse('("a", ()).and(1, 2)').weights == [1.0]


def read_part(part):
    return [f.text for f in part.fragments]


# Places -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prompt", "pieces"),
    [
        ("a (red,blue)1.3 car, x", ["a", "red,blue", "car, x"]),
        ('x "a \\"b\\" (c)+ d"0.5', ["x", 'a \\"b\\"', "c", "d"]),
        ('"a\\nb"+ c', ["a\\nb", "c"]),
        ("\\(a\\)+ b", ["\\(a\\)", "b"]),
        ("a (b) c", ["a (b) c"]),
        ('a ("")0.5 b', ["a", "", "b"]),
        ("cat.attend(++) dog--, x", ["cat", "dog", ", x"]),
    ],
)
def test_places_are_those_of_the_typed_prompt(prompt, pieces):
    assert [prompt[f.start : f.end] for f in compel.fragments(prompt)] == pieces


def test_a_lora_and_a_swap_have_places():
    prompt = "a,withLora(x,2) cat.swap(dog,s_end=1) b"
    parsed = compel.parse(prompt)
    (lora,) = parsed.loras
    swap = parsed.prompts[0].fragments[1]
    assert prompt[lora.start : lora.end] == "withLora(x,2)"
    assert prompt[swap.start : swap.end] == "cat.swap(dog,s_end=1)"
    assert prompt[swap.edited[0].start : swap.edited[0].end] == "dog"


# Errors and warnings ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prompt", "at", "message"),
    [
        ('("a","b").blend(1,1) c', "c", "nothing may follow .blend"),
        ('("a","b").and(1)', ".and", "1 weights for 2 parts"),
        ('("a","b").blend(1,x)', "x", "'x' is no weight"),
        ('("a","b").and(no_normalize)', "no_n", "no_normalize stands last, and in .blend"),
        ('("a.swap(b)","b").blend()', ".blend", "is a swap"),
        ("((),b).blend()", ".blend", "holds no words"),
        ("a.swap(b,shape_freedom=c)", "shape", "wants a number"),
        ("a " + "x" + "+" * 8000, "+", "8000 plus signs"),
        ('"a ' + "x" + "+" * 8000 + '"', "+", "8000 plus signs"),
        ("a \v b", "\v", "stops at a '\\\\x0b'"),
        ("  ()", "(", "no words in this prompt"),
        ("withLora(a)", "with", "no words in this prompt"),
        ('("a","b").and()', ".and", "cliplab.prompts.compel.parse reads it"),
        ('("a").and(2)', ".and", "cliplab.prompts.compel.parse reads it"),
        ('("a","b").blend()', ".blend", "cliplab.prompts.compel.parse reads it"),
        ("a (b.swap(c)).swap(d)", "(b", "a swap in a swap"),
    ],
)
def test_where_compel_crashes_we_point(prompt, at, message):
    error = refused(prompt)
    assert message.replace("\\\\", "\\") in str(error)
    assert (error.prompt, error.position) == (prompt, prompt.index(at))


def test_dropped_words_are_told():
    with pytest.warns(PromptWarning, match=r"drops what comes after .and\(…\): 'c d'"):
        assert len(compel.parse('("a", "b").and() c d').prompts) == 2
    with pytest.warns(PromptWarning, match="takes 'big' for options"):
        compel.parse("cat.swap(dog, big)")
    with pytest.warns(PromptWarning, match="leave out the LoRA 'x', 'y'"):
        assert read("a withLora(x) useLora(y)") == [("a", 1.0)]
    with pytest.warns(PromptWarning, match="U-Net"):
        assert read("a (cat)+ dog.swap(b)") == [("a", 1.0), ("cat", 1.1), ("dog", 1.0)]


@pytest.mark.parametrize(
    ("prompt", "position"),
    [
        ("(a:1.2)", 2),
        ("x [a]", 2),
        ("a (b", 2),
        ("a) b", 1),
        ("a(b)", 1),
        ("()", 0),
        ('6" nails', 1),
        ('"a\\" b', 2),
        ("(a b) 1.2", 6),
        ("(a b) ++", 6),
        ("(a b) 2, c", 6),
        ("cat ++ dog", 4),
        ("+cat", 0),
        ("cat+-", 4),
        ("(a)-0.5", 4),
        ("(a)1e3", 4),
        ("a--b", 3),
        ("(b)s", 3),
        ("cat.attend(-0.5)", 3),
        ("(x cat.attend(-0.5) y)", 6),
        ('x ("a","b").blend(1,1)', 11),
        ("withLora(a b)", 0),
        ("cat.swap(dog, big)", 14),
        ("a.swap(b, s_end=big)", 0),
        ("c\\+\\+", 1),
        ('"a \\new car"', 3),
        ("(wait...)1.2", 5),
        ("a BREAK b", 2),
        ("a <lora:x:1>", 2),
        ('("a", "b").and() c', 16),
    ],
)
def test_quirks_are_refused_on_demand(prompt, position):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PromptWarning)
        compel.parse(prompt)
    with pytest.raises(PromptError) as caught:
        compel.parse(prompt, quirks=False)
    assert caught.value.position == position


@pytest.mark.parametrize(
    "prompt",
    [
        "a professional photo, (red)1.5 dress--, (f/1.8, 85mm)0.9. well-known a+b",
        '"Golden hour"+ (hatsune miku \\(vocaloid\\))1.3 "say \\"hi\\"" 50 (cats) 2 dogs (x) - y',
        "cat.attend(0.5) (ratio 16:9)1.2 dog.swap(cat, s_start=0.1) withLora(x, 0.8)",
        '("a (b)+", (c, d)).and(1, 2)',
        'withLora(a) ("a", "b").blend(1, 0.5, no_normalize) useLora(b)',
        "",
    ],
)
def test_ordinary_prompts_have_no_quirks(prompt):
    assert compel.parse(prompt, quirks=False) == compel.parse(prompt)


# Any text -----------------------------------------------------------------------------------------


@quiet
@given(PROMPT)
def test_any_text_gives_fragments_or_our_error(prompt):
    parsed = attempt(prompt)
    if isinstance(parsed, PromptError):
        assert 0 <= parsed.position <= len(prompt)
    checked = attempt(prompt, quirks=False)
    if not isinstance(checked, PromptError):  # what passes the check is read the same
        assert repr(checked) == repr(parsed)
    with contextlib.suppress(PromptError):
        found = compel.fragments(prompt)
        assert all(0 <= f.start <= f.end <= len(prompt) for f in found)
        if ".swap" not in prompt:
            assert all(one.end <= other.start for one, other in pairwise(found))


@given(st.text('ab (")', max_size=20).filter(str.strip))
def test_escaped_text_means_itself(text):
    words = " ".join(text.split())
    assert read(f"({compel.escape(words)})1.3") == [(words, 1.3)]


@pytest.mark.parametrize(
    ("left", "right"), [("(", ")"), ("(a ", ")1.01"), ("a.swap(", ")"), ('("', '")')]
)
@pytest.mark.parametrize("depth", [200, 8000])
def test_depth_costs_little(left, right, depth):
    begun = time.process_time()
    compel.parse(left * depth + "x" + right * depth)
    assert time.process_time() - begun < (0.05 if depth == 200 else 1)


@quiet
@pytest.mark.parametrize(
    "piece",
    [
        *[
            "(",
            "(a",
            "(a:",
            "[a|",
            ")",
            "\\",
            " ",
            '"',
            "+",
            "+-",
            ",",
            "(a)",
            '"(" ',
            '(","',
            "1.",
        ],
        *['" \\" ', "( \\(", "a.swap(", "a.swap(b, ", "(a.swap((", ".attend(", '("a", ', "\\x22"],
    ],
)
@pytest.mark.parametrize("frame", ["{}", "({})", "x {} a b c"])
def test_any_text_takes_seconds_at_most(piece, frame):
    """0.3 s of a slow core for the worst of them; what is not linear would take much longer."""
    prompt = frame.format(piece * (33_330 // len(piece)))

    def seconds(quirks):
        begun = time.process_time()
        with contextlib.suppress(PromptError):
            compel.parse(prompt, quirks=quirks)
        return time.process_time() - begun

    for quirks in (True, False):  # again if it took long: the machine may have been busy
        assert any(seconds(quirks) < 1 for _ in range(3))
