"""One step: the gradient of the whole batch's loss, and the weights moved along it."""

import math
from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..contrastive import CLIP, clip_loss, sigmoid_loss
from .augment import as_seen_by, augmented, on_white
from .batches import Batch, same_where
from .by_length import encode_by_length
from .cached import cached_backward
from .device import autocast
from .distillation import Teachers, distillation_loss, exchanged, whole_words
from .distributed import average_gradients, gather, share_batch_norms
from .errors import TrainingError
from .memory import checkpoint_layers
from .optim import adamw, gradient_norm, learning_rate, set_learning_rate
from .recipe import Recipe


class Trainer:
    """A CLIP, its optimizer, and how a step of a recipe is done, by one process of `world`.

    The CLIP is trained in place. Between steps, all that changes is in the model, the optimizer and
    the scaler; what a step does depends on these, the recipe, the step's number and its batch.
    """

    def __init__(
        self,
        clip: CLIP,
        recipe: Recipe,
        device: torch.device,
        world: int = 1,
        teachers: Sequence[CLIP] = (),
    ):
        require_teachers(recipe, teachers)
        self.teachers = Teachers(teachers, device) if teachers else None
        self.words = whole_words(clip.tokenizer) if teachers else []
        self.recipe, self.device, self.world = recipe, device, world
        self.clip = clip.to(device, memory_format=torch.channels_last).train()
        if world > 1:
            share_batch_norms(clip)
        if recipe.recompute:
            checkpoint_layers(clip)
        self.optimizer = adamw(clip, lr=recipe.lr, weight_decay=recipe.weight_decay)
        self.scaler = torch.amp.GradScaler(device.type, enabled=recipe.precision == "fp16")
        self.precision = partial(autocast, device, recipe.precision)

    def step(self, step: int, batch: Batch) -> dict:
        """Gradient, and the weights moved; returns the step's record.

        Raises TrainingError, before a weight is touched, where a number is not finite.
        """
        r = self.recipe
        lr = learning_rate(step, steps=r.steps, warmup=r.warmup, peak=r.lr)
        set_learning_rate(self.optimizer, lr)
        self.optimizer.zero_grad()
        loss, found = self.backward(step, batch)
        average_gradients(self.clip)
        self.scaler.unscale_(self.optimizer)
        length = gradient_norm(self.clip.parameters(), r.clip).item()
        self.require_finite(step, "the loss", loss)
        if not self.scaler.is_enabled():
            self.require_finite(step, "the gradient", length)
        self.scaler.step(self.optimizer)  # in fp16 not where the gradient was beyond its range
        self.scaler.update()
        if self.scaler.get_scale() < 1:  # it has been halved again and again, to no avail
            self.require_finite(step, "the gradient, however small its scale,", math.nan)
        self.clip.clamp_temperature()
        return {
            "step": step,
            "loss": loss,
            "lr": lr,
            "temperature": self.clip.tau.item(),
            "r@1": found,
            "gradient": length if math.isfinite(length) else None,
        }

    def backward(self, step: int, batch: Batch) -> tuple[float, float]:
        """Gradients of the whole batch's loss; returns the loss, and R@1 from text to image."""
        clip, r = self.clip, self.recipe
        if len(batch.images) * self.world != r.size:
            raise ValueError(
                f"The recipe's batches have {r.size} pairs, but {self.world} process(es) bring "
                f"{len(batch.images)} each. Make the batches of the recipe's size, and tell each "
                "process's batches its rank and the world."
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
        same = same_where(gather(batch.keys.to(self.device)))
        found = 0.0

        def loss_of(u: Tensor, v: Tensor) -> Tensor:
            nonlocal found
            # In bf16 a unit vector's length is off by up to 0.4 %. And index_select, since its
            # gradient is summed in one order on any number of threads.
            u, v = (F.normalize(x.to(clip.logit_scale), dim=-1) for x in (u, v))
            all_u = u  # also of texts that are no captions
            u, v = gather(u.index_select(0, row_of)), gather(v)  # [N, E]
            self.require_finite(step, "a representation", u.detach().sum() + v.detach().sum())
            found = found_first(u.detach(), v.detach(), same)
            loss = loss_between(clip, u, v, same, r.loss)
            if self.teachers:
                mine, theirs = (gather(x.index_select(0, rows_of)) for x in (all_u, U))  # [2 N, …]
                loss = loss + r.distill * distillation_loss(mine, v, theirs, gather(V))
            return self.scaler.scale(loss)

        if r.chunk is None:
            with self.precision():
                u, v = encode_by_length(clip, ids), clip.encode_pixels(pixels)
            loss = loss_of(u, v)
            loss.backward()
        else:
            loss = cached_backward(clip, ids, pixels, loss_of, r.chunk, self.precision)
        return loss.item() / self.scaler.get_scale(), found

    def images(self, step: int, batch: Batch) -> Tensor:
        """The batch's pictures, varied as the recipe says, [N, 3, S, S] from 0 to 1."""
        images = batch.images.to(self.device, non_blocking=True)
        if not self.recipe.augment:
            return on_white(images)
        seed = np.random.SeedSequence((self.recipe.seed, 2, step))
        generator = torch.Generator().manual_seed(int(seed.generate_state(1)[0]))
        return augmented(images, generator, batch.rows, self.recipe.size, self.recipe.augment)

    def require_finite(self, step: int, what: str, value) -> None:
        if not math.isfinite(value):
            raise TrainingError(
                f"At step {step + 1:,} {what} is not a finite number: the weights have left the "
                f"range that {self.recipe.precision} can hold. Lower the learning rate "
                f"({self.recipe.lr:g}) or lengthen the warm-up ({self.recipe.warmup} steps)."
            )


def require_teachers(recipe: Recipe, teachers: Sequence[CLIP]) -> None:
    if bool(recipe.distill) != bool(teachers):
        raise ValueError(
            f"The recipe gives teachers the weight {recipe.distill:g} (distill), and the run has "
            f"{len(teachers) or 'none'}. Teachers and a weight above 0 go together."
        )


def loss_between(clip: CLIP, u: Tensor, v: Tensor, same: Tensor | None, kind: str) -> Tensor:
    if kind == "sigmoid":
        return sigmoid_loss(u, v, clip.tau, clip.bias, same=same)
    return clip_loss(u, v, clip.tau, same=same)


def found_first(u: Tensor, v: Tensor, same: Tensor | None) -> float:
    """The share of captions of the batch whose most similar picture is a right one."""
    best = (u @ v.T).argmax(1)
    rows = torch.arange(len(u), device=u.device)
    right = best == rows if same is None else same[rows, best]
    return right.float().mean().item()
