"""The text side of the miniature: a vocabulary, an encoder, contexts to train the U-Net on."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor

from cliplab.tokenizer import CLIPTokenizer
from cliplab.training.build import CONTEXT_MEAN
from cliplab.training.data.scenes import BACKGROUNDS, RELATIONS, SHAPES, SIZES

from .things import THINGS, TINTS
from .words import Mixed

L, D = 77, 128
LOUD = 1.0  # standard deviation of a fresh word's embedding
ENCODER = {
    "hidden_size": D,
    "intermediate_size": 4 * D,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": L,
    "projection_dim": D,
    "hidden_act": "quick_gelu",
}
KNOWN = {
    # all words of the grammar, by kind
    "size": [*filter(None, SIZES)],
    "color": [*TINTS],
    "shape": [*SHAPES],
    "thing": [*THINGS],
    "relation": [*RELATIONS],
    "ground": [*BACKGROUNDS],
    "other": ["a", "an", "on", "background"],
}


def build_tokenizer() -> CLIPTokenizer:
    """A vocabulary in which each word of the grammar is one token; bytes spell all others."""
    grammar = [word for kind in KNOWN.values() for word in kind]
    with warnings.catch_warnings():  # it warns that all words are one token, which is what is meant
        warnings.simplefilter("ignore", UserWarning)
        return CLIPTokenizer.train(grammar, vocab_size=1000)


def build_encoder(tokenizer: CLIPTokenizer):
    """A fresh transformers CLIPTextModel, whose rows begin as their own words.

    CLIP draws its embeddings with a standard deviation of 0.02, next to which what attention adds
    is loud: a row is then mostly a mean over the words before it. Here the word itself is loud. And
    contexts begin with a mean that is not 0, so that restoring it (A1111) has a meaning.
    """
    from transformers import CLIPTextConfig, CLIPTextModel

    encoder = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=tokenizer.vocab_size,
            bos_token_id=tokenizer.bos_id,
            eos_token_id=tokenizer.eos_id,
            pad_token_id=tokenizer.eos_id,
            **ENCODER,
        )
    )
    torch.nn.init.normal_(encoder.get_input_embeddings().weight, std=LOUD)
    embeddings = [m for m in encoder.modules() if isinstance(m, torch.nn.Embedding)]
    torch.nn.init.normal_(embeddings[-1].weight, std=LOUD / 3)  # of the positions
    norms = [m for m in encoder.modules() if isinstance(m, torch.nn.LayerNorm)]
    torch.nn.init.constant_(norms[-1].bias, CONTEXT_MEAN)
    return encoder


def ids_of(tokenizer: CLIPTokenizer, texts, length: int) -> Tensor:
    """B texts → ids [B, length], padded with EOS as in Stable Diffusion 1.5."""
    rows = [[tokenizer.bos_id, *tokenizer.content(text)] for text in texts]
    return torch.tensor([row + [tokenizer.eos_id] * (length - len(row)) for row in rows])


def mixed_contexts(encoder, tokenizer, mixed: list[Mixed | str], length: int) -> Tensor:
    """B captions, plain or mixed (see `words`) → contexts [B, length, D]."""
    lies = [m if isinstance(m, str) else " ".join(m.lie) for m in mixed]
    truths = [m for m in mixed if not isinstance(m, str)]
    ids = ids_of(tokenizer, [*lies, *(" ".join(m.true) for m in truths), ""], length)
    made = encoder(ids).last_hidden_state
    context, true, empty = made.split([len(lies), len(truths), 1])
    told = torch.zeros(2, len(lies), length, 1, dtype=torch.bool)
    factor = torch.ones(len(lies), length, 1)
    where = [i for i, m in enumerate(mixed) if not isinstance(m, str)]
    for i, m in zip(where, truths, strict=True):
        told[0, i, [1 + place for place in m.told]] = True  # row 0 is BOS
        told[1, i, [1 + place for place in m.blank]] = True
        for place, times in m.long:
            factor[i, 1 + place] = times
    whole = context.new_zeros(context.shape).index_copy(0, torch.tensor(where).long(), true)
    whole = empty + factor * (whole - empty)
    return torch.where(told[1], empty, torch.where(told[0], whole, context))
