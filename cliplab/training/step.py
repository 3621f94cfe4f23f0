"""One step: the gradient of the whole batch's loss, and the weights moved along it."""

import math
import time
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import asdict, replace
from functools import partial
from itertools import count
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from ..contrastive import CLIP, clip_loss, sigmoid_loss
from ..image_encoder import CLIPResNet
from .augment import as_seen_by, augmented, on_white
from .batches import Batch, BatchSource, false_negative_mask, prefetch
from .distillation import Teachers, distillation_loss, exchanged, whole_words
from .distributed import all_gather, average_gradients, convert_sync_batchnorm
from .errors import TrainingError
from .grad_cache import enable_gradient_checkpointing, encode_bucketed, grad_cache_backward
from .recipe import Loss, Recipe

AUTOCAST = {"fp32": None, "bf16": torch.bfloat16, "fp16": torch.float16}


class Trainer:
    """A CLIP, its optimizer, and how a step of a recipe is done, by one process of `world`.

    The CLIP is trained in place, and its `preprocess` made to read pictures as the training does.
    Between steps, all that changes is in the model, the optimizer and the scaler; what a step does
    depends on these, the recipe, the step's number and its batch.
    """

    def __init__(
        self,
        clip: CLIP,
        batches: BatchSource,
        recipe: Recipe,
        device: torch.device,
        world: int = 1,
        teachers: Sequence[CLIP] = (),
    ):
        if bool(recipe.distill) != bool(teachers):
            raise ValueError(
                f"The recipe gives teachers the weight {recipe.distill:g} (distill), and the run "
                f"has {len(teachers) or 'none'}. Teachers and a weight above 0 go together."
            )
        share = recipe.batch_size // world
        part = recipe.micro_batch or share
        if isinstance(clip.image_model, CLIPResNet) and 1 in (part, share % part):
            raise ValueError(
                f"{share} pairs in parts of {part} leave a part of one picture, which batch "
                "normalization has nothing to compare with: choose another micro_batch or batch."
            )
        self.teachers = Teachers(teachers, device) if teachers else None
        self.words = whole_words(clip.tokenizer) if teachers and clip.tokenizer else []
        self.batches, self.recipe, self.device, self.world = batches, recipe, device, world
        self.steps, self.settings = recipe.steps, asdict(recipe)
        self.model = clip.train()
        clip.preprocess = replace(  # fitted in on white, and upright, as pictures are read here
            clip.preprocess, resize_mode=recipe.resize_mode, fill_color=255, upright=True
        )
        # torch's stubs lack memory_format.
        clip.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if world > 1:
            convert_sync_batchnorm(clip)
        if recipe.gradient_checkpointing:
            enable_gradient_checkpointing(clip)
        self.optimizer = adamw(clip, lr=recipe.lr, weight_decay=recipe.weight_decay)
        self.scaler = torch.amp.GradScaler(device.type, enabled=recipe.precision == "fp16")
        dtype = AUTOCAST[recipe.precision]  # of matrix products; losses and norms stay in fp32
        self.precision = partial(
            torch.autocast, device.type, dtype=dtype or torch.bfloat16, enabled=dtype is not None
        )

    def records(self, start: int) -> Generator[dict[str, Any]]:
        """The record of each step, from `start` on; the wait for its batch counts as its time."""
        with closing(prefetch(self.batches.starting_at(start))) as stream:
            for step in count(start):
                began = time.perf_counter()
                record = self.step(step, next(stream))
                seconds = time.perf_counter() - began
                yield {**record, "pairs_per_second": self.recipe.batch_size / seconds}

    def step(self, step: int, batch: Batch) -> dict[str, Any]:
        """Gradient, and the weights moved; returns the step's record.

        Raises TrainingError, before a weight is touched, where a number is not finite.
        """
        r = self.recipe
        lr = learning_rate(step, steps=r.steps, warmup=r.warmup, peak=r.lr)
        set_learning_rate(self.optimizer, lr)
        self.optimizer.zero_grad()
        loss, recall = self.backward(step, batch)
        average_gradients(self.model)
        self.scaler.unscale_(self.optimizer)
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), r.max_grad_norm).item()
        self.require_finite(step, "the loss", loss)
        if not self.scaler.is_enabled():
            self.require_finite(step, "the gradient", norm)
        self.scaler.step(self.optimizer)  # in fp16 not where the gradient was beyond its range
        self.scaler.update()
        if self.scaler.get_scale() < 1:  # it has been halved again and again, to no avail
            self.require_finite(step, "the gradient, however small its scale,", math.nan)
        self.model.clamp_temperature()
        return {
            "step": step,
            "loss": loss,
            "lr": lr,
            "temperature": self.model.tau.item(),
            "r@1": recall,
            "grad_norm": norm if math.isfinite(norm) else None,
        }

    def backward(self, step: int, batch: Batch) -> tuple[float, float]:
        """Gradients of the whole batch's loss; returns the loss, and R@1 from text to image."""
        clip, r = self.model, self.recipe
        if len(batch.images) * self.world != r.batch_size:
            raise ValueError(
                f"The recipe's batches have {r.batch_size} pairs, but {self.world} process(es) "
                f"bring {len(batch.images)} each. Make the batches of the recipe's size, and tell "
                "each process's batches its rank and the world."
            )
        if batch.resize_mode != r.resize_mode:
            raise ValueError(
                f"The recipe makes squares of pictures by resize_mode {r.resize_mode!r}, and the "
                f"batches by {batch.resize_mode!r}: give both one."
            )
        texts = list(dict.fromkeys(batch.captions))  # what is said twice is encoded once
        number = {caption: n for n, caption in enumerate(texts)}
        row_of = torch.tensor([number[caption] for caption in batch.captions], device=self.device)
        images = self.images(step, batch)
        if self.teachers:
            rows_of = torch.cat([row_of, row_of + len(texts)])  # the captions', then the others'
            texts += [exchanged(text, self.words, f"{r.seed} {step}") for text in texts]
            U, V = self.teachers.encode(texts, images)
        ids = clip.ids(texts).to(self.device)
        pixels = as_seen_by(clip, images)
        same = false_negative_mask(all_gather(batch.keys.to(self.device)))
        recall = 0.0

        def loss_of(u: Tensor, v: Tensor) -> Tensor:
            nonlocal recall
            # In bf16 a unit vector's length is off by up to 0.4 %. And index_select, since its
            # gradient is summed in one order on any number of threads.
            u, v = (F.normalize(x.to(clip.logit_scale), dim=-1) for x in (u, v))
            all_u = u  # also of texts that are no captions
            u, v = all_gather(u.index_select(0, row_of)), all_gather(v)  # [N, E]
            self.require_finite(step, "a representation", u.detach().sum() + v.detach().sum())
            recall = in_batch_recall(u.detach(), v.detach(), same)
            loss = loss_between(clip, u, v, same, r.loss)
            if self.teachers:
                ours, theirs = (all_gather(x.index_select(0, rows_of)) for x in (all_u, U))
                loss = loss + r.distill * distillation_loss(ours, v, theirs, all_gather(V))
            return self.scaler.scale(loss)

        if r.micro_batch is None:
            with self.precision():
                u, v = encode_bucketed(clip, ids), clip.encode_pixels(pixels)
            loss = loss_of(u, v)
            loss.backward()
        else:
            loss = grad_cache_backward(clip, ids, pixels, loss_of, r.micro_batch, self.precision)
        return loss.item() / self.scaler.get_scale(), recall

    def images(self, step: int, batch: Batch) -> Tensor:
        """The batch's pictures, varied as the recipe says, [N, 3, S, S] from 0 to 1."""
        images = batch.images.to(self.device, non_blocking=True)
        if not self.recipe.augment:
            return on_white(images)
        seed = np.random.SeedSequence((self.recipe.seed, 2, step))
        generator = torch.Generator().manual_seed(int(seed.generate_state(1)[0]))
        N, strength = self.recipe.batch_size, self.recipe.augment
        return augmented(images, generator, batch.rows, N, strength)

    def require_finite(self, step: int, what: str, value: float | Tensor) -> None:
        if not math.isfinite(value):
            raise TrainingError(
                f"At step {step + 1:,} {what} is not a finite number: the weights have left the "
                f"range that {self.recipe.precision} can hold. Lower the learning rate "
                f"({self.recipe.lr:g}) or lengthen the warm-up ({self.recipe.warmup} steps)."
            )

    def in_short(self, record: dict[str, Any]) -> str:
        return (
            f"loss {record['loss']:.3f}, R@1 {100 * record['r@1']:.0f} %, "
            f"τ {record['temperature']:.4f}, {record['pairs_per_second']:.0f} pairs/s"
        )


def loss_between(clip: CLIP, u: Tensor, v: Tensor, same: Tensor | None, kind: Loss) -> Tensor:
    if kind == "sigmoid":
        assert clip.logit_bias is not None  # a CLIP for this loss is made with sigmoid=True
        return sigmoid_loss(u, v, clip.tau, clip.logit_bias, same=same)
    return clip_loss(u, v, clip.tau, same=same)


def in_batch_recall(u: Tensor, v: Tensor, same: Tensor | None) -> float:
    """R@1 in the batch: the share of captions whose most similar picture is a right one."""
    best = (u @ v.T).argmax(1)
    rows = torch.arange(len(u), device=u.device)
    right = best == rows if same is None else same[rows, best]
    return right.float().mean().item()


def adamw(model: nn.Module, *, lr: float, weight_decay: float, eps: float = 1e-6) -> AdamW:
    """AdamW whose decay pulls on matrices only, as in open_clip.

    What has one dimension or none (biases, LayerNorm and BatchNorm, the temperature) is left alone:
    a decay toward 0 has a meaning for a matrix, but not for a scale whose neutral value is 1.
    One fused kernel for all parameters.
    """
    parameters = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return AdamW(groups, lr=lr, betas=(0.9, 0.98), eps=eps, fused=True)


def learning_rate(step: int, *, steps: int, warmup: int, peak: float) -> float:
    """Up in a straight line for `warmup` steps, then down half a cosine, to 0 at `steps`.

    It depends on the step alone, so a run that was stopped needs no memory of it.
    """
    if step < warmup:
        return peak * (step + 1) / warmup
    through = (step - warmup) / max(1, steps - warmup)
    return peak * 0.5 * (1 + math.cos(math.pi * min(1.0, through)))


def set_learning_rate(optimizer: Optimizer, lr: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = lr
