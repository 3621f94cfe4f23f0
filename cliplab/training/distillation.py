"""Learning from other CLIPs, beside the captions (knowledge distillation).

Runs with different seeds agree about what they were shown and guess differently at the rest, so the
mean of their similarities knows more of what none of them was shown than each does alone. A model
that is taught that mean keeps a good part of it, at the cost of one model.
"""

import math
import random
import re
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from PIL.Image import Image
from torch import Tensor

from ..contrastive import CLIP
from ..tokenizer import CLIPTokenizer
from .augment import as_seen_by
from .grad_cache import encode_bucketed


class Teachers:
    """K trained CLIPs as one: vectors whose inner products are the mean of their cosines.

    clips: with tokenizers, each of its own vocabulary, size of pictures and joint width. They are
    moved to `device` and set to evaluation. Raises ValueError for none.
    """

    def __init__(self, clips: Sequence[CLIP], device: torch.device | str = "cpu"):
        if not clips:
            raise ValueError("There must be at least one teacher.")
        self.clips = [clip.eval().requires_grad_(False) for clip in clips]
        for clip in clips:  # torch's stubs lack memory_format
            clip.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @torch.no_grad()
    def encode(self, texts: list[str], images: Tensor) -> tuple[Tensor, Tensor]:
        """M texts and pictures [N, 3, S, S], from 0 to 1 → U [M, F] and V [N, F], of unit length.

        U_i · V_j = 1/K Σ_k cos(u_i, v_j) of teacher k: their vectors one after the other, over √K.
        """
        U, V = [], []
        for clip in self.clips:
            U.append(encode_bucketed(clip, clip.ids(texts).to(images.device)))
            V.append(clip.encode_pixels(as_seen_by(clip, images)))
        return joined(U), joined(V)

    def encode_text(self, texts: str | list[str]) -> Tensor:
        """Texts → [N, F], as CLIP.encode_text: `evaluate` takes teachers in a CLIP's place."""
        return joined([clip.encode_text(texts) for clip in self.clips])

    def encode_image(self, images: list[Image]) -> Tensor:
        """PIL pictures → [N, F], as CLIP.encode_image."""
        return joined([clip.encode_image(images) for clip in self.clips])


def joined(vectors: list[Tensor]) -> Tensor:
    """K unit vectors for each of N things, K × [N, E_k] → one of unit length, [N, F]."""
    return torch.cat(vectors, dim=1) / math.sqrt(len(vectors))


def distillation_loss(u: Tensor, v: Tensor, U: Tensor, V: Tensor) -> Tensor:
    """How far a model's cosines are from its teachers': mean_ij (⟨u_i, v_j⟩ − ⟨U_i, V_j⟩)².

    u [M, E], v [N, E] of the model; U [M, F], V [N, F] of `Teachers.encode`. Returns a scalar.
    Vasu et al. 2024 (MobileCLIP) compare softmaxes of cosines instead.
    """
    return F.mse_loss(u @ v.T, U @ V.T)


def whole_words(tokenizer: CLIPTokenizer) -> list[str]:
    """The words that are one token, in the vocabulary's order. Raises ValueError for none."""
    ends = (s.removesuffix("</w>") for s in tokenizer.vocabulary if s.endswith("</w>"))
    words = [word for word in ends if re.fullmatch("[a-z]{2,}", word)]
    if not words:
        raise ValueError("No word is one token of this vocabulary: train one of more entries.")
    return words


def exchanged(caption: str, words: list[str], seed: str) -> str:
    """The caption with one of its words exchanged for any other: a text that has no picture.

    What teachers make of it is worth knowing all the same: it says where words lie that no caption
    has. A function of the seed and the caption alone, so that all processes make the same.
    """
    rng = random.Random(f"{seed} {caption}")
    parts = caption.split() or [caption]
    parts[rng.randrange(len(parts))] = rng.choice(words)
    return " ".join(parts)
