"""What comes out of every text encoder."""

from dataclasses import dataclass

from torch import Tensor

from .trace import Trace


@dataclass(repr=False)
class EncoderOutput:
    """What comes out of an encoder.

    context [B, L, D]: after the final norm.
    hidden_states: N + 1 tensors [B, L, D], all before the final norm; the first is what the first
        layer reads. (transformers' last one is after the norm for T5 and decoder models, and
        before it for CLIP.) None where they were not kept.
    trace: name → tensor with `trace=True`, otherwise None.
    """

    context: Tensor
    hidden_states: tuple[Tensor, ...] | None
    trace: Trace | None

    def __repr__(self) -> str:
        kept = [f"context {list(self.context.shape)}"]
        if self.hidden_states is not None:
            kept.append(f"{len(self.hidden_states)} hidden states")
        if self.trace is not None:
            kept.append(f"a trace of {len(self.trace)} tensors")
        return f"{type(self).__name__}({', '.join(kept)})"
