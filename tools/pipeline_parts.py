"""Toy tokenizers and tiny random encoders, out of which pipelines are built to be looked at.

Each encoder has a width of its own, so that columns of a context tell which encoder they are from.
A toy tokenizer makes one token of each byte: it shows what is padded, masked and cut, and cannot
show a number that hangs on a real vocabulary.
"""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path
from typing import Any

import tokenizers
import torch
import transformers

import cliplab

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n"
    "{% if m.content is string %}{{ m.content }}{% else %}"
    "{% for part in m.content %}{{ part.text }}{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and enable_thinking is false %}<think>\n\n</think>\n\n"
    "{% endif %}{% endif %}"
)
SPECIALS = ["<pad>", "</s>", "<s>", "<|im_start|>", "<|im_end|>"]


def toy_tokenizer(first: str = "", last: str = "", side: str = "right", longest: int = 4096) -> Any:
    """A token for each byte, between a first and a last one; padding on one side."""
    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {symbol: i for i, symbol in enumerate([*SPECIALS, *alphabet])}
    made = tokenizers.Tokenizer(tokenizers.models.BPE(vocabulary, merges=[]))
    made.add_special_tokens(SPECIALS)
    byte_level = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    made.pre_tokenizer, made.decoder = byte_level, tokenizers.decoders.ByteLevel()
    if first or last:
        made.post_processor = tokenizers.processors.TemplateProcessing(
            single=" ".join(filter(None, [first, "$A", last])),
            special_tokens=[(token, vocabulary[token]) for token in (first, last) if token],
        )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=made,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        padding_side=side,
        chat_template=CHATML,
        model_max_length=longest,
    )


@functools.cache
def clip_tokenizer(pad: int = 49407) -> Any:
    """CLIP's real vocabulary; of SDXL's second tokenizer the padding is 0."""
    with tempfile.TemporaryDirectory() as folder:
        cliplab.CLIPTokenizer(pad=pad).save(Path(folder))
        return transformers.CLIPTokenizer.from_pretrained(folder)


def shaken(model: torch.nn.Module) -> torch.nn.Module:
    """The model with random scales in its norms, so that a state and its norm differ.

    The row of padding is random as well: fresh tables hold zeros there.
    """
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, torch.nn.Embedding) and module.padding_idx is not None:
                module.weight[module.padding_idx].normal_(0.0, 0.02)
        for name, p in model.named_parameters():
            if "norm" in name.lower():
                p.normal_(1.0 if name.endswith("weight") else 0.1, 0.2)
    return model.eval()


def clip(width: int, projection: int | None = None, length: int = 77) -> Any:
    config = transformers.CLIPTextConfig(
        vocab_size=49408, hidden_size=width, intermediate_size=48, num_hidden_layers=4,
        num_attention_heads=2, projection_dim=projection or width, eos_token_id=2,
        bos_token_id=0, pad_token_id=1, max_position_embeddings=length,
    )  # fmt: skip
    projected = transformers.CLIPTextModelWithProjection
    return shaken((projected if projection else transformers.CLIPTextModel)(config))


def t5(width: int = 48, kind: str = "T5") -> Any:
    config = getattr(transformers, f"{kind}Config")(
        vocab_size=300, d_model=width, d_kv=8, d_ff=40, num_layers=4, num_heads=2,
        feed_forward_proj="gated-gelu",
    )  # fmt: skip
    return shaken(getattr(transformers, f"{kind}EncoderModel")(config))


def decoder(kind: str, layers: int = 4, causal: bool = False) -> Any:
    """Qwen3, Gemma2, Glm, Llama: transformers' model of that name; causal: the one with a head."""
    config = getattr(transformers, f"{kind}Config")(
        vocab_size=300, hidden_size=56, intermediate_size=48, num_hidden_layers=layers,
        num_attention_heads=2, num_key_value_heads=1, head_dim=28, pad_token_id=0, bos_token_id=2,
        eos_token_id=1,
    )  # fmt: skip
    return shaken(getattr(transformers, kind + ("ForCausalLM" if causal else "Model"))(config))


def qwen2_5_vl() -> Any:
    config = transformers.Qwen2_5_VLConfig(
        text_config={
            "vocab_size": 300, "hidden_size": 56, "intermediate_size": 48, "num_hidden_layers": 4,
            "num_attention_heads": 2, "num_key_value_heads": 1,
            "rope_parameters": {
                "rope_type": "default", "rope_theta": 1e4, "mrope_section": [4, 5, 5],
            },
        },
        vision_config={
            "depth": 1, "hidden_size": 16, "intermediate_size": 16, "num_heads": 1,
            "out_hidden_size": 56, "fullatt_block_indexes": [0],
        },
    )  # fmt: skip
    return shaken(transformers.Qwen2_5_VLForConditionalGeneration(config))


def mistral3() -> Any:
    config = transformers.Mistral3Config(
        text_config={
            "model_type": "mistral", "vocab_size": 300, "hidden_size": 56, "head_dim": 28,
            "intermediate_size": 48, "num_hidden_layers": 31, "num_attention_heads": 2,
            "num_key_value_heads": 1,
        },
        vision_config={
            "model_type": "pixtral", "num_hidden_layers": 1, "hidden_size": 16,
            "intermediate_size": 16, "num_attention_heads": 1,
        },
    )  # fmt: skip
    return shaken(transformers.Mistral3ForConditionalGeneration(config))


def vae() -> Any:
    import diffusers

    return diffusers.AutoencoderKL(block_out_channels=(8,), norm_num_groups=4)


class Nothing(torch.nn.Module):
    """In a denoiser's place, where a pipeline asks it for its type."""

    dtype = torch.float32


def bert() -> Any:
    config = transformers.BertConfig(
        vocab_size=300, hidden_size=64, intermediate_size=48, num_hidden_layers=4,
        num_attention_heads=2,
    )  # fmt: skip
    return shaken(transformers.BertModel(config))
