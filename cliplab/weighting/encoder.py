"""From a prompt to its context: parsed by a tool, encoded in chunks, weighed by a method."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, overload

import torch

from ..checks import one_of
from ..prompts import TOOLS, Fragment, PromptError
from ..prompts.foreign import warn_of_foreign
from ..prompts.fragment import require_prompt
from ..prompts.settings import require_known, with_settings
from ..prompts.tree import Blend, Conjunction, Prompt, encoded
from .chunk_encoder import ChunkEncoder
from .context import Context, join
from .methods import METHODS

Prompts = str | list[str] | tuple[str, ...]


class PromptEncoder:
    """A tokenizer, an encoder and a tool's habits: call it with a prompt, or with several.

    It keeps the context of the empty prompt, so make a new one when the model changes.
    The arguments are those of `encode_prompt`.
    """

    def __init__(
        self,
        tokenizer: Any,
        model: Any,
        syntax: str = "a1111",
        method: str | None = None,
        *,
        clip_skip: int = 0,
        final_norm: bool = True,
        truncate: bool = False,
        **settings: Any,
    ) -> None:
        one_of("syntax", syntax, TOOLS)
        self.method_name = TOOLS[syntax].method if method is None else method
        one_of("method", self.method_name, METHODS)
        self.syntax = syntax
        tool, weighing = TOOLS[syntax], METHODS[self.method_name]
        who = f"The syntax {syntax} with the method {self.method_name}"
        require_known(who, settings, tool, weighing)
        self.tool, self.method = with_settings(tool, settings), with_settings(weighing, settings)
        self.encoder = ChunkEncoder(tokenizer, model, self.tool, clip_skip, final_norm, truncate)

    @overload
    def __call__(self, prompt: str) -> Context: ...
    @overload
    def __call__(self, prompt: list[str] | tuple[str, ...]) -> list[Context]: ...
    def __call__(self, prompt: Prompts) -> Context | list[Context]:
        """The context of a prompt; of several prompts their contexts, brought to one length."""
        if isinstance(prompt, (list, tuple)):
            return self.same_length([self.context(one) for one in prompt])
        return self.context(prompt)

    def context(self, prompt: str) -> Context:
        """The context of a prompt."""
        return self.finish(self.conjunction(self.read(prompt)), prompt)

    def read(self, prompt: str) -> Conjunction:
        """The tree of a prompt, which the tool can encode."""
        require_prompt(prompt)
        self.tool.warn(prompt)
        warn_of_foreign(prompt, self.syntax)
        tree = self.tool.parse(prompt)
        self.tool.check(tree, prompt, self.method_name, self.encoder.words.content)
        return tree

    def together(self, prompts: Sequence[str]) -> list[Context]:
        """Several prompts in one call, padded with empty chunks to one length.

        A1111 encodes the steps of one schedule in this way, and takes its mean over all of them, so
        that each depends on the others. Under every other method it is the same as one by one.
        """
        made = self.encode([self.tool.fragments(prompt) for prompt in prompts])
        return [self.finish(*pair) for pair in zip(made, prompts, strict=True)]

    # The tree, from its leaves up; contexts are in float32 ----------------------------------------

    def encode(self, prompts: Sequence[Sequence[Fragment]]) -> list[Context]:
        """B prompts, as fragments → their contexts, of one length."""
        batch = self.encoder.batch(prompts)
        C = self.method.weigh(batch, self.encoder)  # [B, N, L, D]
        return [
            Context(
                tensor=C[b].flatten(0, 1),
                ids=batch.ids[b].flatten(),
                tokens=self.encoder.words.symbols(batch.ids[b].flatten().tolist()),
                weights=batch.weights[b].flatten(),
                owner=[token.fragment for chunk in batch.chunks[b] for token in chunk],
                fragments=list(fragments),
            )
            for b, fragments in enumerate(prompts)
        ]

    def one(self, prompt: Prompt) -> Context:
        """One prompt; the EOS rows of its chunks become what the tool makes of them."""
        (made,) = self.encode([encoded(prompt.fragments)])
        is_eos = made.ids.view(-1, self.encoder.length) == self.encoder.words.eos  # [N, L]
        rows = is_eos.int().argmax(dim=1) + torch.arange(len(is_eos)) * self.encoder.length
        own = made.tensor[rows]  # [N, D]
        shared = self.tool.eos_rows(own)
        if shared is own:
            return made
        return replace(made, tensor=made.tensor.index_copy(0, rows.to(own.device), shared))

    def blend(self, blend: Blend) -> Context:
        """Σ w_j X_j / Σ w_j, or the sum alone. Tokens and weights are those of the first prompt."""
        made = self.same_length([self.one(prompt) for prompt in blend.prompts])
        weighted = (w * one.tensor for w, one in zip(blend.weights, made, strict=True))
        mixed = sum(weighted, start=torch.zeros(()))
        return replace(made[0], tensor=mixed / sum(blend.weights) if blend.normalize else mixed)

    def conjunction(self, tree: Conjunction) -> Context:
        """The parts one after another, each weighed as a whole by its weight."""
        parts = []
        for part, weight in zip(tree.prompts, tree.weights, strict=True):
            made = self.blend(part) if isinstance(part, Blend) else self.one(part)
            if weight != 1:
                # Compel encodes the first chunk under the part's mask, and pads with the others.
                nothing = self.encode([[]])[0].tensor
                more = len(made.tensor) // self.encoder.length - 1
                e = torch.cat([nothing, self.encoder.empty.repeat(more, 1)])  # [L', D]
                made = replace(made, tensor=self.method.weigh_part(made.tensor, weight, e))
            parts.append(made)
        return join(parts)

    # One length, one type -------------------------------------------------------------------------

    def same_length(self, made: Sequence[Context]) -> list[Context]:
        """Contexts brought to one length, as diffusers wants a prompt and its negative.

        Each is repeated as a whole, and the empty prompt's context appended to it, as often as the
        tool says: most append (A1111: pad_cond_uncond); ComfyUI repeats.
        """
        counts = [len(one.tensor) // self.encoder.length for one in made]
        return [
            self.longer(join([one] * often), empties)
            for one, (often, empties) in zip(made, self.tool.repeats(counts), strict=True)
        ]

    def longer(self, one: Context, empties: int) -> Context:
        """A context, and after it so many of the empty prompt."""
        if empties < 1:
            return one
        empty = replace(self.empty, tensor=self.empty.tensor.to(one.tensor))
        return join([one] + [empty] * empties)

    @functools.cached_property
    def empty(self) -> Context:
        """The empty prompt's context, which no method weighs."""
        (empty,) = self.encode([[]])
        return replace(empty, tensor=self.encoder.empty)

    def finish(self, made: Context, prompt: str) -> Context:
        """In the encoder's own type; PromptError where a weight is more than the type can hold."""
        tensor = made.tensor.to(self.encoder.dtype)
        if not tensor.isfinite().all():
            heaviest = max(
                made.fragments,
                key=lambda f: math.inf if math.isnan(f.weight) else abs(f.weight),
                default=Fragment("", 1.0, 0, 0),
            )
            raise PromptError(
                f"The context is not finite in {str(tensor.dtype).removeprefix('torch.')}: look at "
                f"the weight {heaviest.weight:g} here, or at the encoder if that is harmless.",
                prompt,
                heaviest.start,
            )
        return replace(made, tensor=tensor)
