"""The picture of a number for each pair of places."""

from xml.etree import ElementTree

import pytest
import torch

from cliplab import plots
from tests.figures import outside

L = 12
BY_DISTANCE = torch.arange(L)[None] - torch.arange(L)[:, None] + 20
BY_PLACE = torch.arange(1, L + 1)[None] * torch.arange(1, L + 1)[:, None]
CAUSAL = BY_PLACE.tril()
WORDS = ("What is drawn", "query i", "key j")


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_telephone_shows_it_whole_and_large_enough(count):
    figure = plots.pair_tables({f"way {n}": torch.randn(L, L) for n in range(count)}, *WORDS)
    assert all(part.width <= 340 for part in figure.parts)
    assert outside(figure) == []
    assert all(text.get_fontsize() >= 11 for ax in figure.axes for text in ax.texts)
    panels = [image.get_array().shape for ax in figure.axes for image in ax.images]
    assert panels == [(L, L, 4), (1, 12, 4)] * count


def test_words_say_what_decides():
    figure = plots.pair_tables({"by distance": BY_DISTANCE, "by place": BY_PLACE}, *WORDS)
    assert figure.alt == (
        "What is drawn, for 12 by 12 pairs; down: query i, across: key j. "
        "by distance: from 9 to 31, equal for all pairs of one distance. by place: from 1 to 144."
    )


def test_exactly_0_is_hatched_and_said():
    figure = plots.pair_tables({"causal": CAUSAL}, *WORDS)
    drawn = figure.axes[0].images[0].get_array()
    assert ((drawn[..., 3] == 0) == (CAUSAL == 0).numpy()).all()
    assert any(patch.get_hatch() for patch in figure.axes[0].patches)
    assert "exactly 0 in 66 of 144 cells, all those above the diagonal among them." in figure.alt
    figure = plots.pair_tables({"not causal": BY_DISTANCE.clip(min=20) - 20}, *WORDS)
    assert "exactly 0 in 78 of 144 cells, equal for all pairs of one distance." in figure.alt
    figure = plots.pair_tables({"full": BY_PLACE}, *WORDS)
    assert not any(patch.get_hatch() for patch in figure.axes[0].patches)


def test_the_table_has_the_row_in_the_middle():
    figure = plots.pair_tables({"by distance": BY_DISTANCE, "by place": BY_PLACE}, *WORDS)
    assert figure.table.rows == [(j, float(j + 14), float(7 * (j + 1))) for j in range(L)]
    root = ElementTree.fromstring(figure.html())
    assert root.find("div[@role='img']").get("aria-label") == figure.alt


def test_equal_numbers_have_one_color():
    figure = plots.pair_tables({"ones": torch.ones(L, L)}, *WORDS)
    assert len(set(map(tuple, figure.axes[0].images[0].get_array().reshape(-1, 4)))) == 1


@pytest.mark.parametrize(
    "tables",
    [
        {},
        {"a": torch.zeros(3, 4)},
        {"a": torch.zeros(3)},
        {"a": torch.zeros(3, 3), "b": torch.zeros(4, 4)},
        {"a": torch.zeros(1, 1)},
        {f"{n}": torch.zeros(3, 3) for n in range(4)},
    ],
)
def test_what_it_cannot_draw_is_refused(tables):
    with pytest.raises(ValueError, match="one to three tables"):
        plots.pair_tables(tables, *WORDS)
