"""The numbers that fix an image encoder's shape."""

from dataclasses import dataclass

from ..checks import one_of
from ..text_encoder.config import ACTIVATIONS, require_even_heads, require_whole_numbers


@dataclass(frozen=True)
class CLIPVisionConfig:
    """The hyperparameters of a vision transformer.

    image_size: S, the side of a picture in pixels, cut into squares of patch_size pixels a side.
    projection: E, the joint width. activation: "quick_gelu" or "gelu", as in the text encoder.
    Raises ValueError where the numbers cannot make an encoder. Source: openai/CLIP `model.py`.
    """

    image_size: int
    patch_size: int
    width: int
    heads: int
    layers: int
    mlp_width: int
    projection: int
    activation: str = ACTIVATIONS[0]

    def __post_init__(self) -> None:
        require_whole_numbers(self)
        one_of("activation", self.activation, ACTIVATIONS)
        if self.image_size % self.patch_size:
            raise ValueError(
                f"A picture of {self.image_size} pixels does not split evenly into patches of "
                f"{self.patch_size}. Choose a patch size that divides the image size."
            )
        require_even_heads(self.width, self.heads)

    @property
    def tokens(self) -> int:
        """How many vectors the layers see: one for each patch, and the class token."""
        return (self.image_size // self.patch_size) ** 2 + 1

    @classmethod
    def mini(cls) -> "CLIPVisionConfig":
        """A small one for pictures of 64 pixels: 1,854,336 parameters."""
        return cls(64, 8, 192, 3, 4, 768, 128)

    @classmethod
    def vit_b_32(cls) -> "CLIPVisionConfig":
        """CLIP ViT-B/32's image tower: 87,849,216 parameters."""
        return cls(224, 32, 768, 12, 12, 3072, 512)

    @classmethod
    def vit_l_14(cls) -> "CLIPVisionConfig":
        """CLIP ViT-L/14's image tower: 303,966,208 parameters."""
        return cls(224, 14, 1024, 16, 24, 4096, 768)


@dataclass(frozen=True)
class CLIPResNetConfig:
    """The hyperparameters of CLIP's residual network.

    image_size: S, the side of a picture in pixels; the network makes it 32 times smaller.
    width: channels of the first stage; the last one has 32 times as many.
    projection: E, the joint width. layers: residual blocks in each of the four stages.
    heads: of the attention that pools; None → OpenAI's rule, one for every 64 channels.
    Raises ValueError where the numbers cannot make an encoder. Source: openai/CLIP `model.py`.
    """

    image_size: int
    width: int
    projection: int
    layers: tuple[int, int, int, int] = (3, 4, 6, 3)
    heads: int = None  # type: ignore[assignment]  # becomes a number below

    def __post_init__(self) -> None:
        layers = tuple(self.layers)
        if len(layers) != 4 or not all(isinstance(n, int) and n >= 1 for n in layers):
            raise ValueError(f"layers counts the blocks of four stages, not {self.layers!r}.")
        object.__setattr__(self, "layers", layers)
        require_whole_numbers(self)
        if self.heads is None:
            object.__setattr__(self, "heads", max(1, self.channels // 64))
        if self.image_size % 32:
            raise ValueError(
                f"The network makes a picture 32 times smaller, and {self.image_size} pixels do "
                "not divide by 32. Choose an image size that does: 64, 96, … 224."
            )
        if self.width % 2:
            raise ValueError(f"The first convolution has width / 2 channels: {self.width} is odd.")
        require_even_heads(self.channels, self.heads, "32 · width")

    @property
    def channels(self) -> int:
        """Channels of the last stage."""
        return 32 * self.width

    @classmethod
    def mini(cls, image_size: int = 64) -> "CLIPResNetConfig":
        """A small one for small pictures, with one block in each stage."""
        return cls(image_size, 16, 128, layers=(1, 1, 1, 1))

    @classmethod
    def rn50(cls) -> "CLIPResNetConfig":
        """CLIP RN50's image tower: 38,316,896 parameters."""
        return cls(224, 64, 1024)
