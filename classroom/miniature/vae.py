"""The autoencoder: pictures to latents of even variance, and back.

First the whole of it learns to reproduce pictures. Then its latents are whitened, and the decoder
alone goes on. It learns from latents with noise on them: what a sampler makes is never quite what
an encoder would have made. A run may start from another's end, which knew shapes only.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from cliplab.training.step import learning_rate

from .folder import load_vae
from .loop import Averaged, MiniatureTask
from .muon import muon
from .scenes import S, draw_scene, importance, pictures

SHAPE = {
    "in_channels": 3,
    "out_channels": 3,
    "down_block_types": ("DownEncoderBlock2D",) * 3,
    "up_block_types": ("UpDecoderBlock2D",) * 3,
    "block_out_channels": (16, 32, 64),
    "layers_per_block": 1,
    "latent_channels": 8,
    "norm_num_groups": 8,
    "mid_block_add_attention": False,
    "sample_size": S,
    "scaling_factor": 1.0,
}
SEEN = 512  # pictures of which the latents' variance is measured


@dataclass(frozen=True)
class Recipe:
    """start: the folder of an autoencoder to go on from; "" for a fresh one.

    steps: of the whole, 0 to leave the encoder as it is; decoder_steps: more, of the decoder alone,
    with decoder_lr.
    color_weight: of the error of 4 × 4 pixels' mean, which is their color. kl_weight: of the
    divergence from N(0, 1), per number. latent_noise: the highest standard deviation of what is
    added to latents, in theirs; that times u², u from 0 to 1.
    """

    start: str = ""
    steps: int = 2400
    decoder_steps: int = 6000
    batch_size: int = 16
    lr: float = 2e-3
    decoder_lr: float = 1.5e-3
    color_weight: float = 1.0
    kl_weight: float = 1e-5
    latent_noise: float = 0.15
    seed: int = 0


class VAETask(MiniatureTask):
    """The autoencoder in training, as `fit` wants it."""

    def __init__(self, recipe: Recipe):
        from diffusers import AutoencoderKL

        torch.manual_seed(recipe.seed)
        vae = AutoencoderKL(**SHAPE)
        if recipe.start:
            vae.load_state_dict(load_vae(Path(recipe.start)).float().state_dict())
        vae.to(memory_format=torch.channels_last)
        self.recipe, self.steps = recipe, recipe.steps + recipe.decoder_steps
        self.settings = {"what": "vae", **asdict(recipe)}
        self.model = Averaged(vae, decay=0.99)
        self.optimizer = muon(vae, lr=recipe.lr, weight_decay=0.0, outer=("conv_in", "conv_out"))

    def step(self, n: int) -> dict:
        r, vae = self.recipe, self.model.net
        if n == r.steps > 0:
            vae.load_state_dict(self.model.average.state_dict())
            whiten(vae)
            self.model.average.load_state_dict(vae.state_dict())
            self.optimizer.state.clear()
        # Two of three scenes have two things, one in four has shapes only; places are anywhere.
        scenes = [
            draw_scene(f"vae {r.seed} {n} {i}", 1 if i % 3 == 0 else 2, 1.0, None if i % 4 else 0)
            for i in range(r.batch_size)
        ]
        x = pictures(scenes).to(memory_format=torch.channels_last)
        weight = importance(x, [scene.background for scene in scenes])
        noise = torch.Generator().manual_seed(r.seed * 1_000_003 + n)
        with torch.set_grad_enabled(n < r.steps):
            posterior = vae.encode(x).latent_dist
            z = posterior.sample(noise)
        # In units of the latents' own spread, so that a wider spread does not drown the noise.
        strength = r.latent_noise * torch.rand(len(z), 1, 1, 1, generator=noise) ** 2
        strength = strength * z.std((0, 2, 3), keepdim=True)
        made = vae.decode(z + strength * torch.randn(z.shape, generator=noise)).sample
        kl = posterior.kl().mean() / posterior.mean[0].numel()
        if n < r.steps:
            lr = learning_rate(n, steps=r.steps, warmup=50, peak=r.lr)
        else:
            lr = learning_rate(n - r.steps, steps=r.decoder_steps, warmup=50, peak=r.decoder_lr)
        error = weight * ((made - x).abs() + (made - x) ** 2)
        low = F.avg_pool2d(weight, 4) * F.avg_pool2d(made - x, 4).abs()
        loss = (error.mean() + r.color_weight * low.mean()) / weight.mean() + r.kl_weight * kl
        value = self.move(loss, n, lr)
        psnr = -10 * torch.log10(((made - x).detach() ** 2).mean() / 4).item()
        return {"loss": value, "psnr": psnr, "kl": kl.item()}


@torch.no_grad()
def whiten(vae) -> None:
    """Turn and scale the latent space so that its channels have variance 1 and no covariance.

    z' = W (z − μ), W the inverse root of their covariance: of all such maps the one that moves them
    least, so that what is white already stays as it is. It goes into the two 1 × 1 convolutions
    that a stock AutoencoderKL has at that place anyway, quant_conv and post_quant_conv: decoding is
    what it was, to rounding, and scaling_factor stays 1. In the turned space the posterior's axes
    are no longer the channels'; its variances there, diag(W diag(σ²) Wᵀ), are not linear in what
    the convolution reads, so their logarithm is fitted by least squares.
    """
    scenes = [draw_scene(f"whiten {i}", 1 + i % 2, named=None) for i in range(SEEN)]
    hidden = torch.cat([vae.encoder(pictures(scenes[i : i + 64])) for i in range(0, SEEN, 64)])
    C = vae.config.latent_channels
    h = hidden.permute(0, 2, 3, 1).flatten(0, 2).double()  # [P, 2C], P places
    A, b = vae.quant_conv.weight[:, :, 0, 0].double(), vae.quant_conv.bias.double()
    mean, logvar = (h @ A.T + b).split(C, dim=1)
    mu = mean.mean(0)
    values, axes = torch.linalg.eigh((mean - mu).T @ (mean - mu) / len(mean))
    W = axes / values.sqrt() @ axes.T  # [C, C]
    turned = (logvar.clamp(-30, 20).exp() @ (W**2).T).log()  # [P, C]
    ones = torch.cat([h, torch.ones(len(h), 1).double()], dim=1)
    fitted = torch.linalg.lstsq(ones, turned).solution.T  # [C, 2C + 1]
    quant = torch.cat([W @ A[:C], fitted[:, :-1]])
    offset = torch.cat([W @ (b[:C] - mu), fitted[:, -1]])
    P, inverse = vae.post_quant_conv.weight[:, :, 0, 0].double(), torch.linalg.inv(W)
    vae.post_quant_conv.bias += (P @ mu).float()
    vae.post_quant_conv.weight.copy_((P @ inverse).float()[:, :, None, None])
    vae.quant_conv.weight.copy_(quant.float()[:, :, None, None])
    vae.quant_conv.bias.copy_(offset.float())


@torch.no_grad()
def latents(vae, scenes, seed: int) -> Tensor:
    """N scenes → their latents [N, 8, 16, 16] as a diffusion model sees them: drawn, and scaled."""
    noise = torch.Generator().manual_seed(seed)
    parts = [scenes[i : i + 64] for i in range(0, len(scenes), 64)]
    z = [vae.encode(pictures(part)).latent_dist.sample(noise) for part in parts]
    return torch.cat(z) * vae.config.scaling_factor
