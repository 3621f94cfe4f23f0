"""How well pictures and captions find each other, and a classifier made of words.

Nothing is trained for the classifier (erratum E49).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..contrastive import CLIP
from .data.pair import Pairs
from .distillation import Teachers

QUERIES = 1024  # so many have their similarities held at once
TEMPLATES = ("{}", "an emoji of a {}", "a picture of a {}", "a small drawing of a {}")


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
        found = {"text → image": self.text_to_image, "image → text": self.image_to_text}
        for name, shares in (found | {"chance": self.chance}).items():
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


def evaluate(clip: CLIP | Teachers, pairs: Pairs, *, batch_size: int = 256) -> Retrieval:
    """Retrieval among all pairs of a source, with the captions as they stand. Another picture of
    the same group, or with the same caption, is no mistake.

    pairs: as EmojiPairs("style"); encoded `batch_size` at a time.
    """
    images, captions = [], []
    for start in range(0, len(pairs), batch_size):
        some = [pairs[i] for i in range(start, min(start + batch_size, len(pairs)))]
        images.append(clip.encode_image([pair.image for pair in some]))
        captions += [pair.caption for pair in some]
    same = None
    for keys in (captions, pairs.groups or ()):
        number = {key: n for n, key in enumerate(dict.fromkeys(keys))}
        if len(number) < len(keys):
            numbers = torch.tensor([number[key] for key in keys])
            alike = numbers[:, None] == numbers  # [N, N]
            same = alike if same is None else same | alike
    return retrieval(clip.encode_text(captions), torch.cat(images), same=same)


def zero_shot_weights(
    clip: CLIP | Teachers, labels: Sequence[str | Sequence[str]], templates: Sequence[str] = ("{}",)
) -> Tensor:
    """One unit vector for each label, [C, E]: encode, normalize, average, normalize again.

    labels: a word or phrase for each class, or several phrases that all stand for it. templates:
    sentences with {} where the phrase goes. Every phrase is put into every template.
    Raises ValueError for no labels, an empty one, or a template without {}.
    Source: Radford et al. 2021, section 3.1; open_clip's zero_shot_classifier.
    """
    classes = [[one] if isinstance(one, str) else list(one) for one in labels]
    if not classes:
        raise ValueError("A classifier needs at least one label.")
    for n, phrases in enumerate(classes):
        if not phrases or any(not phrase.strip() for phrase in phrases):
            raise ValueError(f"Label {n} is empty: give it a word, or leave it out.")
    for template in templates:
        if "{}" not in template:
            raise ValueError(f"The template {template!r} has no {{}} for the label to stand in.")
    if not templates:
        raise ValueError('There are no templates; ("{}",) is the label alone.')
    texts = [[t.replace("{}", p) for p in phrases for t in templates] for phrases in classes]
    u = clip.encode_text([text for some in texts for text in some])  # all at once: [texts, E]
    means = [part.mean(0) for part in u.split([len(some) for some in texts])]  # each [E]
    return F.normalize(torch.stack(means), dim=-1)


def classify(v: Tensor, weights: Tensor, tau: float | Tensor) -> Tensor:
    """Probabilities [N, C] of the classes for images v [N, E]: a softmax over ⟨v, w⟩ / τ."""
    return torch.softmax(v @ weights.T / tau, dim=-1)


@dataclass(frozen=True)
class Accuracy:
    """Shares of right answers, from 0 to 1.

    top: {k: share of images whose class is among the k most probable}. chance: {k: k / C}.
    majority: the share of the most frequent class, which is what always saying it would reach.
    """

    top: dict[int, float]
    chance: dict[int, float]
    majority: float
    images: int

    def __str__(self) -> str:
        tops = ", ".join(f"top-{k} {100 * share:.1f} %" for k, share in self.top.items())
        guess = ", ".join(f"{100 * share:.1f} %" for share in self.chance.values())
        return (
            f"{tops} of {self.images:,} images "
            f"(chance {guess}; always the most frequent class: {100 * self.majority:.1f} %)"
        )


def accuracy(
    v: Tensor, weights: Tensor, classes: Sequence[int], ks: Sequence[int] = (1, 5)
) -> Accuracy:
    """How often the class of an image is among the k nearest. v [N, E], weights [C, E].

    A class that is as near as another counts as behind it: a classifier that gives all the same
    similarity is never right. Raises ValueError for no images, for other numbers of images and
    classes, and for a class that there is not.
    """
    right = torch.as_tensor(classes, device=v.device)
    C = len(weights)
    if len(right) != len(v) or not len(v):
        raise ValueError(f"There are {len(v)} images, but {len(right)} classes for them.")
    if right.min() < 0 or right.max() >= C:
        raise ValueError(f"Classes are numbered from 0 to {C - 1}; there is one outside of that.")
    S = v @ weights.T  # [N, C]
    ahead = (~(S.gather(1, right[:, None]) > S)).sum(1) - 1  # itself is among them
    return Accuracy(
        top={k: (ahead < k).float().mean().item() for k in ks if k <= C},
        chance={k: k / C for k in ks if k <= C},
        majority=right.bincount(minlength=C).max().item() / len(right),
        images=len(v),
    )
