"""The numbers that fix the shape of a T5 encoder and of a decoder model."""

import math
from dataclasses import dataclass

from ..text_encoder.config import require_whole_numbers


@dataclass(frozen=True)
class T5Config:
    """A T5 encoder of version 1.1: gated GELU, 32 buckets of distances by default.

    The heads' common width, heads × head_width, need not be the width of the stream.
    Raises ValueError where the numbers cannot make an encoder. Source: Raffel et al. 2020; Shazeer
    2020 for the gate.
    """

    vocab_size: int
    width: int
    heads: int
    head_width: int
    layers: int
    mlp_width: int
    buckets: int = 32
    max_distance: int = 128

    def __post_init__(self) -> None:
        require_whole_numbers(self)
        # Half of the buckets for each direction, half of these exact, and some beyond them.
        if self.buckets % 4 or self.max_distance <= self.buckets // 4:
            raise ValueError(
                f"buckets are a multiple of 4, and max_distance is above a quarter of them; not "
                f"{self.buckets} and {self.max_distance}."
            )

    @classmethod
    def xxl(cls) -> "T5Config":
        """T5 v1.1 XXL, the encoder of SD 3, Flux.1 and PixArt: 4,762,310,656 parameters."""
        return cls(32128, 4096, 64, 64, 24, 10240)


@dataclass(frozen=True)
class DecoderConfig:
    """A decoder model: Qwen3 with qk_norm, Llama without.

    kv_heads: how many heads keys and values have; heads is a multiple of it.
    head_width: even, and free: in the smallest Qwen3, 16 heads of 128 stand on a width of 1,024.
    Raises ValueError where the numbers cannot make a model. Source: Qwen3 technical report 2025;
    Touvron et al. 2023.
    """

    vocab_size: int
    width: int
    heads: int
    kv_heads: int
    head_width: int
    layers: int
    mlp_width: int
    rope_theta: float
    qk_norm: bool
    eps: float = 1e-6

    def __post_init__(self) -> None:
        require_whole_numbers(self)
        if self.heads % self.kv_heads:
            raise ValueError(
                f"heads is a multiple of kv_heads; not {self.heads} and {self.kv_heads}."
            )
        if self.head_width % 2:
            raise ValueError(f"head_width is even, for pairs to be turned; not {self.head_width}.")
        for name, least in (("rope_theta", 1), ("eps", 0)):
            value = getattr(self, name)
            if not isinstance(value, (int, float)) or not least <= value < math.inf:
                raise ValueError(f"{name} is a number from {least} up; not {value!r}.")
        if not isinstance(self.qk_norm, bool):
            raise ValueError(f"qk_norm is True or False; not {self.qk_norm!r}.")

    @classmethod
    def qwen3_4b(cls) -> "DecoderConfig":
        """Qwen3 4B, the encoder of Z-Image and Flux.2 Klein: 4,022,468,096 parameters."""
        return cls(151936, 2560, 32, 8, 128, 36, 9728, rope_theta=1e6, qk_norm=True)
