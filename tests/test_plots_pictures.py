"""The figures with pictures in them: their words, numbers and pixels, and what they refuse."""

import base64
import io
import re
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from PIL import Image

from cliplab import plots
from cliplab.plots.classes import ROOM
from cliplab.plots.pictures import CHARACTERS, COLORS, lines_of, tile
from tests.figures import outside

NASTY = "<script>$x$\x00\ud83d</script> \"&' url(#x)"
LABELS = ["food & drink", "objects", "symbols"]


def picture(seed=0, side=48, mode="RGBA"):
    """A smooth picture with more colors than a palette holds, transparent at the left."""
    x, y = np.meshgrid(np.linspace(0, 255, side), np.linspace(0, 255, side))
    parts = [x, y, (x + 60 * seed) % 256, np.where(x < 60, 0, 255)]
    return Image.fromarray(np.stack(parts, -1).astype(np.uint8), "RGBA").convert(mode)


def every_figure():
    found = {
        "green apple": [(picture(n), f"apple {n}", 0.9 - n / 10) for n in range(5)],
        "a thing": [(picture(7), "a rather long name that takes several lines", -0.125)],
    }
    p = torch.tensor([[0.7, 0.2, 0.1], [0.05, 0.05, 0.9]])
    said = [0, 0, 1, 2, 2, 2, 0]
    return {
        "grid": plots.picture_grid([picture(n) for n in range(7)], [f"no. {n}" for n in range(7)]),
        "search": plots.search_results(found, source="drawn here"),
        "search, judged": plots.search_results(found, right={"green apple": {"apple 2"}}),
        "bars": plots.class_bars([picture(), picture(1)], ["one", "two"], LABELS, p, [1, 2]),
        "bars, unjudged": plots.class_bars([picture()], ["one"], LABELS, p[:1]),
        "confusion": plots.confusion([0, 1, 1, 2, 2, 2, 2], said, LABELS, title="toy"),
    }


@pytest.fixture(scope="module")
def figures():
    return every_figure()


def embedded(svg):
    """The pictures in a drawing, as RGBA arrays the right way up."""
    arrays = []
    for tag in re.findall(r"<image[^>]*>", svg):
        data = base64.b64decode(re.search(r'base64,([^"]+)"', tag)[1])
        array = np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))
        arrays.append(array[::-1] if "scale(1 -1)" in tag else array)
    return arrays


def test_words_and_structure(figures):
    for name, figure in figures.items():
        assert re.match(r"[A-Z0-9].*\.$", figure.alt), name
        assert len(figure.alt.split()) >= 8, name
        root = ElementTree.fromstring(figure.html())
        drawing = root.find("div[@role='img']")
        assert drawing.get("aria-label") == figure.alt
        parts = drawing.findall("div/svg")
        assert len(parts) == len(figure.parts)
        assert all(svg.get("aria-hidden") == "true" for svg in parts)
        assert len(root.findall("details/div/table/tbody/tr")) == len(figure.table.rows)
        assert not re.search(r"<style|<metadata|clip-path|xlink|#24292f", figure.svg()), name
        assert outside(figure) == [], name
    assert len({figure.alt for figure in figures.values()}) == len(figures)


def test_same_bytes_each_time_and_few_of_them(figures):
    for name, figure in every_figure().items():
        assert figure.html() == figures[name].html(), name
        pictures = len(embedded(figure.svg()))
        assert len(figure.html().encode()) < 9_000 + 3_000 * pictures, name


def test_the_page_gets_the_pictures_pixel_for_pixel(figures):
    shown = embedded(figures["grid"].svg())
    assert len(shown) == 7
    for n, array in enumerate(shown):
        assert np.array_equal(array, tile(picture(n)))
    assert "image-rendering" not in figures["grid"].svg()  # a browser may smooth them


def test_each_picture_of_a_grid_is_a_part_and_a_row_a_group(figures):
    grid = figures["grid"]
    assert [len(group) for group in grid.groups] == [5, 2]
    for part, svg in zip(grid.parts, re.findall(r"<svg.*?</svg>", grid.svg()), strict=True):
        assert f"no. {part.number}<" in svg
        assert svg.count("<image") == svg.count("<text") == 1
        assert f'viewBox="{part.x:g} {part.y:g} {part.width:g} {part.height:g}"' in svg


def test_a_tile_is_the_picture_on_white_in_few_colors():
    for side, given in (
        (48, picture()),
        (48, picture(mode="RGB")),
        (48, np.asarray(picture())),
        (64, picture(side=64)),
        (96, picture(side=200)),
    ):
        array = tile(given)
        assert array.shape == (side, side, 4)
        assert (array[..., 3] == 255).all()
        assert len(np.unique(array.reshape(-1, 4), axis=0)) <= COLORS
    see_through = tile(picture())[:, 0].astype(int)
    assert (see_through[:, :3] == 255).all()
    right = np.asarray(picture().convert("RGB")).astype(int)[:, 20:]
    assert abs(tile(picture())[:, 20:, :3].astype(int) - right).mean() < 25
    gray = Image.new("L", (48, 48), 100)
    assert (tile(gray)[..., :3] == 100).all()


def test_search_tells_rank_score_and_what_was_asked_for(figures):
    rows = figures["search"].table.rows
    assert rows[0] == ("green apple", 1, "apple 0", "0.90")
    assert rows[-1][-1] == "−0.12"
    judged = figures["search, judged"]
    assert [row[-1] for row in judged.table.rows] == [False, False, True, False, False, False]
    assert "apple 2 0.70 (asked for)" in judged.alt
    assert "apple 2 0.70," in figures["search"].alt
    assert "3 ✓" in judged.svg()
    assert "✓" not in figures["search"].svg()
    assert "Source: drawn here." in figures["search"].html()


def test_bars_name_the_most_probable_first_and_the_right_one(figures):
    figure = figures["bars"]
    assert "one: food & drink 70 %, objects 20 %, symbols 10 %; right is objects." in figure.alt
    assert figure.table.rows[1] == ("two", "5 %", "5 %", "90 %")
    assert figure.svg().count("✓ ") == 2
    assert "right" not in figures["bars, unjudged"].alt
    assert "✓" not in figures["bars, unjudged"].svg()


def test_bars_are_as_long_as_the_probabilities(figures):
    """The rectangles of the first picture, read from the drawing."""
    paths = re.findall(r'<path d="M([\d.]+) [\d.]+H([\d.]+)V[\d.]+H', figures["bars"].svg())
    widths = sorted({round(float(b) - float(a), 1) for a, b in paths}, reverse=True)
    for share in (0.9, 0.7, 0.2, 0.1):
        assert any(abs(width - ROOM * share) < 0.11 for width in widths), (share, widths)


def test_confusion_counts_rows_as_right_and_columns_as_said(figures):
    figure = figures["confusion"]
    assert figure.table.columns == ("right", *(f"said {name}" for name in LABELS))
    assert figure.table.rows == [
        ("food & drink", 1, 0, 0),
        ("objects", 1, 1, 0),
        ("symbols", 1, 0, 3),
    ]
    assert "7 pictures, 5 of them on the diagonal" in figure.alt
    assert "objects called food & drink (1 of 2)" in figure.alt
    assert "mistaken" not in plots.confusion([0, 1], [0, 1], ["a", "b"]).alt


def test_shades_of_confusion_grow_with_the_share_of_the_row(figures):
    (shades,) = embedded(figures["confusion"].svg())
    assert shades.shape == (3, 3, 4)
    alpha = shades[..., 3].astype(int)
    assert alpha[0, 1] == 0
    assert alpha[0, 0] == 150  # all of its row
    assert alpha[1, 0] == alpha[1, 1] == 75
    assert alpha[2, 0] < alpha[2, 2] < alpha[0, 0]


def test_long_captions_are_cut_and_line_breaks_stay():
    assert lines_of("cook\nsaid: man cook", 4) == ["cook", "said: man cook"]
    cut = lines_of("one of those names that never come to an end, it seems", 2)
    assert len(cut) == 2
    assert cut[-1].endswith("…")
    assert not cut[-1].endswith("……")
    assert max(map(len, cut)) <= CHARACTERS
    assert lines_of("", 3) == [""]
    assert max(map(len, lines_of("x" * 100, 3))) <= CHARACTERS


def test_what_a_user_types_is_escaped():
    p = [[0.5, 0.5]]
    for figure in (
        plots.picture_grid([picture()], [NASTY], title=NASTY),
        plots.search_results({NASTY: [(picture(), NASTY, 0.5)]}, source=NASTY),
        plots.class_bars([picture()], [NASTY], [NASTY, "b"], p, [0]),
        plots.confusion([0], [1], [NASTY, "b"]),
    ):
        html = figure.html()
        ElementTree.fromstring(html)
        assert "<script" not in html
        assert html.encode()  # no lone surrogate is left


@pytest.mark.parametrize(("call", "words"), [
    (lambda: plots.picture_grid([], []), "at least one picture"),
    (lambda: plots.picture_grid([picture()], ["a", "b"]), "1 pictures and 2 captions"),
    (lambda: plots.search_results({}), "at least one query"),
    (lambda: plots.search_results({"a": []}), "at least one picture"),
    (lambda: plots.class_bars([picture()], ["a"], LABELS, [[0.5, 0.5]]), "[1, 3]"),
    (lambda: plots.class_bars([picture()], ["a", "b"], ["x"], [[1.0]]), "2 captions"),
    (lambda: plots.class_bars([picture()], ["a"], ["x"], [[1.5]]), "softmax"),
    (lambda: plots.class_bars([picture()], ["a"], ["x"], [[float("nan")]]), "softmax"),
    (lambda: plots.confusion([0, 1], [0], ["a", "b"]), "one length"),
    (lambda: plots.confusion([0, 2], [0, 1], ["a", "b"]), "numbered 0 to 1"),
    (lambda: plots.confusion([], [], ["a"]), "one length"),
])  # fmt: skip
def test_errors_are_sentences(call, words):
    with pytest.raises(ValueError, match=r"\.$") as error:
        call()
    assert words in str(error.value)
