"""The names of a whole CLIP's parameters, in the layouts of those who publish them.

    hf                vision_model.embeddings.… beside text_model.…   transformers' CLIPModel
    openai            visual.transformer.resblocks.0.…                openai/CLIP and open_clip
    open_clip-custom  the same image tower, the text under `text.`    open_clip's CustomTextCLIP

A residual network has OpenAI's layout only: transformers has no such encoder.
"""

from torch import Tensor, nn

from .errors import CheckpointError
from .layouts import OPENAI_NAMES, join_qkv, split_qkv, to_layout

CLIP_LAYOUTS = ("hf", "openai", "open_clip-custom")
TEXT_LAYOUT = {"hf": "hf-old", "openai": "openai", "open_clip-custom": "open_clip-custom"}
HEAD = ("logit_scale", "logit_bias")

OPENAI_IMAGE_NAMES = (
    # OpenAI, Hugging Face
    ("class_embedding", "embeddings.class_embedding"),
    ("conv1.weight", "embeddings.patch_embedding.weight"),
    ("positional_embedding", "embeddings.position_embedding.weight"),
    ("ln_pre.", "pre_layrnorm."),
    ("ln_post.", "post_layernorm."),
    *OPENAI_NAMES[2:-1],  # the layers are the text encoder's
)


def clip_to_layout(state: dict[str, Tensor], layout: str) -> dict[str, Tensor]:
    """A CLIP's state dict under a layout's names."""

    def half(prefix: str) -> dict[str, Tensor]:
        return {k.removeprefix(prefix): t for k, t in state.items() if k.startswith(prefix)}

    text = to_layout(half("text_model."), TEXT_LAYOUT[layout])
    image = image_to_layout(half("image_model."), layout)
    return {**text, **image, **{key: state[key] for key in HEAD if key in state}}


def image_to_layout(state: dict[str, Tensor], layout: str) -> dict[str, Tensor]:
    """An image encoder's state dict under a layout's names; a residual network's has one only."""
    state = dict(state)
    if layout == "hf":
        projection = {k: state.pop(k) for k in list(state) if k.startswith("visual_projection.")}
        return {f"vision_model.{key}": tensor for key, tensor in state.items()} | projection
    projection = state.pop("visual_projection.weight", None)  # [E, D]
    state = join_qkv(state) if not is_resnet(state) else state
    for openai, hf in OPENAI_IMAGE_NAMES:
        state = {key.replace(hf, openai): tensor for key, tensor in state.items()}
    if projection is not None:
        state["proj"] = projection.T
    return {f"visual.{key}": tensor for key, tensor in state.items()}


def image_from_layout(state: dict[str, Tensor], layout: str) -> dict[str, Tensor]:
    """The inverse of `image_to_layout`."""
    if layout == "hf":
        return {key.removeprefix("vision_model."): tensor for key, tensor in state.items()}
    state = {key.removeprefix("visual."): tensor for key, tensor in state.items()}
    if is_resnet(state):
        return state
    for openai, hf in OPENAI_IMAGE_NAMES:
        state = {key.replace(openai, hf): tensor for key, tensor in state.items()}
    state = split_qkv(state)
    state["visual_projection.weight"] = state.pop("proj").T
    return state


def is_resnet(keys) -> bool:
    """Whether these are, without `visual.`, the keys of a residual network."""
    return any(key.startswith(("attnpool.", "layer1.")) for key in keys)


def is_image(key: str) -> bool:
    """Whether a key of a whole CLIP's file belongs to the image encoder."""
    if key.endswith("embeddings.position_ids"):  # 0 … G², once stored
        return False
    return key.startswith(("visual.", "vision_model.", "visual_projection."))


def require_layout(image_model: nn.Module, layout: str) -> None:
    if layout not in CLIP_LAYOUTS:
        names = ", ".join(CLIP_LAYOUTS)
        raise CheckpointError(f"There is no layout {layout!r} of a whole CLIP; there are {names}.")
    if layout == "hf" and is_resnet(image_model.state_dict()):
        raise CheckpointError(
            "transformers has no residual network, so this CLIP has no layout 'hf'. Save it as "
            "'openai', which open_clip reads as well; its text half alone goes into Hugging "
            "Face's layout: save_text_encoder(clip.text_model, folder)."
        )
