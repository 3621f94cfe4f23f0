"""The same weights under four sets of names.

    hf                embeddings.token_embedding.weight   transformers ≥ 5.6, and cliplab itself
    hf-old            text_model.embeddings.…             transformers before that; SD 1.5's file
    openai            transformer.resblocks.0.…           openai/CLIP and open_clip
    open_clip-custom  text.transformer.resblocks.0.…      open_clip's CustomTextCLIP

OpenAI's layout also stores W_Q, W_K, W_V as one matrix of 3D rows, and the projections transposed.
The file of a whole CLIP holds an image tower as well:

    hf                        vision_model.embeddings.…   beside text_model.…: no plain "hf"
    openai, open_clip-custom  visual.transformer.resblocks.0.…

A residual network has OpenAI's layout only: transformers has no such encoder.
"""

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor

from ..contrastive import CLIP
from ..image_encoder import CLIPVisionConfig
from .files import CheckpointError

LAYOUTS = ("hf", "hf-old", "openai", "open_clip-custom")
TEXT_LAYOUT = {"hf": "hf-old", "openai": "openai", "open_clip-custom": "open_clip-custom"}


class Tower(NamedTuple):
    """What an encoder is called: prefixes by layout, and OpenAI's words for Hugging Face's."""

    prefix: dict[str, str]
    names: tuple[tuple[str, str], ...]
    projection: tuple[str, str]  # in OpenAI's layout under the prefix, in Hugging Face's never


OPENAI_NAMES = (
    # OpenAI, Hugging Face
    ("token_embedding.weight", "embeddings.token_embedding.weight"),
    ("positional_embedding", "embeddings.position_embedding.weight"),
    ("transformer.resblocks.", "encoder.layers."),
    (".ln_1.", ".layer_norm1."),
    (".attn.", ".self_attn."),
    (".ln_2.", ".layer_norm2."),
    (".mlp.c_fc.", ".mlp.fc1."),
    (".mlp.c_proj.", ".mlp.fc2."),
    ("ln_final.", "final_layer_norm."),
)
OPENAI_IMAGE_NAMES = (
    # OpenAI, Hugging Face
    ("class_embedding", "embeddings.class_embedding"),
    ("conv1.weight", "embeddings.patch_embedding.weight"),
    ("positional_embedding", "embeddings.position_embedding.weight"),
    ("ln_pre.", "pre_layrnorm."),
    ("ln_post.", "post_layernorm."),
    *OPENAI_NAMES[2:-1],  # the layers are the text encoder's
)
TEXT = Tower(
    {"hf": "", "hf-old": "text_model.", "openai": "", "open_clip-custom": "text."},
    OPENAI_NAMES,
    ("text_projection", "text_projection.weight"),
)
IMAGE = Tower(
    {"hf": "vision_model.", "openai": "visual.", "open_clip-custom": "visual."},
    OPENAI_IMAGE_NAMES,
    ("proj", "visual_projection.weight"),
)
QKV = ("q_proj", "k_proj", "v_proj")  # the order of OpenAI's 3D rows

IMAGE_KEYS = ("visual.", "vision_model.", "visual_projection")  # the image tower
HEAD = ("logit_scale", "logit_bias")  # the contrastive head
FOREIGN_KEYS = {
    *HEAD,
    "input_resolution", "context_length", "vocab_size", "attn_mask", "text.attn_mask",
    "embeddings.position_ids", "text_model.embeddings.position_ids",  # 0 … L − 1, once stored
}  # fmt: skip


def is_foreign(key: str) -> bool:
    """Whether a key of a whole CLIP's file belongs to something other than the text encoder."""
    return key.startswith(IMAGE_KEYS) or key in FOREIGN_KEYS


def to_layout(state: dict[str, Tensor], layout: str, tower: Tower = TEXT) -> dict[str, Tensor]:
    """A model's state dict under another layout's names. Shapes alone (meta tensors) will do."""
    state = dict(state)
    openai_projection, hf_projection = tower.projection
    projection = state.pop(hf_projection, None)  # [E, D]
    if layout.startswith("open"):
        state = state if is_resnet(state) else join_qkv(state)
        for openai, hf in tower.names:
            state = {key.replace(hf, openai): tensor for key, tensor in state.items()}
        if projection is not None:
            state[openai_projection] = projection.T
    state = {tower.prefix[layout] + key: tensor for key, tensor in state.items()}
    if projection is not None and layout.startswith("hf"):
        state[hf_projection] = projection
    return state


def from_layout(state: dict[str, Tensor], layout: str, tower: Tower = TEXT) -> dict[str, Tensor]:
    """The inverse of `to_layout`."""
    state = {key.removeprefix(tower.prefix[layout]): tensor for key, tensor in state.items()}
    if layout.startswith("open") and not is_resnet(state):
        openai_projection, hf_projection = tower.projection
        for openai, hf in tower.names:
            state = {key.replace(openai, hf): tensor for key, tensor in state.items()}
        state = split_qkv(state)
        if openai_projection in state:
            state[hf_projection] = state.pop(openai_projection).T
    return state


def twin(layout: str, tower: Tower) -> tuple[str, str]:
    """What a layout calls a projection, and what it is called where it lies the other way."""
    openai, hf = tower.projection
    if layout.startswith("open"):
        own = tower.prefix[layout] + openai
        return own, f"{own}.weight"
    return hf, hf.removesuffix(".weight")


def join_qkv(state: dict[str, Tensor]) -> dict[str, Tensor]:
    joined = {}
    for key, tensor in state.items():
        if ".q_proj." in key:
            parts = [state[key.replace("q_proj", proj)] for proj in QKV]
            joined[key.replace("q_proj.", "in_proj_")] = torch.cat(parts)  # [3D, D] or [3D]
        elif ".k_proj." not in key and ".v_proj." not in key:
            joined[key] = tensor
    return joined


def split_qkv(state: dict[str, Tensor]) -> dict[str, Tensor]:
    split = {}
    for key, tensor in state.items():
        if ".in_proj_" in key:
            for proj, part in zip(QKV, tensor.chunk(3), strict=True):
                split[key.replace("in_proj_", f"{proj}.")] = part.clone()  # storage of its own
        else:
            split[key] = tensor
    return split


# A whole CLIP ------------------------------------------------------------------------------------


def clip_to_layout(state: dict[str, Tensor], layout: str) -> dict[str, Tensor]:
    """A CLIP's state dict under a layout's names."""

    def half(prefix: str) -> dict[str, Tensor]:
        return {k.removeprefix(prefix): t for k, t in state.items() if k.startswith(prefix)}

    text = to_layout(half("text_model."), TEXT_LAYOUT[layout])
    image = to_layout(half("image_model."), layout, IMAGE)
    return {**text, **image, **{key: state[key] for key in HEAD if key in state}}


def is_resnet(keys: Iterable[str]) -> bool:
    """Whether these are, without `visual.`, the keys of a residual network."""
    return any(key.startswith(("attnpool.", "layer1.")) for key in keys)


def is_image(key: str) -> bool:
    """Whether a key of a whole CLIP's file belongs to the image encoder."""
    if key.endswith("embeddings.position_ids"):  # 0 … G², once stored
        return False
    return key.startswith(IMAGE_KEYS)


def require_layout(clip: CLIP, layout: str) -> None:
    if layout not in TEXT_LAYOUT:
        names = ", ".join(TEXT_LAYOUT)
        raise CheckpointError(f"There is no layout {layout!r} of a whole CLIP; there are {names}.")
    text, image = clip.text_model.config, clip.image_model.config
    two = isinstance(image, CLIPVisionConfig) and image.activation != text.activation
    if two and layout != "hf":
        raise CheckpointError(
            "Its two encoders have two activations, and a file of open_clip's "
            "says one for both. Save it as 'hf'."
        )
    if layout == "hf" and is_resnet(clip.image_model.state_dict()):
        raise CheckpointError(
            "transformers has no residual network, so this CLIP has no layout 'hf'. Save it as "
            "'openai', which open_clip reads as well; its text half alone goes into Hugging "
            "Face's layout: save_text_encoder(clip.text_model, folder)."
        )
