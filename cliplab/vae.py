"""From pixels to latents and back: the image side of Stable Diffusion.

The network is diffusers' AutoencoderKL, trained or random, of any size. What it gives is no latent
but a Gaussian over latents; that Gaussian, the sizes, and the way in and out stand here.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from .checks import whole_number
from .image_encoder.preprocess import on_white

if TYPE_CHECKING:
    from diffusers import AutoencoderKL

Pictures = Image.Image | Sequence[Image.Image] | Tensor  # as `to_tensor` reads them


class DiagonalGaussian:
    """A normal distribution for each number of a latent: what a VAE's encoder says of a picture.

    parameters [B, 2C, h, w]: C channels of means μ, then C of ln σ², as `quant_conv` leaves them
    (erratum E15). mean, logvar, std, var are [B, C, h, w]. logvar is clamped to [−30, 20], so that
    neither σ = 0 nor an overflow comes out (erratum E17); in float16 σ² still overflows above 11.
    Raises ValueError for another shape. Source: diffusers `vae.py`, DiagonalGaussianDistribution.
    """

    def __init__(self, parameters: Tensor):
        if parameters.ndim != 4 or parameters.shape[1] % 2:
            raise ValueError(
                "A Gaussian takes [B, 2C, h, w], as many channels for ln σ² as for μ; got "
                f"{list(parameters.shape)}."
            )
        self.mean, logvar = parameters.chunk(2, dim=1)  # [B, C, h, w] each
        self.logvar = logvar.clamp(-30.0, 20.0)
        self.std = torch.exp(0.5 * self.logvar)
        self.var = torch.exp(self.logvar)

    def __repr__(self) -> str:
        return f"DiagonalGaussian({list(self.mean.shape)})"

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        """z = μ + σ ε with ε from a standard normal, [B, C, h, w].

        generator: where ε comes from; one on the CPU gives the same z on every device.
        """
        mean = self.mean
        device = generator.device if generator is not None else mean.device
        eps = torch.randn(mean.shape, generator=generator, device=device, dtype=mean.dtype)
        return mean + self.std * eps.to(mean.device)

    def mode(self) -> Tensor:
        """The most probable latent, which is μ, [B, C, h, w]."""
        return self.mean

    def kl(self, other: "DiagonalGaussian | None" = None) -> Tensor:
        """KL(this ‖ other) in nats, summed over C, h, w: [B].

        other: None → the standard normal, where it is ½ Σ (μ² + σ² − 1 − ln σ²).
        Raises ValueError when the shapes differ.
        """
        if other is None:
            terms = self.mean**2 + self.var - 1.0 - self.logvar
        else:
            self._require_shape(other.mean)
            distance = (self.mean - other.mean) ** 2 / other.var
            terms = distance + self.var / other.var - 1.0 - self.logvar + other.logvar
        return 0.5 * terms.sum(dim=(1, 2, 3))

    def nll(self, z: Tensor) -> Tensor:
        """−ln of the density at z [B, C, h, w], summed over C, h, w: [B], in nats."""
        self._require_shape(z)
        terms = math.log(2 * math.pi) + self.logvar + (z - self.mean) ** 2 / self.var
        return 0.5 * terms.sum(dim=(1, 2, 3))

    def _require_shape(self, other: Tensor) -> None:
        if other.shape != self.mean.shape:
            raise ValueError(
                f"This Gaussian is over latents {list(self.mean.shape)}; the other one given is "
                f"{list(other.shape)}."
            )


def convolved(side: int, kernel: int = 3, stride: int = 2, before: int = 0, after: int = 1) -> int:
    """How many numbers a convolution makes of `side` of them, padded before and after.

    A window of `kernel` starts every `stride` places, as long as it fits. The defaults are those of
    a VAE's halving convolution, which pads right and below only, and come to ⌊side / 2⌋; with
    before=1 it would be ⌈side / 2⌉ (erratum E14). Source: diffusers `downsampling.py`.
    """
    return (side + before + after - kernel) // stride + 1


def latent_sizes(side: int, halvings: int = 3) -> list[int]:
    """All sides on the way in and out: 300 → [300, 150, 75, 37, 74, 148, 296].

    side: of the picture, in pixels; height and width go their ways separately. halvings: 3 in
    Stable Diffusion; `halvings(vae)` counts them in another. The middle one is the latent's side;
    the decoder doubles exactly, so what was rounded away does not come back. Raises ValueError
    where nothing would be left. Source: erratum E14; diffusers `vae.py`.
    """
    what = f"A picture's side in pixels, for {halvings} halvings,"
    down = [whole_number(what, side, least=2**halvings)]
    for _ in range(halvings):
        down.append(convolved(down[-1]))
    return down + [down[-1] * 2**doubled for doubled in range(1, halvings + 1)]


def latent_size(height: int, width: int, halvings: int = 3) -> tuple[int, int]:
    """(h, w) of the latent of a picture, both in whole numbers. Errors as `latent_sizes`."""
    h, w = (latent_sizes(side, halvings)[halvings] for side in (height, width))
    return h, w


def halvings(vae: "AutoencoderKL") -> int:
    """How many convolutions of stride 2 the encoder of an AutoencoderKL holds."""
    convolutions = (m for m in vae.encoder.modules() if isinstance(m, nn.Conv2d))
    return sum(m.stride == (2, 2) for m in convolutions)


@torch.no_grad()
def posterior(vae: "AutoencoderKL", images: Pictures) -> DiagonalGaussian:
    """Pictures → the Gaussian over their latents, unscaled, in the VAE's own dtype (erratum E24).

    vae     a diffusers AutoencoderKL; its encoder and `quant_conv` run as they are set up there
            (slicing, tiling)
    images  a PIL picture, a list of them, or a tensor, as `to_tensor` reads them
    """
    x = to_tensor(images).to(_require_vae(vae).device, vae.dtype)  # [B, 3, H, W]
    height, width = x.shape[-2:]
    latent_size(height, width, halvings(vae))  # says what is wrong with a picture too small
    return DiagonalGaussian(vae.encode(x).latent_dist.parameters)


def encode(
    vae: "AutoencoderKL",
    images: Pictures,
    generator: torch.Generator | None = None,
    *,
    sample: bool = True,
) -> Tensor:
    """Pictures → latents [B, C, h, w] as the U-Net takes them: z times the scaling factor.

    vae, images: as for `posterior`. generator: of the sample; None → torch's own. sample: False →
    the mode, which draws nothing. The factor, 0.18215 in Stable Diffusion 1.5, is the VAE's own
    `config.scaling_factor` (erratum E16). Text-to-image never comes here: it starts from noise.
    """
    gaussian = posterior(vae, images)
    z = gaussian.sample(generator) if sample else gaussian.mode()
    return z * _factor(vae)


@torch.no_grad()
def decode(vae: "AutoencoderKL", latents: Tensor) -> list[Image.Image]:
    """Latents [B, C, h, w], scaled as the U-Net leaves them, → B PIL pictures.

    z is the latent over the scaling factor; `post_quant_conv` and the decoder follow (errata E15,
    E16). Raises ValueError for latents that are not this VAE's, and for a result that is not
    finite: float16 can overflow in a decoder, and would leave a black picture.
    """
    C = _require_vae(vae).config.latent_channels
    if latents.ndim != 4 or latents.shape[1] != C:
        raise ValueError(
            f"This VAE decodes latents [B, {C}, h, w]; got {list(latents.shape)}. One latent alone "
            "needs its batch axis: z[None]."
        )
    z = latents.to(vae.device, vae.dtype) / _factor(vae)
    x = vae.decode(z).sample.float()  # [B, 3, 8h, 8w]
    if not x.isfinite().all():
        raise ValueError(
            f"The decoded picture is not finite (latents {'' if z.isfinite().all() else 'not '}"
            f"finite, VAE in {vae.dtype}). In float16 a decoder can overflow: vae.float()."
        )
    return to_pictures(x)


def to_tensor(images: Pictures) -> Tensor:
    """PIL pictures → [B, 3, H, W] from −1 (black) to 1 (white), the range a VAE was trained on.

    images: one PIL picture or a list of one size (transparent parts on white), or a floating
    tensor [3, H, W] or [B, 3, H, W] that has this range already. Raises ValueError for several
    sizes, another shape or another range, TypeError for anything else. Source: erratum E24.
    """
    if isinstance(images, Tensor):
        return _require_range(images)
    images = [images] if isinstance(images, Image.Image) else images
    if not isinstance(images, (list, tuple)) or not all(isinstance(i, Image.Image) for i in images):
        raise TypeError(
            f"This takes a PIL picture, a list of them, or a tensor; not {type(images).__name__}."
        )
    sizes = {image.size for image in images}
    if len(sizes) != 1:
        raise ValueError(
            f"Pictures of one batch have one size, width × height; these are {sorted(sizes)}. "
            "Resize or crop them, or encode them one by one."
        )
    stacked = torch.from_numpy(np.stack([np.asarray(on_white(image)) for image in images]))
    return stacked.permute(0, 3, 1, 2) / 127.5 - 1  # [B, 3, H, W], 0 … 255 → −1 … 1


def _require_range(x: Tensor) -> Tensor:
    if x.ndim not in (3, 4) or x.shape[-3] != 3:
        raise ValueError(f"Pictures are [B, 3, H, W] or [3, H, W]; got {list(x.shape)}.")
    if not x.is_floating_point() or not (x.abs() <= 1 + 1e-3).all():  # NaN as well
        raise ValueError(
            f"A picture as a tensor goes from −1 to 1, in floating numbers; this is {x.dtype} from "
            f"{x.min().item():.3g} to {x.max().item():.3g}. 0 … 255 becomes x / 127.5 − 1, and "
            "0 … 1 becomes 2 x − 1."
        )
    return x if x.ndim == 4 else x[None]


def to_pictures(x: Tensor) -> list[Image.Image]:
    """[B, 3, H, W] from −1 to 1 → B PIL pictures; what lies outside is cut."""
    shares = (x.float() / 2 + 0.5).clamp(0, 1)
    array = (255 * shares).round().byte().permute(0, 2, 3, 1).cpu().numpy()  # [B, H, W, 3]
    return [Image.fromarray(picture) for picture in array]


def psnr(image: Image.Image, other: Image.Image) -> float:
    """How near two PIL pictures are, in decibels: 10 log₁₀(255² / mean squared difference).

    +10 dB is a tenth of the error; equal pictures give infinity. Raises ValueError when the sizes
    differ, as after a round trip of a side that is no multiple of 8.
    """
    if image.size != other.size:
        raise ValueError(
            f"The pictures are {image.size} and {other.size}, width × height; crop one first."
        )
    error = (to_tensor(image) - to_tensor(other)).double().square().mean().item()  # range 2
    return 10 * math.log10(4 / error) if error else math.inf


def _require_vae(vae: Any) -> "AutoencoderKL":
    """The VAE itself, or a TypeError for what is none, such as the whole pipeline."""
    if not hasattr(vae, "encoder") or not hasattr(vae, "decoder"):
        raise TypeError(
            f"This takes a diffusers AutoencoderKL, such as pipe.vae; not {type(vae).__name__}."
        )
    return vae


def _factor(vae: "AutoencoderKL") -> float:
    """The scaling factor of a VAE that only scales."""
    if vae.config.get("shift_factor"):
        raise ValueError(
            f"This VAE also shifts its latents (by {vae.config.shift_factor}), as Stable Diffusion "
            "3's does; `encode` and `decode` only scale, as 1.5's and SDXL's want it."
        )
    return vae.config.scaling_factor
