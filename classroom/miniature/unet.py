"""The U-Net and the text encoder, trained together on the latents of an autoencoder."""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from cliplab.training.data.scenes import Scene
from cliplab.training.step import learning_rate

from .focus import focus, watch
from .folder import SCHEDULE, load_pipeline_folder
from .loop import Averaged, MiniatureTask
from .muon import muon
from .pool import Pool, inside
from .scenes import draw_scene
from .text import D, L, build_encoder, build_tokenizer, mixed_contexts
from .words import Mixed, mix, shown, tells_places, with_stranger

SHAPE = {
    "sample_size": 16,
    "in_channels": 8,
    "out_channels": 8,
    # No attention at 16 × 16: most of its places are ground, and words act on larger parts.
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "block_out_channels": (32, 48, 96),
    "layers_per_block": 1,
    "attention_head_dim": 4,  # in fact the number of heads, as diffusers has had it from the start
    "norm_num_groups": 8,
    "cross_attention_dim": D,
    "resnet_time_scale_shift": "scale_shift",
}
OUTER = ("embed", "conv_in", "conv_out")  # parts that read or write numbers of their own: AdamW


@dataclass(frozen=True)
class Recipe:
    """start: the folder of a pipeline whose words and inner levels it begins with; "": none.

    blocks, renew: of the pools of latents (see `pool`), of one thing and of two things each.
    alone: the share of the run in which all scenes have one thing; then `two` of them have two.
    shapes: the share of scenes that have no thing with a name.
    mixed: share of captions that are mixed (see `words`); while the learning rate falls it falls to
    `mixed_end`. distractor: share of the others that have a word which says nothing.
    caption_dropout: share that is left out altogether, for guidance. whole: share of batches with
    all 77 rows; the others end soon after the longest caption. stable: share of the run before the
    learning rate falls. timestep_power: times with much noise are trained more often, in proportion
    to t to this power. foreground_weight: how much more the loss counts where things are.
    attention_weight: of the loss of attention outside its thing. ema_decay: of the moving average.
    """

    start: str = ""
    steps: int = 30_000
    batch_size: int = 64
    blocks: int = 128
    renew: int = 16
    lr: float = 5e-3
    warmup: int = 100
    alone: float = 0.05
    two: float = 0.65
    shapes: float = 0.1
    mixed: float = 0.5
    mixed_end: float = 0.25
    distractor: float = 0.15
    caption_dropout: float = 0.1
    whole: float = 0.1
    stable: float = 0.5
    timestep_power: float = 0.5
    foreground_weight: float = 3.0
    attention_weight: float = 0.3
    ema_decay: float = 0.999
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
        self.pools = [
            Pool(vae, partial(self.scene, objects), recipe.blocks, recipe.renew)
            for objects in (1, 2)
        ]
        self.scheduler = DDIMScheduler(**SCHEDULE)
        torch.manual_seed(recipe.seed)
        self.tokenizer = build_tokenizer()
        painter = Painter(self.tokenizer)
        if recipe.start:
            inherit(painter, self.tokenizer, Path(recipe.start))
        self.model = Averaged(painter, decay=recipe.ema_decay)
        self.maps = watch(painter.unet)
        self.optimizer = muon(painter, lr=recipe.lr, weight_decay=0.01, outer=OUTER)

    def scene(self, objects: int, i: int) -> Scene:
        key = f"unet {self.recipe.seed} {objects} {i}"
        return draw_scene(key, objects, named=0 if i % 20 < 20 * self.recipe.shapes else None)

    def step(self, n: int) -> dict:
        r, net = self.recipe, self.model.net
        draw = random.Random(f"step {r.seed} {n}").random
        noise = torch.Generator().manual_seed(r.seed * 1_000_003 + n)
        scenes, z, boxes = self.batch(n, draw)
        captions = [self.caption(scene, n, draw) for scene in scenes]
        texts = [m if isinstance(m, str) else " ".join(m.lie) for m in captions]
        longest = max(self.tokens(text) for text in texts)
        length = L if draw() < r.whole else longest + 2 + int(3 * draw())
        context = mixed_contexts(net.text_encoder, self.tokenizer, captions, length)

        t, e = self.times(noise), torch.randn(z.shape, generator=noise)
        noisy = self.scheduler.add_noise(z, e, t).to(memory_format=torch.channels_last)
        self.maps.clear()
        made = net.unet(noisy, t, context).sample
        error = (made - self.scheduler.get_velocity(z, e, t)) ** 2
        weight = 1 + (r.foreground_weight - 1) * inside(boxes, z.shape[-1]).any(1, keepdim=True)
        loss = (weight * error).mean() / weight.mean()
        places = [shown(*both, self.tokens) for both in zip(scenes, captions, strict=True)]
        rows = [{1 + place: thing for place, thing in some.items()} for some in places]  # 0 is BOS
        related = torch.tensor([tells_places(*both) for both in zip(scenes, captions, strict=True)])
        signal = self.scheduler.alphas_cumprod[t].masked_fill(related, 1.0)
        outside = focus(self.maps, boxes, rows, signal)
        self.move(loss + r.attention_weight * outside, n, self.lr(n))
        return {"loss": loss.item(), "outside": outside.item()}

    def batch(self, n: int, draw) -> tuple[list[Scene], Tensor, Tensor]:
        """Scenes of one and of two things, their latents [B, 8, 16, 16], and boxes [B, 2, 4]."""
        r = self.recipe
        two = r.two if n >= r.alone * r.steps else 0.0
        pools = [pool.at(n) for pool in self.pools]
        chosen = [
            (pools[draw() < two], int(draw() * len(pools[0].scenes))) for _ in range(r.batch_size)
        ]
        z, boxes = (torch.stack([getattr(p, k)[i] for p, i in chosen]) for k in ("z", "boxes"))
        return [pool.scenes[i] for pool, i in chosen], z, boxes

    def times(self, noise: torch.Generator) -> Tensor:
        """[B]: one time in each of B parts of the way that are equally frequent, in any order."""
        B = self.recipe.batch_size
        even = (torch.arange(B) + torch.rand(B, generator=noise)) / B
        t = (1000 * even ** (1 / (1 + self.recipe.timestep_power))).long().clamp(max=999)
        return t[torch.randperm(B, generator=noise)]

    def caption(self, scene: Scene, n: int, draw) -> Mixed | str:
        """A caption as it is, a mixed one, or none."""
        r, kind = self.recipe, draw()
        late = max(0.0, n / r.steps - r.stable) / (1 - r.stable)
        lie = r.mixed + late * (r.mixed_end - r.mixed)
        if kind < r.caption_dropout:
            return ""
        if kind < r.caption_dropout + lie:
            return mix(scene, draw)
        return with_stranger(scene.caption, draw) if draw() < r.distractor else scene.caption

    def tokens(self, text: str) -> int:
        return len(self.tokenizer.content(text))

    def lr(self, n: int) -> float:
        """Up, level, and in the last part of the run down half a cosine."""
        r, level = self.recipe, int(self.recipe.stable * self.recipe.steps)
        if n < level:
            return r.lr * min(1, (n + 1) / r.warmup)
        return learning_rate(n - level, steps=r.steps - level, warmup=0, peak=r.lr)


@torch.no_grad()
def inherit(painter: Painter, tokenizer, folder: Path) -> None:
    """Begin with another miniature's weights where they fit: its words, and the inner levels.

    A U-Net with one level less has the same levels further in: its down blocks are one place later.
    """
    pipe = load_pipeline_folder(folder)
    words, old = painter.text_encoder.get_input_embeddings(), pipe.text_encoder
    kept = {k: v for k, v in old.state_dict().items() if "token_embedding" not in k}
    painter.text_encoder.load_state_dict(kept, strict=False)
    theirs = pipe.tokenizer.get_vocab()
    for token, i in tokenizer.vocabulary.items():
        if token in theirs:
            words.weight[i] = old.get_input_embeddings().weight[theirs[token]]
    mine, levels = painter.unet.state_dict(), len(painter.unet.down_blocks)
    further = levels - len(pipe.unet.down_blocks)
    for name, value in pipe.unet.state_dict().items():
        if name.startswith("down_blocks."):
            _, level, rest = name.split(".", 2)
            name = f"down_blocks.{int(level) + further}.{rest}"
        if name in mine and mine[name].shape == value.shape:
            mine[name].copy_(value)
