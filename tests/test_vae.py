"""The VAE's Gaussian, sizes and ways in and out, held to diffusers' own classes."""

import math

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import nn

from cliplab.vae import (
    DiagonalGaussian,
    convolved,
    decode,
    encode,
    halvings,
    latent_size,
    latent_sizes,
    posterior,
    psnr,
    to_pictures,
    to_tensor,
)

FOUR = {
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
}


def sd15_vae(**changes) -> AutoencoderKL:
    """An AutoencoderKL at Stable Diffusion 1.5's configuration, with random weights."""
    return AutoencoderKL(
        **FOUR, block_out_channels=(128, 256, 512, 512), layers_per_block=2, **changes
    ).eval()


@pytest.fixture(scope="module")
def shapes():
    """SD 1.5's VAE without numbers: on the meta device only shapes are computed."""
    with torch.device("meta"):
        return sd15_vae()


@pytest.fixture(scope="module")
def vae():
    """Three halvings as in SD 1.5, a hundredth of the width."""
    torch.manual_seed(0)
    sizes = {"block_out_channels": (8, 8, 16, 16), "norm_num_groups": 4}
    return AutoencoderKL(**FOUR, **sizes, mid_block_add_attention=False).eval()


def picture(width=32, height=24, mode="RGB", seed=0) -> Image.Image:
    draw = np.random.default_rng(seed)
    bands = len(Image.new(mode, (1, 1)).getbands())
    array = draw.integers(0, 256, (height, width, bands), dtype=np.uint8)
    return Image.fromarray(array.squeeze(), mode)


def parameters(seed=0, scale=1.0, shape=(2, 8, 3, 5), dtype=torch.float32):
    x = torch.randn(shape, generator=torch.Generator().manual_seed(seed)) * scale
    return x.to(dtype)


# The Gaussian


@pytest.mark.parametrize("scale", [1.0, 40.0])  # 40: far beyond the clamp, at both ends
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16])
def test_the_gaussian_is_diffusers_own(scale, dtype):
    p = parameters(scale=scale, dtype=dtype)
    mine, theirs = DiagonalGaussian(p), DiagonalGaussianDistribution(p)
    for name in ("mean", "logvar", "std", "var"):
        assert torch.equal(getattr(mine, name), getattr(theirs, name)), name
    assert torch.equal(mine.mode(), theirs.mode())
    one, two = (torch.Generator().manual_seed(3) for _ in range(2))
    assert torch.equal(mine.sample(one), theirs.sample(two))
    torch.manual_seed(4)
    z = mine.sample()
    torch.manual_seed(4)
    assert torch.equal(z, theirs.sample())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_kl_and_nll_are_diffusers_own(dtype):
    a, b, z = parameters(0, dtype=dtype), parameters(1, 2.0, dtype=dtype), parameters(2)[:, :4]
    mine, other = DiagonalGaussian(a), DiagonalGaussian(b)
    theirs, second = DiagonalGaussianDistribution(a), DiagonalGaussianDistribution(b)
    torch.testing.assert_close(mine.kl(), theirs.kl(), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(mine.kl(other), theirs.kl(second), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(mine.nll(z), theirs.nll(z), rtol=1e-6, atol=1e-6)
    assert mine.kl().shape == (2,)


def test_kl_is_what_torch_says_and_nll_its_density():
    gaussian, other = DiagonalGaussian(parameters(5)), DiagonalGaussian(parameters(6))
    p, q = (torch.distributions.Normal(g.mean, g.std) for g in (gaussian, other))
    wanted = torch.distributions.kl_divergence(p, q).sum(dim=(1, 2, 3))
    torch.testing.assert_close(gaussian.kl(other), wanted)
    standard = DiagonalGaussian(torch.zeros(2, 8, 3, 5))
    torch.testing.assert_close(gaussian.kl(standard), gaussian.kl())
    assert torch.equal(standard.kl(), torch.zeros(2))
    z = parameters(7)[:, :4]
    torch.testing.assert_close(gaussian.nll(z), -p.log_prob(z).sum(dim=(1, 2, 3)))


@settings(max_examples=40)
@given(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4))
def test_kl_is_finite_and_never_negative(mean, logvar):
    """Without the clamp, ln σ² = 100 already overflows float32 (erratum E17)."""
    p = torch.tensor([mean, logvar]).view(1, 2, 1, 1)
    gaussian = DiagonalGaussian(p)
    assert -30 <= gaussian.logvar.item() <= 20
    assert gaussian.std.item() > 0
    assert math.isfinite(gaussian.kl().item())
    assert gaussian.kl().item() >= -1e-6
    assert gaussian.kl(gaussian).item() == pytest.approx(0, abs=1e-6)


def test_samples_have_the_mean_and_deviation_they_are_drawn_with():
    p = torch.tensor([2.0, 2 * math.log(0.5)]).view(1, 2, 1, 1).expand(1, 2, 100, 100)
    z = DiagonalGaussian(p).sample(torch.Generator().manual_seed(0))
    assert z.mean().item() == pytest.approx(2, abs=0.02)
    assert z.std().item() == pytest.approx(0.5, abs=0.02)


def test_what_is_no_gaussian_is_refused():
    for shape in [(8, 3, 5), (1, 7, 3, 5), (1, 8, 15)]:
        with pytest.raises(ValueError, match=r"takes \[B, 2C, h, w\].*got \["):
            DiagonalGaussian(torch.zeros(shape))
    gaussian = DiagonalGaussian(parameters())
    with pytest.raises(ValueError, match=r"over latents \[2, 4, 3, 5\].*given is \[2, 4, 5, 3\]"):
        gaussian.kl(DiagonalGaussian(parameters(shape=(2, 8, 5, 3))))
    with pytest.raises(ValueError, match=r"given is \[4, 3, 5\]"):
        gaussian.nll(torch.zeros(4, 3, 5))
    assert repr(gaussian) == "DiagonalGaussian([2, 4, 3, 5])"


# Sizes, on Stable Diffusion 1.5's configuration


def test_the_vae_of_sd15_has_its_parameters(shapes):
    assert sum(p.numel() for p in shapes.parameters()) == 83_653_863
    assert shapes.config.scaling_factor == 0.18215


def test_exactly_three_of_27_convolutions_halve_and_pad_right_and_below(shapes, monkeypatch):
    """What runs, seen at torch's own functions: strides, paddings and sizes (erratum E14)."""
    convolutions, paddings = [], []
    conv, pad = nn.Conv2d.forward, nn.functional.pad

    def seen_conv(self, x):
        y = conv(self, x)
        convolutions.append((self.stride, self.padding, x.shape[-1], y.shape[-1]))
        return y

    def seen_pad(x, sides, *args, **kwargs):
        paddings.append(tuple(sides))
        return pad(x, sides, *args, **kwargs)

    monkeypatch.setattr(nn.Conv2d, "forward", seen_conv)
    monkeypatch.setattr(nn.functional, "pad", seen_pad)
    shapes.encoder(torch.empty(1, 3, 300, 300, device="meta"))
    assert len(convolutions) == 27
    strided = [each for each in convolutions if each[0] != (1, 1)]
    halved = [(301, 150), (151, 75), (76, 37)]  # with the one column that was padded
    assert strided == [((2, 2), (0, 0), *sizes) for sizes in halved]
    assert paddings == [(0, 1, 0, 1)] * 3
    assert convolutions[-1] == ((1, 1), (1, 1), 37, 37)  # conv_out halves nothing
    assert halvings(shapes) == 3


@pytest.mark.parametrize("side", [8, 9, 15, 16, 64, 75, 295, 296, 299, 300, 303, 304, 512])
def test_sizes_are_those_of_sd15(shapes, side):
    *_, decoded = sides = latent_sizes(side)
    gaussian = posterior_shape(shapes, side, 64)
    assert gaussian == (1, 8, sides[3], 8)
    z = torch.empty(1, 4, sides[3], 8, device="meta")
    assert shapes.decode(z).sample.shape == (1, 3, decoded, 64)


def posterior_shape(vae, height, width) -> tuple:
    x = torch.empty(1, 3, height, width, device=vae.device)
    return tuple(vae.encode(x).latent_dist.parameters.shape)


def test_the_blog_s_picture():
    assert latent_sizes(300) == [300, 150, 75, 37, 74, 148, 296]
    assert latent_size(300, 300) == (37, 37)
    assert latent_size(512, 768) == (64, 96)
    assert latent_size(32, 32, halvings=2) == (8, 8)
    sides = [300]
    for _ in range(3):
        sides.append(convolved(sides[-1], before=1))
    assert sides == [300, 150, 75, 38]  # what padding on both sides would give


@given(st.integers(8, 5000), st.integers(0, 1))
def test_a_convolution_s_size_is_torch_s(side, before):
    x = torch.empty(1, 1, side + before + 1, device="meta")
    conv = nn.Conv1d(1, 1, 3, stride=2, device="meta")
    assert conv(x).shape[-1] == convolved(side, before=before)
    assert convolved(side) == side // 2
    assert convolved(side, before=1) == -(-side // 2)
    sides = latent_sizes(side)
    assert sides[3] == side // 8
    assert sides[-1] == side - side % 8


@pytest.mark.parametrize("side", [7, 0, -8, 300.0, "300", None])
def test_no_latent_of_nothing(shapes, side):
    with pytest.raises(ValueError, match=r"side in pixels.* at least 8; not "):
        latent_sizes(side)
    if side == 7:  # and so it is in diffusers
        with pytest.raises(RuntimeError):
            posterior_shape(shapes, 7, 7)


def test_a_real_run_at_full_width():
    """SD 1.5's configuration with numbers, once, on the smallest picture that is not 8 × 8."""
    torch.manual_seed(0)
    vae = sd15_vae()
    small = picture(19, 17)
    z = encode(vae, small, torch.Generator().manual_seed(0))
    assert z.shape == (1, 4, 2, 2)
    (again,) = decode(vae, z)
    assert again.size == (16, 16)
    with torch.no_grad():
        theirs = vae.encode(to_tensor(small)).latent_dist.sample(torch.Generator().manual_seed(0))
    assert torch.equal(z, 0.18215 * theirs)


def test_300_by_300_comes_back_as_296_by_296(vae):
    z = encode(vae, picture(300, 303), sample=False)
    assert z.shape == (1, 4, 37, 37)
    assert [p.size for p in decode(vae, z)] == [(296, 296)]


# The way in and out


def test_encode_is_diffusers_times_the_factor(vae):
    images = [picture(seed=n) for n in range(3)]
    z = encode(vae, images, torch.Generator().manual_seed(1))
    assert z.shape == (3, 4, 3, 4)
    assert not z.requires_grad
    with torch.no_grad():
        theirs = vae.encode(to_tensor(images)).latent_dist
    wanted = theirs.sample(torch.Generator().manual_seed(1)) * vae.config.scaling_factor
    assert torch.equal(z, wanted)
    assert torch.equal(encode(vae, images, sample=False), theirs.mode() * 0.18215)
    assert torch.equal(z, encode(vae, to_tensor(images), torch.Generator().manual_seed(1)))
    assert not torch.equal(z, encode(vae, images, torch.Generator().manual_seed(2)))


def test_decode_is_what_the_pipeline_does(vae):
    from diffusers.image_processor import VaeImageProcessor

    z = torch.randn(2, 4, 3, 5, generator=torch.Generator().manual_seed(0))
    mine = decode(vae, z)
    with torch.no_grad():
        x = vae.decode(z / vae.config.scaling_factor).sample
    theirs = VaeImageProcessor().postprocess(x, output_type="pil")
    assert [np.array_equal(a, b) for a, b in zip(mine, theirs, strict=True)] == [True, True]


def test_pixels_are_those_of_the_pipeline():
    from diffusers.image_processor import VaeImageProcessor

    image = picture(32, 24)
    theirs = VaeImageProcessor(vae_scale_factor=8).preprocess(image)
    torch.testing.assert_close(to_tensor(image), theirs, rtol=0, atol=1e-6)
    assert psnr(to_pictures(to_tensor(image))[0], image) == math.inf


def test_the_gaussian_comes_out_of_quant_conv(vae):
    """Erratum E15: between `conv_out` and the halves stands a 1 × 1 convolution."""
    x = to_tensor(picture())
    with torch.no_grad():
        moments = vae.encoder(x)  # what conv_out leaves
        gaussian = DiagonalGaussian(vae.quant_conv(moments))
    assert torch.equal(posterior(vae, x).mean, gaussian.mean)
    assert torch.equal(posterior(vae, x).std, gaussian.std)
    assert not torch.allclose(posterior(vae, x).mean, DiagonalGaussian(moments).mean, atol=1e-2)
    z = encode(vae, x, sample=False)
    with torch.no_grad():
        again = to_pictures(vae.decoder(vae.post_quant_conv(gaussian.mean)))
    assert psnr(decode(vae, z)[0], again[0]) > 50


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_the_dtype_is_the_vae_s(vae, dtype):
    """Erratum E24: diffusers itself refuses a float32 picture for a float16 VAE."""
    other = AutoencoderKL.from_config(vae.config).to(dtype).eval()
    z = encode(other, picture(), torch.Generator().manual_seed(0))
    assert z.dtype == dtype
    assert decode(other, z.float())[0].size == (32, 24)
    if dtype == torch.float16:
        with pytest.raises(RuntimeError, match="should be the same"):
            other.encode(to_tensor(picture()))


def test_nothing_is_kept_for_a_gradient(vae):
    x = to_tensor(picture()).requires_grad_()
    assert not posterior(vae, x).mean.requires_grad
    assert vae.encode(x).latent_dist.mean.requires_grad  # as in the blog's code


def test_slices_are_as_good_as_the_whole(vae):
    images = [picture(seed=n) for n in range(3)]
    whole = encode(vae, images, sample=False)
    vae.enable_slicing()
    try:
        torch.testing.assert_close(encode(vae, images, sample=False), whole)
    finally:
        vae.disable_slicing()


def test_text_to_image_never_encodes_a_picture(vae, monkeypatch, tiny_pipeline):
    """Erratum E16, seen at the real pipeline: `decode` once, of z over the factor."""
    called = []
    decode_whole = AutoencoderKL.decode

    def seen(self, z, *args, **kwargs):
        called.append(z)
        return decode_whole(self, z, *args, **kwargs)

    monkeypatch.setattr(AutoencoderKL, "encode", lambda *args: pytest.fail("It encoded."))
    monkeypatch.setattr(AutoencoderKL, "decode", seen)
    settings = {"prompt_embeds": torch.zeros(1, 77, 8), "negative_prompt_embeds": None}
    settings |= {"num_inference_steps": 2, "guidance_scale": 1.0, "height": 32, "width": 32}

    def paint(output_type):
        seed = torch.Generator().manual_seed(0)
        return tiny_pipeline(**settings, generator=seed, output_type=output_type).images

    latents = paint("latent")
    assert called == []
    (image,) = paint("pil")
    assert torch.equal(called[0], latents / 0.18215)
    assert psnr(decode(vae, latents)[0], image) == math.inf
    with pytest.raises(ValueError, match="divisible by 8 but are 300 and 300"):  # erratum E25
        tiny_pipeline(**settings | {"height": 300, "width": 300})


@pytest.fixture
def tiny_pipeline(vae):
    from diffusers import DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel

    torch.manual_seed(0)
    unet = UNet2DConditionModel(
        block_out_channels=(8,),
        down_block_types=("CrossAttnDownBlock2D",),
        up_block_types=("CrossAttnUpBlock2D",),
        mid_block_type=None,
        layers_per_block=1,
        cross_attention_dim=8,
        attention_head_dim=2,
        norm_num_groups=4,
    )
    scheduler = DDIMScheduler(steps_offset=1, clip_sample=False)
    pipe = StableDiffusionPipeline(
        vae, None, None, unet, scheduler, None, None, requires_safety_checker=False
    )
    pipe.set_progress_bar_config(disable=True)
    return pipe


# Pictures


def test_pictures_of_any_kind_go_from_minus_one_to_one():
    black, white = Image.new("RGB", (8, 8), "black"), Image.new("L", (8, 8), 255)
    assert to_tensor(black).unique().tolist() == [-1.0]
    assert to_tensor(white).unique().tolist() == [1.0]
    assert to_tensor(Image.new("RGBA", (8, 8), (0, 0, 0, 0))).unique().tolist() == [1.0]
    assert to_tensor([black, white.convert("P")]).shape == (2, 3, 8, 8)
    assert to_tensor(torch.zeros(3, 8, 9)).shape == (1, 3, 8, 9)
    wide = to_tensor(picture(32, 24))
    assert wide.shape == (1, 3, 24, 32)
    assert wide[0, :, 5, 7].add(1).mul(127.5).round().tolist() == [
        *picture(32, 24).getpixel((7, 5))
    ]


def test_what_lies_outside_is_cut():
    x = torch.tensor([-3.0, -1.0, 0.0, 1.0, 1.5]).view(1, 1, 1, 5).expand(1, 3, 1, 5)
    (image,) = to_pictures(x)
    assert [image.getpixel((i, 0))[0] for i in range(5)] == [0, 0, 128, 255, 255]


def test_psnr_is_by_its_formula():
    a, b = picture(seed=0), picture(seed=1)
    error = (np.asarray(a, float) - np.asarray(b, float)) ** 2
    assert psnr(a, b) == pytest.approx(10 * math.log10(255**2 / error.mean()))
    assert psnr(a, a) == math.inf
    with pytest.raises(ValueError, match=r"\(32, 24\) and \(8, 8\)"):
        psnr(a, Image.new("RGB", (8, 8)))


# What is refused, in a sentence


@pytest.mark.parametrize(
    ("images", "error", "said"),
    [
        ([], ValueError, "one size"),
        ([picture(8, 8), picture(8, 16)], ValueError, r"\(8, 8\), \(8, 16\)"),
        ("fox.png", TypeError, "PIL picture.*not str"),
        ([picture(), "fox.png"], TypeError, "PIL picture"),
        (np.zeros((8, 8, 3)), TypeError, "not ndarray"),
        (Image.new("I;16", (8, 8)), ValueError, "8 bits a channel"),
        (torch.zeros(1, 1, 8, 8), ValueError, r"got \[1, 1, 8, 8\]"),
        (torch.zeros(8, 8, 3), ValueError, r"got \[8, 8, 3\]"),
        (torch.zeros(3, 8, 8, dtype=torch.uint8), ValueError, "x / 127.5 − 1"),
        (torch.full((3, 8, 8), 255.0), ValueError, "to 255"),
        (torch.full((3, 8, 8), torch.nan), ValueError, "nan"),
        (picture(7, 40), ValueError, "at least 8; not 7"),
    ],
)
def test_pictures_that_cannot_be_encoded(vae, images, error, said):
    with pytest.raises(error, match=said):
        encode(vae, images)


def test_latents_that_cannot_be_decoded(vae):
    with pytest.raises(ValueError, match=r"\[B, 4, h, w\]; got \[4, 8, 8\].*z\[None\]"):
        decode(vae, torch.zeros(4, 8, 8))
    with pytest.raises(ValueError, match=r"got \[1, 8, 8, 8\]"):
        decode(vae, torch.zeros(1, 8, 8, 8))
    with pytest.raises(ValueError, match=r"latents not finite.*vae.float\(\)"):
        decode(vae, torch.full((1, 4, 8, 8), torch.nan))


def test_a_float16_decoder_that_overflows_leaves_no_black_picture(vae):
    half = AutoencoderKL.from_config(vae.config).half().eval()
    half.decoder.conv_out.bias.data += 6e4
    half.decoder.conv_out.bias.data *= 2
    with pytest.raises(ValueError, match=r"latents finite, VAE in torch.float16"):
        decode(half, torch.zeros(1, 4, 2, 2))


def test_what_is_no_vae_of_this_kind(vae, tiny_pipeline):
    for call in (lambda: encode(tiny_pipeline, picture()), lambda: decode(vae.config, None)):
        with pytest.raises(TypeError, match=r"such as pipe.vae; not \w+\."):
            call()
    shifting = AutoencoderKL.from_config(vae.config)
    shifting.register_to_config(shift_factor=0.1159)
    with pytest.raises(ValueError, match=r"shifts its latents \(by 0.1159\)"):
        encode(shifting, picture())
