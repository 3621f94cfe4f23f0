"""Cross-attention that is told where to look: a word's map belongs inside its thing.

A scene's renderer knows where each thing is. So beside the loss of the picture there is one of the
attention, for each word that says something of a thing:

    ᾱ_t (1 − share of the word's attention that falls inside the thing's box)²

ᾱ_t, since in pure noise nobody knows yet where the thing will be, unless a relation has told it:
then the factor is 1. Without that, 8,000 steps taught which two things are beside each other and
which are one above the other, and not which of them is first.
Source: TokenCompose, arXiv 2312.03626.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .pool import inside

LEAST = 1e-6  # attention, so that a word that nothing looks at divides by no 0


class Watched:
    """A processor of diffusers' attention that computes it as it is written, and keeps the maps."""

    def __init__(self, maps: list[Tensor]):
        self.maps = maps

    def __call__(self, attn, hidden_states, encoder_hidden_states=None, **_):
        B, N, C = hidden_states.shape
        q, k, v = (
            project(x).unflatten(-1, (attn.heads, -1)).transpose(1, 2)  # [B, H, N or L, K]
            for project, x in (
                (attn.to_q, hidden_states),
                (attn.to_k, encoder_hidden_states),
                (attn.to_v, encoder_hidden_states),
            )
        )
        A = (q @ k.transpose(-1, -2) * attn.scale).softmax(-1)  # [B, H, N, L]
        self.maps.append(A.mean(1))
        return attn.to_out[0]((A @ v).transpose(1, 2).reshape(B, N, C))


def watch(unet) -> list[Tensor]:
    """Have a U-Net's cross-attention leave its maps [B, N, L] in a list, layer after layer."""
    maps: list[Tensor] = []
    for name, module in unet.named_modules():
        if name.endswith("attn2"):
            module.set_processor(Watched(maps))
    return maps


def focus(maps: list[Tensor], boxes: Tensor, places: list[dict[int, int]], signal: Tensor):
    """The loss of attention outside, a number.

    boxes [B, 2, 4]: of each scene's things. places: which row of each context shows which thing.
    signal [B]: ᾱ_t, or 1 where a relation tells the places.
    """
    rows = [(b, place, thing) for b, of in enumerate(places) for place, thing in of.items()]
    if not rows:
        return maps[0].new_zeros(())
    b, place, thing = torch.tensor(rows).T
    outside = []
    for A in maps:
        there = inside(boxes[b, thing], int(A.shape[1] ** 0.5)).flatten(1)  # [words, N]
        of_word = A[b, :, place] + LEAST  # [words, N]
        outside.append(1 - (of_word * there).sum(1) / of_word.sum(1))
    return (signal[b] * torch.stack(outside) ** 2).mean()
