"""The same weights under four sets of names.

    hf                embeddings.token_embedding.weight   transformers ≥ 5.6, and cliplab itself
    hf-old            text_model.embeddings.…             transformers before that; SD 1.5's file
    openai            transformer.resblocks.0.…           openai/CLIP and open_clip
    open_clip-custom  text.transformer.resblocks.0.…      open_clip's CustomTextCLIP

OpenAI's layout also stores W_Q, W_K, W_V as one matrix of 3D rows, and the text projection
transposed. The file of a whole CLIP holds an image tower as well: `is_foreign` knows its keys.
"""

import torch
from torch import Tensor

from .errors import CheckpointError

LAYOUTS = ("hf", "hf-old", "openai", "open_clip-custom")
PREFIX = {"hf": "", "hf-old": "text_model.", "openai": "", "open_clip-custom": "text."}

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
QKV = ("q_proj", "k_proj", "v_proj")  # the order of OpenAI's 3D rows

FOREIGN = ("visual.", "vision_model.", "visual_projection.")  # the image tower
FOREIGN_KEYS = {
    "logit_scale", "logit_bias",  # the contrastive head
    "input_resolution", "context_length", "vocab_size", "attn_mask", "text.attn_mask",
    "embeddings.position_ids", "text_model.embeddings.position_ids",  # 0 … L − 1, once stored
}  # fmt: skip


def is_foreign(key: str) -> bool:
    """Whether a key of a whole CLIP's file belongs to something other than the text encoder."""
    return key.startswith(FOREIGN) or key in FOREIGN_KEYS


def recognize(keys) -> str:
    """The layout of a file, by its keys. Raises CheckpointError when it is none of the four."""
    for layout, starts in (
        ("hf-old", ("text_model.",)),
        ("hf", ("embeddings.", "encoder.layers.")),
        ("open_clip-custom", ("text.",)),
        ("openai", ("transformer.resblocks.", "token_embedding.")),
    ):
        if any(key.startswith(starts) for key in keys):
            return layout
    raise CheckpointError(
        f"It holds no CLIP text encoder in a layout known here ({', '.join(LAYOUTS)}). "
        f"Its first keys: {', '.join(sorted(keys)[:8]) or 'none at all'}."
    )


def to_layout(state: dict[str, Tensor], layout: str) -> dict[str, Tensor]:
    """A model's state dict under another layout's names. Shapes alone (meta tensors) will do."""
    state = dict(state)
    projection = state.pop("text_projection.weight", None)  # [E, D]; never under `text_model.`
    if layout.startswith("open"):
        state = join_qkv(state)
        for openai, hf in OPENAI_NAMES:
            state = {key.replace(hf, openai): tensor for key, tensor in state.items()}
        if projection is not None:
            state["text_projection"] = projection.T
    state = {PREFIX[layout] + key: tensor for key, tensor in state.items()}
    if projection is not None and layout.startswith("hf"):
        state["text_projection.weight"] = projection
    return state


def from_layout(state: dict[str, Tensor], layout: str) -> dict[str, Tensor]:
    """The inverse of `to_layout`."""
    state = {key.removeprefix(PREFIX[layout]): tensor for key, tensor in state.items()}
    if layout.startswith("open"):
        for openai, hf in OPENAI_NAMES:
            state = {key.replace(openai, hf): tensor for key, tensor in state.items()}
        state = split_qkv(state)
        if "text_projection" in state:
            state["text_projection.weight"] = state.pop("text_projection").T
    return state


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
