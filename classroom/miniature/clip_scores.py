"""What the miniature CLIP is judged by: styles, concepts and combinations that it has not seen."""

from typing import Any

from cliplab.contrastive import CLIP
from cliplab.training import (
    EmojiPairs,
    Retrieval,
    ShapePairs,
    accuracy,
    evaluate,
    zero_shot_weights,
)
from cliplab.training.data.scenes import HELD_OUT, PALETTE, SHAPES


def scores(clip: CLIP, scenes: int = 500) -> dict[str, Any]:
    """Everything that the model card states, as shares from 0 to 1, with chance beside it.

    style, concept: retrieval among the emoji of an unseen style, and of unseen concepts in it.
    group, subgroup: zero-shot classification of the unseen style's pictures into Unicode's
        categories, each class described by the names of its training concepts.
    seen, held_out: pictures of one shape, among all 48 combinations of color and shape, for
        combinations that training drew and for the eight that it never drew.
    """
    splits = ("style", "concept")
    found = {split: as_shares(evaluate(clip, EmojiPairs(split))) for split in splits}
    found |= {field: category(clip, field) for field in ("group", "subgroup")}
    return found | {
        name: combinations(clip, ShapePairs(scenes, seed=1, split=split, objects=1))
        for name, split in (("seen", "train"), ("held_out", "held_out"))
    }


def as_shares(found: Retrieval) -> dict[str, Any]:
    return {
        "candidates": found.candidates,
        "text_to_image": named(found.text_to_image),
        "image_to_text": named(found.image_to_text),
        "chance": named(found.chance),
    }


def named(shares: dict[int, float]) -> dict[str, float]:
    return {f"R@{k}": round(share, 4) for k, share in shares.items()}


def category(clip: CLIP, field: str) -> dict[str, Any]:
    """Zero-shot accuracy on a field of the concepts, "group" or "subgroup"."""
    pairs = EmojiPairs("style")
    names: dict[str, list[str]] = {}
    for pair in pairs:
        names.setdefault(getattr(pair.concept, field), []).append(pair.caption)
    classes = list(names)
    v = clip.encode_image([pair.image for pair in pairs])
    right = [classes.index(getattr(pair.concept, field)) for pair in pairs]
    found = accuracy(v, zero_shot_weights(clip, list(names.values())), right, ks=(1,))
    return {
        "classes": len(classes),
        "top-1": round(found.top[1], 4),
        "majority": round(found.majority, 4),
    }


def combinations(clip: CLIP, pairs: ShapePairs) -> dict[str, Any]:
    """Shares of single shapes whose color, shape, and both, are named right among all 48."""
    labels = [(color, shape) for color in PALETTE for shape in SHAPES]
    weights = zero_shot_weights(clip, [f"a {color} {shape}" for color, shape in labels])
    v = clip.encode_image([pair.image for pair in pairs])
    guesses = [labels[i] for i in (v @ weights.T).argmax(1).tolist()]
    things = [pair.scene.things[0] for pair in pairs]
    right = [(c == t.color, s == t.shape) for (c, s), t in zip(guesses, things, strict=True)]
    return {
        "pictures": len(pairs),
        "color": round(sum(c for c, _ in right) / len(right), 4),
        "shape": round(sum(s for _, s in right) / len(right), 4),
        "both": round(sum(c and s for c, s in right) / len(right), 4),
        "chance": {"color": 1 / len(PALETTE), "shape": 1 / len(SHAPES), "both": 1 / len(labels)},
        "combinations": len(HELD_OUT) if pairs.split == "held_out" else len(labels) - len(HELD_OUT),
    }
