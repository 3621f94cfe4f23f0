"""How far each step goes: AdamW, and a learning rate that is a function of the step."""

import math
from collections.abc import Iterable

from torch import nn
from torch.optim import AdamW


def adamw(
    model: nn.Module, *, lr: float, weight_decay: float, betas=(0.9, 0.98), eps=1e-6
) -> AdamW:
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
    return AdamW(groups, lr=lr, betas=betas, eps=eps, fused=True)


def learning_rate(step: int, *, steps: int, warmup: int, peak: float) -> float:
    """Up in a straight line for `warmup` steps, then down half a cosine, to 0 at `steps`.

    It depends on the step alone, so a run that was stopped needs no memory of it.
    """
    if step < warmup:
        return peak * (step + 1) / warmup
    through = (step - warmup) / max(1, steps - warmup)
    return peak * 0.5 * (1 + math.cos(math.pi * min(1.0, through)))


def set_learning_rate(optimizer: AdamW, lr: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = lr


def gradient_norm(parameters: Iterable[nn.Parameter], limit: float):
    """The length of the whole gradient, a tensor; a longer one than `limit` is cut to it."""
    return nn.utils.clip_grad_norm_(list(parameters), limit)
