"""What the files beside weights say: each key is used, must have a value, or is of no account.

A key that is in no table is refused by its name, since it may change what the encoder computes.
Both families of files end up in this course's words: width, heads, activation, …
"""

import json
from typing import Any

from .files import CheckpointError

NO_ACCOUNT = None  # training alone, bookkeeping, and what the weights show in any case
Rule = str | tuple | None  # a name → used as that; values → must be one of them; or NO_ACCOUNT
Rules = dict[str, Rule]
OFF = (False,)  # or 0, which equals it


def no_account(names: str) -> Rules:
    return dict.fromkeys(names.split(), NO_ACCOUNT)


# transformers: config.json -----------------------------------------------------------------------

HF: Rules = {
    "model_type": ("clip", "clip_text_model", "clip_vision_model"),
    "pruned_heads": ({},), "is_decoder": OFF, "add_cross_attention": OFF,
    **no_account(
        # of every configuration: names and versions, what is returned, how a language is generated
        "architectures transformers_version dtype torch_dtype return_dict output_hidden_states "
        "output_attentions torchscript use_bfloat16 tf_legacy_loss tie_word_embeddings "
        "chunk_size_feed_forward is_encoder_decoder cross_attention_hidden_size "
        "tie_encoder_decoder max_length min_length do_sample early_stopping num_beams "
        "num_beam_groups diversity_penalty temperature top_k top_p typical_p repetition_penalty "
        "length_penalty no_repeat_ngram_size encoder_no_repeat_ngram_size bad_words_ids "
        "num_return_sequences output_scores return_dict_in_generate forced_bos_token_id "
        "forced_eos_token_id remove_invalid_values exponential_decay_length_penalty "
        "suppress_tokens begin_suppress_tokens finetuning_task id2label label2id tokenizer_class "
        "prefix sep_token_id decoder_start_token_id task_specific_params problem_type "
        # training
        "attention_dropout dropout initializer_factor initializer_range logit_scale_init_value "
        "gradient_checkpointing use_cache "
        # tokens that an encoder does not look for
        "bos_token_id pad_token_id"
    ),
}  # fmt: skip
HF_TOWER: Rules = HF | {
    "hidden_size": "width", "num_attention_heads": "heads", "num_hidden_layers": "layers",
    "intermediate_size": "mlp_width", "hidden_act": "activation", "layer_norm_eps": (1e-5,),
    "projection_dim": "projection",
}  # fmt: skip
HF_TEXT: Rules = HF_TOWER | {
    "vocab_size": "vocab_size", "max_position_embeddings": "context_length",
    "eos_token_id": "eos_token_id",
}  # fmt: skip
HF_IMAGE: Rules = HF_TOWER | {
    "image_size": "image_size", "patch_size": "patch_size", "num_channels": (3,),
    "eos_token_id": NO_ACCOUNT,
}  # fmt: skip
HF_WHOLE: Rules = HF | {
    "projection_dim": "projection",
    **no_account("text_config vision_config text_config_dict vision_config_dict"),
}

HF_T5: Rules = HF | {
    "model_type": ("t5",), "vocab_size": "vocab_size", "d_model": "width", "num_heads": "heads",
    "d_kv": "head_width", "num_layers": "layers", "d_ff": "mlp_width",
    "relative_attention_num_buckets": "buckets", "relative_attention_max_distance": "max_distance",
    "feed_forward_proj": ("gated-gelu",), "is_gated_act": (True,), "dense_act_fn": ("gelu_new",),
    "layer_norm_epsilon": (1e-6,),
    **no_account(
        "num_decoder_layers dropout_rate classifier_dropout eos_token_id scale_decoder_outputs "
        "output_past n_positions"
    ),
}  # fmt: skip
HF_DECODER: Rules = HF | {
    "model_type": ("qwen3", "llama"), "vocab_size": "vocab_size", "hidden_size": "width",
    "num_attention_heads": "heads", "num_key_value_heads": "kv_heads", "head_dim": "head_width",
    "num_hidden_layers": "layers", "intermediate_size": "mlp_width", "rms_norm_eps": "eps",
    "rope_parameters": "rope_parameters", "rope_scaling": "rope_scaling",
    "rope_theta": "rope_theta", "layer_types": "layer_types",
    "hidden_act": ("silu",), "attention_bias": OFF, "mlp_bias": OFF, "use_sliding_window": OFF,
    **no_account(
        "max_position_embeddings eos_token_id sliding_window max_window_layers pretraining_tp"
    ),
}  # fmt: skip

# open_clip: open_clip_config.json ----------------------------------------------------------------

BLOCK: Rules = {
    "ls_init_value": (), "act_kwargs": ({},), "norm_kwargs": ({}, {"eps": 1e-5}),
    "block_type": ("default",), "qk_norm": OFF, "scaled_cosine_attn": OFF, "scale_heads": OFF,
    "scale_attn_inner": OFF, "scale_attn": OFF, "scale_fc": OFF,
    "final_ln_after_pool": OFF, "output_tokens": NO_ACCOUNT,
    "width": "width", "layers": "layers", "mlp_ratio": "mlp_ratio",
}  # fmt: skip
OPEN_TEXT: Rules = BLOCK | {
    "context_length": "context_length", "vocab_size": "vocab_size", "heads": "heads",
    "embed_cls": OFF, "no_causal_mask": OFF, "pool_type": ("argmax",), "proj_bias": OFF,
    "proj_type": ("linear",), "hf_model_name": (), "tokenizer_mode": (),
    "tokenizer_kwargs": ({}, {"clean": "lower"}),
    **no_account(
        "pad_id eos_id hf_tokenizer_name hf_model_pretrained hf_proj_type hf_pooler_type"
    ),
}  # fmt: skip
OPEN_IMAGE: Rules = BLOCK | {
    "image_size": "image_size", "patch_size": "patch_size", "head_width": "head_width",
    "attentional_pool": OFF, "no_ln_pre": OFF, "pos_embed_type": ("learnable",),
    "pool_type": ("tok",), "input_patchnorm": OFF, "global_average_pool": OFF,
    "timm_model_name": (),
    **no_account(
        "patch_dropout attn_pooler_queries attn_pooler_heads n_queries timm_model_pretrained "
        "timm_pool timm_proj timm_proj_bias timm_drop timm_drop_path"
    ),
}  # fmt: skip
OPEN_WHOLE: Rules = {
    "embed_dim": "projection", "quick_gelu": "quick_gelu", "multimodal_cfg": (),
    **no_account(
        "vision_cfg text_cfg custom_text init_logit_scale init_logit_bias nonscalar_logit_scale "
        "cast_dtype output_dict"
    ),
}  # fmt: skip
OPEN_FILE: Rules = no_account("model_cfg preprocess_cfg")
OPEN_DEFAULTS = {  # what open_clip takes where its file is silent
    "text": {"width": 512, "heads": 8, "mlp_ratio": 4.0},
    "image": {"width": 768, "head_width": 64, "mlp_ratio": 4.0},
}

# How pictures are read ---------------------------------------------------------------------------

PLACING: Rules = {
    "resize_mode": "resize_mode", "fill_color": "fill_color", "upright": "upright",
}  # fmt: skip
HF_PICTURES: Rules = {
    "image_mean": "mean", "image_std": "std", "size": "size", "crop_size": "crop_size",
    "do_resize": (True,), "do_center_crop": "crop", "do_rescale": (True,),
    "do_normalize": (True,), "resample": (3, "bicubic"), "rescale_factor": (1 / 255,),
    "do_pad": OFF, "data_format": ("channels_first",),
    "image_processor_type": (
        "CLIPImageProcessor", "CLIPImageProcessorFast", "CLIPImageProcessorPil",
        "CLIPFeatureExtractor",
    ),
    "feature_extractor_type": ("CLIPFeatureExtractor",), **PLACING,
    **no_account("processor_class do_convert_rgb default_to_square return_tensors device"),
}  # fmt: skip
HF_PROCESSOR: Rules = no_account("image_processor processor_class")
OPEN_PICTURES: Rules = {
    "mean": "mean", "std": "std", "size": "crop_size", "mode": ("RGB",),
    "interpolation": ("bicubic",), **PLACING,
}  # fmt: skip


class Settings(dict[str, Any]):
    """What is said of an encoder, in this course's words, and where: for errors."""

    def __init__(self, of: str):
        super().__init__()
        self.of = of
        self.said_by: dict[str, str] = {}

    def take(self, said: dict, rules: Rules, file: str) -> None:
        """Read what one object of a file says. Raises CheckpointError for what cannot be heeded."""
        for key, value in said.items():
            if value is None or key.startswith("_"):
                continue
            says = f"{file} says {key} = {shown(value)} of the {self.of}"
            if key not in rules:
                raise CheckpointError(
                    f"{says}, which is not known here and may change its answers, so nothing was "
                    "loaded. If it changes nothing, take it out of the file."
                )
            rule = rules[key]
            if isinstance(rule, str):
                self[rule], self.said_by[rule] = value, says
            elif rule is not NO_ACCOUNT and value not in rule:
                self.refuse(says, "this encoder computes with", rule)

    def agree(self, weights: dict[str, Any]) -> None:
        """Raise CheckpointError where something is said of which the weights show otherwise."""
        for name, value in weights.items():
            if name in self and self[name] != value:
                self.refuse(self.said_by[name], "the weights show", (value,))

    def refuse(self, says: str, has: str, values: tuple) -> None:
        other = " or ".join(map(repr, values)) or "nothing of the kind"
        raise CheckpointError(
            f"{says}, but {has} {other}. The answers would be wrong, so nothing was loaded."
        )


def shown(value: object) -> str:
    text = json.dumps(value) if isinstance(value, dict | list) else repr(value)
    return text if len(text) < 80 else f"{text[:77]}…"
