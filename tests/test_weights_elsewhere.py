"""The table of what tools make of (word:1.3): its form, and its cells against what runs here."""

import json
import warnings
from importlib.metadata import version
from pathlib import Path

import pytest

from cliplab import PromptWarning, parse_prompt

ROOT = Path(__file__).resolve().parent.parent
STORED = json.loads((ROOT / "book" / "weights_elsewhere.json").read_text(encoding="utf-8"))
TOOLS, PROMPTS = STORED["tools"], STORED["prompts"]
BLOCK = "new block"


@pytest.fixture(scope="module")
def tool():
    pytest.importorskip("diffusers")
    from tools import weights_elsewhere

    return weights_elsewhere


def test_every_cell_says_how_it_was_found(tool):
    assert list(TOOLS) == list(tool.PROBES)
    assert len(TOOLS) >= 12
    assert PROMPTS == tool.PROMPTS
    for name, row in TOOLS.items():
        assert list(row["cells"]) == tool.COLUMNS, name
        assert row["package"] or row["read in"], name
        for column, cell in row["cells"].items():
            ((how, found),) = cell.items()
            assert how in ("run", "read", "not run"), (name, column)
            assert bool(found) == (how != "not run"), (name, column)
            assert how != "run" or row["package"], (name, column)


def test_packages_are_pinned(tool):
    """Whoever has a package has run cells, all from one version."""
    for name, kind in tool.PROBES.items():
        ran = [c for c in TOOLS[name]["cells"].values() if "run" in c]
        assert bool(ran) == bool(kind.package), name
        assert all(package.count("==") == 1 for package in (kind.package, *kind.needs) if package)


@pytest.mark.parametrize("name", ["compel", "diffusers"])
def test_what_is_stored_is_what_a_run_gives(name, tool, tmp_path):
    """Those that are installed here; all of them by `python tools/weights_elsewhere.py --check`."""
    package, _, pinned = tool.PROBES[name].package.partition("==")
    pytest.importorskip(package)
    if version(package) != pinned:
        pytest.skip(f"stored with {package} {pinned}")
    cells = tool.measure(tool.PROBES[name], tmp_path)
    assert json.loads(json.dumps(tool.row(name, cells))) == TOOLS[name]


def tidy(fragments):
    """Fragments without white space, empty ones and last digits; BREAK is a new block."""
    pairs = ((BLOCK, 1) if f == BLOCK or f[0] == "BREAK" else (f[0], f[1]) for f in fragments)
    return [(text.strip(), pytest.approx(weight)) for text, weight in pairs if text.strip()]


@pytest.mark.parametrize("column", PROMPTS)
@pytest.mark.parametrize("syntax", ["a1111", "comfyui", "compel", "sdcpp"])
def test_the_tools_of_the_library_read_what_the_table_says(syntax, column):
    (found,) = TOOLS[syntax]["cells"][column].values()
    with warnings.catch_warnings(action="ignore", category=PromptWarning):
        here = parse_prompt(PROMPTS[column], syntax)
    assert tidy([(f.text, f.weight) for f in here]) == tidy(found)


def cell(name, column):
    (found,) = TOOLS[name]["cells"][column].values()
    return found


def test_operations():
    """The formulas of chapter 4 are the tools'."""
    assert cell("comfyui", "operation") == cell("comfylib", "operation") == "e + w (C − e)"
    assert cell("compel", "operation").startswith("e + w (C − e); below 1 another: rows 2 to 76")
    assert cell("stablepy_original", "operation") == "w C, then the mean of each chunk restored"
    assert cell("prompt_embedder", "operation") == "w C"
    assert cell("sd_embed", "operation") == "w C, with w in 16 bits"
    assert cell("diffusers", "operation") == "none"


def test_what_the_page_says():
    page = (ROOT / "book" / "weights_elsewhere.md").read_text(encoding="utf-8")
    assert "eighteen tools" in page
    assert len(TOOLS) == 18
    assert "the same seven prompts" in page
    assert len(PROMPTS) == 7
    blocks = {name for name in TOOLS if BLOCK in (cell(name, "break") or [])}
    assert "Four tools begin a new block" in page
    assert blocks == {"a1111", "sdcpp", "sdnext", "stablepy_original"}
    minus = {n for n in TOOLS if ["break", -1.0] in list(cell(n, "break"))}
    assert minus == {"sd_embed", "prompt_embedder"}
    assert {n for n in TOOLS if cell(n, "rows") == "7"} == minus
    assert {n for n in TOOLS if cell(n, "choice") == "cat or dog"} >= {
        "comfyui_page", "dynamicprompts",
    }  # fmt: skip
    assert cell("dgenerate", "escape") == [["cat", 1.1]]
    assert cell("dgenerate", "weight")[0][1] == pytest.approx(1.1**3)
    assert cell("sdcpp", "escape") == [["(cat\\)", 1.0]]
    assert cell("stablepy_classic", "break")[-1][0] == "1b,"
    assert cell("sdkit", "weight") == [["(cat", 1.0]]
    for name in ("sdcpp", "sd_embed", "lpw"):
        ((words, weight),) = cell(name, "space")
        assert words.replace(" ", "") == "cat:1.3"
        assert weight == pytest.approx(1.1)
