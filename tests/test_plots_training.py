"""The figures of training: their words, their numbers, and what they refuse."""

import math
import re
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from PIL import Image

from cliplab import plots
from cliplab.plots.similarity import wins
from cliplab.plots.training import averaged
from tests.figures import outside

NAMES = ["dog face", "<b>$x$</b>", "a very long name of a roasted sweet potato"]
S = torch.tensor([[0.9, 0.1, -0.2], [0.3, 0.2, 0.0], [0.5, 0.1, 0.5]])


def pictures(n):
    rng = np.random.default_rng(0)
    return [Image.fromarray(rng.integers(256, size=(48, 48, 4), dtype=np.uint8)) for _ in range(n)]


def run(steps=150, every=50, names=3):
    return SimpleNamespace(
        steps=[
            {"step": n, "loss": 5 / (1 + n / 50), "r@1": n / steps, "temperature": 0.07 - n * 1e-4}
            for n in range(steps)
        ],
        evaluations=[
            {
                "step": n,
                "style/text_to_image/r@1": n / 300,
                "style/image_to_text/r@1": 0.9,
                "style/text_to_image/r@5": 0.95,
                "similarities": (torch.eye(names) * n / steps).tolist(),
            }
            for n in range(0, steps + 1, every)
        ],
    )


def every_figure():
    return {
        "one": plots.similarity_heatmap(S, NAMES, title="One"),
        "two": plots.similarity_heatmap({"ideal": torch.eye(12), "real": torch.eye(12) / 2},
                                        pictures=pictures(12)),
        "run": plots.training_curves(run(), batch_size=96, candidates=121, names=NAMES),
        "long": plots.training_curves(run(3000, 200, 12)),
    }  # fmt: skip


@pytest.fixture(scope="module")
def figures():
    return every_figure()


def test_alt_is_sentences_and_carries_numbers(figures):
    for name, figure in figures.items():
        assert re.match(r"[A-Z0-9].*\.$", figure.alt), name
        assert len(figure.alt.split()) >= 12, name
        assert not re.search(r"\.(png|svg|jpe?g)\b|None|nan\b", figure.alt), name


def test_html_is_well_formed_small_and_the_same_each_time(figures):
    again = every_figure()
    for name, figure in figures.items():
        html = figure.html()
        root = ElementTree.fromstring(html)
        assert root.find("div[@role='img']").get("aria-label") == figure.alt
        assert not re.search(r"#24292f|#fff|<style|clip-path|<b>", html), name
        assert len(html.encode()) < 45_000, name
        assert html == again[name].html(), name


def test_a_tie_is_no_win_and_mistakes_are_told():
    assert wins(S.numpy()).tolist() == [True, False, False]
    figure = plots.similarity_heatmap(S, NAMES)
    assert "1 of 3 captions find their own picture" in figure.alt
    assert f"“{NAMES[2]}” is nearer to “dog face”" in figure.alt


@pytest.mark.equation(61)
def test_the_table_has_each_caption_with_its_rival():
    rows = plots.similarity_heatmap(S, NAMES).table.rows
    assert [row[0] for row in rows] == NAMES
    assert [row[1] for row in rows] == pytest.approx([0.9, 0.2, 0.5])
    assert [row[3] for row in rows] == pytest.approx([0.1, 0.3, 0.5])
    both = plots.similarity_heatmap({"a": S, "b": S.T}, NAMES).table.rows
    assert [row[0] for row in both] == ["a"] * 3 + ["b"] * 3


def test_squares_have_the_area_of_their_values():
    """Of the cells with 1 and 1/4, the second has half the side."""
    svg = plots.similarity_heatmap(torch.diag(torch.tensor([1.0, 0.25]))).svg()
    squares = [
        float(right) - float(left)
        for left, right in re.findall(r"M([\d.]+) [\d.]+H([\d.]+)V[\d.]+H\1", svg)
    ]
    assert any(math.isclose(a, 2 * b, rel_tol=0.02) for a in squares for b in squares)


def test_all_words_are_inside_their_parts(figures):
    """However little room a few captions need, and however long they are."""
    short = {"short": plots.similarity_heatmap(S, ["a", "b", "c"])}
    for name, figure in (figures | short).items():
        assert outside(figure) == [], name


def test_crosses_stand_only_where_another_is_ahead():
    """A crossed square is told by shape, not by its color alone."""
    crossed = plots.similarity_heatmap(S).svg().count("L")
    assert crossed > plots.similarity_heatmap(torch.eye(3)).svg().count("L")


def test_averages_keep_the_mean_and_all_steps():
    steps = run(150).steps
    x, means = averaged(steps)
    assert len(x) <= 60
    assert np.allclose(np.diff(x), np.diff(x)[0])  # 150 steps make 50 stretches of 3
    assert means["loss"].mean() == pytest.approx(np.mean([r["loss"] for r in steps]))
    assert len(averaged(steps[:7])[0]) == 7


def test_training_curves_tell_the_run():
    log = run()
    figure = plots.training_curves(log, batch_size=96, candidates=121, names=NAMES)
    assert f"ln N is {math.log(96):.3g}" in figure.alt
    assert "chance is 0.826" in figure.alt
    assert "style from 0 to 50" in figure.alt
    assert "step 150: the diagonal is 1, the rest 0" in figure.alt
    columns, rows = figure.table.columns, figure.table.rows
    assert columns[-1] == "R@1, style"  # neither the other way nor R@5
    assert [row[0] for row in rows] == [0, 50, 100, 150]
    during = [r["loss"] for r in log.steps[50:100]]
    assert rows[2][1] == pytest.approx(np.mean(during))
    assert [row[-1] for row in rows] == pytest.approx([0, 1 / 6, 1 / 3, 1 / 2])


def test_a_run_without_evaluations_is_drawn_as_well():
    log = SimpleNamespace(steps=run(9).steps, evaluations=[])
    figure = plots.training_curves(log)
    assert [row[0] for row in figure.table.rows] == list(range(1, 10))
    assert "ln N" not in figure.alt


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: plots.similarity_heatmap(torch.ones(2, 3)), "[2, 3]"),
        (lambda: plots.similarity_heatmap(torch.eye(1)), "N = 2"),
        (lambda: plots.similarity_heatmap(14 * torch.eye(3)), "before they are divided by τ"),
        (lambda: plots.similarity_heatmap(S * torch.nan), "finite"),
        (lambda: plots.similarity_heatmap({}), "1 to 4"),
        (lambda: plots.similarity_heatmap(S, NAMES[:2]), "2 `names`"),
        (lambda: plots.similarity_heatmap(S, pictures=pictures(4)), "4 `pictures`"),
        (lambda: plots.similarity_heatmap({"a": S, "b": torch.eye(4)}), "one size"),
        (lambda: plots.training_curves(SimpleNamespace(steps=[], evaluations=[])), "no steps"),
        (lambda: plots.training_curves(run(), names=NAMES[:2]), "has 3 rows"),
    ],
)
def test_errors_are_sentences(call, words):
    with pytest.raises(ValueError, match=r"\.$") as error:
        call()
    assert words in str(error.value)
