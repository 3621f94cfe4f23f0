"""The table of what diffusers' pipelines do with a prompt: what is stored is what a run gives."""

import json
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
STORED = json.loads((ROOT / "book" / "pipelines.json").read_text(encoding="utf-8"))
TABLE = STORED["pipelines"]
CELLS = {
    "title", "pipeline", "encoders", "taken", "padding", "rows", "rows of zeros",
    "rows seen in the mask handed on", "pooled", "rows of a long prompt", "template", "negative",
    "two prompts × two pictures", "list left alone", "apostrophes left alone", "denoising call",
    "as read",
}  # fmt: skip


@pytest.fixture(scope="module")
def tool():
    pytest.importorskip("diffusers")
    from tools import pipelines

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
    assert states("flux2") == ["hidden_states[10]", "hidden_states[20]", "hidden_states[30]"]


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


def test_a_negative_prompt_that_is_no_text():
    """PixArt makes text of None; what stands around a prompt, its negative does not get."""
    for name in ("pixart_alpha", "pixart_sigma"):
        assert TABLE[name]["negative"]["None"] == "the encoding of 'none</s>' as it stands"
    for name in ("lumina2", "sana"):
        assert TABLE[name]["negative"]["''"] == "the encoding of '<s>' as it stands"


def test_which_padding():
    """An id is stored where the vocabulary is the real one; SDXL's second is the `!`."""
    one, two = TABLE["sdxl"]["padding"].values()
    assert (one["token"], one["id"]) == ("<|endoftext|>", 49407)
    assert (two["token"], two["id"]) == ("!", 0)
    ids = {name: cell["id"] for name, cell in TABLE["hidream"]["padding"].items()}
    assert ids == {"text_encoder": 49407, "text_encoder_2": 0,
                   "text_encoder_3": None, "text_encoder_4": None}  # fmt: skip
    assert TABLE["sd15"]["template"] == {"text_encoder": ["<|startoftext|>", " <|endoftext|>"]}


def test_rows_of_zeros():
    zeros = {name: cells["rows of zeros"] for name, cells in TABLE.items()}
    # Six tokens of 128 and of 256: "a dog", a byte each, and EOS. CogView's padding is read.
    assert (zeros["bria"], zeros["aura_flow"], zeros["cogview4"]) == (122, 250, 0)


def test_which_rows_the_denoiser_reads():
    read = {
        name: (call["rows read"], call["rows"])
        for name, cells in TABLE.items()
        if (call := cells["denoising call"]) != "not run"
    }
    assert read == {
        "sd15": (77, 77), "sdxl": (77, 77), "sd3": (333, 333), "flux": (512, 512),
        "pixart_alpha": (6, 120), "pixart_sigma": (6, 300), "lumina2": (170, 256),
        "sana": (7, 300), "qwen_image": (133, 133),
        # Its mask shows 7, but is of numbers, which attention adds to the scores.
        "chroma": (512, 512),
    }  # fmt: skip


def test_who_notices_that_rows_are_scaled():
    """An RMSNorm at the door takes the length of a row away."""
    calls = {n: c["denoising call"] for n, c in TABLE.items() if c["denoising call"] != "not run"}
    lost = {name for name, call in calls.items() if call["rows × 1.5"] == "not felt"}
    assert lost == {"lumina2", "qwen_image"}


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


# What chapters 15 and 16 cite from it


def cited(chapter: str, columns: int) -> list[list[str]]:
    """The rows of a chapter's table of that many columns that begin with a pipeline's title."""
    nb = nbformat.read(next((ROOT / "chapters").glob(f"{chapter}_*.ipynb")), as_version=4)
    lines = [line for cell in nb.cells for line in cell.source.split("\n") if line.startswith("| ")]
    rows = [[column.strip() for column in line.strip("|").split("|")] for line in lines]
    return [row for row in rows if row[0] in BY_TITLE and len(row) == columns]


BY_TITLE = {cells["title"]: cells for cells in TABLE.values()}


def handed_on(cells: dict, longest: int) -> str:
    """What the network that paints is told of padding, in the words of chapter 16."""
    seen, zeros = cells["rows seen in the mask handed on"], cells["rows of zeros"]
    rows, said = cells["rows"][0], []
    if seen != "none":
        said.append(f"shows {seen} of {rows}")
    if zeros:
        said.append(f"{zeros} rows are zeros" if said else f"{zeros} of {rows} rows are zeros")
    elif not said and rows < longest:
        said.append(f"padding removed, {rows} rows")
    return "; ".join(said) or "none"


def test_chapter_15_has_the_longest_contexts():
    rows = cited("15", 3)
    assert len(rows) >= 9
    for title, most, _ in rows:
        assert int(most) == BY_TITLE[title]["rows of a long prompt"], title


def test_chapter_16_has_who_hides_padding_from_whom():
    rows = cited("16", 5)
    assert len(rows) == 15, "The chapter says fifteen."
    for title, side, told, mask, read in rows:
        cells = BY_TITLE[title]
        padding = cells["padding"][cells["taken"][-1]["encoder"]]
        assert side == padding["side"], title
        assert told == {"hides padding": "yes", "none": "no"}[padding["mask"]], title
        assert mask == handed_on(cells, padding["ids"]), title
        call = cells["denoising call"]
        wanted = call if call == "not run" else f"{call['rows read']} of {call['rows']}"
        assert read == wanted, title
