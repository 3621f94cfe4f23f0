"""Gradient checkpointing: remember less on the way forward, compute it again on the way back."""

from contextlib import nullcontext
from functools import partial

from torch import nn
from torch.utils.checkpoint import checkpoint

from ..image_encoder.resnet import Bottleneck
from ..text_encoder.layers import CLIPEncoderLayer
from .cached import statistics_kept


def checkpoint_layers(model: nn.Module) -> None:
    """From now on, keep only the input of each layer, and run the layer again when gradients come.

    model: any that holds CLIPEncoderLayer (text encoder, vision transformer) or Bottleneck
    (residual network). Costs one more forward pass; gradients are equal. The second run leaves the
    running statistics of batch normalization as the first one made them. To be called once, on the
    model that is trained, and undone by `keep_layers`: a deep copy made in between would still run
    the original's layers.
    Source: Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost".
    """
    for layer in model.modules():
        if isinstance(layer, (CLIPEncoderLayer, Bottleneck)):
            contexts = partial(_first_and_second_run, layer)
            layer.forward = partial(
                checkpoint, layer.forward, use_reentrant=False, context_fn=contexts
            )


def keep_layers(model: nn.Module) -> None:
    """Undo `checkpoint_layers`, where it was called."""
    for layer in model.modules():
        vars(layer).pop("forward", None)


def _first_and_second_run(layer: nn.Module):
    return nullcontext(), statistics_kept(layer)
