"""A tokenizer, an encoder and a tool's habits: tokenize, cut, encode, weigh."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from ..masks import TruncationWarning
from ..prompts import SYNTAXES, Fragment, PromptError, a1111, compel, parse_prompt
from ..prompts.fragment import require_prompt, warn
from . import chunks, operators
from .adapters import Words, contexts, sizes
from .chunks import BREAK, Token
from .context import Context, join
from .down import blend_down, share_eos
from .outside import warn_of_a1111, warn_of_compel
from .settings import DEFAULT, METHODS, Settings, one_of

BEFORE_EMBEDDING = re.compile(r"[ \n](?=embedding:)")  # ComfyUI: a new group begins there


class PromptEncoder:
    """A tokenizer, an encoder and a tool's habits: call it with a prompt, or with several.

    It keeps the context of the empty prompt (``empty``), so make a new one when the model changes.
    The arguments are those of `encode_prompt`.
    """

    def __init__(
        self,
        tokenizer,
        model,
        syntax: str = "a1111",
        method: str | None = None,
        *,
        clip_skip: int = 0,
        final_norm: bool = True,
        truncate: bool = False,
        **settings,
    ):
        one_of("syntax", syntax, SYNTAXES)
        self.method = DEFAULT[syntax] if method is None else method
        one_of("method", self.method, METHODS)
        self.words, self.syntax, self.truncate = Words(tokenizer), syntax, truncate
        self.length, layers = sizes(model)
        if self.words.eos >= model.config.vocab_size:
            raise ValueError(
                f"The tokenizer has ids up to {self.words.eos}, the encoder a table of "
                f"{model.config.vocab_size}: give the tokenizer that belongs to the model."
            )
        if not isinstance(clip_skip, int) or not 0 <= clip_skip <= layers:
            raise ValueError(
                f"clip_skip counts layers to leave out: 0 to {layers}, not {clip_skip!r}."
            )
        self.dtype = next(model.parameters()).dtype
        self.settings = Settings(**settings)
        # ids [N, L], mask [N, L] or None → [N, L, D] in float32
        self.run = functools.partial(contexts, model, clip_skip=clip_skip, final_norm=final_norm)

    def __call__(self, prompt: str | Sequence[str]) -> Context | list[Context]:
        """The context of a prompt; of several prompts their contexts, brought to one length."""
        if isinstance(prompt, (list, tuple)):
            for one in prompt:
                require_prompt(one)
            return self.same_length([self(one) for one in prompt])
        require_prompt(prompt)
        if self.syntax == "compel":
            return self.finish(self.conjunction(prompt), prompt)
        if self.syntax == "a1111":
            warn_of_a1111(prompt)
        return self.together([prompt])[0]

    def together(self, prompts: Sequence[str]) -> list[Context]:
        """Several prompts in one call, padded with empty chunks to one length.

        A1111 encodes the steps of one schedule in this way, and takes its mean over all of them, so
        that each depends on the others. Under every other method it is the same as one by one.
        """
        made = self.encode([parse_prompt(prompt, self.syntax) for prompt in prompts])
        return [self.finish(*pair) for pair in zip(made, prompts, strict=True)]

    # Tokens ---------------------------------------------------------------------------------------

    def chunks_of(self, fragments: Sequence[Fragment]) -> list[list[Token]]:
        """Fragments tokenized one by one and cut as the tool cuts: chunks of L tokens."""
        groups = [group for k, f in enumerate(fragments) for group in self.groups_of(f, k)]
        tokens, room = [token for group in groups for token in group], self.length - 2
        if self.syntax == "comfyui":
            cut = chunks.cut_comfyui(groups, room)
        elif self.syntax == "compel":
            split = "brutal" if self.truncate else self.settings.split
            cut = chunks.cut_compel(tokens, self.words.symbols([t.id for t in tokens]), room, split)
        else:
            backtrack = self.settings.comma_backtrack
            cut = chunks.cut_a1111(tokens, room, self.words.comma, backtrack)
        return [self.frame(chunk) for chunk in cut]

    def groups_of(self, fragment: Fragment, k: int) -> list[list[Token]]:
        """The tokens of a fragment; for ComfyUI in groups, which it keeps together in a chunk."""
        if self.syntax == "a1111" and a1111.is_break(fragment):
            return [[BREAK]]
        comfyui = self.syntax == "comfyui"
        texts = BEFORE_EMBEDDING.split(fragment.text) if comfyui else [fragment.text]
        return [[Token(i, fragment.weight, k) for i in self.words.content(t)] for t in texts]

    def frame(self, chunk: Sequence[Token] = ()) -> list[Token]:
        words = self.words
        return chunks.frame(chunk, words.bos, words.eos, words.pad, self.length)

    # Contexts, in float32 -------------------------------------------------------------------------

    @functools.cached_property
    def empty(self) -> Tensor:
        """e [L, D]: the context of the empty prompt."""
        return self.run(self.table([self.frame()])[0])[0]

    def encode(self, prompts: Sequence[Sequence[Fragment]]) -> list[Context]:
        """B prompts, as fragments → their contexts, of one length."""
        cut = [self.kept(self.chunks_of(fragments)) for fragments in prompts]
        N = max(map(len, cut))
        cut = [part + [self.frame()] * (N - len(part)) for part in cut]
        ids, w = map(torch.stack, zip(*map(self.table, cut), strict=True))  # [B, N, L]
        C = self.weigh(ids, w, cut, prompts)  # [B, N, L, D]
        return [
            Context(
                tensor=C[b].flatten(0, 1),
                ids=ids[b].flatten(),
                tokens=self.words.symbols(ids[b].flatten().tolist()),
                weights=w[b].flatten(),
                owner=[token.fragment for chunk in cut[b] for token in chunk],
                fragments=list(fragments),
            )
            for b, fragments in enumerate(prompts)
        ]

    def kept(self, cut: list[list[Token]]) -> list[list[Token]]:
        """All chunks, or the first one with a warning when the prompt is to be truncated."""
        if not self.truncate or len(cut) == 1:
            return cut
        lost = [token.id for chunk in cut[1:] for token in chunk if token.fragment is not None]
        what = f"The prompt fills {len(cut)} chunks and one is kept; tokens lost: {len(lost)}."
        warn(TruncationWarning(what, [lost]))
        return cut[:1]

    @staticmethod
    def table(cut: list[list[Token]]) -> tuple[Tensor, Tensor]:
        """Ids and weights [N, L] of one prompt's chunks."""
        ids = torch.tensor([[token.id for token in chunk] for chunk in cut])
        w = torch.tensor([[token.weight for token in chunk] for chunk in cut], dtype=torch.float64)
        return ids, w

    def weigh(self, ids: Tensor, w: Tensor, cut: list, prompts: Sequence) -> Tensor:
        """Encode ids [B, N, L] and apply the method with the weights w → [B, N, L, D]."""
        if self.method == "compel":
            each = zip(ids, w, cut, prompts, strict=True)
            return torch.stack([blend_down(self, *prompt) for prompt in each])
        C = self.run(ids.flatten(0, 1)).unflatten(0, ids.shape[:2])
        w = w.to(C)
        if self.method == "scale":
            return operators.scale(C, w)
        if self.method == "restore_mean":  # chunk by chunk, over all prompts of the call
            chunk_by_chunk = zip(C.unbind(1), w.unbind(1), strict=True)
            return torch.stack([operators.restore_mean(*c) for c in chunk_by_chunk], dim=1)
        if self.method == "from_empty" and (w != 1).any():
            return operators.from_empty(C, w, self.empty)
        return C

    # Compel's combinations ------------------------------------------------------------------------

    def conjunction(self, prompt: str) -> Context:
        """`.and`: the parts one after another, each moved from the empty prompt by its weight."""
        parsed = compel.parse(prompt)
        warn_of_compel(parsed, prompt)
        if not parsed.prompts:
            raise PromptError(
                "There is no prompt in here, and Compel stops with an error.", prompt, 0
            )
        parts = []
        for part, weight in zip(parsed.prompts, parsed.weights, strict=True):
            is_blend = isinstance(part, compel.Blend)
            made = self.blend(part, prompt) if is_blend else self.one(part, prompt)
            if weight != 1 and self.method != "ignore":
                # Compel encodes the first chunk under the part's mask, and pads with the others.
                nothing, more = self.encode([[]])[0].tensor, len(made.tensor) // self.length - 1
                e = torch.cat([nothing, self.empty.repeat(more, 1)])  # [L', D]
                made = replace(made, tensor=e + weight * (made.tensor - e))
            parts.append(made)
        return join(parts)

    def blend(self, blend: compel.Blend, typed: str) -> Context:
        """`.blend`: Σ w_j X_j / Σ w_j, or the sum alone. Tokens and weights are the first one's."""
        if blend.normalize and sum(blend.weights) == 0:
            raise PromptError(
                "The weights of this blend add up to 0, by which it cannot be divided. Write "
                "others, or no_normalize after them.",
                typed,
                typed.rfind(".blend"),
            )
        made = self.same_length([self.one(prompt, typed) for prompt in blend.prompts])
        mixed = sum(w * one.tensor for w, one in zip(blend.weights, made, strict=True))
        return replace(made[0], tensor=mixed / sum(blend.weights) if blend.normalize else mixed)

    def one(self, prompt: compel.Prompt, typed: str) -> Context:
        """One prompt; of a `.swap` the original, since the edit happens in the U-Net."""
        fragments = []
        for part in prompt.fragments:
            fragments += part.original if isinstance(part, compel.Swap) else [part]
        for f in fragments:
            if isinstance(f, compel.Swap):
                raise PromptError("Compel crashes on a swap in a swap.", typed, f.start)
            if self.method == "compel" and f.weight < 1 and not self.words.content(f.text):
                raise PromptError("There is no token here to weigh down.", typed, f.start)
        return share_eos(self, self.encode([fragments])[0])

    # One length, one type -------------------------------------------------------------------------

    def same_length(self, made: Sequence[Context]) -> list[Context]:
        """Contexts brought to one length, as diffusers wants a prompt and its negative.

        The empty prompt's context is appended, as Compel and A1111 (pad_cond_uncond) do. ComfyUI
        repeats each context as a whole, up to the least common multiple of the lengths.
        """
        lengths = [len(one.tensor) for one in made]
        if len(set(lengths)) < 2:
            return list(made)
        if self.syntax == "comfyui":
            common = math.lcm(*lengths)
            return [join([one] * (common // len(one.tensor))) for one in made]
        missing = [(max(lengths) - length) // self.length for length in lengths]
        nothing = replace(self.encode([[]])[0], tensor=self.empty.to(made[0].tensor))
        return [join([one] + [nothing] * n) for one, n in zip(made, missing, strict=True)]

    def finish(self, made: Context, prompt: str) -> Context:
        """In the encoder's own type; PromptError where a weight is more than the type can hold."""
        tensor = made.tensor.to(self.dtype)
        if not tensor.isfinite().all():
            heaviest = max(
                made.fragments,
                key=lambda f: math.inf if math.isnan(f.weight) else abs(f.weight),
                default=Fragment("", 1.0, 0, 0),
            )
            raise PromptError(
                f"The context is not finite in {str(self.dtype).removeprefix('torch.')}: look at "
                f"the weight {heaviest.weight:g} here, or at the encoder if that is harmless.",
                prompt,
                heaviest.start,
            )
        return replace(made, tensor=tensor)
