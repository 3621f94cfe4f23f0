"""Ids in, context out: the whole text encoder.

It differs from Hugging Face's CLIPTextModel, whose parameter names it shares, in this:
- a mask is True where a token may be seen, and a row that may see nothing is refused;
- hidden states come along, every intermediate with `trace=True`, and clip skip is built in;
- pooling a prompt that has no EOS is an error, where Hugging Face takes position 0;
- a fresh model has OpenAI's spread of weights (see `initialize`).
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from .config import CLIPTextConfig
from .inputs import read_ids, visibility
from .layers import (
    CLIPEncoder,
    CLIPEncoderLayer,
    CLIPTextEmbeddings,
    LayerNorm,
    choose_activation,
)
from .output import EncoderOutput
from .trace import NO_TRACE, Trace

LARGEST_ID = 2  # as eos_token_id it is no id, but Hugging Face's old rule: pool at the largest id


@dataclass(repr=False)
class TextEncoderOutput(EncoderOutput):
    """What comes out of CLIP's text encoder.

    context [B, L, D]: after the final LayerNorm; what the U-Net's cross-attention reads.
    hidden_states: N + 1 tensors [B, L, D], before the final LayerNorm; the first is X_0. None when
        they were not kept.
    trace: name → tensor with `trace=True`, otherwise None.
    pooled [B, D]: the last layer's normalized row at EOS, whatever the clip skip.
    text_embeds [B, E]: the pooled row times the text projection, where there is one (erratum E9).
    """

    _pooled: Tensor
    _text_embeds: Tensor | None
    _has_eos: Tensor  # [B]

    @property
    def pooled(self) -> Tensor:
        self._require_eos()
        return self._pooled

    @property
    def text_embeds(self) -> Tensor:
        if self._text_embeds is None:
            raise ValueError(
                "This model has no text projection, hence no text_embeds (Stable Diffusion 1.5's "
                "encoder has none either). Read .pooled, or set projection in the configuration."
            )
        self._require_eos()
        return self._text_embeds

    def _require_eos(self) -> None:
        # Asked only when someone wants the pooled row: the context needs no EOS.
        if not torch.compiler.is_compiling() and not self._has_eos.all():
            raise ValueError(
                f"Prompt {int(self._has_eos.int().argmin())} has no EOS token, so there is no row "
                "to pool. Pass ids as the tokenizer makes them: BOS, content, EOS."
            )


class CLIPTextModel(nn.Module):
    """Token ids t → context C: embeddings, N encoder layers, final LayerNorm.

    The parameters are θ_TE = (Θ_Tok, Θ_Pos, Θ_Enc), named as in Hugging Face ≥ 5.6; state dicts
    with the older prefix `text_model.` load as well. Source: Lecture eqs 6, 11, 48, 53–59.
    """

    def __init__(self, config: CLIPTextConfig):
        super().__init__()
        c = self.config = config
        self.embeddings = CLIPTextEmbeddings(c.vocab_size, c.context_length, c.width)
        self.encoder = CLIPEncoder(c.width, c.heads, c.layers, c.mlp_width)
        self.final_layer_norm = LayerNorm(c.width)
        if c.projection:
            self.text_projection = nn.Linear(c.width, c.projection, bias=False)
        initialize(self)
        self.register_load_state_dict_pre_hook(accept_old_names)

    def forward(
        self, ids, mask=None, trace=False, clip_skip=0, hidden_states=True
    ) -> TextEncoderOutput:
        """Encode B prompts of L tokens.

        ids: integers [B, L], or [L] for one prompt; tensor or lists; L at most context_length.
        mask: None → causal alone, which is how Stable Diffusion 1.5 runs it (erratum E4);
            of the shape of ids → PAD mask, multiplied with the causal one;
            [L, L] or [B, L, L] → M itself. Where B = L, a mask [L, L] is taken as a PAD mask.
        trace: walk through the equations and keep every intermediate in `.trace`, by name.
        clip_skip: leave out the last k layers, so that the context is LayerNorm(H_{N−k}).
        hidden_states: keep all N + 1 of them; False saves their memory (45 MB for 16 prompts).
        """
        ids = read_ids(ids, self.config.context_length, self.final_layer_norm.weight.device)
        N = self.config.layers
        if not 0 <= clip_skip <= N:
            raise ValueError(f"clip_skip counts layers to leave out: 0 to {N}, not {clip_skip}.")
        note = Trace() if trace else NO_TRACE

        M = note("M", visibility(ids, mask))  # [L, L] or [B, L, L]                  eq. 57
        X_0 = note("X_0", self.embeddings(ids, note.at("embeddings")))  # [B, L, D]  eq. 54
        keep = None if hidden_states else {N - clip_skip}
        H = self.encoder(X_0, M, note.at("encoder"), keep)  # H_0 … H_N, each [B, L, D]
        C = note("X_N", self.final_layer_norm(H[N - clip_skip]))  # [B, L, D]        eqs 48, 58

        at_eos, has_eos = self.find_eos(ids)
        pooled = self.final_layer_norm(H[N][at_eos])  # [B, D]
        projected = self.text_projection(pooled) if self.config.projection else None  # [B, E]
        return TextEncoderOutput(
            context=C,
            hidden_states=H if hidden_states else None,
            trace=note if trace else None,  # type: ignore[arg-type]  # NO_TRACE: trace is False
            _pooled=pooled,
            _text_embeds=projected,
            _has_eos=has_eos,
        )

    def find_eos(self, ids: Tensor) -> tuple[tuple[Tensor, Tensor], Tensor]:
        """The index of each prompt's EOS row, by either of Hugging Face's rules (erratum E54)."""
        prompts = torch.arange(len(ids), device=ids.device)  # [B]
        if self.config.eos_token_id == LARGEST_ID:
            return (prompts, ids.argmax(-1)), torch.ones_like(prompts, dtype=torch.bool)
        is_eos = ids == self.config.eos_token_id  # [B, L]
        return (prompts, is_eos.int().argmax(-1)), is_eos.any(-1)

    def num_parameters(self) -> int:
        return sum(p.numel() for p in self.parameters())


@torch.no_grad()
def initialize(model: CLIPTextModel) -> None:
    """The activation of the configuration, and OpenAI's normal weights, of these spreads.

    The two maps that write into the stream (out_proj, fc2) are smaller by √(2N), since 2N of them
    add up there. Hugging Face has the spreads of q, k, v and of out_proj the other way round, and
    0.02 for positions. Biases: attention 0, MLP as torch's Linear has them.
    """
    choose_activation(model.encoder, model.config.activation)
    D, N = model.config.width, model.config.layers
    normal = nn.init.normal_
    normal(model.embeddings.token_embedding.weight, std=0.02)
    normal(model.embeddings.position_embedding.weight, std=0.01)
    for layer in (module for module in model.modules() if isinstance(module, CLIPEncoderLayer)):
        attn, mlp = layer.self_attn, layer.mlp
        for proj in (attn.q_proj, attn.k_proj, attn.v_proj, attn.out_proj):
            normal(proj.weight, std=D**-0.5)
            proj.bias.zero_()
        normal(attn.out_proj.weight, std=D**-0.5 * (2 * N) ** -0.5)
        normal(mlp.fc1.weight, std=(2 * D) ** -0.5)
        normal(mlp.fc2.weight, std=D**-0.5 * (2 * N) ** -0.5)
    if model.config.projection:
        normal(model.text_projection.weight, std=D**-0.5)


def accept_prefix(tower: str, model: nn.Module, state: dict, prefix: str, *_: Any) -> None:
    """Let keys begin with the tower's name, as Hugging Face writes them, beside position ids."""
    for key in [key for key in state if key.startswith(prefix + tower)]:
        state[prefix + key.removeprefix(prefix + tower)] = state.pop(key)
    state.pop(prefix + "embeddings.position_ids", None)


accept_old_names = partial(accept_prefix, "text_model.")  # those before transformers 5.6
