"""Muon: steps for matrices in which every direction counts alike; AdamW for everything else.

A gradient of a weight matrix is mostly a few directions. Muon takes its running mean M = U S Vᵀ and
steps along U Vᵀ: what is rare in it is learned as fast as what is common. Convolutions are matrices
too, [out, in · k · k]. Rows are brought to an even size by their running mean square (NorMuon), and
a step has the root mean square of a step of AdamW, so that both go by one learning rate.
Source: Jordan et al., "Muon", 2024; Liu et al., arXiv 2502.16982; Li et al., arXiv 2510.05491.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.optim import AdamW

RMS = 0.2  # of a step of AdamW, in learning rates


class Muon(AdamW):
    """AdamW whose groups with `orthogonal` set are stepped as above."""

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            if group["orthogonal"]:
                for p in group["params"]:
                    if p.grad is not None:
                        self.turn(p, group)
                        p.grad = None  # so AdamW leaves it alone
        super().step()

    def turn(self, p: Tensor, group: dict) -> None:
        state, (beta, beta2) = self.state[p], group["betas"]
        if not state:
            state["step"] = torch.zeros(())
            state["exp_avg"] = torch.zeros_like(p)
            state["exp_avg_sq"] = torch.zeros_like(p)  # one number a row, as wide as the snapshot's
        state["step"] += 1
        mean, square = state["exp_avg"], state["exp_avg_sq"]
        mean.lerp_(p.grad, 1 - beta)
        ahead = p.grad.lerp(mean, beta)  # Nesterov's
        turned = orthogonal(ahead.flatten(1))  # [rows, columns]
        rows = turned.square().mean(1).view(-1, *[1] * (p.ndim - 1))
        square.lerp_(rows.expand_as(p), 1 - beta2)
        even = turned.view_as(p) / (square / (1 - beta2 ** state["step"])).sqrt().add(1e-8)
        even *= RMS * even.numel() ** 0.5 / even.norm().clamp(min=1e-8)
        p.mul_(1 - group["lr"] * group["weight_decay"]).add_(even, alpha=-group["lr"])


def orthogonal(M: Tensor) -> Tensor:
    """About U Vᵀ of M = U S Vᵀ, by five steps of Newton and Schulz: products of matrices only."""
    # A polynomial that brings all singular values from 0.01 up to between 0.7 and 1.2.
    a, b, c = 3.4445, -4.7750, 2.0315
    X = M / (M.norm() + 1e-7)
    wide = X.shape[0] <= X.shape[1]
    X = X if wide else X.T
    for _ in range(5):
        A = X @ X.T
        X = a * X + (b * A + c * A @ A) @ X
    return X if wide else X.T


def muon(model: nn.Module, *, lr: float, weight_decay: float, outer: tuple[str, ...]) -> Muon:
    """Muon for the matrices of a model, AdamW for its vectors and for what has a name in `outer`.

    outer: parts of names of what reads or writes the model's own numbers, such as embeddings.
    """
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    inner = [p for name, p in named if p.ndim > 1 and not any(part in name for part in outer)]
    ours = {id(p) for p in inner}
    rest = [p for _, p in named if id(p) not in ours]
    groups = [
        {"params": inner, "weight_decay": weight_decay, "orthogonal": True, "betas": (0.95, 0.95)},
        {"params": [p for p in rest if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in rest if p.ndim <= 1], "weight_decay": 0.0},
    ]
    for group in groups:
        group.setdefault("orthogonal", False)
    return Muon(groups, lr=lr, betas=(0.9, 0.98), eps=1e-8, fused=True)
