"""The table of what diffusers' pipelines do with a prompt: what is stored is what a run gives."""

import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
STORED = json.loads((ROOT / "tests" / "data" / "pipelines.json").read_text(encoding="utf-8"))
TABLE = STORED["pipelines"]
CELLS = {
    "pipeline", "encoders", "taken", "padding", "rows", "rows seen in the mask handed on", "pooled",
    "rows of a long prompt", "template", "negative", "two prompts × two pictures",
    "list left alone", "apostrophes left alone", "denoising call", "as read",
}  # fmt: skip


@pytest.fixture(scope="module")
def tool():
    pytest.importorskip("diffusers")
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        import pipelines
    finally:
        sys.path.remove(str(ROOT / "tools"))
    return pipelines


def test_every_pipeline_has_every_cell(tool):
    assert list(TABLE) == list(tool.PIPELINES)
    assert len(TABLE) >= 18
    for name, cells in TABLE.items():
        assert set(cells) == CELLS, name
        assert cells["taken"], name
        assert {one["encoder"] for one in cells["taken"]} <= set(cells["encoders"]), name


@pytest.mark.parametrize("name", ["sdxl", "sd3", "chroma", "lumina2", "z_image", "qwen_image"])
def test_what_is_stored_is_what_a_run_gives(name, tool):
    """All of them weekly, by `python tools/pipelines.py --check`."""
    versions = {module: __import__(module).__version__ for module in STORED["versions"]}
    if versions != STORED["versions"]:
        pytest.skip(f"stored with {STORED['versions']}, here are {versions}")
    tool.quiet()
    # Through JSON, where tuples are lists.
    assert json.loads(json.dumps(tool.measure(tool.PIPELINES[name]))) == TABLE[name]


def states(name: str) -> list[str]:
    return [one["state"] for one in TABLE[name]["taken"]]


def test_which_state():
    """The claims about states: before the last norm or after it, and which one."""
    after = "hidden_states[-1], after the norm"
    assert states("sd15") == ["last_hidden_state, after the norm"]
    assert states("sdxl") == ["hidden_states[-2]"] * 2
    assert states("cascade") == ["hidden_states[-1]"]  # CLIP's, before the norm
    assert states("sd3") == ["hidden_states[-2]"] * 2 + [after]
    assert states("flux") == states("chroma") == states("qwen_image") == states("ovis") == [after]
    assert states("z_image") == states("lumina2") == states("cogview4") == ["hidden_states[-2]"]
    assert states("flux2_klein") == ["hidden_states[9]", "hidden_states[18]", "hidden_states[27]"]


def test_which_rows():
    assert TABLE["sd3"]["taken"][2]["rows"] == [[[77, 333], [0, 256]]]
    assert TABLE["qwen_image"]["taken"][0]["rows"][0][1][0] == 34
    # Sana: row 0, and the last 299 of instruction and prompt.
    (first, last) = TABLE["sana"]["taken"][0]["rows"]
    assert first == [[0, 1], [0, 1]]
    assert last[0] == [1, 300]
    assert last[1][1] == TABLE["sana"]["padding"]["text_encoder"]["ids"]


def test_who_reads_padding():
    def told(name: str) -> set[str]:
        return {cell["mask"] for cell in TABLE[name]["padding"].values()}

    for name in ("sd15", "sdxl", "sd3", "flux", "cogview3", "cogview4"):
        assert told(name) == {"none"}, name
    for name in ("pixart_sigma", "chroma", "lumina2", "z_image", "flux2_klein"):
        assert told(name) == {"hides padding"}, name
    # Chroma's denoiser is shown the text and one row of padding: a dog and EOS are six tokens.
    assert TABLE["chroma"]["rows seen in the mask handed on"] == 7
    assert TABLE["pixart_sigma"]["rows seen in the mask handed on"] == 6
    assert TABLE["cogview4"]["padding"]["text_encoder"]["side"] == "left"


def test_negatives():
    zeros = {name for name, cells in TABLE.items() if cells["negative"]["None"] == "zeros"}
    assert zeros == {"sdxl", "cogview3", "bria"}
    assert {name for name, cells in TABLE.items() if cells["negative"]["''"] == "zeros"} == {"bria"}


def test_two_orders_of_two_prompts_and_two_pictures():
    odd = {
        name
        for name, cells in TABLE.items()
        if isinstance(cells["two prompts × two pictures"], dict)
        and len({*cells["two prompts × two pictures"].values()}) > 1
    }
    assert odd == {"qwen_image", "lumina2", "sana", "aura_flow", "hunyuan_dit"}


def test_whose_list_is_written_into():
    assert [name for name, cells in TABLE.items() if cells["list left alone"] is False] == [
        "z_image"
    ]
