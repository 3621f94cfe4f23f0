"""From the words of a command to the parts of a run: data, model, batches."""

import warnings
from pathlib import Path

import torch

from ..contrastive import CLIP
from ..tokenizer import CLIPTokenizer
from .batches import Batches, MixedBatches, StreamBatches
from .data import EmojiPairs, FolderPairs, ShapePairs, ShardPairs
from .recipe import Recipe
from .words import give_words, word_vectors

SHAPES = 100_000  # scenes of an epoch
SHAPES_SHARE = 8  # beside emoji, one pair in so many is a scene of shapes
SMALL = ("tiny", "mini")  # how the names of small models begin
VOCABULARY = 8000  # entries at most, for models that learn their own
CONTEXT_MEAN = 0.2  # of a small model's final LayerNorm, in units of a row's standard deviation


def sources(data: str, on_bad: str = "skip") -> list:
    """The sources that a name or a path means: "emoji", "shapes", "emoji+shapes", a folder of
    pictures with a table of captions, or tar shards such as "shards/train-{000..012}.tar"."""
    known = {
        "emoji": lambda: [EmojiPairs()],
        "shapes": lambda: [ShapePairs(SHAPES)],
        "emoji+shapes": lambda: [EmojiPairs(), ShapePairs(SHAPES)],
    }
    if data in known:
        return known[data]()
    if data.endswith(".tar"):
        return [ShardPairs(data, on_bad=on_bad)]
    if Path(data).is_dir():
        return [FolderPairs(data, on_bad=on_bad)]
    raise ValueError(
        f"There are no pairs {data!r}: give emoji, shapes or emoji+shapes, a folder of pictures "
        "with a table of captions, or .tar shards."
    )


def build_clip(preset: str, data: list, *, seed: int = 0, sigmoid: bool = False) -> CLIP:
    """A fresh CLIP of a preset. The real sizes take CLIP's own vocabulary. The small ones learn one
    from the captions and the words of `words.py`, and are given these words; and their contexts
    begin with a mean that is clearly not 0, as the mean of Stable Diffusion 1.5's is said to be, so
    that restoring it (A1111) has a meaning.
    """
    torch.manual_seed(seed)
    if not preset.startswith(SMALL):
        return CLIP.from_preset(preset, sigmoid=sigmoid)
    texts = [caption for source in data for caption in source.captions()]
    with warnings.catch_warnings(action="ignore"):  # fewer entries: every word is one of them
        tokenizer = CLIPTokenizer.train([*texts, *word_vectors()], vocab_size=VOCABULARY)
    clip = CLIP.from_preset(preset, tokenizer, sigmoid=sigmoid)
    give_words(clip.text_model.embeddings.token_embedding, tokenizer)
    torch.nn.init.constant_(clip.text_model.final_layer_norm.bias, CONTEXT_MEAN)
    return clip


def begin_with(clip: CLIP, trained: CLIP, name: str) -> None:
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


def build_batches(data: list, recipe: Recipe, side: int, rank: int = 0, world: int = 1):
    """The batches of a recipe. Beside emoji, shapes fill an eighth of each batch."""
    whole = {"side": side, "seed": recipe.seed, "rank": rank, "world": world}
    if len(data) == 2:
        few = recipe.size // SHAPES_SHARE
        emoji, shapes = data
        return MixedBatches(
            Batches(emoji, recipe.size - few, views=recipe.views, **whole),
            Batches(shapes, few, **whole),
        )
    (source,) = data
    if isinstance(source, ShardPairs):
        part = ShardPairs(
            source.shards, seed=recipe.seed, rank=rank, world=world, on_bad=source.on_bad
        )
        return StreamBatches(part, recipe.size, side)
    views = recipe.views if hasattr(source, "groups") else 1
    return Batches(source, recipe.size, views=views, **whole)
