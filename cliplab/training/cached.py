"""The gradient of a big batch in the memory of a small one.

The loss needs all N representations at once, but not everything that led to them. So each chunk is
encoded twice: first without gradients, to have its representations; then, when the loss has said
how each representation should change, once more with gradients, to pass that on to the weights.
(Gao et al. 2021, "Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup".)

The temperature takes part only in the loss, which is computed once, so its gradient is exact.
Encoding chunk after chunk and computing the loss each time, as open_clip's --accum-freq K does,
gives the temperature K times its gradient.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import Tensor, nn


def cached_backward(
    clip: nn.Module,
    ids: Tensor,
    pixels: Tensor,
    loss_of: Callable[[Tensor, Tensor], Tensor],
    chunk: int,
    precision: Callable[[], AbstractContextManager] = nullcontext,
) -> Tensor:
    """Accumulate the gradient of loss_of(u, v), encoding `chunk` rows at a time; return the loss.

    ids [M, L] → u [M, E]; pixels [N, 3, S, S] → v [N, E]; loss_of makes a scalar of both. Equal to
    the gradient of the whole batch, up to rounding, if a row's representation does not depend on
    the other rows. With batch normalization it does: each chunk is normalized by itself.
    precision: makes the context that the encoders, and they alone, run in.
    """
    sides = ((clip.encode_ids, ids.split(chunk)), (clip.encode_pixels, pixels.split(chunk)))
    with torch.no_grad(), statistics_kept(clip), precision():
        cached = [torch.cat([encode(part) for part in parts]) for encode, parts in sides]
    for representations in cached:
        representations.requires_grad_()
    loss = loss_of(*cached)
    loss.backward()
    for (encode, parts), representations in zip(sides, cached, strict=True):
        for part, gradient in zip(parts, representations.grad.split(chunk), strict=True):
            with precision():
                again = encode(part)
            again.backward(gradient)
    return loss.detach()


@contextmanager
def statistics_kept(model: nn.Module):
    """Within it, batch normalization leaves its running mean and variance, and count, as they are.

    By a momentum of 0, so that it does the very operations that it does outside: a layer that runs
    again for gradient checkpointing must.
    """
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    kept = [(norm.momentum, norm.num_batches_tracked) for norm in norms]
    for norm in norms:
        norm.momentum, norm.num_batches_tracked = 0.0, None
    try:
        yield
    finally:
        for norm, (momentum, count) in zip(norms, kept, strict=True):
            norm.momentum, norm.num_batches_tracked = momentum, count
