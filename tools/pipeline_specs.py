"""The pipelines of the table: what each is built of, and what its encode_prompt returns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from tools import pipeline_parts as parts

EMBEDS, MASK, POOLED = "embeds", "mask", "pooled"
NEGATIVE = "negative_"


class Spec(NamedTuple):
    """A pipeline: its title, its class, its reading half, what encode_prompt returns, in order.

    as_read     cell -> what was read in its source and cannot be confirmed with toys
    from_front  whether it counts its encoder's states from the first one
    """

    title: str
    name: str
    build: Callable[[], dict[str, Any]]
    returns: tuple[str, ...]
    as_read: dict[str, str] | None = None
    from_front: bool = False


BOTH = (EMBEDS, NEGATIVE + EMBEDS)
MASKED = (EMBEDS, MASK, NEGATIVE + EMBEDS, NEGATIVE + MASK)
WITH_POOLED = (*BOTH, POOLED, NEGATIVE + POOLED)


def of_clip() -> dict[str, Any]:
    return {"tokenizer": parts.clip_tokenizer(), "text_encoder": parts.clip(32)}


def of_two_clips() -> dict[str, Any]:
    return of_clip() | {
        "tokenizer_2": parts.clip_tokenizer(0), "text_encoder_2": parts.clip(40, 36)
    }  # fmt: skip


def of_sd3() -> dict[str, Any]:
    t5 = {"tokenizer_3": parts.toy_tokenizer(last="</s>"), "text_encoder_3": parts.t5(96)}
    return of_two_clips() | {"text_encoder": parts.clip(32, 28)} | t5


def of_flux() -> dict[str, Any]:
    t5 = {"tokenizer_2": parts.toy_tokenizer(last="</s>"), "text_encoder_2": parts.t5()}
    return of_clip() | t5


def of_t5() -> dict[str, Any]:
    return {"tokenizer": parts.toy_tokenizer(last="</s>"), "text_encoder": parts.t5()}


def of_umt5() -> dict[str, Any]:
    return of_t5() | {"text_encoder": parts.t5(kind="UMT5")}


def of_decoder(kind: str, first: str = "", side: str = "right", **shape: Any) -> dict[str, Any]:
    tokenizer = parts.toy_tokenizer(first=first, side=side)
    return {"tokenizer": tokenizer, "text_encoder": parts.decoder(kind, **shape)}


def of_hidream() -> dict[str, Any]:
    return of_two_clips() | {
        "text_encoder": parts.clip(32, 28, length=248),
        "text_encoder_2": parts.clip(40, 36, length=248),
        "tokenizer_3": parts.toy_tokenizer(last="</s>"), "text_encoder_3": parts.t5(),
        "tokenizer_4": parts.toy_tokenizer(first="<s>"),
        "text_encoder_4": parts.decoder("Llama", causal=True),
    }  # fmt: skip


def of_bert_and_t5() -> dict[str, Any]:
    t5 = {"tokenizer_2": parts.toy_tokenizer(last="</s>"), "text_encoder_2": parts.t5()}
    bert = parts.toy_tokenizer(first="<s>", last="</s>", longest=77)
    return {"tokenizer": bert, "text_encoder": parts.bert()} | t5


PIPELINES = {
    "sd15": Spec("Stable Diffusion 1.5", "StableDiffusionPipeline", of_clip, BOTH),
    "sdxl": Spec("SDXL", "StableDiffusionXLPipeline", of_two_clips, WITH_POOLED),
    "sd3": Spec("Stable Diffusion 3", "StableDiffusion3Pipeline", of_sd3, WITH_POOLED),
    "cascade": Spec(
        "Stable Cascade", "StableCascadePriorPipeline",
        lambda: {"tokenizer": parts.clip_tokenizer(), "text_encoder": parts.clip(40, 36)},
        (EMBEDS, POOLED, NEGATIVE + EMBEDS, NEGATIVE + POOLED),
    ),
    "flux": Spec("Flux.1", "FluxPipeline", of_flux, (EMBEDS, POOLED, "text_ids")),
    "if": Spec("DeepFloyd IF", "IFPipeline", of_t5, BOTH),
    "pixart_alpha": Spec("PixArt-α", "PixArtAlphaPipeline", of_t5, MASKED),
    "pixart_sigma": Spec("PixArt-Σ", "PixArtSigmaPipeline", of_t5, MASKED),
    "chroma": Spec(
        "Chroma", "ChromaPipeline", of_t5,
        (EMBEDS, "text_ids", MASK, NEGATIVE + EMBEDS, "negative_text_ids", NEGATIVE + MASK),
    ),
    "bria": Spec(
        "Bria 3.2", "BriaPipeline",
        lambda: of_t5() | {"vae": parts.vae(), "transformer": parts.Nothing()},
        (EMBEDS, NEGATIVE + EMBEDS, "text_ids"),
    ),
    "cogview3": Spec("CogView3-Plus", "CogView3PlusPipeline", of_t5, BOTH),
    "aura_flow": Spec("AuraFlow", "AuraFlowPipeline", of_umt5, MASKED),
    "hunyuan_dit": Spec(
        "Hunyuan-DiT", "HunyuanDiTPipeline", of_bert_and_t5,
        (EMBEDS, NEGATIVE + EMBEDS, MASK, NEGATIVE + MASK),
        {"taken": "the pipeline calls encode_prompt again for T5, with text_encoder_index=1"},
    ),
    "lumina2": Spec("Lumina 2", "Lumina2Pipeline", lambda: of_decoder("Gemma2", "<s>"), MASKED),
    "sana": Spec("Sana", "SanaPipeline", lambda: of_decoder("Gemma2", "<s>"), MASKED),
    "z_image": Spec("Z-Image", "ZImagePipeline", lambda: of_decoder("Qwen3"), BOTH),
    "flux2": Spec(
        "Flux.2", "Flux2Pipeline",
        lambda: {"tokenizer": parts.toy_tokenizer(), "text_encoder": parts.mistral3()},
        (EMBEDS, "text_ids"),
        {"template": "the marks are the toy's, and Mistral's tokenizer sets the side of padding"},
        from_front=True,
    ),
    "flux2_klein": Spec(
        "Flux.2 Klein", "Flux2KleinPipeline", lambda: of_decoder("Qwen3", layers=28, causal=True),
        (EMBEDS, "text_ids"), from_front=True,
    ),
    "ovis": Spec(
        "Ovis-Image", "OvisImagePipeline", lambda: of_decoder("Qwen3"),
        (EMBEDS, NEGATIVE + EMBEDS, "text_ids", "negative_text_ids"),
        {"rows": "28 rows are the instruction in Qwen's vocabulary, but for its last token"},
    ),
    "cogview4": Spec(
        "CogView4", "CogView4Pipeline", lambda: of_decoder("Glm", "<s>", side="left"), BOTH,
    ),
    "hidream": Spec(
        "HiDream-I1", "HiDreamImagePipeline", of_hidream,
        (EMBEDS, NEGATIVE + EMBEDS, "embeds_2", "negative_embeds_2", POOLED, NEGATIVE + POOLED),
    ),
    "qwen_image": Spec(
        "Qwen-Image", "QwenImagePipeline",
        lambda: {"tokenizer": parts.toy_tokenizer(), "text_encoder": parts.qwen2_5_vl()},
        (EMBEDS, MASK),
        {"rows": "34 rows are the system prompt in Qwen's vocabulary"},
    ),
}  # fmt: skip
