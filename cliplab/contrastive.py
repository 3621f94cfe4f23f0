"""What CLIP is trained to do: of N pictures, know the one that a caption belongs to.

Text stands first, as in the lecture: u are captions (rows of S), v are pictures (columns).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .checks import one_of
from .image_encoder import (
    CLIPResNet,
    CLIPResNetConfig,
    CLIPVisionConfig,
    CLIPVisionModel,
    ImageEncoder,
    Preprocess,
)
from .masks import length_normalization
from .text_encoder import CLIPTextConfig, CLIPTextModel
from .tokenizer import CLIPTokenizer

if TYPE_CHECKING:
    from PIL.Image import Image

SHARPEST = 100.0  # the largest 1 / τ
T = TypeVar("T")


def similarity_matrix(u: Tensor, v: Tensor, tau: float | Tensor) -> Tensor:
    """S_ij = ⟨u_i, v_j⟩ / τ: how well caption i and picture j go together.

    u [N, E], v [M, E] → [N, M]. Unit vectors make ⟨u_i, v_j⟩ a cosine, and nothing here asks for
    that. Raises ValueError for other shapes and for a number τ that is not above 0; a tensor τ is
    not looked at, since a GPU would have to wait for the answer. Source: Lecture eq. 61.
    """
    if u.ndim != 2 or v.ndim != 2 or u.shape[1] != v.shape[1]:
        raise ValueError(
            f"Captions are [N, E] and pictures [M, E], of one joint width; got {list(u.shape)} and "
            f"{list(v.shape)}."
        )
    if not isinstance(tau, Tensor) and not tau > 0:
        raise ValueError(f"The temperature τ divides, so it must be above 0, but it is {tau}.")
    return u @ v.T / tau


def clip_loss(u: Tensor, v: Tensor, tau: float | Tensor, same: Tensor | None = None) -> Tensor:
    """Two guesses averaged: which picture for this caption, and which caption for this picture.

    u, v [N, E]: unit vectors, row i of both from pair i. same: bool [N, N], True where caption i
    would be right for picture j as well; None → only for its own. Returns a scalar: 0 at best,
    about ln N from vectors that know nothing, 0 for a batch of one.

    Captions that stand in a batch d times look alike, so nobody can tell their pictures apart and
    the loss stays at ln d or above, whatever is learned. Sharing the target among the d pictures
    changes nothing in that: for equal captions it is the same sum. `same` takes the other d − 1 out
    of the competition: each pair is judged against what it really differs from, and 0 is in reach.

    Raises ValueError for other shapes and, on a CPU, for vectors not of unit length (NaN included);
    on a GPU that would make each step wait, so it is left out. Source: Lecture eqs 62–64.
    """
    require_pairs(u, v, same)
    S = similarity_matrix(u, v, tau)  # [N, N]
    if same is not None:
        own = torch.eye(len(S), dtype=torch.bool, device=S.device)
        S = S.masked_fill(same & ~own, -math.inf)
    target = torch.arange(len(S), device=S.device)  # row i belongs with column i
    text_to_image = F.cross_entropy(S, target)  # eq. 62
    image_to_text = F.cross_entropy(S.T, target)  # eq. 63
    return (text_to_image + image_to_text) / 2  # eq. 64


def sigmoid_loss(
    u: Tensor, v: Tensor, tau: float | Tensor, bias: float | Tensor, same: Tensor | None = None
) -> Tensor:
    """Every caption and picture by itself: do the two belong together, yes or no?

    −1/N Σ_ij ln σ(z_ij (S_ij + b)) with z = 1 for pairs and −1 otherwise. Arguments and errors as
    for `clip_loss`; where `same` is True off the diagonal, no question is asked. The bias b begins
    at −10, since nearly all answers are no, and 1/τ at 10. Source: Zhai et al. 2023 (SigLIP).
    """
    require_pairs(u, v, same)
    own = torch.eye(len(u), dtype=torch.bool, device=u.device)
    S = similarity_matrix(u, v, tau) + bias  # [N, N]
    losses = -F.logsigmoid(torch.where(own, S, -S))
    if same is not None:
        losses = losses.masked_fill(same & ~own, 0.0)
    return losses.sum() / len(u)


class CLIP(nn.Module):
    """A text encoder and an image encoder with one joint space, and a temperature.

    `logit_scale` is the parameter s = ln(1/τ) that CLIP stores in τ's place, from ln(1/0.07)
    (erratum E38); with sigmoid=True it starts at ln 10, and a `logit_bias` of −10 is added, for
    `sigmoid_loss`. tokenizer, preprocess: how `encode_text` and `encode_image` read what people
    have; None for each to pass ids and pixels only, or, for preprocess, OpenAI's at the encoder's
    size. Raises ValueError for encoders of different joint widths. Source: Lecture eq. 60.
    """

    def __init__(
        self,
        text_model: CLIPTextModel,
        image_model: ImageEncoder,
        *,
        tokenizer: CLIPTokenizer | None = None,
        preprocess: Preprocess | None = None,
        sigmoid: bool = False,
    ):
        super().__init__()
        text, image = text_model.config, image_model.config
        if text.projection != image.projection:
            raise ValueError(
                "Captions and pictures must meet in one space, but the text encoder's projection "
                f"is {text.projection} and the image encoder's {image.projection}. Give both "
                "configurations one."
            )
        self.text_model = text_model
        self.image_model = image_model
        self.logit_scale = nn.Parameter(torch.tensor(math.log(10 if sigmoid else 1 / 0.07)))
        self.logit_bias = nn.Parameter(torch.tensor(-10.0)) if sigmoid else None
        self.tokenizer = tokenizer
        self.preprocess = preprocess or Preprocess(image.image_size)

    @classmethod
    def from_preset(cls, name: str, tokenizer: CLIPTokenizer | None = None, **options: Any) -> CLIP:
        """A fresh CLIP by name: "tiny", "mini", "mini-vit", "ViT-B/32", "ViT-L/14" or "RN50".

        tokenizer: whose vocabulary the text encoder has; None → CLIP's own. options: as for CLIP.
        """
        one_of("A preset", name, PRESETS)
        text, image, preprocess = PRESETS[name]
        tokenizer = tokenizer or CLIPTokenizer()
        text = replace(text, vocab_size=tokenizer.vocab_size, eos_token_id=tokenizer.eos_id)
        options = {"preprocess": preprocess} | options
        return cls(CLIPTextModel(text), image_encoder(image), tokenizer=tokenizer, **options)

    @property
    def tau(self) -> Tensor:
        """The temperature τ = exp(−s), a scalar with gradient."""
        return torch.exp(-self.logit_scale)

    @torch.no_grad()
    def clamp_temperature(self) -> None:
        """Keep 1/τ from 1 to 100, as OpenAI did after each step (erratum E38)."""
        self.logit_scale.clamp_(0, math.log(SHARPEST))

    def forward(self, ids: Tensor, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """ids [N, L], pixels [M, 3, S, S] → unit vectors u [N, E] and v [M, E]."""
        return self.encode_ids(ids), self.encode_pixels(pixels)

    def encode_ids(self, ids: Tensor) -> Tensor:
        """ids [N, L] → u [N, E], of unit length."""
        return F.normalize(self.text_model(ids, hidden_states=False).text_embeds, dim=-1)

    def encode_pixels(self, pixels: Tensor) -> Tensor:
        """pixels [N, 3, S, S] → v [N, E], of unit length."""
        return F.normalize(self.image_model(pixels).image_embeds, dim=-1)

    # What people have -----------------------------------------------------------------------------

    def ids(self, texts: Sequence[str]) -> Tensor:
        """Texts → ids [N, L], padded to the longest of them: EOS sees nothing that comes after it.

        Warns with TruncationWarning where a text is longer than the encoder's context.
        """
        if self.tokenizer is None:
            raise ValueError("This CLIP has no tokenizer: set clip.tokenizer, or pass ids.")
        rows = self.tokenizer(list(texts))
        most = min(max(map(len, rows)), self.text_model.config.context_length)
        return length_normalization(rows, length=most)

    def encode_text(self, texts: str | list[str], batch_size: int = 256) -> Tensor:
        """Texts → unit vectors [N, E], `batch_size` at a time, without gradients; a str is one."""
        texts = [texts] if isinstance(texts, str) else texts
        return self._encode(texts, batch_size, lambda part: self.encode_ids(self.ids(part)))

    def encode_image(self, images: Image | list[Image], batch_size: int = 256) -> Tensor:
        """PIL pictures → unit vectors [N, E], `batch_size` at a time, without gradients."""
        images = images if isinstance(images, (list, tuple)) else [images]

        def encode(part: Sequence[Image]) -> Tensor:
            pixels = torch.stack([self.preprocess(image) for image in part])
            return self.encode_pixels(pixels.to(self.logit_scale))

        return self._encode(images, batch_size, encode)

    @torch.no_grad()
    def _encode(
        self, items: Sequence[T], batch_size: int, encode: Callable[[Sequence[T]], Tensor]
    ) -> Tensor:
        E, training = self.image_model.config.projection, self.training
        starts = range(0, len(items), batch_size)
        self.eval()
        try:
            parts = [encode(items[start : start + batch_size]) for start in starts]
        finally:
            self.train(training)
        return torch.cat(parts) if parts else self.logit_scale.new_empty(0, E)

    def num_parameters(self) -> int:
        return sum(p.numel() for p in self.parameters())


def image_encoder(config: CLIPVisionConfig | CLIPResNetConfig) -> ImageEncoder:
    """The encoder that a configuration describes."""
    return CLIPResNet(config) if isinstance(config, CLIPResNetConfig) else CLIPVisionModel(config)


def require_pairs(u: Tensor, v: Tensor, same: Tensor | None) -> None:
    """Refuse, in a sentence, what is no batch of N pairs of unit vectors."""
    if u.ndim != 2 or u.shape != v.shape or not len(u):
        raise ValueError(
            f"The loss takes N captions and N pictures, both [N, E] and in the same order; got "
            f"{list(u.shape)} and {list(v.shape)}."
        )
    N = len(u)
    if same is not None and (same.dtype != torch.bool or same.shape != (N, N)):
        raise ValueError(
            f"`same` says for each caption and picture whether they go together, bool [{N}, {N}]; "
            f"got {same.dtype} {list(same.shape)}."
        )
    if u.device.type != "cpu" or torch.compiler.is_compiling():
        return
    loose = 1e-3 if torch.finfo(u.dtype).bits > 16 else 2e-2
    for name, vectors in (("Caption", u), ("Picture", v)):
        lengths = vectors.detach().float().norm(dim=-1)  # [N]
        off = ~((lengths - 1).abs() < loose)  # True for NaN as well
        if off.any():
            i = int(off.int().argmax())
            raise ValueError(
                f"{name} {i} has length {lengths[i]:.4g}, and the loss compares unit vectors "
                "(eq. 60): torch.nn.functional.normalize(x, dim=-1). NaN means that the weights or "
                "the inputs are not finite."
            )


HALF = (0.5, 0.5, 0.5)  # as mean and std: pixels from −1 to 1
MINI_TEXT = CLIPTextConfig(49408, 77, 128, 4, 4, 512, projection=128)
PRESETS: dict[str, tuple[CLIPTextConfig, CLIPVisionConfig | CLIPResNetConfig, Preprocess]] = {
    # name: (text, image, how pictures are read)
    "tiny": (MINI_TEXT, CLIPResNetConfig.mini(32), Preprocess(32, HALF, HALF)),
    "mini": (MINI_TEXT, CLIPResNetConfig.mini(64), Preprocess(64, HALF, HALF)),
    "mini-vit": (MINI_TEXT, CLIPVisionConfig.mini(), Preprocess(64, HALF, HALF)),
    "ViT-B/32": (CLIPTextConfig.vit_b_32(), CLIPVisionConfig.vit_b_32(), Preprocess(224)),
    "ViT-L/14": (CLIPTextConfig.vit_l_14(), CLIPVisionConfig.vit_l_14(), Preprocess(224)),
    "RN50": (
        CLIPTextConfig(49408, 77, 512, 8, 12, 2048, projection=1024),
        CLIPResNetConfig.rn50(),
        Preprocess(224),
    ),
}
