"""RMSNorm: the LayerNorm of T5 and of decoder models, without a mean and without a shift."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..text_encoder.trace import NO_TRACE


class RMSNorm(nn.Module):
    """Give each position the root mean square 1 over its D components, then scale.

    X [..., D] → the same shape: γ X / √(mean(X²) + ε). Nothing is subtracted, so a direction stays
    what it was, and there is no β. Computed in float32 at least, whatever the type of X.
    Source: Zhang and Sennrich 2019.
    """

    def __init__(self, width: int, eps: float = 1e-6):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))  # γ [D]
        self.eps = eps

    def forward(self, X: Tensor, trace=NO_TRACE) -> Tensor:
        if trace is NO_TRACE:
            return F.rms_norm(X, self.weight.shape, self.weight, self.eps)
        wide = X.to(torch.promote_types(X.dtype, torch.float32))
        mean_square = trace("mean_square", wide.square().mean(-1, keepdim=True))  # [..., 1]
        return self.weight * (wide / torch.sqrt(mean_square + self.eps)).to(X.dtype)

    def extra_repr(self) -> str:
        return f"{len(self.weight)}, eps={self.eps}"
