"""The U-Net and the text encoder, trained together on the latents of an autoencoder."""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import nn

from cliplab.training.step import adamw, learning_rate

from .loop import Averaged, MiniatureTask
from .scenes import draw_scene
from .text import D, L, build_encoder, build_tokenizer, mixed_contexts
from .vae import latents
from .words import mix

SHAPE = {
    "sample_size": 8,
    "in_channels": 8,
    "out_channels": 8,
    "down_block_types": ("CrossAttnDownBlock2D",) * 2,
    "up_block_types": ("CrossAttnUpBlock2D",) * 2,
    "block_out_channels": (48, 96),
    "layers_per_block": 1,
    "attention_head_dim": 4,  # in fact the number of heads, as diffusers has had it from the start
    "norm_num_groups": 8,
    "cross_attention_dim": D,
    "resnet_time_scale_shift": "scale_shift",
}
SCHEDULE = {
    "num_train_timesteps": 1000,
    "beta_schedule": "squaredcos_cap_v2",
    "prediction_type": "v_prediction",
    "clip_sample": False,
    "set_alpha_to_one": True,
    "timestep_spacing": "trailing",
    "steps_offset": 1,  # without effect under this spacing; diffusers asks for it
}


@dataclass(frozen=True)
class Recipe:
    """steps, size: of the run, and pictures in a step. scenes: drawn beforehand, of one thing and
    of two things each.

    alone: the share of the run in which all scenes have one thing; then `two` of them have two.
    lie: share of captions that are mixed (see `words`). drop: share that is left out altogether,
    for guidance. whole: share of batches with all 77 rows; the others end soon after the longest
    caption. hold: share of the run before the learning rate falls. late: times with much noise are
    trained more often, in proportion to t to this power.
    """

    steps: int = 6000
    size: int = 64
    scenes: int = 20_000
    lr: float = 2e-3
    warmup: int = 100
    alone: float = 0.5
    two: float = 0.5
    lie: float = 0.5
    drop: float = 0.1
    whole: float = 0.15
    hold: float = 0.4
    late: float = 0.5
    seed: int = 0


class Painter(nn.Module):
    """What is trained: a text encoder and a U-Net."""

    def __init__(self, tokenizer):
        super().__init__()
        from diffusers import UNet2DConditionModel

        self.text_encoder = build_encoder(tokenizer)
        self.unet = UNet2DConditionModel(**SHAPE).to(memory_format=torch.channels_last)


class UNetTask(MiniatureTask):
    """The painter in training, as `fit` wants it. vae: an AutoencoderKL; it stays as it is."""

    def __init__(self, recipe: Recipe, vae, about: dict):
        from diffusers import DDIMScheduler

        self.recipe, self.steps = recipe, recipe.steps
        self.settings = {"what": "unet", **asdict(recipe), **about}
        self.scenes = [
            [draw_scene(f"unet {recipe.seed} {n} {i}", objects=n) for i in range(recipe.scenes)]
            for n in (1, 2)
        ]
        self.z = [latents(vae, scenes, seed=n) for n, scenes in enumerate(self.scenes)]
        self.scheduler = DDIMScheduler(**SCHEDULE)
        torch.manual_seed(recipe.seed)
        self.tokenizer = build_tokenizer()
        self.model = Averaged(Painter(self.tokenizer), decay=0.998)
        self.optimizer = adamw(self.model.net, lr=recipe.lr, weight_decay=0.01, eps=1e-8)

    def step(self, n: int) -> dict:
        r, net = self.recipe, self.model.net
        draw = random.Random(f"step {r.seed} {n}").random
        noise = torch.Generator().manual_seed(r.seed * 1_000_003 + n)
        two = r.two if n >= r.alone * r.steps else 0.0
        chosen = [(int(draw() < two), int(draw() * r.scenes)) for _ in range(r.size)]
        captions = [self.caption(self.scenes[kind][i], draw) for kind, i in chosen]
        longest = max(len((m if isinstance(m, str) else " ".join(m.lie)).split()) for m in captions)
        length = L if draw() < r.whole else longest + 2 + int(3 * draw())
        context = mixed_contexts(net.text_encoder, self.tokenizer, captions, length)

        z = torch.stack([self.z[kind][i] for kind, i in chosen])
        # One time in each of B parts of the way that are equally frequent.
        even = (torch.arange(r.size) + torch.rand(r.size, generator=noise)) / r.size
        t = (1000 * even ** (1 / (1 + r.late))).long().clamp(max=999)
        t = t[torch.randperm(r.size, generator=noise)]
        e = torch.randn(z.shape, generator=noise)
        noisy = self.scheduler.add_noise(z, e, t).to(memory_format=torch.channels_last)
        v = self.scheduler.get_velocity(z, e, t)
        loss = F.mse_loss(net.unet(noisy, t, context).sample, v)
        return {"loss": self.move(loss, n, self.lr(n))}

    def caption(self, scene, draw):
        """A caption as it is, a mixed one, or none."""
        kind = draw()
        if kind < self.recipe.drop:
            return ""
        return mix(scene, draw) if kind < self.recipe.drop + self.recipe.lie else scene.caption

    def lr(self, n: int) -> float:
        """Up, level, and in the last part of the run down half a cosine."""
        r, level = self.recipe, int(self.recipe.hold * self.recipe.steps)
        if n < level:
            return r.lr * min(1, (n + 1) / r.warmup)
        return learning_rate(n - level, steps=r.steps - level, warmup=0, peak=r.lr)
