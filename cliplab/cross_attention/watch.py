"""Look into a real diffusers U-Net while it works: which place reads which token, and how much.

From the weights at every layer and step comes one picture for each token.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import reduce
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .layers import read_factors

if TYPE_CHECKING:
    from diffusers import UNet2DConditionModel
    from diffusers.models.attention_processor import Attention

# Processors that all compute the plain attention, each in its own way.
PLAIN = {"AttnProcessor", "AttnProcessor2_0", "SlicedAttnProcessor", "XFormersAttnProcessor"}


class AttentionWatch:
    """What `watch_attention` has seen so far.

    maps: one entry for each call of the U-Net, {layer: weights [B, h, w, L]}. Layers are named as
        in diffusers ("mid_block.attentions.0.transformer_blocks.0.attn2") and stand in the order in
        which they ran. The weights are those of the B conditional prompts, averaged over heads,
        before any factors, in float32 on the CPU; at each place they sum to 1 over the tokens.
        A step of SD 1.5 with 64 × 64 latents takes 8 MB for each prompt.
    """

    def __init__(self, factors: Tensor | None, guided: bool):
        self.maps: list[dict[str, Tensor]] = []
        self.factors, self.guided = factors, guided
        self.latent = (0, 0)  # height and width of the latent of the call that is running

    def begin(self, unet: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """A call of the U-Net begins."""
        height, width = (args[0] if args else kwargs["sample"]).shape[-2:]
        self.latent = height, width
        self.maps.append({})

    def note(self, layer: str, Q: Tensor, K: Tensor, M: Tensor | None) -> None:
        """Keep the weights of one layer; Q [B, H, P, K], K [B, H, L, K], M [B, H, 1, L] or None."""
        S = Q.detach().float() @ K.detach().float().mT * K.shape[-1] ** -0.5  # [B, H, P, L]
        weights = torch.softmax(S if M is None else S + M, dim=-1).mean(1)  # [B, P, L]
        h, w = self.latent
        while h * w > Q.shape[2]:  # deeper layers work at half the latent's size, at a quarter …
            h, w = (h + 1) // 2, (w + 1) // 2
        self.maps[-1][layer] = weights.view(len(Q), h, w, -1).cpu()

    def conditional(self, batch: int) -> slice:
        """The rows of the batch that hold the prompt."""
        if self.guided and batch % 2:
            raise ValueError(
                f"Under guidance a batch is [negative; prompt], two equal halves, but this one has "
                f"{batch} rows. Without guidance, say watch_attention(unet, guided=False)."
            )
        return slice(batch // 2 if self.guided else 0, batch)


class WatchedAttention:
    """The plain attention of a diffusers layer, with its weights noted and its values weighted.

    The outputs come from torch's fused kernel, as the stock processor's do. It gives no weights
    away, so these are computed beside it, for the conditional rows alone.
    """

    def __init__(self, layer: str, watch: AttentionWatch):
        self.layer, self.watch = layer, watch

    def __call__(
        self,
        attn: "Attention",
        hidden_states: Tensor,
        encoder_hidden_states: Tensor,
        attention_mask: Tensor | None = None,
    ) -> Tensor:
        X, context, M = hidden_states, encoder_hidden_states, attention_mask
        (B, P, C), L, H = X.shape, context.shape[1], attn.heads
        Q = attn.to_q(X).view(B, P, H, -1).transpose(1, 2)  # [B, H, P, K]
        K = attn.to_k(context).view(B, L, H, -1).transpose(1, 2)  # [B, H, L, K]
        V = attn.to_v(context).view(B, L, H, -1).transpose(1, 2)
        if M is not None:  # 0 or −10,000, added to the scores
            M = attn.prepare_attention_mask(M, L, B).view(B, H, -1, L)
        prompt = self.watch.conditional(B)
        self.watch.note(self.layer, Q[prompt], K[prompt], None if M is None else M[prompt])
        if self.watch.factors is not None:
            c = torch.ones(B, 1, 1, L)
            c[prompt] = read_factors(self.watch.factors, len(c[prompt]), L)
            V = c.mT.to(V) * V  # a factor on a token's weight is a factor on its value row
        A = F.scaled_dot_product_attention(Q, K, V, attn_mask=M)
        A = A.transpose(1, 2).reshape(B, P, C)
        return attn.to_out[1](attn.to_out[0](A))  # projection, dropout


@contextmanager
def watch_attention(
    unet: "UNet2DConditionModel", factors: Tensor | None = None, guided: bool = True
) -> Iterator[AttentionWatch]:
    """Record, and re-weight, the cross-attention of a UNet2DConditionModel inside a `with`.

    unet     diffusers' model. On leaving, its attention processors are again what they were.
    factors  [L], or [B, L] for B conditional prompts: multiplied with the tokens' weights after the
             softmax, as in `CrossAttention`. None: the outputs are the stock processor's.
    guided   True: a batch is [negative; prompt], as in diffusers' pipelines under classifier-free
             guidance, and its second half is recorded and re-weighted. False: all of it is.

    Yields an `AttentionWatch`. Raises ValueError for factors that do not fit, for an odd batch
    under guidance, and for a U-Net whose attention is of another kind than Stable Diffusion 1.5's
    (with an IP-Adapter, say, or already watched).
    Source: diffusers attention_processor.py, `AttnProcessor2_0`; Hertz et al. 2022, section 3.
    """
    watch, before = AttentionWatch(factors, guided), dict(unet.attn_processors)
    watched = dict(before)
    for name, processor in before.items():
        layer = name.removesuffix(".processor")
        if unet.get_submodule(layer).is_cross_attention:
            if type(processor).__name__ not in PLAIN:
                raise ValueError(
                    f"{layer} computes its attention with {type(processor).__name__}, and "
                    f"watch_attention knows the plain ones only: {', '.join(sorted(PLAIN))}. "
                    "unet.set_default_attn_processor() puts them back."
                )
            watched[name] = WatchedAttention(layer, watch)
    begin = unet.register_forward_pre_hook(watch.begin, with_kwargs=True)
    unet.set_attn_processor(watched)
    try:
        yield watch
    finally:
        unet.set_attn_processor(before)
        begin.remove()


def region_maps(maps: list[dict[str, Tensor]], size: int | tuple[int, int] | None = None) -> Tensor:
    """Where each token was read: the mean of its weights over layers and steps, at one size.

    maps: as in `AttentionWatch.maps`, {layer: [B, h, w, L]} for each step; a part of that list
        gives the maps of those steps.
    size: side of the maps, or (height, width). None: as fine as the finest layer.

    Returns [B, L, height, width]: shares of attention, which sum to 1 over the tokens at each
    place. A token of the prompt is a row; a word of several tokens is the sum of its rows. Layers
    are resized by bilinear interpolation, which keeps the sum; DAAM, from which the recipe is, uses
    a bicubic one and leaves the smallest layer out. ValueError where there is nothing to average.
    Source: Tang et al. 2022, "What the DAAM".
    """
    layers = [weights for step in maps for weights in step.values()]
    if not layers:
        raise ValueError(
            "There are no attention maps to average. Call the U-Net inside `with "
            "watch_attention(unet) as watch:`, then pass watch.maps or a part of it."
        )
    # Averaging and resizing are both linear: layers of one size are added first, then resized once.
    sums: dict[tuple[int, int], Tensor] = {}
    for weights in layers:
        shape = weights.shape[1], weights.shape[2]
        sums[shape] = sums[shape] + weights if shape in sums else weights
    height, width = (size, size) if isinstance(size, int) else size or max(sums)
    images = [total.movedim(-1, 1) for total in sums.values()]  # [B, L, h, w] for each size
    resized = (F.interpolate(image, (height, width), mode="bilinear") for image in images)
    return reduce(torch.add, resized) / len(layers)
