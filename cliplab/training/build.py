"""From the words of a command to the parts of a run: data, model, batches.

A CLIP learns words from captions alone. With 400 million captions that is enough; with 1,426 names
of emoji, "mango" would be a string that was never read. So a small model is given its words: each
that is one token begins, and stays, as a vector that GloVe made from six billion words of text, in
which mango is near papaya. Pictures are not in it. The words of the emoji that training never shows
are known in this way as well, as they are to the big CLIP; what they look like is not.
"""

import functools
import json
import re
import warnings
from importlib import resources
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..contrastive import CLIP
from ..text_encoder import Embedding
from ..tokenizer import CLIPTokenizer
from .batches import Batches, BatchSource, MixedBatches, StreamBatches
from .data import EmojiPairs, FolderPairs, Mixture, ShapePairs, ShardPairs, Source
from .data.contents import TABLES, shards_alone, way_out_of
from .data.shards import is_shard
from .recipe import Recipe

ADDRESS = re.compile(r"\w+://|pipe:")
NAMES = ("emoji", "shapes", "emoji+shapes")
SHAPES = 100_000  # scenes of an epoch
SHAPES_SHARE = 1 / 8  # of a batch, beside emoji
SMALL = ("tiny", "mini")  # how the names of small models begin
VOCABULARY = 8000  # entries at most, for models that learn their own
CONTEXT_MEAN = 0.2  # of a small model's final LayerNorm, in units of a row's standard deviation


def sources(data: str, on_bad: str = "skip", **table: str | None) -> Mixture:
    """The sources that a name or a path means: "emoji", "shapes", "emoji+shapes"; a folder of
    pictures with captions, or its table; or tar shards such as "shards/train-{000..012}.tar", their
    folder, or several with "::" between.

    table: table, image_column and caption_column, as for FolderPairs. Raises ValueError for another
    name, and for these with data that is no folder.
    """
    if ADDRESS.match(data):
        raise ValueError(f"{data} is an address, and training reads files only: fetch it first.")
    path = Path(data).expanduser()
    if path.is_file() and path.suffix.lower() in TABLES and not table.get("table"):
        path, table = path.parent, {**table, "table": path.name}
    is_folder = path.is_dir() and data not in NAMES
    if is_folder and not (shards := shards_alone(path)):
        return Mixture((FolderPairs(path, on_bad=on_bad, **table), 1))
    if given := [name for name, value in table.items() if value is not None]:
        raise ValueError(f"{' and '.join(f'{name}=…' for name in given)} goes with a folder only.")
    if data == "emoji":
        return Mixture((EmojiPairs(), 1))
    if data == "shapes":
        return Mixture((ShapePairs(SHAPES), 1))
    if data == "emoji+shapes":
        return Mixture((EmojiPairs(), 1 - SHAPES_SHARE), (ShapePairs(SHAPES), SHAPES_SHARE))
    if is_folder:
        return Mixture((ShardPairs(shards, on_bad=on_bad), 1))
    parts = [Path(part).expanduser() for part in data.split("::")]
    if all(is_shard(part) or part.is_dir() for part in parts):
        return Mixture((ShardPairs(data, on_bad=on_bad), 1))
    raise ValueError(
        f"There are no pairs {data!r}: give emoji, shapes or emoji+shapes, a folder of pictures "
        f"with captions, or .tar shards. {way_out_of(path)}".rstrip()
    )


def build_clip(
    preset: str, data: Source | Mixture, *, seed: int = 0, sigmoid: bool = False
) -> CLIP:
    """A fresh CLIP of a preset. The real sizes take CLIP's own vocabulary. The small ones learn one
    from the captions and the words of `word_vectors`, and are given these words; and their contexts
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
    nn.init.constant_(clip.text_model.final_layer_norm.bias, CONTEXT_MEAN)
    return clip


@functools.cache
def word_vectors() -> dict[str, Tensor]:
    """Word → unit vector [100], for the words that name and describe emoji and scenes.

    Source: GloVe (Pennington et al. 2014), see cliplab/assets/words/README.md.
    """
    from safetensors.torch import load_file

    folder = resources.files("cliplab") / "assets" / "words"
    words = json.loads((folder / "words.json").read_text(encoding="utf-8"))
    with resources.as_file(folder / "vectors.safetensors") as path:
        vectors = F.normalize(load_file(path)["vectors"].float(), dim=-1)
    return dict(zip(words, vectors, strict=True))


@torch.no_grad()
def give_words(embedding: Embedding, tokenizer: CLIPTokenizer) -> int:
    """Make a token table of what is known of words, and keep training from changing it.

    Rows of tokens that are a whole word become its vector, with zeros where the table is wider;
    all others, pieces of words, become random ones of the same length. A table that training could
    change would leave the words of captions elsewhere than those that no caption has.
    Returns how many words were given. Raises ValueError for a table narrower than 100.
    """
    vectors = word_vectors()
    given = {
        row: vectors[symbol.removesuffix("</w>")]
        for symbol, row in tokenizer.vocabulary.items()
        if symbol.endswith("</w>") and symbol.removesuffix("</w>") in vectors
    }
    table = embedding.weight  # [V, D]
    dimensions = len(next(iter(vectors.values())))
    if table.shape[1] < dimensions:
        raise ValueError(
            f"Word vectors have {dimensions} numbers, but the encoder's width is {table.shape[1]}."
        )
    table.copy_(F.normalize(torch.randn(table.shape), dim=-1))
    for row, vector in given.items():
        table[row] = F.pad(vector, (0, table.shape[1] - dimensions))
    table.requires_grad_(False)
    return len(given)


def build_batches(
    data: Mixture, recipe: Recipe, image_size: int, rank: int = 0, world: int = 1
) -> BatchSource:
    """The batches of a recipe, each mixed from the sources as `data` says."""
    parts: list[Batches | StreamBatches] = []
    for source, size in zip(data.sources, data.sizes(recipe.batch_size), strict=True):
        if source.streamed:
            stream = source.part(recipe.seed, rank, world)
            parts.append(StreamBatches(stream, size, image_size, recipe.resize_mode))
        else:
            views = recipe.views if source.views else 1
            how: dict[str, Any] = {"seed": recipe.seed, "rank": rank, "world": world}
            how |= {"views": views, "resize_mode": recipe.resize_mode}
            parts.append(Batches(source, size, image_size, **how))
    return parts[0] if len(parts) == 1 else MixedBatches(*parts)
