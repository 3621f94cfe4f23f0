"""CLIP's text encoder with GELU: the second of SDXL's encoders, and the only one of SD 2."""

import torch.nn.functional as F
from torch import Tensor

from ..text_encoder import CLIPMLP, CLIPTextConfig, CLIPTextModel
from ..text_encoder.model import initialize
from ..text_encoder.trace import NO_TRACE


class GELUMLP(CLIPMLP):
    """CLIP's MLP with GELU, u Φ(u), in place of QuickGELU.

    X [..., L, D] → [..., L, D]. Source: Hendrycks and Gimpel 2016.
    """

    def forward(self, X: Tensor, trace=NO_TRACE) -> Tensor:
        H_1 = trace("H_1", self.fc1(X))  # [..., L, D_mlp]
        H_2 = trace("H_2", F.gelu(H_1))
        return self.fc2(H_2)


class OpenCLIPTextModel(CLIPTextModel):
    """CLIP's text encoder as LAION trained it: with GELU, all else the same.

    Source: Cherti et al. 2023; open_clip.
    """

    def __init__(self, config: CLIPTextConfig):
        super().__init__(config)
        for layer in self.encoder.layers:
            layer.mlp = GELUMLP(config.width, config.mlp_width)
        initialize(self)
