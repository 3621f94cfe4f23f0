"""From the words of a command to the parts of a run: data, model, batches."""

import warnings
from pathlib import Path

import torch

from ..contrastive import CLIP
from ..tokenizer import CLIPTokenizer
from .batches import Batches, MixedBatches, StreamBatches
from .data import EmojiPairs, FolderPairs, Mixture, ShapePairs, ShardPairs, Source
from .recipe import Recipe
from .words import give_words, word_vectors

SHAPES = 100_000  # scenes of an epoch
SHAPES_SHARE = 1 / 8  # of a batch, beside emoji
SMALL = ("tiny", "mini")  # how the names of small models begin
VOCABULARY = 8000  # entries at most, for models that learn their own
CONTEXT_MEAN = 0.2  # of a small model's final LayerNorm, in units of a row's standard deviation


def sources(data: str, on_bad: str = "skip") -> Mixture:
    """The sources that a name or a path means: "emoji", "shapes", "emoji+shapes", a folder of
    pictures with a table of captions, or tar shards such as "shards/train-{000..012}.tar"."""
    if data == "emoji":
        return Mixture((EmojiPairs(), 1))
    if data == "shapes":
        return Mixture((ShapePairs(SHAPES), 1))
    if data == "emoji+shapes":
        return Mixture((EmojiPairs(), 1 - SHAPES_SHARE), (ShapePairs(SHAPES), SHAPES_SHARE))
    if data.endswith(".tar"):
        return Mixture((ShardPairs(data, on_bad=on_bad), 1))
    if Path(data).is_dir():
        return Mixture((FolderPairs(data, on_bad=on_bad), 1))
    raise ValueError(
        f"There are no pairs {data!r}: give emoji, shapes or emoji+shapes, a folder of pictures "
        "with a table of captions, or .tar shards."
    )


def build_clip(
    preset: str, data: Source | Mixture, *, seed: int = 0, sigmoid: bool = False
) -> CLIP:
    """A fresh CLIP of a preset. The real sizes take CLIP's own vocabulary. The small ones learn one
    from the captions and the words of `words.py`, and are given these words; and their contexts
    begin with a mean that is clearly not 0, as the mean of Stable Diffusion 1.5's is said to be, so
    that restoring it (A1111) has a meaning.
    """
    torch.manual_seed(seed)
    if not preset.startswith(SMALL):
        return CLIP.from_preset(preset, sigmoid=sigmoid)
    with warnings.catch_warnings(action="ignore"):  # fewer entries: every word is one of them
        tokenizer = CLIPTokenizer.train([*data.captions(), *word_vectors()], vocab_size=VOCABULARY)
    clip = CLIP.from_preset(preset, tokenizer, sigmoid=sigmoid)
    give_words(clip.text_model.embeddings.token_embedding, tokenizer)
    torch.nn.init.constant_(clip.text_model.final_layer_norm.bias, CONTEXT_MEAN)
    return clip


def warm_start(clip: CLIP, trained: CLIP, name: str) -> None:
    """Give a fresh CLIP the weights of a trained one. Raises ValueError where the two differ."""
    differ = [
        what
        for what, of in (
            ("text encoder", lambda c: c.text_model.config),
            ("image encoder", lambda c: c.image_model.config),
            ("vocabulary", lambda c: c.tokenizer and c.tokenizer.vocabulary),
            ("kind of loss", lambda c: c.bias is None),
        )
        if of(clip) != of(trained)
    ]
    if differ:
        raise ValueError(
            f"The run cannot begin with the weights of {name}, which has another "
            f"{' and another '.join(differ)}: give the --model, --data and --loss of its run."
        )
    clip.load_state_dict(trained.state_dict())


def build_batches(
    data: Mixture, recipe: Recipe, image_size: int, rank: int = 0, world: int = 1
) -> Batches | StreamBatches | MixedBatches:
    """The batches of a recipe, each mixed from the sources as `data` says."""
    parts: list[Batches | StreamBatches] = []
    for source, size in zip(data.sources, data.sizes(recipe.batch_size), strict=True):
        if source.streamed:
            stream = source.part(recipe.seed, rank, world)
            parts.append(StreamBatches(stream, size, image_size))
        else:
            views = recipe.views if source.views else 1
            how = {"views": views, "seed": recipe.seed, "rank": rank, "world": world}
            parts.append(Batches(source, size, image_size, **how))
    return parts[0] if len(parts) == 1 else MixedBatches(*parts)
