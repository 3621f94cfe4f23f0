"""A vision transformer: the text encoder's layers, with patches in place of tokens.

It differs from Hugging Face's CLIPVisionModelWithProjection, whose parameter names it shares, in
two things: a state dict has no prefix `vision_model.`, which is accepted all the same, and a fresh
model has OpenAI's spread of weights (see `initialize`).
"""

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from ..text_encoder.layers import CLIPAttention, CLIPEncoder, LayerNorm, choose_activation
from ..text_encoder.model import accept_prefix
from .config import CLIPVisionConfig


@dataclass(repr=False)
class ImageEncoderOutput:
    """What comes out of an image encoder.

    image_embeds [B, E]: one vector for each picture, in the joint space, not yet of unit length.
    features: what they were pooled from: [B, 1 + G², D], class token first, then patches row by
        row, of a CLIPVisionModel; [B, 32 W, G, G] of a CLIPResNet. G × G is the grid of places.
    """

    image_embeds: Tensor
    features: Tensor

    def __repr__(self) -> str:
        embeds, features = list(self.image_embeds.shape), list(self.features.shape)
        return f"ImageEncoderOutput(image_embeds {embeds}, features {features})"


class CLIPVisionEmbeddings(nn.Module):
    """What each patch shows, plus where it lies; before them a class token, which shows nothing.

    pixels [B, 3, S, S] → [B, 1 + G², D] with G = S / patch size. Source: openai/CLIP `model.py`.
    """

    def __init__(self, config: CLIPVisionConfig):
        super().__init__()
        c = config
        self.class_embedding = nn.Parameter(torch.empty(c.width))  # [D]
        self.patch_embedding = nn.Conv2d(3, c.width, c.patch_size, stride=c.patch_size, bias=False)
        self.position_embedding = nn.Embedding(c.tokens, c.width)  # [1 + G², D]

    def forward(self, pixels: Tensor) -> Tensor:
        patches = self.patch_embedding(pixels).flatten(2).mT  # [B, G², D]
        first = self.class_embedding.to(patches.dtype).expand(len(patches), 1, -1)  # [B, 1, D]
        return torch.cat([first, patches], dim=1) + self.position_embedding.weight


class CLIPVisionModel(nn.Module):
    """Pixels → embeddings, N encoder layers, the class token's row, LayerNorm, projection.

    Every patch sees every other: the mask is True throughout. Source: openai/CLIP `model.py`;
    Dosovitskiy et al. 2021.
    """

    def __init__(self, config: CLIPVisionConfig):
        super().__init__()
        c = self.config = config
        self.embeddings = CLIPVisionEmbeddings(c)
        self.pre_layrnorm = LayerNorm(c.width)  # Hugging Face's spelling
        self.encoder = CLIPEncoder(c.width, c.heads, c.layers, c.mlp_width)
        choose_activation(self.encoder, c.activation)
        self.post_layernorm = LayerNorm(c.width)
        self.visual_projection = nn.Linear(c.width, c.projection, bias=False)
        initialize(self)
        # Hugging Face writes it before every key but the projection's.
        self.register_load_state_dict_pre_hook(partial(accept_prefix, "vision_model."))

    def forward(self, pixels: Tensor) -> ImageEncoderOutput:
        """pixels: floating point [B, 3, S, S], normalized as `Preprocess` does."""
        require_pixels(pixels, self.config.image_size)
        X = self.pre_layrnorm(self.embeddings(pixels))  # [B, L, D], L = 1 + G²
        M = torch.ones(X.shape[1], X.shape[1], dtype=torch.bool, device=X.device)  # [L, L]
        X = self.encoder(X, M, keep=())[-1]
        pooled = self.post_layernorm(X[:, 0])  # [B, D]
        return ImageEncoderOutput(image_embeds=self.visual_projection(pooled), features=X)

    def num_parameters(self) -> int:
        return sum(p.numel() for p in self.parameters())


@torch.no_grad()
def initialize(model: CLIPVisionModel) -> None:
    """OpenAI's initialization: D^−½ for class token, positions and projection.

    The layers it leaves as torch makes them, unlike the text encoder's: Xavier's uniform spread for
    q, k and v as one matrix, zero biases in attention, and nn.Linear's own for the rest.
    """
    D = model.config.width
    nn.init.normal_(model.embeddings.class_embedding, std=D**-0.5)
    nn.init.normal_(model.embeddings.position_embedding.weight, std=D**-0.5)
    nn.init.normal_(model.visual_projection.weight, std=D**-0.5)
    for attn in (module for module in model.modules() if isinstance(module, CLIPAttention)):
        for proj in (attn.q_proj, attn.k_proj, attn.v_proj):
            most = (6 / (D + 3 * D)) ** 0.5  # fan in D, fan out 3D
            nn.init.uniform_(proj.weight, -most, most)
            proj.bias.zero_()
        attn.out_proj.bias.zero_()


def require_pixels(pixels: Tensor, S: int) -> None:
    """Refuse, in a sentence, what is no batch of pictures of this size."""
    if not pixels.is_floating_point():
        raise ValueError(
            f"Pixels are floating point numbers, normalized; these are {pixels.dtype}. "
            "Preprocess makes them from PIL pictures: clip.preprocess(image)."
        )
    if pixels.ndim != 4 or pixels.shape[1:] != (3, S, S):
        raise ValueError(
            f"This encoder takes pictures as [B, 3, {S}, {S}]: red, green and blue, {S} pixels a "
            f"side; got {list(pixels.shape)}. clip.preprocess(image) makes one of that size."
        )
