"""The figures of the VAE chapter: their words, numbers and pixels, and what they refuse."""

import base64
import io
import re
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from PIL import Image

from cliplab.plots.latents import (
    COLORS,
    difference,
    gray,
    latent_channels,
    reconstructions,
    small,
    stride_windows,
)
from cliplab.vae import convolved
from tests.figures import outside

NASTY = "<script>$x$\x00\ud83d</script> \"&' url(#x)"


def picture(seed=0, side=32):
    draw = np.random.default_rng(seed)
    return Image.fromarray(draw.integers(0, 256, (side, side, 3), dtype=np.uint8))


def latents(n, channels, side=8):
    return torch.randn(n, channels, side, side, generator=torch.Generator().manual_seed(n))


def every_figure():
    two, back = [picture(0), picture(1)], [picture(2), picture(3)]
    return {
        "round trip": latent_channels(two, latents(2, 8), back, ["one", "two"], source="noise"),
        "four channels": latent_channels(two[:1], latents(1, 4)),
        "losses": reconstructions(two, back, ["a", "b\nc"], title="toy"),
        "windows": stride_windows(),
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
        assert root.find("div[@role='img']").get("aria-label") == figure.alt
        assert len(root.findall("details/div/table/tbody/tr")) == len(figure.table.rows)
        assert outside(figure) == [], name
    assert len({figure.alt for figure in figures.values()}) == len(figures)


def test_same_bytes_each_time_and_few_of_them(figures):
    for name, figure in every_figure().items():
        assert figure.html() == figures[name].html(), name
        assert len(figure.html().encode()) < 10_000 + 2_500 * len(embedded(figure.svg())), name


def test_channels_are_drawn_on_one_scale(figures):
    z = latents(2, 8).numpy()
    most = abs(z).max()
    shown = embedded(figures["round trip"].svg())
    assert len(shown) == 2 * (1 + 8 + 1)
    tiles = [array for array in shown if array.shape[0] == 8]
    for tile, channel in zip(tiles, z.reshape(16, 8, 8), strict=True):
        wanted = 255 * (channel / most + 1) / 2
        assert abs(tile[..., 0] - wanted).max() <= 255 / 31 / 2 + 1
        assert (tile[..., 3] == 255).all()
    assert f"white {most:.1f}" in figures["round trip"].alt
    rows = figures["round trip"].table.rows
    assert rows[9][:2] == ("two", 2)
    assert rows[9][3] == f"{z[1, 1].std():.2f}"


def test_a_difference_is_the_largest_of_three_colors(figures):
    a, b = picture(0), picture(2)
    apart = difference(a, b)
    wanted = abs(np.asarray(a, int) - np.asarray(b, int)).max(axis=2)
    assert np.array_equal(apart, wanted)
    row = figures["losses"].table.rows[0]
    assert row == ("a", f"{apart.mean():.1f}", f"{apart.max()}", f"{(apart >= 64).mean():.1%}")
    same = reconstructions([a], [a], ["inf dB"])
    assert same.table.rows == [("inf dB", "0.0", "0", "0.0%")]
    assert (embedded(same.svg())[2][..., :3] == 0).all()


def test_windows_are_those_of_a_convolution(figures):
    rows = figures["windows"].table.rows
    assert [(side, count) for side, _, count in rows] == [(6, 3), (6, 3), (5, 2), (5, 3)]
    for side, where, count in stride_windows((8, 7)).table.rows:
        assert count == convolved(side, before=int("both" in where))


def test_small_pictures_keep_their_size_in_few_colors():
    array = small(picture(side=20))
    assert array.shape == (20, 20, 4)
    assert len(np.unique(array.reshape(-1, 4), axis=0)) <= COLORS
    assert gray(np.array([[-2.0, -1.0, 0.0, 1.0, 2.0]]))[0, :, 0].tolist() == [0, 0, 132, 255, 255]


def test_what_a_user_types_is_escaped():
    a = picture()
    for figure in (
        latent_channels([a], latents(1, 4), [a], [NASTY], title=NASTY, source=NASTY),
        reconstructions([a], [a], [NASTY], title=NASTY),
    ):
        html = figure.html()
        ElementTree.fromstring(html)
        assert "<script" not in html
        assert html.encode()


@pytest.mark.parametrize(("call", "words"), [
    (lambda: latent_channels([], torch.zeros(0, 4, 8, 8)), "0 pictures"),
    (lambda: latent_channels([picture()], latents(2, 4)), r"latents [2, 4, 8, 8]"),
    (lambda: latent_channels([picture()], latents(1, 4)[0]), "latents [4, 8, 8]"),
    (lambda: latent_channels([picture()], latents(1, 4), names=["a", "b"]), "2 names"),
    (lambda: latent_channels([picture()], latents(1, 4), []), "0 decoded ones"),
    (lambda: reconstructions([], [], []), "0 pictures"),
    (lambda: reconstructions([picture()], [picture()], []), "0 captions"),
    (lambda: reconstructions([picture()], [picture(side=24)], ["a"]), "(24, 24)"),
])  # fmt: skip
def test_errors_are_sentences(call, words):
    with pytest.raises(ValueError, match=r"\.$") as error:
        call()
    assert words in str(error.value)
