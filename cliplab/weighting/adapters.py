"""One face for tokenizers and encoders of two kinds: ours and transformers'."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ..text_encoder import CLIPTextModel
from ..tokenizer import CLIPTokenizer

Mask = Tensor | None  # [N, L]
AT_ONCE = 16  # chunks in one call of the encoder, so that a long prompt needs no more memory


class Words:
    """A tokenizer: `content(text)`, `symbols(ids)`, and the ids `bos`, `eos`, `pad`, `comma`."""

    content: Callable[[str], list[int]]
    symbols: Callable[[list[int]], list[str]]

    def __init__(self, tokenizer: Any) -> None:
        if isinstance(tokenizer, CLIPTokenizer):
            self.content, self.symbols = tokenizer.content, tokenizer.tokens
            self.bos, self.eos = tokenizer.bos_id, tokenizer.eos_id
            self.pad, vocabulary = self.eos, tokenizer.vocabulary
        elif hasattr(tokenizer, "convert_ids_to_tokens"):
            if tokenizer.pad_token_id is None:
                raise ValueError(
                    "This tokenizer has no padding: set tokenizer.pad_token, in Stable Diffusion "
                    "1.5 to tokenizer.eos_token."
                )
            # It would warn of more than 77 tokens; but these are cut into chunks.
            how = {"add_special_tokens": False, "verbose": False}
            self.content = lambda text: tokenizer(text, **how)["input_ids"]
            self.symbols = tokenizer.convert_ids_to_tokens
            self.bos, self.eos = tokenizer.bos_token_id, tokenizer.eos_token_id
            self.pad, vocabulary = tokenizer.pad_token_id, tokenizer.get_vocab()
        else:
            raise TypeError(
                "The tokenizer is a cliplab.CLIPTokenizer or one of transformers' CLIP tokenizers; "
                f"this is {type(tokenizer).__name__}."
            )
        self.comma: int | None = vocabulary.get(",</w>")


def sizes(model: Any) -> tuple[int, int]:
    """L and N: how many positions and how many layers an encoder has; 77 and 12 in SD 1.5."""
    config: Any = getattr(model, "config", None)
    if isinstance(model, CLIPTextModel):
        L, N = config.context_length, config.layers
    elif hasattr(config, "max_position_embeddings"):
        L, N = config.max_position_embeddings, config.num_hidden_layers
    else:
        raise TypeError(
            "The model is a cliplab.CLIPTextModel or one of transformers' CLIP text encoders; "
            f"this is {type(model).__name__}."
        )
    if L < 3:
        raise ValueError(f"A chunk holds BOS, a token and EOS; this encoder has {L} positions.")
    return L, N


@torch.no_grad()
def contexts(
    model: Any, ids: Tensor, mask: Mask = None, clip_skip: int = 0, final_norm: bool = True
) -> Tensor:
    """Run an encoder over chunks: ids [N, L] → contexts [N, L, D], in float32.

    mask [N, L] hides what is False from every row of its chunk (beside the causal mask, which is
    always there). clip_skip leaves out the last layers; final_norm False gives the bare hidden
    state, as SDXL uses it.
    """
    device = next(model.parameters()).device
    run = run_ours if isinstance(model, CLIPTextModel) else run_transformers
    masks = [None] * len(ids) if mask is None else mask.to(device).split(AT_ONCE)
    parts = zip(ids.to(device).split(AT_ONCE), masks, strict=False)
    return torch.cat([run(model, *part, clip_skip, final_norm) for part in parts]).float()


def run_ours(model: Any, ids: Tensor, mask: Tensor | None, clip_skip: int, final_norm: bool) -> Any:
    if final_norm:
        return model(ids, mask, clip_skip=clip_skip, hidden_states=False).context
    return model(ids, mask).hidden_states[-1 - clip_skip]


def run_transformers(model: Any, ids: Tensor, mask: Mask, clip_skip: int, final_norm: bool) -> Any:
    last = clip_skip == 0 and final_norm
    out = model(ids, attention_mask=mask, output_hidden_states=not last)
    if last:
        return out.last_hidden_state
    hidden = out.hidden_states[-1 - clip_skip]
    # With a projection, or before transformers 5.6, the encoder is one level down.
    return getattr(model, "text_model", model).final_layer_norm(hidden) if final_norm else hidden
