"""The figures of prompt weighting: their words, their numbers, and what they refuse."""

import math
import re
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from matplotlib.text import Text

from cliplab import plots
from cliplab.plots.weights import CELL
from cliplab.prompts import Fragment, parse_prompt
from tests.figures import outside

PROMPT = "a ((red:1.3) fox) in [fog]"
READ = {
    "A1111": [
        Fragment("a ", 1.0, 0, 2),
        Fragment("red", 1.43, 4, 7),
        Fragment(" fox", 1.1, 12, 16),
        Fragment(" in ", 1.0, 17, 21),
        Fragment("fog", 1 / 1.1, 22, 25),
    ],
    "ComfyUI": [
        Fragment("a ", 1.0, 0, 2),
        Fragment("red", 1.3, 4, 7),
        Fragment(" fox", 1.1, 12, 16),
        Fragment(" in [fog]", 1.0, 17, 26),
    ],
    "Compel": [Fragment("a red:1 . 3 fox in [fog]", 1.0, 0, 26)],
}
BOS, EOS = "<|startoftext|>", "<|endoftext|>"
NASTY = ["<script>alert(1)</script></w>", "a\"b'c&d</w>", "🦊</w>", "$x$</w>", "\x00\x1b\ud83d</w>"]


def framed(words, length=77):
    tokens = [BOS, *(word + "</w>" for word in words.split()), EOS]
    return tokens + [EOS] * (length - len(tokens))


def with_weights(words, *weights):
    return framed(words), [1.0, *weights] + [1.0] * (76 - len(weights))


def rows_moved(words=(2,)):
    still = torch.zeros(77)
    scaled = still.clone()
    scaled[list(words)] = 0.43
    return [scaled, torch.full((77,), 0.004), scaled + torch.linspace(0, 0.2, 77)]


def plane(angle=70, length=20.0, other=27.0):
    c, e = torch.zeros(768), torch.zeros(768)
    c[3] = length
    e[3], e[5] = other * math.cos(math.radians(angle)), other * math.sin(math.radians(angle))
    return c, e


def every_figure():
    tokens = framed("a red fox in fog")
    w = torch.linspace(0, 1, 201)
    words = [f"word{i}</w>" for i in range(120)]
    return {
        "weighted_prompts": plots.weighted_prompts(READ, PROMPT, title="Three readings"),
        "weights_by_token": plots.weights_by_token(
            {
                "A1111": with_weights("a red fox in fog", 1, 1.43, 1.1, 1, 1 / 1.1),
                "ComfyUI": with_weights("a red fox in [ fog ]", 1, 1.3, -0.5, 0),
            }
        ),
        "row_changes": plots.row_changes(
            rows_moved(), labels=["scale", "mean", "blend"], tokens=tokens, words=[2]
        ),
        "weight_geometry": plots.weight_geometry(*plane()),
        "curves": plots.curves(
            w, {"t": w**2, "1 − t": 1 - w**2}, "weight", "share", marks=[(0.5, 0.25, "here")]
        ),
        "chunk_lanes": plots.chunk_lanes(
            {
                "A1111": [[*words[:20], "BREAK"], words[20:95], words[95:]],
                "Compel": [words[:3], words[3:78], words[78:]],
            }
        ),
    }


@pytest.fixture(scope="module")
def figures():
    return every_figure()


def test_alt_is_sentences_and_carries_numbers(figures):
    for name, figure in figures.items():
        assert re.match(r"[A-Z0-9].*\.$", figure.alt), name
        assert len(figure.alt.split()) >= 12, name
        assert re.search(r"\d", figure.alt), name
        assert not re.search(r"\.(png|svg|jpe?g)\b|None|nan\b", figure.alt), name


def test_html_is_well_formed_small_and_carries_no_fixed_ink(figures):
    owner = {}
    for name, figure in figures.items():
        html = figure.html()
        root = ElementTree.fromstring(html)
        assert root.find("div[@role='img']").get("aria-label") == figure.alt
        assert len(root.findall("details/div/table/tbody/tr")) == min(20, len(figure.table.rows))
        assert not re.search(r"#24292f|#fff|<style|clip-path|/work|/root|/tmp|20\d\d-\d\d", html)
        # A bar or a diamond for each of 77 rows, three times over, is the most that is drawn.
        assert len(html.encode()) < (30_000 if name == "row_changes" else 25_000), name
        ids = re.findall(r' id="([^"]+)"', figure.svg())
        assert set(re.findall(r'(?:url\(|href=")#([^")]+)', html)) == set(ids), name
        for one in ids:
            assert owner.setdefault(one, name) == name


def test_same_bytes_each_time(figures):
    for name, again in every_figure().items():
        assert again.html() == figures[name].html(), name


def test_text_stays_in_its_part(figures):
    assert {name: outside(figure) for name, figure in figures.items()} == {
        name: [] for name in figures
    }


def test_long_names_and_many_of_them_stay_in_their_parts():
    names = [f"{letter} tool with a name beyond all measure" for letter in "ABCDE"]
    typed = "a very long prompt, " * 9
    pieces = [Fragment("words and more words", 1.2, 0, 4), Fragment(typed[4:], -0.5, 4, 180)]
    weighed = with_weights("a red fox in fog", 1, 1.43)
    chunks = [["the</w>"], ["pneumonoultramicroscopic</w>"] * 75, ["volcanoconiosis</w>"]]
    for figure in (
        plots.weighted_prompts(dict.fromkeys(names, pieces), typed),
        plots.weights_by_token({**dict.fromkeys(names, weighed), "F": with_weights("a dog")}),
        plots.chunk_lanes({**dict.fromkeys(names, chunks), "F": [["a</w>"]] * 30}),
    ):
        assert outside(figure) == []
        drawn = [text.get_text() for ax in figure.axes for text in ax.texts]
        assert all(any(text[:6] == name[:6] for text in drawn) for name in names)
        assert all(text.get_fontsize() >= 11 for text in figure.findobj(Text) if text.get_text())


def test_a_text_too_long_for_its_place_is_cut_there_and_whole_in_the_table():
    figure = plots.weighted_prompts({"it": [Fragment("as long as it is", 1.2, 0, 4)]}, "long ago")
    assert "as …" in [text.get_text() for text in figure.axes[0].texts]
    assert figure.table.rows[0][1] == "as long as it is"


def test_what_a_user_types_is_escaped():
    typed = "".join(NASTY)
    nasty = {
        "<b>": [Fragment(typed, math.nan, 0, len(typed)), Fragment("", math.inf, 3, 3)],
    }
    tokens = [BOS, *NASTY, EOS]
    for figure in (
        plots.weighted_prompts(nasty, typed),
        plots.weights_by_token({"<b>": (tokens, [1, math.inf, math.nan, -1, 0, 2, 1])}),
        plots.row_changes(np.ones(7), tokens=tokens, words=[2], labels=["<b>"]),
        plots.curves([0, 1], {"<b>": [0, 1]}, "<i>", "$y$", marks=[(0, 0, "<script>")]),
        plots.chunk_lanes({"<b>": [NASTY, ["BREAK"], NASTY]}, title="<script>"),
    ):
        html = figure.html()
        ElementTree.fromstring(html)
        assert "<script" not in html
        assert "<b>" not in html
        assert html.encode()


@pytest.mark.parametrize(
    "prompt", ["", " ", "a\nb\t(c:1.2)", "(a)" * 60, "x" * 300, "日本 🦊 " * 30]
)
def test_any_prompt_can_be_drawn(prompt):
    fragments = parse_prompt(prompt, "comfyui")
    figure = plots.weighted_prompts({"ComfyUI": fragments, "nobody": []}, prompt)
    assert figure.width <= 760
    ElementTree.fromstring(figure.html())
    assert "nobody: no fragment." in figure.alt


def test_readings_are_in_the_table_and_in_the_words():
    figure = plots.weighted_prompts(READ, PROMPT)
    expected = [(tool, f.text, f.weight, f.start, f.end) for tool, fs in READ.items() for f in fs]
    assert figure.table.rows == expected
    assert "A1111: “a ” 1, “red” 1.43, “ fox” 1.1, “ in ” 1, “fog” 0.909." in figure.alt
    drawn = re.findall(r">([^<]+)</text>", figure.svg())
    assert drawn.count("1.43") == 1
    assert drawn.count("1.3") == 1
    assert drawn.count("0.909") == 1


def test_boxes_stand_under_the_characters_that_they_hold():
    figure = plots.weighted_prompts({"it": [Fragment("bb", 2.0, 10, 12)]}, "a" * 20)
    [typed] = [t for t in figure.axes[0].texts if t.get_text() == "a" * 20]
    [held] = [t for t in figure.axes[0].texts if t.get_text() == "bb"]
    # In a font of fixed width: the middle of 20 characters, and the middle of the 11th and 12th.
    assert held.get_position()[0] - typed.get_position()[0] == pytest.approx(CELL)
    boxes = [patch.get_path().get_extents() for patch in figure.axes[0].patches]
    wide = 2 * CELL + 2
    assert any(box.width == wide and box.x0 + wide / 2 == held.get_position()[0] for box in boxes)


def test_a_break_is_a_bar_only_at_weight_minus_one():
    prompt = "a BREAK b (BREAK)"
    fragments = [
        Fragment("a", 1.0, 0, 1), Fragment("BREAK", -1.0, 2, 7),
        Fragment("b ", 1.0, 8, 10), Fragment("BREAK", -1.1, 11, 16),
    ]  # fmt: skip
    figure = plots.weighted_prompts({"A1111": fragments}, prompt)
    assert "“a” 1, BREAK, “b ” 1, “BREAK” −1.1." in figure.alt
    assert "the chunk ends" in figure.svg()
    assert "the chunk ends" not in plots.weighted_prompts({"A": fragments[2:]}, prompt).svg()


def test_each_tool_may_have_its_own_prompt():
    readings = {"A1111": [Fragment("red", 1.3, 1, 4)], "Compel": [Fragment("red", 1.3, 1, 4)]}
    figure = plots.weighted_prompts(readings, {"A1111": "(red:1.3)", "Compel": "(red)1.3"})
    assert "A1111, given “(red:1.3)”: “red” 1.3. Compel, given “(red)1.3”: “red” 1.3." in figure.alt


def test_weights_by_token_folds_padding_and_nothing_else():
    weights = {"a": with_weights("a red fox", 1, 1.3), "b": with_weights("a red fox", 1, 1, 0.5)}
    rows = plots.weights_by_token(weights).table.rows
    assert [row[0] for row in rows] == ["0", "1", "2", "3", "4", "5–76"]
    assert [row[2] for row in rows] == [1, 1, 1.3, 1, 1, 1]
    assert [row[4] for row in rows] == [1, 1, 1, 0.5, 1, 1]
    tokens, heavy = with_weights("a red fox", 1, 1.3)
    heavy[40] = 2.0  # a weight on the padding does not hide
    rows = plots.weights_by_token({"a": (tokens, heavy)}).table.rows
    assert [row[0] for row in rows[5:]] == ["5–39", "40", "41–76"]
    same = plots.weights_by_token(weights)
    assert "differ" not in same.alt + same.svg()


def test_weights_by_token_says_where_tokens_differ():
    figure = plots.weights_by_token(
        {"a": with_weights("fog", 1.2), "b": with_weights("[ fog", 1, 1.2)}
    )
    assert "The tools' tokens differ in slots 1–3." in figure.alt
    assert figure.svg().count("≠ differs") == 3
    assert figure.table.rows[1] == ("1", "fog·", 1.2, "[·", 1.0)


def test_weights_by_token_takes_contexts_of_several_chunks():
    tokens, weights = with_weights("a red fox", 1, 1.5)
    long = SimpleNamespace(tokens=tokens * 2, weights=torch.tensor(weights * 2).double())
    rows = plots.weights_by_token({"long": long, "short": (tokens, weights)}).table.rows
    assert [row[0] for row in rows[6:]] == ["77", "78", "79", "80", "81", "82–153"]
    assert rows[8] == ("79", "red·", 1.5, "none", "none")


def test_row_changes_tells_the_groups_apart():
    figure = plots.row_changes(
        rows_moved(), labels=["scale", "mean", "blend"], tokens=framed("a red fox in fog"),
        words=[2], measure="relative movement",
    )  # fmt: skip
    assert figure.alt.startswith("Relative movement in each row of the output. The words stand in")
    assert (
        "scale: before them exactly 0, the words 0.43, after them exactly 0, EOS exactly 0, "
        "padding exactly 0." in figure.alt
    )
    assert "mean: before them 0.004, the words 0.004," in figure.alt
    # Row 0 is the only one of the two before the word that does not move.
    assert "blend: before them 0.0026 in 1 of 2 rows, the words 0.44," in figure.alt
    assert figure.table.columns == ("row", "token", "kind", "scale", "mean", "blend")
    moved = torch.stack(rows_moved()).double().T
    assert [row[3:] for row in figure.table.rows] == [tuple(r) for r in moved.tolist()]
    for name in ("before them", "the words", "after them", "exactly 0", "rows 7–76", "2 red"):
        assert f">{name}</text>" in figure.svg()


def test_row_changes_shares_one_axis():
    figure = plots.row_changes([[1e-6, 0], [0, 3.0]])
    first, second = (ax for ax in figure.axes if ax.axison)
    assert first.get_ylim() == second.get_ylim()


@pytest.mark.parametrize("prompt", ["a fox", "a red fox in fog", "a " * 30, "a " * 75])
def test_row_changes_name_rows_inside_their_parts(prompt):
    changes, tokens = np.geomspace(1e-9, 30, 77), framed(prompt)
    for words in ([], [1]):
        figure = plots.row_changes([changes, 0 * changes], None, tokens=tokens, words=words)
        assert outside(figure) == []
    kinds = {"kinds": plots.kinds_of(tokens), "eos": 4}
    assert outside(plots.row_changes(changes, labels=["long words " * 9], **kinds)) == []


@pytest.mark.equation(14)
@pytest.mark.parametrize("angle", [3, 40, 90, 140, 180])
def test_geometry_is_that_of_the_vectors(angle):
    c, e = plane(angle)
    weights = (-1, 0, 0.5, 1, 2)
    figure = plots.weight_geometry(c, e, weights)
    for w, *rest in figure.table.rows:
        scaled, moved = w * c.double(), e.double() + w * (c - e).double()
        expected = [scaled.norm(), moved.norm(), (scaled - moved).norm()]
        assert rest == pytest.approx([float(x) for x in expected], rel=1e-5, abs=1e-5)
    assert f"the angle between them is {angle} degrees" in figure.alt
    assert f"{(c - e).norm():.3g}" in figure.alt
    # On the page too: the dots of one weight are as far apart as the table says, in one scale.
    dots = {"o": [], "s": []}
    for drawn in figure.axes[0].lines:
        if drawn.get_markersize() == 7 and drawn.get_marker() in dots:
            dots[drawn.get_marker()].append(np.ravel(drawn.get_data()))
    circles, squares = (np.array(dots[m][: len(weights)]) for m in "os")
    gaps = np.linalg.norm(circles - squares, axis=1)
    true = np.array([row[3] for row in figure.table.rows])
    assert gaps / gaps.max() == pytest.approx(true / true.max(), abs=1e-5)


def test_curves_are_whole_on_a_telephone():
    lines = {"one, with a long name": [0, 0.5, 1], "two": [1, 0.5, 0]}
    figure = plots.curves([0, 1000, 2000], lines, "distance", "score", ylim=(-0.001, 1.001))
    assert figure.width <= 340
    assert outside(figure) == []
    names = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert names == list(lines)
    figure = plots.curves([0, 1000, 2000], {"a " * 40: [1e-4, 1, 10**4]}, "x", "y " * 50, logy=True)
    assert outside(figure) == []


def test_curves_tell_ends_extremes_and_gaps():
    x = np.linspace(-1, 1, 201)
    figure = plots.curves(
        x, {"hill": 1 - x**2, "pole": 1 / (x - 0.305)}, "w", "factor", ylim=(-4, 4)
    )
    assert "hill goes from 0 at −1 to 0 at 1, highest 1 at 0." in figure.alt
    assert "What lies outside −4 to 4 is not drawn." in figure.alt
    assert all(np.nanmax(np.abs(line.get_ydata())) <= 4 for line in figure.axes[0].lines)
    assert figure.table.caption == "Factor at 17 of 201 places"
    for at, hill, pole in figure.table.rows:
        assert (hill, pole) == pytest.approx((1 - at**2, 1 / (at - 0.305)))
    assert len({line.get_linestyle() for line in figure.axes[0].lines}) == 2  # not by color alone


def test_a_mark_does_not_cover_the_lines():
    x = np.linspace(0, 1, 101)
    figure = plots.curves(x, {"up": x, "down": 1 - x}, "x", "y", marks=[(0.5, 0.5, "they meet")])
    figure.draw_without_rendering()
    ax = figure.axes[0]
    [text] = [t for t in ax.texts if t.get_text() == "they meet"]
    box = Text.get_window_extent(text)  # of the words alone, without the leader to the dot
    for line in ax.lines[:2]:
        assert not box.count_contains(ax.transData.transform(line.get_xydata()))


def test_chunks_are_counted_and_cuts_are_named():
    words = [f"w{i}</w>" for i in range(100)]
    figure = plots.chunk_lanes(
        {
            "A": [[*words[:20], "BREAK"], words[20:95], words[95:]],
            "B": [words],
            "C": [words[:75], words[75:]],
        }
    )
    assert (
        "A makes chunks of 20, 75, 5 tokens: it cuts between “w18 w19” and “w20 w21” (BREAK)"
        in figure.alt
    )
    assert "B keeps all 100 tokens in one chunk." in figure.alt
    assert [row[:3] for row in figure.table.rows] == [
        ("A", 0, 20), ("A", 1, 75), ("A", 2, 5), ("B", 0, 100), ("C", 0, 75), ("C", 1, 25),
    ]  # fmt: skip
    assert [row[-1] for row in figure.table.rows] == [True, False, False, False, False, False]
    widths = {row[2]: row for row in figure.table.rows}
    assert widths[75][3] == "w0 w1 w2 w3"


def test_words_after_the_last_cut_have_room():
    words = [f"w{i}</w>" for i in range(76)]
    figure = plots.chunk_lanes({"A": [words[:75], ["extraordinarily</w>"]]})
    figure.draw_without_rendering()
    [after] = [t for t in figure.axes[0].texts if t.get_text() == "extraordinarily"]
    assert after.get_window_extent().x1 <= figure.width


def test_chunks_of_a_context_are_its_own():
    first, second = framed("a red fox"), framed("in fog")
    context = SimpleNamespace(
        tokens=first + second,
        owner=[None, 0, 0, 0] + [None] * 74 + [2, 2] + [None] * 74,
        fragments=[Fragment("a red fox", 1.0, 0, 9), Fragment("BREAK", -1.0, 10, 15),
                   Fragment("in fog", 1.0, 16, 22)],
    )  # fmt: skip
    rows = plots.chunk_lanes({"A1111": context}).table.rows
    assert rows == [
        ("A1111", 0, 3, "a red fox", "a red fox", True), ("A1111", 1, 2, "in fog", "in fog", False),
    ]  # fmt: skip
    context.fragments[1] = Fragment("of", 1.0, 10, 12)
    assert not plots.chunk_lanes({"A1111": context}).table.rows[0][-1]


C, E = plane()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: plots.weighted_prompts({"A": [Fragment("a", 1, 0, 9)]}, "a"), "has 1 characters"),
        (lambda: plots.weights_by_token({"A": (["a"], [1, 2])}), "1 tokens but 2 weights"),
        (lambda: plots.row_changes([1.0], words=[3]), "rows from 0 to 0"),
        (lambda: plots.row_changes([1.0], tokens=["a", "b"]), "1 rows but 2 tokens"),
        (lambda: plots.row_changes(np.ones(154), tokens=framed("a") * 2), "one chunk of 77"),
        (lambda: plots.weight_geometry(C, E[:5]), "one length [D]"),
        (lambda: plots.weight_geometry(C, C), "BOS has the same row"),
        (lambda: plots.weight_geometry(C * 0, E), "not 0"),
        (lambda: plots.curves([1, 1], {"a": [1, 2]}, "x", "y"), "larger than the last"),
        (lambda: plots.curves([1, 2], {"a": [1]}, "x", "y"), "“a” is [1]"),
        (lambda: plots.curves([1, 2], {"a": [0, 1]}, "x", "y", logy=True), "0 or below"),
        (lambda: plots.curves([1, 2], {}, "x", "y"), "there are 0"),
        (lambda: plots.chunk_lanes({"A": []}), "at least one chunk"),
    ],
)
def test_errors_are_sentences(call, words):
    with pytest.raises(ValueError, match=r"\.$") as error:
        call()
    assert words in str(error.value)
