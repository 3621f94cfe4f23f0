"""Painting with the miniature Stable Diffusion, cut where a page needs to look: three graphs.

    paint_text     ids → contexts, and who looked at whom on the way
    paint_step     one step of the denoising loop, and which place reads which token in it
    paint_decode   latents → pixels

Run one after another, paint_step `STEPS` times, they paint the picture of `cliplab.generate`;
weights are put into contexts by the graph of weigh.py, or are factors of paint_step. The
parts are those that `load_pipeline("mini")` opens; an example has their sizes, nothing else here.
"""

from __future__ import annotations

import json
import math
from importlib import resources
from pathlib import Path

import torch
from torch import Tensor, nn

from ...checkpoints import load_text_encoder
from ...checkpoints.files import MINI
from ...cross_attention import region_maps
from ...masks import causal_mask
from ...pipeline import load_pipeline
from ...text_encoder import Trace
from .graph import Graph

FOLDER = Path(str(resources.files("cliplab") / "assets" / "sd-mini"))
STEPS = json.loads((FOLDER / "generation.json").read_text())["steps"]  # as generate takes them


class Text(nn.Module):
    """ids [B, L] → contexts [B, L, D], and the attention [B, N, H, L, L] of all layers and heads.

    The course's own encoder, with the pipeline's weights.

    Its parts are called one by one: the whole also looks for EOS, which nothing here needs and
    which ties an export to one batch size.
    """

    def __init__(self):
        super().__init__()
        self.model = load_text_encoder(FOLDER, dtype=torch.float32)

    def forward(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        X, note = self.model.embeddings(ids), Trace()  # [B, L, D]
        H = self.model.encoder(X, causal_mask(ids.shape[-1]), note)
        layers = range(self.model.config.layers)
        attention = [note[f"layers.{n}.self_attn.weights"] for n in layers]
        return self.model.final_layer_norm(H[-1]), torch.stack(attention, dim=1)


class Reading:
    """The attention of all cross-attention layers of a U-Net: read with factors, noted down.

    It replaces diffusers' processors. A batch is [negative; prompt]: the factors hold for the
    prompt, whose weights are noted, averaged over heads and before the factors, as
    `watch_attention` does. The softmax is written out, since it is needed anyway.
    """

    def __init__(self):
        self.factors, self.maps = None, []

    def begin(self, factors: Tensor) -> None:
        """A call of the U-Net begins; factors [L]."""
        rows = torch.stack([torch.ones_like(factors), factors])  # negative, prompt
        self.factors, self.maps = rows[:, None, None], []  # [2, 1, 1, L]

    def __call__(
        self, attn, hidden_states, encoder_hidden_states=None, attention_mask=None, temb=None
    ) -> Tensor:
        X, context = hidden_states, encoder_hidden_states  # [2, P, C], [2, L, D]
        Q, K, V = (
            rows.unflatten(-1, (attn.heads, -1)).transpose(1, 2)  # [2, H, P or L, K]
            for rows in (attn.to_q(X), attn.to_k(context), attn.to_v(context))
        )
        weights = torch.softmax(Q @ K.mT * K.shape[-1] ** -0.5, dim=-1)  # [2, H, P, L]
        side = math.isqrt(X.shape[1])
        self.maps.append(weights[1:].mean(1).unflatten(1, (side, side)))  # [1, h, w, L]
        A = (self.factors * weights) @ V  # [2, H, P, K]
        return attn.to_out[0](A.transpose(1, 2).flatten(2))  # [2, P, C]


class Step(nn.Module):
    """One step: both halves of the guidance, the scheduler's update, and what was read.

    latents   [1, C, h, w]
    step      0 … STEPS − 1; its time and its place in the schedule stand in the graph
    context   [2, L, D], of the negative prompt and of the prompt
    guidance  g in v̂ = v_neg + g (v_pos − v_neg), v what the U-Net predicts
    factors   [L], on the attention that the prompt's tokens get

    Gives the next latents [1, C, h, w]; maps [L, h', w'], the share of attention that each place
    gives to each token in this step, whose mean over the steps is what `region_maps` makes of them.
    """

    def __init__(self):
        super().__init__()
        pipe = load_pipeline(MINI)
        self.unet, self.reading = pipe.unet, Reading()
        processors = self.unet.attn_processors
        across = {name: self.reading for name in processors if ".attn2." in name}
        self.unet.set_attn_processor(processors | across)
        times, kept, added = schedule(pipe.scheduler)
        self.register_buffer("times", times)
        self.register_buffer("kept", kept)
        self.register_buffer("added", added)

    def forward(
        self, latents: Tensor, step: Tensor, context: Tensor, guidance: Tensor, factors: Tensor
    ) -> tuple[Tensor, Tensor]:
        t, kept, added = (
            row.index_select(0, step.long().view(1)) for row in (self.times, self.kept, self.added)
        )
        self.reading.begin(factors)
        negative, prompt = self.unet(latents.repeat(2, 1, 1, 1), t, context).sample.split(1)
        predicted = negative + guidance * (prompt - negative)  # [1, C, h, w]
        maps = region_maps([dict(enumerate(self.reading.maps))])[0]
        return kept * latents + added * predicted, maps


def schedule(scheduler) -> tuple[Tensor, Tensor, Tensor]:
    """The times of `STEPS` steps, and a_t, b_t [STEPS] with z_{t−1} = a_t z_t + b_t · prediction.

    A DDIM step without noise is linear in both, so the two numbers are asked of the scheduler
    itself. Raises ValueError for one that clips, draws or remembers. Source: diffusers
    `scheduling_ddim.py`.
    """
    kind, said = type(scheduler).__name__, scheduler.config
    if kind != "DDIMScheduler" or said.clip_sample or said.thresholding:
        raise ValueError(
            "The demos paint with a DDIMScheduler that clips nothing, a step of which is linear; "
            f"the miniature has another scheduler, or other settings: {kind} {dict(said)}."
        )
    scheduler.set_timesteps(STEPS)
    zero, one = torch.zeros(1), torch.ones(1)
    kept = [scheduler.step(zero, t, one).prev_sample for t in scheduler.timesteps]
    added = [scheduler.step(one, t, zero).prev_sample for t in scheduler.timesteps]
    return scheduler.timesteps, torch.cat(kept), torch.cat(added)


class Decode(nn.Module):
    """latents [B, C, h, w], scaled → pixels [B, H, W, 3], uint8, rounded as the pipeline does."""

    def __init__(self):
        super().__init__()
        vae = load_pipeline(MINI).vae
        self.factor, self.post_quant_conv, self.decoder = (
            vae.config.scaling_factor,
            vae.post_quant_conv,
            vae.decoder,
        )

    def forward(self, latents: Tensor) -> tuple[Tensor]:
        x = self.decoder(self.post_quant_conv(latents / self.factor))  # [B, 3, H, W]
        shares = (x / 2 + 0.5).clamp(0, 1)
        return ((255 * shares).round().to(torch.uint8).permute(0, 2, 3, 1),)


def example(*shape: int) -> Tensor:
    """Numbers of the size that a step and a context have."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


# As "int8" the files of the three networks take 3.5 MB, as "fp16" 6.4. What a page paints is off by
# a tenth of a level (of 255) on average, and by up to 10 at an edge.
L, D, LATENT = 77, 128, (8, 16, 16)  # tokens, width of the context, shape of a latent
PAINT = {
    "paint_text": Graph(
        build=Text,
        inputs={"ids": torch.arange(2 * L, dtype=torch.int32).view(2, L)},
        outputs=("context", "attention"),
        precision="int8",
        tolerance=1e-4,
        weights=(FOLDER / "text_encoder" / "model.safetensors",),
        dynamic={"ids": {0: "B"}},
    ),
    "paint_step": Graph(
        build=Step,
        inputs={
            "latents": example(1, *LATENT),
            "step": torch.tensor(3, dtype=torch.int32),
            "context": example(2, L, D),
            "guidance": torch.tensor(3.0),
            "factors": torch.linspace(0, 2, L),
        },
        outputs=("next", "maps"),
        precision="int8",
        tolerance=1e-4,
        weights=(
            FOLDER / "unet" / "diffusion_pytorch_model.safetensors",
            FOLDER / "scheduler" / "scheduler_config.json",
        ),
    ),
    "paint_decode": Graph(
        build=Decode,
        inputs={"latents": example(2, *LATENT)},
        outputs=("pixels",),
        precision="int8",
        tolerance=1,  # a level of 255: rounding may fall to either side
        weights=(FOLDER / "vae" / "diffusion_pytorch_model.safetensors",),
        dynamic={"latents": {0: "B"}},
    ),
}
