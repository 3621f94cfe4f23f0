"""Where in a file the encoders are: people wrap a model, and put several into one file.

A text encoder is known by the names of its own parameters; whatever stands before them is where it
lies. So `module.` of a parallel training, Lightning's `state_dict.`, and Stable Diffusion's
`cond_stage_model.transformer.` are found by one rule, and need no list.
"""

import re
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from ..checks import listed
from .files import CheckpointError
from .layouts import IMAGE_KEYS, LAYOUTS
from .weights import Weights

HF_STEM = r"embeddings\.(?:token|position)_embedding|encoder\.layers\.\d+\.|final_layer_norm"
OPENAI_STEM = r"transformer\.resblocks\.|(?:token|positional)_embedding|ln_final"
STEMS = {  # how the parameters of a text encoder begin, in the layout of that name
    "hf-old": rf"text_model\.(?:{HF_STEM})",
    "open_clip-custom": rf"text\.(?:{OPENAI_STEM})",
    "hf": HF_STEM,
    "openai": OPENAI_STEM,
}
# The shortest beginning that will do: `text.` before `transformer.resblocks.` is the layout's own.
PLACE = re.compile(
    r"(?P<prefix>(?:.*?\.)??)(?:"
    + "|".join(f"(?P<{name.replace('-', '_')}>{stem})" for name, stem in STEMS.items())
    + ")"
)
IMAGE_TOWER = re.compile(r"(?:^|\.)(?:visual|vision_model)\.")
ADAPTER = re.compile(r"(?:^|[._])lora(?:_|\.|[AB]\b)|\.hada_w|\.lokr_w|\.oft_")
OTHERS = (  # what a file without a CLIP text encoder may be
    (r"diffusion_model\.|(?:^|\.)down_blocks\.\d+\.attentions\.", "a U-Net"),
    (r"control_model\.|controlnet_", "a ControlNet"),
    (r"emb_params|string_to_param|clip_[lg]$", "learned words (textual inversion)"),
    (r"(?:encoder|decoder)\.(?:mid|mid_block|up|down|up_blocks|down_blocks)\.", "a VAE"),
    (r"encoder\.block\.\d+\.layer\.", "a T5"),
    (r"(?:encoder|bert)\.layer\.\d+\.", "an encoder of BERT's kind"),
    (r"layers\.\d+\.self_attn\.", "a language model"),
    (IMAGE_TOWER.pattern, "an image encoder"),
)
# Weights do not show their activation. Of these places it is known: what lies there is always a
# training of OpenAI's, or always one of open_clip's.
KNOWN = {
    "cond_stage_model.transformer.": "quick_gelu",  # Stable Diffusion 1
    "cond_stage_model.model.": "gelu",  # Stable Diffusion 2
    "conditioner.embedders.0.transformer.": "quick_gelu",  # SDXL's first
    "conditioner.embedders.1.model.": "gelu",  # SDXL's second
    "conditioner.embedders.0.model.": "gelu",  # SDXL's refiner
    "text_encoders.clip_l.transformer.": "quick_gelu",  # ComfyUI
    "text_encoders.clip_g.transformer.": "gelu",
    "text_encoders.clip_h.transformer.": "gelu",
}


class Place(NamedTuple):
    """A text encoder in a file: what stands before its keys, and their layout."""

    prefix: str
    layout: str


def find(keys: Iterable[str]) -> list[Place]:
    """The text encoders among these keys, in the order in which the file has them."""
    places: dict[Place, None] = {}
    for key in keys:
        match = PLACE.match(key)
        if match and not IMAGE_TOWER.search(key):
            layout = next(name for name in STEMS if match[name.replace("-", "_")])
            places[Place(match["prefix"], layout)] = None
    return list(places)


def choose(weights: Weights, prefix: str | None, whole: bool) -> tuple[Weights, Place]:
    """The keys of one encoder, or of one whole CLIP, without what stands before them.

    Raises CheckpointError where there is none, or where there are several and none is chosen.
    """
    keys = weights.keys()
    require_no_adapter(keys)
    every = places = find(keys)
    if not places:
        raise CheckpointError(unknown(keys))
    if whole:  # without an image encoder it will be told so, unless another has one
        starts = {p: tuple(p.prefix + key for key in IMAGE_KEYS) for p in places}
        places = [p for p in places if any(k.startswith(starts[p]) for k in keys)] or places
    chosen = places
    if prefix is not None:
        asked = prefix if prefix.endswith(".") or not prefix else f"{prefix}."
        chosen = [p for p in places if p.prefix == asked]
    if len(chosen) != 1:
        what = "whole CLIPs" if whole else "text encoders"
        names = listed([f"prefix={p.prefix!r} ({p.layout})" for p in places], 20)
        if chosen:
            raise CheckpointError(f"It holds {len(chosen)} {what}. Choose one: {names}.")
        raise CheckpointError(f"It holds no encoder at {prefix!r}; there is {names}.")
    (place,) = chosen
    if place.prefix and prefix is None:
        weights.notes.append(found_at(place, keys))
    others = tuple(p.prefix for p in every if len(p.prefix) > len(place.prefix))
    return weights.under(place.prefix, without=others), place


def require_no_adapter(keys: list[str]) -> None:
    if adapter := next((key for key in keys if ADAPTER.search(key)), None):
        raise CheckpointError(
            f"It is a LoRA or of that kind (it has {adapter}): changes to a model's weights, and "
            "no model. Merge it into its model in the program that it was made for, and save that."
        )


def unknown(keys: list[str]) -> str:
    """What a file holds in which there is no CLIP text encoder."""
    kind = next((k for s, k in OTHERS if any(re.search(s, key) for key in keys)), None)
    return (
        f"It holds no CLIP text encoder in a layout known here ({', '.join(LAYOUTS)})"
        f"{f', but {kind}' if kind else ''}. "
        f"Its first keys: {', '.join(sorted(keys)[:8]) or 'none at all'}."
    )


def found_at(place: Place, keys: list[str]) -> str:
    said = f"its keys are read without the prefix {place.prefix!r}."
    beside = Counter(key.split(".")[0] for key in keys if not key.startswith(place.prefix))
    if beside:
        names = listed([f"{count:,} of {name}" for name, count in beside.most_common()])
        said += f" Keys that lie beside it were left alone: {names}."
    return said
