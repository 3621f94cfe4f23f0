"""Figures: their words, their numbers, and what they put into a page."""

import ast
import base64
import io
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from PIL import Image

from cliplab import plots
from tests.figures import outside

TOKENS = ["<|startoftext|>", "a</w>", "running</w>", "dog</w>", "<|endoftext|>"]
IDS = [49406, 320, 2761, 1929, 49407]
TOKENS_77, IDS_77 = TOKENS + ["<|endoftext|>"] * 72, IDS + [49407] * 72
STEPS = [
    SimpleNamespace(pair=("d", "o"), rank=11, result=["do", "g</w>"]),
    SimpleNamespace(pair=("do", "g</w>"), rank=1417, result=["dog</w>"]),
]
NASTY = [
    "<|startoftext|>",
    "<script>alert(1)</script></w>",
    "a\"b'c&d</w>",
    "🦊</w>",
    "$x$</w>",
    "\x00\x1b\ud83d</w>",
    ' id="x" url(#x)</w>',
    "<|endoftext|>",
]


def attention(heads, length, seed=0):
    scores = torch.randn(heads, length, length, generator=torch.Generator().manual_seed(seed))
    return scores.masked_fill(~torch.ones(length, length).tril().bool(), -torch.inf).softmax(-1)


def hidden_states(layers, length, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(1, length, 16, generator=generator) * (n + 1) for n in range(layers + 1)]


def every_figure(length):
    """One figure from each function, for a prompt of 5 or of 77 slots."""
    ids, tokens = (IDS, TOKENS) if length == 5 else (IDS_77, TOKENS_77)
    causal = torch.ones(length, length).tril().bool()
    pad = torch.arange(length) < 4
    changes = torch.where(pad, 0.0, torch.linspace(0.01, 2, length))
    return {
        "token_strip": plots.token_strip(ids, tokens, mask=pad, title="a running dog"),
        "mask_heatmap": plots.mask_heatmap(causal, tokens),
        "mask_heatmap of one row": plots.mask_heatmap(pad),
        "mask_product": plots.mask_product(causal, pad, causal & pad, tokens),
        "attention_grid": plots.attention_grid(
            attention(12, length), tokens, layer=3, source="random weights, seed 0"
        ),
        "norms_by_layer": plots.norms_by_layer(hidden_states(12, length), tokens),
        "row_changes": plots.row_changes(
            [changes, changes * 2], kinds=plots.kinds_of(tokens), eos=4, labels=["first", "second"]
        ),
        "merge_ladder": plots.merge_ladder(STEPS, "dog"),
        "activation_curves": plots.activation_curves(),
        "pipeline_diagram": plots.pipeline_diagram(),
        "reading_diagram": plots.reading_diagram("sd3"),
        "encoder_diagram": plots.encoder_diagram(),
        "parameter_bars": plots.parameter_bars(),
    }


@pytest.fixture(scope="module", params=[5, 77])
def figures(request):
    return every_figure(request.param)


def test_alt_is_sentences_and_carries_numbers(figures):
    for name, figure in figures.items():
        assert re.match(r"[A-Z0-9].*\.$", figure.alt), name
        assert len(figure.alt.split()) >= 8, name
        assert re.search(r"\d", figure.alt) or name == "merge_ladder", name
        assert not re.search(r"\.(png|svg|jpe?g)\b|None|nan", figure.alt), name
    assert len({f.alt for f in figures.values()}) == len(figures)


def test_html_is_well_formed_and_labeled(figures):
    for name, figure in figures.items():
        root = ElementTree.fromstring(figure.html())
        assert root.tag == "figure", name
        drawing = root.find("div[@role='img']")
        assert drawing.get("aria-label") == figure.alt
        parts = drawing.findall("div/svg")
        assert len(parts) == len(figure.parts)
        assert all(svg.get("aria-hidden") == "true" for svg in parts)
        table = root.find("details/div/table")
        assert table.find("caption").text
        assert all(cell.get("scope") == "col" for cell in table.findall("thead/tr/th"))
        rows = table.findall("tbody/tr")
        assert len(rows) == min(20, len(figure.table.rows))
        assert all(row[0].get("scope") == "row" for row in rows)
        cut = f"first 20 of {len(figure.table.rows):,} rows"
        assert (cut in table.find("caption").text) == (len(figure.table.rows) > 20)


def test_svg_takes_on_the_page_and_leaves_nothing_behind(figures):
    for name, figure in figures.items():
        svg = figure.svg()
        assert "fill:currentColor" in svg, name
        assert "<text" in svg, name
        assert not re.search(r"<style|<metadata|clip-path|xlink|/work|/root|/tmp|/home|/usr", svg)
        assert not re.search(r"#24292f|#fff|20\d\d-\d\d-\d\d|Matplotlib", svg, re.I), name


def test_words_stay_in_their_parts(figures):
    assert {name: outside(figure) for name, figure in figures.items()} == {
        name: [] for name in figures
    }


@pytest.mark.parametrize("letters", [1, 11, 37, 200])
def test_a_word_of_any_length_fits_its_ladder(letters):
    word = "o" * letters
    symbols = [*word[1:], "o</w>"]
    step = SimpleNamespace(pair=(word[2:], "o</w>"), rank=48893, result=[word + "</w>"])
    for figure in (
        plots.merge_ladder([], word),
        plots.merge_ladder([SimpleNamespace(pair=("x", "y"), rank=0, result=symbols), step], word),
    ):
        assert outside(figure) == []


def test_hatching_is_stored_once_and_every_part_uses_it():
    figure = plots.token_strip(IDS_77, TOKENS_77, mask=torch.arange(77) < 5)
    svg = figure.svg()
    (mark,) = re.findall(r'<pattern id="([^"]+)"', svg)
    assert svg.count(f"url(#{mark})") == len(figure.parts)
    assert "<defs/>" not in svg


def test_size_budget(figures):
    for name, figure in figures.items():
        # Twelve heads of pure noise at 77 × 77 is the worst that a palette can be asked to hold.
        limit = 36_000 if name == "attention_grid" else 25_000
        assert len(figure.html().encode()) < limit, name


def test_same_bytes_each_time_also_in_a_new_figure(figures):
    again = every_figure(len(figures["mask_heatmap"].table.rows))
    for name, figure in figures.items():
        assert figure.html() == figure.html() == again[name].html(), name


def test_ids_are_unique_across_figures_and_all_resolve(figures):
    owner = {}
    for name, figure in figures.items():
        svg = figure.svg()
        ids = re.findall(r' id="([^"]+)"', svg)
        assert len(ids) == len(set(ids))
        assert set(re.findall(r'(?:url\(|href=")#([^")]+)', svg)) == set(ids), name
        for one in ids:
            assert owner.setdefault(one, name) == name


def test_parts_wrap_in_groups_and_none_holds_what_lies_in_another():
    """Saved, they stand as on a wide page; on a page each has its own drawing and definitions."""
    figure = plots.Figure.wrapping([(336, 40)], [(336, 90), (300, 70), (336, 80)])
    assert [(part.x, part.y) for part in figure.parts] == [(0, 0), (0, 52), (348, 52), (0, 154)]
    assert (figure.width, figure.height) == (684, 234)
    for part in figure.parts:
        part.panel(40, 5, 250, 25).plot([0, 1], [0, 1], "o", label="", color="red")
        part.sheet().text(10, 10, f"words of {part.number}", fontsize=11)
    figure.described("A figure.", plots.Table(("a",), [(1,)], "one"))
    drawn = re.findall(r"<svg.*?</svg>", figure.svg())
    assert len(drawn) == 4
    for n, svg in enumerate(drawn):
        assert re.findall(r"words of (\d)", svg) == [str(n)]
        assert svg.count("<use ") == 2
        (mark,) = re.findall(r' id="([^"]+)"', svg)
        assert svg.count(f'href="#{mark}"') == 2
        x, y, width, height = (float(v) for v in re.search(r'viewBox="([^"]+)', svg)[1].split())
        for at in re.findall(r'<use [^>]*x="([\d.]+)" y="([\d.]+)"', svg):
            assert x < float(at[0]) < x + width
            assert y < float(at[1]) < y + height
    assert len(set(re.findall(r' id="([^"]+)"', figure.svg()))) == 4


def test_what_a_user_types_is_escaped():
    ids = list(range(len(NASTY)))
    mask = np.ones(len(NASTY), bool)
    for figure in (
        plots.token_strip(ids, NASTY, title="<b>&</b>"),
        plots.mask_heatmap(mask, NASTY, title="\x00<i>"),
        plots.attention_grid(attention(1, 8), NASTY, source="<script>"),
        plots.norms_by_layer(hidden_states(2, 8), NASTY),
        plots.row_changes(np.ones(8), labels=["<script>$y$"]),
        plots.merge_ladder([], "<script>"),
    ):
        html = figure.html()
        ElementTree.fromstring(html)
        assert "<script" not in html
        assert "<b>" not in html
        assert html.encode()  # no lone surrogate is left
    strip = plots.token_strip(ids, NASTY)
    assert "$x$" in strip.svg()
    assert "🦊" in strip.svg()
    looks_like_an_id = plots.row_changes([0, 1], labels=[NASTY[-2]])
    assert '> id="x" url(#x)&lt;/w&gt;</text>' in looks_like_an_id.svg()


def test_notebook_display_is_html_and_the_alt_text_alone(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: shown.append((data, raw)))
    figure = plots.merge_ladder(STEPS, "dog")
    figure._ipython_display_()
    assert shown == [({"text/html": figure.html(), "text/plain": figure.alt}, True)]


def test_ipython_adds_no_second_picture():
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output

    shell = InteractiveShell.instance()
    try:
        with capture_output() as captured:
            data, _ = shell.display_formatter.format(plots.merge_ladder(STEPS, "dog"))
        assert data == {}
        assert [set(output.data) for output in captured.outputs] == [{"text/html", "text/plain"}]
    finally:
        InteractiveShell.clear_instance()


def test_savefig_writes_a_png_with_real_colors(tmp_path):
    plots.mask_heatmap([1, 0, 1]).savefig(tmp_path / "mask.png", dpi=144)
    picture = np.asarray(Image.open(tmp_path / "mask.png").convert("RGB"))
    assert tuple(picture[0, 0]) == (255, 255, 255)
    assert (picture == (0x2B, 0x7B, 0xBA)).all(axis=-1).sum() > 1000  # the two seen cells


def test_no_pyplot_and_no_change_to_settings():
    code = (
        "import sys, matplotlib as m; before = m.rcParams.copy(); from cliplab import plots; "
        "plots.activation_curves().html(); plots.row_changes([0, 1]).html(); "
        "assert m.rcParams.copy() == before; assert 'matplotlib.pyplot' not in sys.modules; "
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_figures_do_not_follow_the_reader_settings():
    import matplotlib

    plain = plots.activation_curves().svg()
    with matplotlib.rc_context(
        {
            "font.size": 30,
            "axes.facecolor": "black",
            "text.color": "red",
            "lines.linewidth": 9,
            "svg.fonttype": "path",
        }
    ):
        assert plots.activation_curves().svg() == plain


def test_plots_use_no_other_module_of_the_package():
    """But for the sentence that says which extra brings matplotlib."""
    for path in plots.__path__:
        for file in Path(path).glob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.ImportFrom):
                    assert node.level < 2 or node.module == "extras", file
                    assert not (node.module or "").startswith("cliplab"), file


@pytest.mark.equation(7, 10)
def test_token_strip_table_is_the_prompt():
    pad = torch.arange(77) < 5
    rows = plots.token_strip(IDS_77, TOKENS_77, mask=pad).table.rows
    assert [row[2] for row in rows] == IDS_77
    assert [row[1] for row in rows] == TOKENS_77
    assert [row[4] for row in rows] == pad.tolist()
    kinds = [row[3] for row in rows]
    assert kinds == ["BOS"] + ["content"] * 3 + ["EOS"] + ["padding"] * 72


def test_kinds_of_counts_the_first_eos_only_and_any_padding():
    assert plots.kinds_of([*TOKENS, "!</w>", "!</w>"])[4:] == ["EOS", "padding", "padding"]
    assert plots.kinds_of(["x</w>"]) == ["content"]


def decoded(spans):
    """The numbers that a text such as "0–2, 5" stands for."""
    if spans == "none":
        return []
    ends = [[int(n) for n in part.split("–")] for part in spans.split(", ")]
    return [n for pair in ends for n in range(pair[0], pair[-1] + 1)]


@pytest.mark.equation(55, 56, 57)
@pytest.mark.parametrize("length", [5, 77])
def test_mask_tables_are_the_masks(length):
    causal = torch.ones(length, length).tril().bool()
    pad = torch.arange(length) != 2
    product = causal & pad
    for i, keys, count in plots.mask_heatmap(product).table.rows:
        assert decoded(keys) == product[i].nonzero().flatten().tolist()
        assert count == product[i].sum()
    figure = plots.mask_product(causal, pad, product)
    for i, *cells in figure.table.rows:
        expected = [
            m[i].nonzero().flatten().tolist() for m in (causal, pad.expand(length, -1), product)
        ]
        assert [decoded(cell) for cell in cells] == expected
    assert "their product with" in figure.alt
    assert "not their product" in plots.mask_product(causal, pad, causal).alt


def test_mask_alt_names_an_empty_row():
    strict = torch.ones(5, 5).tril(-1).bool()
    assert "No key at all is seen by row 0." in plots.mask_heatmap(strict).alt


def embedded(figure):
    """The pixels [H, W, 4] of the first picture in a figure's SVG."""
    data = re.search(r"base64,([^\"]+)", figure.svg())[1]
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGBA"))


def test_heat_map_pixels_are_the_mask():
    """The picture in the page has one pixel per cell: opaque where the mask says seen."""
    mask = torch.rand(77, 77, generator=torch.Generator().manual_seed(1)) < 0.5
    assert np.array_equal(embedded(plots.mask_heatmap(mask))[..., 3] > 0, mask.numpy())


def test_pictures_are_stored_as_they_are_shown():
    picture = Image.new("RGB", (48, 48), "blue")
    picture.paste("red", (0, 0, 48, 24))
    pixels = embedded(plots.picture_grid([picture], ["red over blue"]))
    assert pixels[4, 24, 0] > 200 > pixels[4, 24, 2]
    assert pixels[-4, 24, 2] > 200 > pixels[-4, 24, 0]


def test_ticks_and_the_lines_of_a_grid_are_one_path_each():
    svg = plots.curves([0, 1, 2], {"a": [0, 1, 2]}, "x", "y").svg()
    paths = re.findall(r'<path d="([^"]+)"', svg)
    assert sum(re.fullmatch(r"(M[\d. ]+[vh]-?3.5)+", path) is not None for path in paths) == 1
    assert sum(re.fullmatch(r"(M[\d. ]+[VH][\d.]+){3,}", path) is not None for path in paths) == 1


def test_attention_table_holds_every_weight_that_is_not_zero():
    weights = attention(3, 6)
    rows = plots.attention_grid(weights).table.rows
    back = torch.zeros_like(weights)
    for h, i, j, value in rows:
        back[h, i, j] = value
    assert torch.equal(back, weights)
    assert len(rows) == 3 * 21


def test_attention_alt_does_not_claim_a_causal_mask_that_is_not_there():
    assert "exactly 0" not in plots.attention_grid(torch.full((2, 4, 4), 0.25)).alt
    assert "exactly 0" in plots.attention_grid(attention(2, 4)).alt


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_norms_are_the_norms(dtype):
    states = [h.to(dtype) for h in hidden_states(3, 5)]
    rows = plots.norms_by_layer(states, TOKENS).table.rows
    expected = torch.stack([h[0].double().norm(dim=1) for h in states], dim=1)
    assert np.allclose([row[1:] for row in rows], expected.numpy(), rtol=1e-12)
    assert [row[0] for row in rows] == ["0 BOS", "1 a", "2 running", "3 dog", "4 EOS"]


def test_row_changes_tells_zero_from_tiny():
    figure = plots.row_changes(torch.tensor([0.0, 1e-300, 2.0], dtype=torch.float64))
    assert [row[1] for row in figure.table.rows] == [0.0, 1e-300, 2.0]
    assert "exactly 0 in row 0, by 1e-300 to 2 in rows 1–2" in figure.alt
    assert "no row changes" in plots.row_changes(torch.zeros(4)).alt


def test_merge_ladder_rows_are_the_steps():
    figure = plots.merge_ladder(STEPS, "dog")
    assert figure.table.rows == [
        (0, "none", "none", "d o g</w>"),
        (1, "d + o", 11, "do g</w>"),
        (2, "do + g</w>", 1417, "dog</w>"),
    ]
    assert "rank 1,417" in figure.svg()
    assert plots.merge_ladder([], "a").table.rows == [(0, "none", "none", "a</w>")]


@pytest.mark.equation(27)
def test_activation_difference_is_computed_not_stated():
    u = torch.linspace(-6, 6, 240001, dtype=torch.float64)
    gap = u * torch.sigmoid(1.702 * u) - torch.nn.functional.gelu(u)
    figure = plots.activation_curves()
    worst = min(figure.table.rows, key=lambda row: row[4])
    assert worst[4] == pytest.approx(gap.min().item(), abs=1e-7)
    assert abs(worst[0]) == pytest.approx(abs(u[gap.argmin()].item()), abs=0.01)
    assert "0.0203 below GELU" in figure.alt
    for x, quick, gelu, relu, difference in figure.table.rows:
        at = torch.tensor(x, dtype=torch.float64)
        assert quick == pytest.approx((at * torch.sigmoid(1.702 * at)).item(), abs=1e-12)
        assert gelu == pytest.approx(torch.nn.functional.gelu(at).item(), abs=1e-12)
        assert (relu, difference) == (max(x, 0), quick - gelu)


@pytest.mark.equation(52)
def test_parameter_counts_come_out_at_the_model():
    assert sum(plots.parameter_counts().values()) == 123_060_480
    config = SimpleNamespace(
        vocab_size=100, context_length=9, width=8, heads=2, layers=3, mlp_width=20, projection=5
    )
    layer = torch.nn.TransformerEncoderLayer(8, 2, 20)  # the same four matrices and two norms
    expected = 100 * 8 + 9 * 8 + 3 * sum(p.numel() for p in layer.parameters()) + 2 * 8 + 5 * 8
    assert sum(plots.parameter_counts(config).values()) == expected
    assert plots.encoder_diagram(config).table.rows[-1][-1] == expected
    assert sum(row[3] for row in plots.encoder_diagram(config).table.rows[:-1]) == expected
    assert f"{expected:,} parameters" in plots.parameter_bars(config).alt


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: plots.token_strip(IDS, TOKENS[:4]), "5 ids but 4 entries in `tokens`"),
        (lambda: plots.token_strip(IDS, TOKENS, mask=[True]), "1 entries in `mask`"),
        (lambda: plots.mask_heatmap(np.ones((2, 3, 3))), "Pick one prompt"),
        (lambda: plots.mask_heatmap([1, 1], TOKENS), "`tokens` has 5"),
        (lambda: plots.mask_product(np.ones((2, 2)), [1, 1], np.ones((3, 3))), "one shape"),
        (lambda: plots.attention_grid(np.ones((1, 2, 3, 3))), "Pick one prompt"),
        (lambda: plots.attention_grid(np.ones((2, 3, 3)), TOKENS), "`tokens` has 5"),
        (lambda: plots.norms_by_layer([torch.ones(2, 3, 4)]), "pick one prompt"),
        (lambda: plots.norms_by_layer([torch.ones(3, 4)], TOKENS), "3 rows but 5 tokens"),
        (lambda: plots.row_changes([1.0, float("nan")]), "finite"),
        (lambda: plots.row_changes([1.0, -1.0]), "not negative"),
        (lambda: plots.row_changes([[1.0], [2.0]], labels=["one"]), "2 vectors but 1 labels"),
    ],
)
def test_errors_are_sentences(call, words):
    with pytest.raises(ValueError, match=r"\.$") as error:
        call()
    assert words in str(error.value)


def test_math_text_is_refused_rather_than_lost():
    figure = plots.Figure(100, 100)
    figure.sheet().text(50, 50, "$x^2$", fontsize=11)
    figure.described("A figure.", plots.Table(("a",), [(1,)], "one"))
    with pytest.raises(ValueError, match="math text"):
        figure.svg()


def test_what_a_telephone_cannot_show_is_refused():
    table = plots.Table(("a",), [(1,)], "one")
    for figure in (plots.Figure(341, 100), plots.Figure.wrapping([(340, 9), (341, 9)])):
        with pytest.raises(ValueError, match="341 points wide, and a telephone shows 340"):
            figure.described("A figure.", table)
    figure = plots.Figure(340, 100)
    figure.sheet().text(50, 50, "words", fontsize=10.5)
    with pytest.raises(ValueError, match=r"“words” of this figure is 10\.5 points large"):
        figure.described("A figure.", table)
    chart = plots.Figure(340, 100)
    chart.panel(40, 5, 250, 75).tick_params(labelsize=9)
    with pytest.raises(ValueError, match="9 points large"):
        chart.described("A figure.", table)


def test_colors_stand_out_on_white_and_on_black_pages():
    from cliplab.plots import theme

    def luminance(color):
        parts = np.array(theme.color_alpha(color, 1)[:3])
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return linear @ [0.2126, 0.7152, 0.0722]

    for color in (theme.BLUE, theme.ORANGE, theme.GREEN, theme.VIOLET):
        for page in ("#ffffff", "#121212"):
            dark, light = sorted([luminance(color), luminance(page)])
            assert (light + 0.05) / (dark + 0.05) >= 3, (color, page)


def test_crowded_names_stay_in_the_figure():
    rows = [torch.ones(9, 4) * (1 + n) for n in range(4)]  # nine lines that end at one place
    figure = plots.norms_by_layer(rows, tokens=[f"row{i}" for i in range(9)])
    heights = [text.xyann[1] for ax in figure.axes for text in ax.texts if text.get_text()]
    assert len(heights) >= 9
    assert all(0 < height < figure.height for height in heights)
