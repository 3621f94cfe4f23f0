"""How the U-Net of Stable Diffusion 1.5 reads a prompt: cross-attention, and maps of who read what.

Files, in the order in which to read them:

    layers.py    CrossAttention, GEGLU, FeedForward, BasicTransformerBlock, Transformer2D
    watch.py     watch_attention: the same attention inside a real diffusers U-Net, looked at;
                 region_maps: from the weights of every layer and step to one map for each token

    with watch_attention(unet, guided=True) as watch:
        ...  # one unet(...) call for each step
    watch.maps                         # for each step {layer: [B, h, w, L]}, averaged over heads
    region_maps(watch.maps, size=32)   # [B, L, 32, 32]
"""

from .layers import GEGLU, BasicTransformerBlock, CrossAttention, FeedForward, Transformer2D
from .watch import AttentionWatch, region_maps, watch_attention

__all__ = [
    "GEGLU", "AttentionWatch", "BasicTransformerBlock", "CrossAttention", "FeedForward",
    "Transformer2D", "region_maps", "watch_attention",
]  # fmt: skip
