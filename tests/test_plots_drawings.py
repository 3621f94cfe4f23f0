"""Drawings of the networks and of their training: what they state is what the models are."""

import re
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest
import torch
from PIL import Image

import cliplab
from cliplab import plots
from cliplab.image_encoder import CLIPVisionConfig, CLIPVisionModel
from cliplab.plots.unet import places
from cliplab.vae import halvings

PICTURE = Image.new("RGB", (48, 40), "teal")


@pytest.fixture(scope="module")
def mini():
    return cliplab.load_pipeline("mini")


@pytest.fixture(scope="module")
def sd15():
    """The sizes of Stable Diffusion 1.5, with no numbers in them."""
    from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel

    with torch.device("meta"):
        unet = UNet2DConditionModel(sample_size=64, cross_attention_dim=768, attention_head_dim=8)
        vae = AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            block_out_channels=(128, 256, 512, 512),
        )
    return SimpleNamespace(unet=unet, vae=vae, scheduler=DDIMScheduler())


@pytest.fixture(params=["mini", "sd15"])
def pipe(request):
    return request.getfixturevalue(request.param)


def texts(figure):
    """All that is written in a drawing."""
    return [element.text for element in ElementTree.fromstring(figure.html()).iter("text")]


def numbers(text):
    return {int(n.replace(",", "")) for n in re.findall(r"\d[\d,]*", text)}


def on_a_phone(figure):
    sizes = re.findall(r"font-size:([\d.]+)px", figure.svg())
    return figure.width <= 340 and min(map(float, sizes)) >= 11


# The U-Net


def passed(unet):
    """(channels, side) of what each ResNet block gives, in order, and the shape of the answer."""
    seen, c = [], unet.config
    hooks = [
        module.register_forward_hook(lambda _, taken, given: seen.append(tuple(given.shape[1:3])))
        for module in unet.modules()
        if type(module).__name__ == "ResnetBlock2D"
    ]
    z = torch.zeros(1, c.in_channels, c.sample_size, c.sample_size, device=unet.device)
    context = torch.zeros(1, 77, c.cross_attention_dim, device=unet.device)
    with torch.no_grad():
        out = unet(z, torch.tensor(0, device=unet.device), context).sample
    for hook in hooks:
        hook.remove()
    return seen, tuple(out.shape[1:])


def test_sizes_of_a_unet_are_those_of_a_forward_pass(pipe):
    found, (seen, out) = places(pipe.unet), passed(pipe.unet)
    assert [(p.channels, p.side) for p in found for _ in range(p.parts.count("R"))] == seen
    figure = plots.unet_diagram(pipe.unet)
    c, written = pipe.unet.config, texts(figure)
    assert {p.size for p in found} <= set(written)
    assert out == (c.out_channels, c.sample_size, c.sample_size)
    assert f"It gives an estimate of {out[0]} × {out[1]} × {out[2]}." in figure.alt
    assert on_a_phone(figure)


def test_letters_of_a_unet_are_its_modules(pipe):
    unet, found = pipe.unet, places(pipe.unet)
    kinds = [type(m).__name__ for m in unet.modules()]
    assert sum(p.parts.count("R") for p in found) == kinds.count("ResnetBlock2D")
    assert sum(p.parts.count("A") for p in found) == kinds.count("Transformer2DModel")
    cross = [m for m in unet.modules() if getattr(m, "is_cross_attention", False)]
    assert len(cross) == kinds.count("Transformer2DModel")  # each A reads the prompt once
    written = texts(plots.unet_diagram(unet))
    # one more of each letter stands in the legend
    assert written.count("A") == len(cross) + 1
    assert any(f"rows of {unet.config.cross_attention_dim} numbers" in text for text in written)


def test_skips_go_in_where_they_come_out(pipe):
    """conv_in, each ResNet block on the way down and each halving leave one array."""
    downs = pipe.unet.down_blocks
    left = 1 + sum(len(b.resnets) + len(b.downsamplers or ()) for b in downs)
    found = places(pipe.unet)
    assert sum(p.skips for p in found) == left
    assert [row[-1] for row in plots.unet_diagram(pipe.unet).table.rows] == [p.skips for p in found]


def test_the_alt_of_sd15_says_its_sizes(sd15):
    alt = plots.unet_diagram(sd15.unet).alt
    assert "4 levels" in alt
    assert "Down, 320 × 64 × 64: 2 ResNet blocks, 2 with attention." in alt
    assert "In the middle, 1280 × 8 × 8: 2 ResNet blocks, 1 with attention." in alt
    assert "Up, 1280 × 8 × 8: 3 ResNet blocks, 3 skips taken in." in alt
    assert "rows of 768 numbers" in alt


# The vision transformer


@pytest.mark.parametrize("name", ["mini", "vit_b_32", "vit_l_14"])
def test_a_vit_is_its_configuration(name):
    c = getattr(CLIPVisionConfig, name)()
    with torch.device("meta"):
        model = CLIPVisionModel(c)
        given = model(torch.empty(1, 3, c.image_size, c.image_size))
    figure = plots.vit_diagram(model, PICTURE)
    assert on_a_phone(figure)
    total = sum(p.numel() for p in model.parameters())
    assert total == figure.table.rows[-1][-1] == sum(r[-1] for r in figure.table.rows[:-1])
    rows, width = given.features.shape[1:]
    wanted = {c.image_size, c.patch_size, rows, rows - 1, width, c.layers, c.heads, total}
    assert wanted | {given.image_embeds.shape[1], 3 * c.patch_size**2} <= numbers(figure.alt)
    assert f"{rows} rows of {width}; then a LayerNorm" in texts(figure)


def test_patches_that_are_followed_are_those_of_the_picture():
    with torch.device("meta"):
        model = CLIPVisionModel(CLIPVisionConfig.vit_b_32())
    figure = plots.vit_diagram(model, PICTURE)
    followed = [text for text in texts(figure) if text.startswith("patch ") and text[6:].isdigit()]
    assert followed == ["patch 24", "patch 25"]  # of 49, on both sides of the middle of row 4


# Noise


@pytest.mark.parametrize("many", [1, 3, 5])
def test_noising_shows_the_schedulers_numbers(mini, many):
    alphas = mini.scheduler.alphas_cumprod
    times = [0, 250, 500, 750, 999][:many]
    figure = plots.forward_noising([PICTURE] * many, times, alphas)
    for t, (time, share, signal, noise) in zip(times, figure.table.rows, strict=True):
        assert time == t
        assert share == pytest.approx(alphas[t].item(), abs=6e-4)
        assert signal**2 + noise**2 == pytest.approx(1, abs=2e-3)
        z, eps = torch.ones(1), torch.zeros(1)
        mixed = mini.scheduler.add_noise(z, eps, torch.tensor([t])).item()
        assert signal == pytest.approx(mixed, abs=6e-4)
        assert f"at t = {t} ᾱ" in figure.alt
    assert on_a_phone(figure)
    shown = figure.axes[0].images
    assert len(shown) == many
    for picture in shown:
        left, right, low, high = picture.get_extent()
        assert min(abs(right - left), abs(high - low)) >= 96


@pytest.mark.parametrize("times", [[0, 1], [1000], [-1], []])
def test_noising_refuses_what_does_not_fit(times):
    with pytest.raises(ValueError, match="Give one time from 0 to 999"):
        plots.forward_noising([PICTURE], times, torch.linspace(1, 0, 1000))


# Training


def test_a_training_step_has_the_models_own_sizes(pipe):
    figure = plots.denoiser_training(pipe, PICTURE, "a red circle")
    c, written = pipe.unet.config, texts(figure)
    side = c.sample_size * 2 ** halvings(pipe.vae)
    assert f"3 × {side} × {side}" in written
    assert f"{c.in_channels} × {c.sample_size} × {c.sample_size}" in written
    assert f"0–{pipe.scheduler.config.num_train_timesteps - 1}" in written
    learned = sum(p.numel() for p in pipe.unet.parameters())
    assert f"{learned:,} numbers that are learned" in written
    assert f"context C, rows of {c.cross_attention_dim} numbers" in figure.alt
    assert "a red circle" in figure.alt
    assert on_a_phone(figure)


@pytest.mark.parametrize("kind", ["epsilon", "v_prediction", "sample"])
def test_what_is_predicted_is_the_schedulers(sd15, kind):
    from diffusers import DDIMScheduler

    scheduler = DDIMScheduler(prediction_type=kind)
    pipe = SimpleNamespace(unet=sd15.unet, vae=sd15.vae, scheduler=scheduler)
    alt = plots.denoiser_training(pipe, PICTURE, "a dog").alt
    named = {"epsilon": "noise", "v_prediction": "velocity", "sample": "latent"}
    assert [name for name in named.values() if f"estimated {name}" in alt] == [named[kind]]


def test_the_velocity_is_the_schedulers(mini):
    """√ᾱₜ ε − √(1 − ᾱₜ) z₀, as the drawing has it."""
    assert mini.scheduler.config.prediction_type == "v_prediction"
    z, eps, t = torch.randn(1, 8), torch.randn(1, 8), torch.tensor([500])
    a = mini.scheduler.alphas_cumprod[500]
    wanted = mini.scheduler.get_velocity(z, eps, t)
    assert torch.allclose(a.sqrt() * eps - (1 - a).sqrt() * z, wanted, atol=1e-6)


# Softmax by temperature; tests/pages/test_moving_softmax.py sees it move

COSINES = torch.tensor([[0.5, 0.4, -0.1], [0.2, 0.1, 0.3]])
TAUS = [0.07, 1, 0.01]


def moving(**more):
    given = {"captions": ["pizza", "<b>"], "names": ["pizza", "pie", "<b>"], "taus": TAUS}
    return plots.softmax_by_temperature(COSINES, **(given | {"start": 0.07} | more))


def test_shares_are_torchs():
    figure = moving()
    assert figure.table.columns[3:] == ("τ = 1", "τ = 0.07", "τ = 0.01")
    for n, tau in enumerate((1, 0.07, 0.01)):
        wanted = (COSINES / tau).softmax(dim=1).flatten().tolist()
        assert [row[3 + n] for row in figure.table.rows] == [f"{p:.1%}" for p in wanted]
    assert "The caption “pizza” gives most to pizza: 41% at τ = 1, 81% at τ = 0.07" in figure.alt


def test_a_moving_figure_is_small_and_asks_for_nothing():
    html = moving().html()
    assert len(html.encode()) < 10_000
    assert not re.search(r"<script|http|url\(|<b>\"|@import", html)
    assert html == moving().html()
    root = ElementTree.fromstring(re.sub("<style>.*</style>", "", html))
    assert root.find(".//*[@role='img']").get("aria-label") == moving().alt
    assert html.count("checked=") == 1


def test_it_moves_only_when_asked_and_never_for_those_who_want_less():
    html = moving().html()
    plays = re.findall(r"[^{}]*\{animation:clt [^}]*\}", html)
    assert len(plays) == 1
    assert ".clt:has(.clt-m input:checked)" in plays[0]
    reduced = html.split("@media (prefers-reduced-motion:reduce){")[1]
    assert reduced.startswith(".clt{transition:none;animation:none!important}")
    assert re.search(r'value="0\.07" autocomplete="off" checked=""/>', html)


@pytest.mark.parametrize(
    "more", [{"start": 0.5}, {"names": ["pizza"]}, {"captions": ["x"]}, {"taus": [0.07, 0]}]
)
def test_moving_refuses_what_does_not_fit(more):
    with pytest.raises(ValueError, match="temperatures above 0"):
        moving(**more)


def test_no_file_holds_what_moves(tmp_path):
    with pytest.raises(TypeError, match="This figure moves"):
        moving().savefig(tmp_path / "x.svg")
