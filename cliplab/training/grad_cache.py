"""A big batch in little memory and time: GradCache, gradient checkpointing, length bucketing.

GradCache. The loss needs all N representations at once, but not everything that led to them. So
each micro-batch is encoded twice: first without gradients, to have its representations; then, when
the loss has said how each representation should change, once more with gradients, to pass that on
to the weights. The temperature takes part only in the loss, which is computed once, so its gradient
is exact. Encoding one micro-batch after another and computing the loss each time, as open_clip's
--accum-freq K does, gives the temperature K times its gradient.

Gradient checkpointing remembers less on the way forward, and computes it again on the way back.
Length bucketing encodes texts of like length together.

Sources: Gao et al. 2021, "Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup";
Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost".
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from ..contrastive import CLIP
from ..image_encoder.resnet import Bottleneck
from ..text_encoder.layers import CLIPEncoderLayer

BUCKET_CPU = 64  # texts that are encoded at a time
BUCKET_GPU = 512  # a GPU is done with a few no sooner than with many


def grad_cache_backward(
    clip: CLIP,
    ids: Tensor,
    pixels: Tensor,
    loss_of: Callable[[Tensor, Tensor], Tensor],
    micro_batch: int,
    precision: Callable[[], AbstractContextManager[Any]] = nullcontext,
) -> Tensor:
    """Accumulate the gradient of loss_of(u, v), encoding `micro_batch` rows at a time; return the
    loss.

    ids [M, L] → u [M, E]; pixels [N, 3, S, S] → v [N, E]; loss_of makes a scalar of both. Equal to
    the gradient of the whole batch, up to rounding, if a row's representation does not depend on
    the other rows. With batch normalization it does: each micro-batch is normalized by itself.
    precision: makes the context that the encoders, and they alone, run in.
    """
    sides = (
        (clip.encode_ids, ids.split(micro_batch)),
        (clip.encode_pixels, pixels.split(micro_batch)),
    )
    with torch.no_grad(), statistics_kept(clip), precision():
        cached = [torch.cat([encode(part) for part in parts]) for encode, parts in sides]
    for representations in cached:
        representations.requires_grad_()
    loss = loss_of(*cached)
    loss.backward()
    for (encode, parts), representations in zip(sides, cached, strict=True):
        assert representations.grad is not None  # the loss is of both
        gradients = representations.grad.split(micro_batch)
        for part, gradient in zip(parts, gradients, strict=True):
            with precision():
                again = encode(part)
            again.backward(gradient)
    return loss.detach()


@contextmanager
def statistics_kept(model: nn.Module) -> Iterator[None]:
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


def enable_gradient_checkpointing(model: nn.Module) -> None:
    """From now on, keep only the input of each layer, and run the layer again when gradients come.

    model: any that holds CLIPEncoderLayer (text encoder, vision transformer) or Bottleneck
    (residual network). Costs one more forward pass; gradients are equal. The second run leaves the
    running statistics of batch normalization as the first one made them. To be called once, on the
    model that is trained, and undone by `disable_gradient_checkpointing`: a deep copy made in
    between would still run the original's layers.
    """
    for layer in model.modules():
        if isinstance(layer, (CLIPEncoderLayer, Bottleneck)):
            vars(layer)["forward"] = partial(
                checkpoint,
                layer.forward,
                use_reentrant=False,
                context_fn=partial(lambda of: (nullcontext(), statistics_kept(of)), layer),
            )


def disable_gradient_checkpointing(model: nn.Module) -> None:
    """Undo `enable_gradient_checkpointing`, where it was called."""
    for layer in model.modules():
        vars(layer).pop("forward", None)


def encode_bucketed(clip: CLIP, ids: Tensor) -> Tensor:
    """ids [M, L] → u [M, E], as clip.encode_ids and with its gradient, up to rounding, but sorted
    by length into buckets: a place that is only padding costs as much as a word.

    Each row ends in an EOS, as clip.ids makes them, and is cut after it: EOS sees nothing of what
    follows.
    """
    bucket = BUCKET_CPU if ids.device.type == "cpu" else BUCKET_GPU
    assert clip.tokenizer is not None  # it has made the ids
    lengths = (ids == clip.tokenizer.eos_id).int().argmax(dim=1) + 1  # [M]
    order = lengths.argsort(stable=True)
    parts = [clip.encode_ids(ids[rows, : lengths[rows].max()]) for rows in order.split(bucket)]
    return torch.cat(parts).index_select(0, order.argsort())
