"""The miniature CLIP: a prompt through the text encoder, pictures, and how well they go together.

text        ids [B, 77] int32; causal [] int32, 1 for the causal mask; seen [B, 77] int32, 1 for
            what may be looked at: a PAD mask, or all ones for none
  scores    [B, 4, 4, 77, 77]   layer, head, who looks, what is looked at: QKᵀ / √K, before any mask
  attention [B, 4, 4, 77, 77]   the softmax of the scores that the masks leave
  queries, keys  [B, 4, 4, 77, 32]  layer, head, token: the two factors of a score
  context   [B, 77, 128]        after the final LayerNorm: what a U-Net reads
  vector    [B, 128]            the caption in CLIP's joint space, of unit length
  moved     [B, 5, 77]          how far each row lies from that of prompt 0, in lengths of that:
                                after the embeddings and after each layer
image       pixels [B, 64, 64, 3] uint8, red, green, blue
  vector    [B, 128]            the picture in the joint space, of unit length
similarity  texts [N, E], images [M, E], of any length; scale [] = 1/τ
  cosine    [M, N]              one row for each picture, one column for each caption
  by_row, by_column  [M, N]     softmax of scale · cosine: of a picture's row, a caption's column
  loss []; losses [min(N, M)]   caption i against picture i, among all N captions and M pictures
  directions [2]                eqs 62 and 63, caption → picture and back; their mean is `loss`
"""

import copy
import functools

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ...checkpoints import load_clip
from ...checkpoints.files import MINI, find_weights
from ...contrastive import CLIP as Clip
from ...contrastive import similarity_matrix
from ...masks import causal_mask, length_normalization
from ...text_encoder import softmax
from .graph import Graph


@functools.cache
def mini() -> Clip:
    """The miniature that all of these graphs share."""
    return load_clip("mini").requires_grad_(False)


class Text(nn.Module):
    """Everything that happens to a prompt in the encoder, read from its trace."""

    def __init__(self):
        super().__init__()
        self.model = mini().text_model

    def forward(self, ids: Tensor, causal: Tensor, seen: Tensor) -> tuple[Tensor, ...]:
        L = ids.shape[-1]
        mask = (causal_mask(L) | (causal == 0)) & (seen != 0).unsqueeze(-2)  # [B, L, L]
        out = self.model(ids, mask, trace=True)
        hidden = torch.stack(out.hidden_states, dim=1)  # [B, N + 1, L, D]
        away = (hidden - hidden[:1]).norm(dim=-1)  # [B, N + 1, L]
        return (
            self.of_layers(out, "S"),
            self.of_layers(out, "weights"),
            self.of_layers(out, "Q"),
            self.of_layers(out, "K"),
            out.context,
            F.normalize(out.text_embeds, dim=-1),
            away / hidden[:1].norm(dim=-1),
        )

    def of_layers(self, out, name: str) -> Tensor:
        """What every layer's attention calls by this name: [B, N, H, …]."""
        layers = range(self.model.config.layers)
        each = [out.trace[f"encoder.layers.{n}.self_attn.{name}"] for n in layers]
        return torch.stack(each, dim=1)


class Image(nn.Module):
    """Pictures of 64 × 64 pixels into the joint space."""

    def __init__(self):
        super().__init__()
        self.model = folded(copy.deepcopy(mini().image_model))
        self.normalize = mini().preprocess.normalize

    def forward(self, pixels: Tensor) -> tuple[Tensor]:
        pixels = self.normalize(pixels.permute(0, 3, 1, 2) / 255)  # [B, 3, S, S]
        return (F.normalize(self.model(pixels).image_embeds, dim=-1),)


def folded(module: nn.Module) -> nn.Module:
    """The same network with every BatchNorm computed into the convolution before it, in place.

    An export does that anyway, and then the weights are no longer those that were rounded.
    """
    before = None
    for name, child in list(module.named_children()):
        if isinstance(child, nn.BatchNorm2d):
            setattr(module, before, fuse_conv_bn_eval(getattr(module, before), child))
            setattr(module, name, nn.Identity())
        else:
            folded(child)
        before = name
    return module


class Similarity(nn.Module):
    """Cosines, what the temperature makes of them, and the loss of each pair.

    Vectors are brought to unit length here, so several templates of one label may come as their
    sum. With as many captions as pictures, `loss` is `contrastive.clip_loss`.
    """

    def forward(self, texts: Tensor, images: Tensor, scale: Tensor) -> tuple[Tensor, ...]:
        u, v = F.normalize(texts, dim=-1), F.normalize(images, dim=-1)
        S = similarity_matrix(v, u, 1 / scale)  # [M, N], pictures first: a table of pictures
        own = [-F.log_softmax(S, dim=dim).diagonal() for dim in (0, 1)]  # caption i, picture i
        both = torch.stack(own)  # [2, min(N, M)]: among the pictures, among the captions
        return (
            similarity_matrix(v, u, torch.ones_like(scale)),
            softmax(S, axis=-1),
            softmax(S, axis=-2),
            both.mean(),
            both.mean(0),
            both.mean(1),
        )


A_CAT = (320, 925)  # "a cat"
TWO_HEARTS = (1598, 573, 974, 591, 320, 1396)  # "two red hearts and a dog"


def framed(*contents: tuple[int, ...]) -> Tensor:
    """Ids [B, 77] in the miniature's vocabulary: BOS, content, EOS, padding."""
    BOS, EOS = 6916, 6917
    return length_normalization([[BOS, *content, EOS] for content in contents]).int()


def units(count: int, seed: int) -> Tensor:
    """Random unit vectors [count, 128]."""
    drawn = torch.randn(count, 128, generator=torch.Generator().manual_seed(seed))
    return F.normalize(drawn, dim=-1)


def noise(count: int) -> Tensor:
    """Random pictures [count, 64, 64, 3]."""
    seeded = torch.Generator().manual_seed(0)
    return torch.randint(256, (count, 64, 64, 3), generator=seeded, dtype=torch.uint8)


TEXT = {
    "text": Graph(
        build=Text,
        inputs={
            "ids": framed(A_CAT, TWO_HEARTS),
            "causal": torch.tensor(1, dtype=torch.int32),
            "seen": torch.ones(2, 77, dtype=torch.int32),
        },
        outputs=("scores", "attention", "queries", "keys", "context", "vector", "moved"),
        precision="int8",
        tolerance=1e-4,
        weights=(find_weights(MINI),),
        dynamic={"ids": {0: "B"}, "seen": {0: "B"}},
    ),
}
IMAGE = {
    "image": Graph(
        build=Image,
        inputs={"pixels": noise(2)},
        outputs=("vector",),
        precision="int8",
        tolerance=1e-4,
        weights=(find_weights(MINI),),
        dynamic={"pixels": {0: "B"}},
    ),
}
SIMILARITY = {
    "similarity": Graph(
        build=Similarity,
        inputs={"texts": units(6, 0), "images": units(5, 1), "scale": torch.tensor(40.0)},
        outputs=("cosine", "by_row", "by_column", "loss", "losses", "directions"),
        precision="fp16",
        tolerance=1e-4,
        dynamic={"texts": {0: "N"}, "images": {0: "M"}},
    ),
}
