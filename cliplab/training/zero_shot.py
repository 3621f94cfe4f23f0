"""A classifier made of words: nothing is trained (erratum E49)."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .evaluate import Encoder

TEMPLATES = ("{}", "an emoji of a {}", "a picture of a {}", "a small drawing of a {}")


def zero_shot_weights(
    clip: Encoder, labels: Sequence[str | Sequence[str]], templates: Sequence[str] = ("{}",)
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
