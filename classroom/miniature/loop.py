"""What both halves of the miniature have in common in training: a moving average, and a move.

The loop itself is the library's, `cliplab.training.fit`.
"""

import copy
import math
import time
from collections.abc import Generator
from itertools import count
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import AdamW

from cliplab.training import TrainingError
from cliplab.training.step import set_learning_rate


class Averaged(nn.Module):
    """Modules in training, and beside them their moving average, which is what is kept.

    The average follows the weights closely at first: its decay at step n is (1 + n) / (10 + n), at
    most `decay`.
    """

    def __init__(self, net: nn.Module, decay: float):
        super().__init__()
        self.net, self.decay = net, decay
        self.average = copy.deepcopy(net).requires_grad_(False).eval()

    @torch.no_grad()
    def follow(self, n: int) -> None:
        share = 1 - min(self.decay, (1 + n) / (10 + n))
        pairs = zip(self.average.parameters(), self.net.parameters(), strict=True)
        for mean, now in pairs:
            mean.lerp_(now, share)


class MiniatureTask:
    """A half of the miniature in training, as `fit` wants it: what VAETask and UNetTask share.

    Both set `model`, `optimizer`, `steps` and `settings`, and have `step(n)`, which moves the
    weights and returns what is worth knowing of it, the loss among it.
    """

    model: Averaged
    optimizer: AdamW
    steps: int
    settings: dict[str, Any]
    scaler = torch.amp.GradScaler("cpu", enabled=False)  # all of it is in single precision

    def step(self, n: int) -> dict[str, float]:
        raise NotImplementedError

    def records(self, start: int) -> Generator[dict[str, Any]]:
        for n in count(start):
            began = time.process_time()
            record = self.step(n)
            if not math.isfinite(record["loss"]):
                raise TrainingError(
                    f"At step {n + 1:,} the loss is not a finite number: lower the learning rate."
                )
            seconds = round(time.process_time() - began, 4)
            yield {"step": n, **record, "core_seconds": seconds}

    def in_short(self, record: dict[str, Any]) -> str:
        return f"loss {record['loss']:.3f}"

    def move(self, loss: Tensor, n: int, lr: float) -> float:
        """One step of AdamW along the loss's gradient, cut at length 1; the average follows."""
        set_learning_rate(self.optimizer, lr)
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_([p for p in self.model.parameters() if p.requires_grad], 1.0)
        self.optimizer.step()
        self.model.follow(n)
        return loss.item()
