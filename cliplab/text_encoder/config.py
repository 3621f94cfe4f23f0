"""The numbers that fix a text encoder's shape."""

from dataclasses import dataclass, fields
from typing import Any

from ..checks import one_of, whole_number

ACTIVATIONS = ("quick_gelu", "gelu")  # in transformers' words


@dataclass(frozen=True)
class CLIPTextConfig:
    """The hyperparameters (V, L, d, h, N, d_mlp); the head width d_h follows as width / heads.

    eos_token_id: which position is pooled. An id → its first occurrence. 2 → the position of the
    largest id, Hugging Face's rule for old configurations such as SD 1.5's (erratum E54).
    None → the last id of the vocabulary, which is where CLIP's tokenizer puts EOS. An id outside
    the vocabulary is accepted, since transformers writes such configurations; pooling then raises.
    projection: joint width E of the bias-free map behind the pooled row; None → there is no map.
    activation: "quick_gelu", OpenAI's, or "gelu", with which open_clip trained its own, ViT-H/14,
        the text encoder of SD 2, among them.
    Raises ValueError where the numbers cannot make an encoder. Source: Lecture eq. 52.
    """

    vocab_size: int
    context_length: int
    width: int
    heads: int
    layers: int
    mlp_width: int
    eos_token_id: int = None  # type: ignore[assignment]  # becomes an id below
    projection: int | None = None
    activation: str = ACTIVATIONS[0]

    def __post_init__(self) -> None:
        require_whole_numbers(self)
        one_of("activation", self.activation, ACTIVATIONS)
        require_even_heads(self.width, self.heads)
        if self.eos_token_id is None:
            object.__setattr__(self, "eos_token_id", self.vocab_size - 1)

    @property
    def head_width(self) -> int:
        return self.width // self.heads

    @classmethod
    def sd15(cls) -> "CLIPTextConfig":
        """The encoder inside Stable Diffusion 1.5: 123,060,480 parameters."""
        return cls(49408, 77, 768, 12, 12, 3072, eos_token_id=2)

    @classmethod
    def vit_l_14(cls) -> "CLIPTextConfig":
        """CLIP ViT-L/14's text tower, projection included: 123,650,304 parameters."""
        return cls(49408, 77, 768, 12, 12, 3072, projection=768)

    @classmethod
    def vit_b_32(cls) -> "CLIPTextConfig":
        """CLIP ViT-B/32's text tower, projection included: 63,428,096 parameters."""
        return cls(49408, 77, 512, 8, 12, 2048, projection=512)

    @classmethod
    def vit_bigg_14(cls) -> "CLIPTextConfig":
        """OpenCLIP ViT-bigG/14's text tower, SDXL's second encoder: 694,659,840 parameters."""
        return cls(
            49408, 77, 1280, 20, 32, 5120, eos_token_id=2, projection=1280, activation="gelu"
        )


def require_whole_numbers(config: Any) -> None:
    """Refuse, in a sentence, what is no count; None is fine where it is the default."""
    for field in fields(config):
        value = getattr(config, field.name)
        if (value is None and field.default is None) or isinstance(field.default, (tuple, str)):
            continue
        if field.type in (float, bool):  # no counts
            continue
        least = 0 if field.name == "eos_token_id" else 1
        object.__setattr__(config, field.name, whole_number(field.name, value, least))


def require_even_heads(width: int, heads: int, what: str = "width") -> None:
    """Refuse, in a sentence, a number of heads that does not divide a width."""
    if width % heads:
        raise ValueError(
            f"The {what} must split evenly into heads, but {width} / {heads} = {width / heads:g}. "
            "Choose a number of heads that divides it."
        )
