"""Diagrams of how pipelines read a prompt: what they state is what was measured."""

import inspect
import json
import re
from pathlib import Path

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from cliplab import plots
from cliplab.plots.readings import READINGS

ROOT = Path(__file__).resolve().parent.parent
TABLE = json.loads((ROOT / "book" / "pipelines.json").read_text(encoding="utf-8"))["pipelines"]


@pytest.fixture(params=READINGS)
def name(request):
    return request.param


def stated(reading) -> list[tuple[int, str, bool]]:
    """(encoder, state, norm) of all cells, in the order in which they are joined."""
    cells = [cell for rows in reading.context for cell in rows.cells if cell]
    encoders = [(n, reading.encoders[n], k) for n, k in cells]
    return [(n, encoder.states[k], encoder.normed) for n, encoder, k in encoders]


def tokens(text: str) -> int:
    """The toy's: one for each mark and for each letter."""
    return len(re.sub(r"<\|\w+\|>", "x", text))


def test_states_and_norms_are_those_that_were_measured(name):
    measured = []
    encoders = list(TABLE[name]["encoders"])
    for one in TABLE[name]["taken"]:
        state, _, norm = one["state"].partition(", ")
        state = re.sub(r"hidden_states|_hidden_state", "", state)
        measured.append((encoders.index(one["encoder"]), state, bool(norm)))
    assert stated(READINGS[name]) == measured


def test_pooled_rows_are_those_that_were_measured(name):
    found = re.findall(r"text_encoder\w*", TABLE[name]["pooled"])
    encoders = list(TABLE[name]["encoders"])
    pooled = [n for n, encoder in enumerate(READINGS[name].encoders) if encoder.pooled]
    assert pooled == [encoders.index(encoder) for encoder in found]


def test_rows_are_those_that_were_measured(name):
    reading, cells = READINGS[name], TABLE[name]
    counts = [rows.count for rows in reading.context]
    total = cells["rows"][0]
    if all(re.fullmatch(r"\d+ rows", count) for count in counts):
        assert sum(int(count.split()[0]) for count in counts) == total
    read = re.match(r"reads all (\d+) rows", reading.denoiser[1])
    if read:
        assert cells["denoising call"]["rows read"] == int(read[1]) == total
    before, after = next(iter(cells["template"].values()))
    if name == "qwen_image":
        ((kept, taken),) = cells["taken"][0]["rows"]
        assert taken[0] == int(re.search(r"first (\d+) rows", reading.context[0].before)[1])
        assert kept[1] == tokens(before) + tokens("a dog") + tokens(after) - taken[0]
    if name == "z_image":
        assert cells["padding"]["text_encoder"]["ids"] == 512 > total
        assert total == tokens(before) + tokens("a dog") + tokens(after)


def test_widths_are_the_denoisers_own():
    diffusers = pytest.importorskip("diffusers")
    sizes = {
        "sd3": ("SD3Transformer2DModel", "joint_attention_dim", "pooled_projection_dim"),
        "flux": ("FluxTransformer2DModel", "joint_attention_dim", "pooled_projection_dim"),
        "flux2": ("Flux2Transformer2DModel", "joint_attention_dim", None),
        "qwen_image": ("QwenImageTransformer2DModel", "joint_attention_dim", None),
        "z_image": ("ZImageTransformer2DModel", "cap_feat_dim", None),
    }
    for name, (kind, width, pooled) in sizes.items():
        takes = inspect.signature(getattr(diffusers, kind).__init__).parameters
        assert READINGS[name].width == takes[width].default, name
        if pooled:
            wide = sum(encoder.pooled for encoder in READINGS[name].encoders)
            assert wide == takes[pooled].default, name


def test_cells_fill_the_rows(name):
    reading = READINGS[name]
    for rows in reading.context:
        widths = [reading.encoders[cell[0]].width for cell in rows.cells if cell]
        assert sum(widths) == reading.width or None in rows.cells
        assert sum(widths) <= reading.width


def test_a_diagram_is_whole_on_a_phone_and_says_all(name):
    figure, reading = plots.reading_diagram(name), READINGS[name]
    assert figure.width <= 340
    sizes = [text.get_fontsize() for text in figure.axes[0].texts]
    assert min(sizes) >= 11
    renderer = FigureCanvasAgg(figure).get_renderer()
    for text in figure.axes[0].texts:
        ends = text.get_window_extent(renderer)
        assert 0 <= ends.x0 < ends.x1 <= figure.width, text.get_text()
    for encoder in reading.encoders:
        assert encoder.name in figure.alt
        assert any(row[0] == encoder.name for row in figure.table.rows)
    assert reading.denoiser[1] in figure.alt


def test_another_name_is_refused():
    with pytest.raises(ValueError, match="There is no pipeline 'sd2'; there are sd15, sdxl, sd3"):
        plots.reading_diagram("sd2")
