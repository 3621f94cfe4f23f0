"""How well pictures and captions find each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor

from .data.pair import Pairs

if TYPE_CHECKING:
    from PIL.Image import Image

QUERIES = 1024  # so many have their similarities held at once


class Encoder(Protocol):
    """What can be evaluated: a CLIP, several as one (`Teachers`), or anybody's that does this."""

    def encode_text(self, texts: list[str]) -> Tensor:
        """N texts → [N, E], of unit length."""
        ...

    def encode_image(self, images: "list[Image]") -> Tensor:
        """N pictures → [N, E], of unit length."""
        ...


@dataclass(frozen=True)
class Retrieval:
    """Shares of queries whose partner is among the k most similar candidates.

    text_to_image, image_to_text: {k: share from 0 to 1}. candidates: how many there were.
    chance: {k: share} of a search that guesses.
    """

    text_to_image: dict[int, float]
    image_to_text: dict[int, float]
    candidates: int

    @property
    def chance(self) -> dict[int, float]:
        return {k: min(1.0, k / self.candidates) for k in self.text_to_image}

    def __str__(self) -> str:
        head = "".join(f"R@{k:<6}" for k in self.chance)
        lines = [f"{f'{self.candidates:,} candidates':22}{head}"]
        for name, shares in (
            ("text → image", self.text_to_image),
            ("image → text", self.image_to_text),
            ("chance", self.chance),
        ):
            lines.append(f"  {name:20}" + "".join(f"{100 * s:5.1f} % " for s in shares.values()))
        return "\n".join(lines)


@torch.no_grad()
def retrieval(
    u: Tensor, v: Tensor, ks: Sequence[int] = (1, 5, 10), same: Tensor | None = None
) -> Retrieval:
    """Retrieval with row i of u (texts [N, E]) and row i of v (images [N, E]) belonging together.

    Unit vectors, so that an inner product is a cosine. A partner that is as similar as another
    candidate counts as found behind it: a model that gives all the same similarity finds nothing.
    same [N, N]: True where a candidate shows the same thing and so is no mistake.
    Similarities are held for 1,024 queries at a time. Raises ValueError for other shapes.
    """
    if u.ndim != 2 or u.shape != v.shape or not len(u):
        raise ValueError(
            f"Texts and images come in pairs, both [N, E], not {list(u.shape)} and {list(v.shape)}."
        )
    return Retrieval(
        text_to_image=_shares(_ranks(u, v, same), ks),
        image_to_text=_shares(_ranks(v, u, None if same is None else same.T), ks),
        candidates=len(u),
    )


def _ranks(queries: Tensor, candidates: Tensor, same: Tensor | None) -> Tensor:
    """For each query, how many wrong candidates are at least as similar as its partner. [N]"""
    ranks = []
    for start in range(0, len(queries), QUERIES):
        rows = slice(start, start + QUERIES)
        S = queries[rows].float() @ candidates.float().T  # [some, N]
        own = torch.arange(start, start + len(S), device=S.device)
        ahead = ~(S.gather(1, own[:, None]) > S)  # itself is among them; NaN finds nothing
        ahead[torch.arange(len(S)), own] = False
        if same is not None:
            ahead &= ~same[rows].to(S.device)
        ranks.append(ahead.sum(1))
    return torch.cat(ranks)


def _shares(ranks: Tensor, ks: Sequence[int]) -> dict[int, float]:
    return {k: (ranks < k).float().mean().item() for k in ks}


def evaluate(clip: Encoder, pairs: Pairs, *, batch_size: int = 256) -> Retrieval:
    """Retrieval among all pairs of a source, with the captions as they stand.

    pairs: as EmojiPairs("style"); encoded `batch_size` at a time.
    """
    images, captions = [], []
    for start in range(0, len(pairs), batch_size):
        some = [pairs[i] for i in range(start, min(start + batch_size, len(pairs)))]
        images.append(clip.encode_image([pair.image for pair in some]))
        captions += [pair.caption for pair in some]
    same = None
    if len(set(captions)) < len(captions):
        number = {caption: n for n, caption in enumerate(dict.fromkeys(captions))}
        numbers = torch.tensor([number[caption] for caption in captions])
        same = numbers[:, None] == numbers
    return retrieval(clip.encode_text(captions), torch.cat(images), same=same)
