"""The picture of what position alone gives to attention's scores."""

import re
from xml.etree import ElementTree

import pytest
import torch

from cliplab import plots
from cliplab.later_encoders import RelativePositionBias

L = 12
BY_DISTANCE = torch.arange(L)[None] - torch.arange(L)[:, None]
BY_PLACE = torch.arange(L)[None] * torch.arange(L)[:, None]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_telephone_shows_it_whole_and_large_enough(count):
    terms = {f"way {n}": torch.randn(L, L) for n in range(count)}
    figure = plots.position_terms(terms)
    assert figure.width <= 358  # of a page 390 px wide, without its margins
    assert all(text.get_fontsize() >= 11 for text in figure.axes[0].texts)
    panels = [image.get_array().shape for image in figure.axes[0].images]
    assert panels == [(L, L, 4), (1, 12, 4)] * count


def test_words_say_whether_the_distance_decides():
    figure = plots.position_terms({"by distance": BY_DISTANCE, "by place": BY_PLACE})
    assert re.findall(r"(by \w+): from (−?\d+) to (\d+); the values of one distance ([^.]+)\.",
                      figure.alt) == [
        ("by distance", "−11", "11", "are equal"),
        ("by place", "0", "121", "differ by up to 121"),
    ]  # fmt: skip


def test_the_table_has_the_row_of_the_middle_query():
    figure = plots.position_terms({"by distance": BY_DISTANCE, "by place": BY_PLACE})
    assert figure.table.rows == [(j, j - 6, float(j - 6), float(6 * j)) for j in range(L)]
    root = ElementTree.fromstring(figure.html())
    assert root.find("div/svg").get("aria-label") == figure.alt


def test_equal_scores_have_one_color():
    figure = plots.position_terms({"zeros": RelativePositionBias(1, 32, 128)(L)[0]})
    assert len(set(map(tuple, figure.axes[0].images[0].get_array().reshape(-1, 4)))) == 1


@pytest.mark.parametrize(
    "terms",
    [
        {},
        {"a": torch.zeros(3, 4)},
        {"a": torch.zeros(3)},
        {"a": torch.zeros(3, 3), "b": torch.zeros(4, 4)},
        {"a": torch.zeros(1, 1)},
        {f"{n}": torch.zeros(3, 3) for n in range(4)},
    ],
)
def test_what_it_cannot_draw_is_refused(terms):
    with pytest.raises(ValueError, match="one to three tables"):
        plots.position_terms(terms)
