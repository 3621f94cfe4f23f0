"""CLIP's residual network: a ResNet with three changes.

- The stem has three small convolutions in place of one large.
- Nothing is halved by leaving out every other pixel: an average over 2 × 2 goes before, so that
  fine detail does not turn into false patterns (Zhang 2019).
- At the end attention pools in place of an average, and the average is what asks.

Parameters are named as in openai/CLIP and open_clip.
"""

from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..text_encoder.layers import CLIPAttention
from .config import CLIPResNetConfig
from .vit import ImageEncoderOutput, require_pixels


class Bottleneck(nn.Module):
    """Narrow to C channels, look around, widen to 4 C; the answer is added to the stream.

    [B, C', H, W] → [B, 4 C, H / stride, W / stride]. Source: openai/CLIP `model.py`; He et al.
    2016.
    """

    def __init__(self, inputs: int, channels: int, stride: int = 1):
        super().__init__()
        outputs = 4 * channels
        self.conv1 = nn.Conv2d(inputs, channels, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.shrink = nn.AvgPool2d(stride) if stride > 1 else nn.Identity()
        self.conv3 = nn.Conv2d(channels, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample = nn.Identity()
        if stride > 1 or inputs != outputs:
            conv = nn.Conv2d(inputs, outputs, 1, bias=False)
            self.downsample = nn.Sequential(
                # OpenAI counts the average, which has no parameters, as −1.
                OrderedDict([("-1", self.shrink), ("0", conv), ("1", nn.BatchNorm2d(outputs))])
            )

    def forward(self, X: Tensor) -> Tensor:
        H = F.relu(self.bn1(self.conv1(X)), inplace=True)
        H = F.relu(self.bn2(self.conv2(H)), inplace=True)
        H = self.bn3(self.conv3(self.shrink(H)))
        H += self.downsample(X)
        return F.relu(H, inplace=True)


class AttentionPool(nn.Module):
    """One vector for a whole map: the average of all places asks, all places and it answer.

    X [B, C, G, G] → [B, E]. Source: openai/CLIP `model.py`, AttentionPool2d.
    """

    def __init__(self, places: int, channels: int, heads: int, projection: int):
        super().__init__()
        self.heads = heads
        self.positional_embedding = nn.Parameter(torch.empty(places + 1, channels))
        self.k_proj = nn.Linear(channels, channels)
        self.q_proj = nn.Linear(channels, channels)
        self.v_proj = nn.Linear(channels, channels)
        self.c_proj = nn.Linear(channels, projection)

    split = CLIPAttention.split  # [B, L, C] → [B, H, L, K]

    def forward(self, X: Tensor) -> Tensor:
        X = X.flatten(2).mT  # [B, G², C]
        X = torch.cat([X.mean(1, keepdim=True), X], dim=1) + self.positional_embedding
        Q = self.split(self.q_proj(X[:, :1]))  # [B, H, 1, K]
        K, V = self.split(self.k_proj(X)), self.split(self.v_proj(X))  # [B, H, 1 + G², K]
        A = F.scaled_dot_product_attention(Q, K, V)  # [B, H, 1, K]
        return self.c_proj(A.flatten(1))  # [B, E]


class CLIPResNet(nn.Module):
    """Pixels → stem, four stages, attention pooling, which is the projection as well.

    The side shrinks to S / 4 in the stem and by half in each stage after the first. Source:
    openai/CLIP `model.py`, ModifiedResNet.
    """

    def __init__(self, config: CLIPResNetConfig):
        super().__init__()
        c = self.config = config
        half = c.width // 2
        self.conv1 = nn.Conv2d(3, half, 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(half)
        self.conv2 = nn.Conv2d(half, half, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(half)
        self.conv3 = nn.Conv2d(half, c.width, 3, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(c.width)
        self.layer1 = stage(c.width, c.width, c.layers[0], stride=1)
        self.layer2 = stage(4 * c.width, 2 * c.width, c.layers[1], stride=2)
        self.layer3 = stage(8 * c.width, 4 * c.width, c.layers[2], stride=2)
        self.layer4 = stage(16 * c.width, 8 * c.width, c.layers[3], stride=2)
        places = (c.image_size // 32) ** 2
        self.attnpool = AttentionPool(places, c.channels, c.heads, c.projection)
        initialize(self)

    def forward(self, pixels: Tensor) -> ImageEncoderOutput:
        """pixels: floating point [B, 3, S, S], normalized as `Preprocess` does."""
        require_pixels(pixels, self.config.image_size)
        X = F.relu(self.bn1(self.conv1(pixels)), inplace=True)  # [B, W / 2, S / 2, S / 2]
        X = F.relu(self.bn2(self.conv2(X)), inplace=True)
        X = F.relu(self.bn3(self.conv3(X)), inplace=True)  # [B, W, S / 2, S / 2]
        X = F.avg_pool2d(X, 2)  # [B, W, S / 4, S / 4]
        for blocks in (self.layer1, self.layer2, self.layer3, self.layer4):
            X = blocks(X)  # in the end [B, 32 W, S / 32, S / 32]
        return ImageEncoderOutput(image_embeds=self.attnpool(X), features=X)

    def num_parameters(self) -> int:
        return sum(p.numel() for p in self.parameters())


def stage(inputs: int, channels: int, blocks: int, stride: int) -> nn.Sequential:
    """Some blocks at one resolution; the first of them makes it smaller."""
    rest = (Bottleneck(4 * channels, channels) for _ in range(blocks - 1))
    return nn.Sequential(Bottleneck(inputs, channels, stride), *rest)


@torch.no_grad()
def initialize(model: CLIPResNet) -> None:
    """OpenAI's initialization: C^−½ in the pooling, and each block begins as doing nothing.

    The last normalization of a block scales by 0, so a fresh network is its shortcuts alone.
    """
    pool = model.attnpool
    std = model.config.channels**-0.5
    nn.init.normal_(pool.positional_embedding, std=std)
    for proj in (pool.q_proj, pool.k_proj, pool.v_proj, pool.c_proj):
        nn.init.normal_(proj.weight, std=std)
    for block in model.modules():
        if isinstance(block, Bottleneck):
            nn.init.zeros_(block.bn3.weight)
