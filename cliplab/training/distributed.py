"""Where to compute. Many processes, one batch: what torchrun starts, and gradients between them.

Every process encodes its share of the pairs, gathers all representations, and computes the loss
over the whole batch. The gather passes gradients back, and parameter gradients are averaged, which
together gives exactly the gradient of one process with the whole batch:

- each of the W processes sends its gradient for every representation to that one's owner, so an
  owner receives W equal copies: W times the gradient; the average over processes divides by W;
- the temperature's gradient is whole on every process; the average leaves it as it is.

Gathering without gradients would leave the direction right but make it 1/W as long, and with a
loss over own rows alone even the direction would be wrong (open_clip's issue 616).
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from ..checkpoints.files import devices
from .errors import TrainingError

PATIENCE = timedelta(hours=1)  # for others, while process 0 evaluates


def find_device(name: str | None = None) -> torch.device:
    """CUDA, Apple's MPS or the CPU, in this order; or the one that is named.

    Under torchrun each process gets the GPU of its local rank. Raises ValueError if the device that
    was named is not there, or if there are more processes than GPUs.
    """
    there = devices()
    name = name or there[0]
    kind, _, number = name.partition(":")
    if kind not in there or (number and not number.isdecimal()):
        raise ValueError(
            f"There is no device {name!r} here, only {', '.join(there)}: leave it out to use the "
            "fastest."
        )
    if kind == "cuda":
        number = number or os.environ.get("LOCAL_RANK", "")
        if number and int(number) >= torch.cuda.device_count():
            raise ValueError(
                f"There is no GPU number {number}: this machine has {torch.cuda.device_count()}. "
                "Under torchrun, --nproc-per-node is the number of GPUs."
            )
    return torch.device(f"{kind}:{number}" if number else kind)


@contextmanager
def process_group(device: torch.device) -> Iterator[tuple[int, int]]:
    """Inside torchrun: join the others, where that was not done before; outside: nothing.

    Yields (rank, world). Raises TrainingError on the others when one process has ended within it.
    """
    if "RANK" not in os.environ:
        yield 0, 1
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    joins = not dist.is_initialized()
    if joins:
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=PATIENCE)
    try:
        yield dist.get_rank(), dist.get_world_size()
    except RuntimeError as error:
        if not isinstance(error, dist.DistError) and "gloo" not in str(error):
            raise  # it is not what a message to a process that has ended gives
        raise TrainingError("Another process has ended, so this one ends too.") from None
    finally:
        if joins:
            dist.destroy_process_group()


def is_distributed() -> bool:
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


def is_main_process() -> bool:
    """Whether this is process 0, which alone evaluates and writes."""
    return not is_distributed() or dist.get_rank() == 0


class _Sum(torch.autograd.Function):
    """The sum over all processes. Its gradient is the sum of theirs."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        x = x.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(x)
        return x

    backward = forward


def all_gather(x: Tensor) -> Tensor:
    """[N / W, …] of each process → [N, …] on all of them, in rank order; gradients go back."""
    if not is_distributed():
        return x
    rows = [torch.zeros_like(x) for _ in range(dist.get_world_size())]
    rows[dist.get_rank()] = x  # each brings its own rows, and zeros for the others to fill
    return _Sum.apply(torch.cat(rows))


def any_process(flag: bool, device: torch.device) -> bool:
    """Whether it is so on any process. All processes come together here."""
    if not is_distributed():
        return flag
    flags = torch.tensor(int(flag), device=device)
    dist.all_reduce(flags, dist.ReduceOp.MAX)
    return bool(flags)


def barrier(device: torch.device) -> None:
    any_process(False, device)


def average_gradients(model: nn.Module) -> None:
    """Give every process the mean of the gradients, in one message."""
    if is_distributed():
        gradients = [p.grad for p in model.parameters() if p.grad is not None]
        flat = torch.cat([g.flatten() for g in gradients])
        dist.all_reduce(flat)
        flat /= dist.get_world_size()
        _spread(flat, gradients)


@torch.no_grad()
def broadcast_weights(model: nn.Module) -> None:
    """Give every process the weights and statistics of process 0."""
    if is_distributed():
        tensors = [t for t in model.state_dict().values() if t.is_floating_point()]
        flat = torch.cat([t.flatten() for t in tensors])
        dist.broadcast(flat, 0)
        _spread(flat, tensors)


def _spread(flat: Tensor, tensors: list[Tensor]) -> None:
    for tensor, part in zip(tensors, flat.split([t.numel() for t in tensors]), strict=True):
        tensor.copy_(part.view_as(tensor))


class SyncBatchNorm(nn.BatchNorm2d):
    """Batch normalization over the pictures of all processes, on CPUs as well as GPUs.

    torch's SyncBatchNorm does the same on GPUs only.
    """

    running_mean: Tensor  # None only where no statistics are kept
    running_var: Tensor
    momentum: float

    def forward(self, x: Tensor) -> Tensor:
        if not (self.training and is_distributed()):
            return super().forward(x)
        X = x.to(self.weight.dtype)  # sums in full precision, also within autocast
        count = X.numel() / X.shape[1] * dist.get_world_size()  # shares are equal
        mean = _Sum.apply(X.sum((0, 2, 3))) / count
        centered = X - mean[:, None, None]
        var = _Sum.apply(centered.square().sum((0, 2, 3))) / count
        with torch.no_grad():
            if self.num_batches_tracked is not None:
                self.num_batches_tracked += 1
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(var * count / (count - 1), self.momentum)
        scale = self.weight * torch.rsqrt(var + self.eps)
        return (centered * scale[:, None, None] + self.bias[:, None, None]).to(x.dtype)


def convert_sync_batchnorm(model: nn.Module) -> None:
    """Make each BatchNorm2d a SyncBatchNorm; its parameters and buffers stay the same tensors."""
    for module in model.modules():
        if type(module) is nn.BatchNorm2d:
            module.__class__ = SyncBatchNorm
