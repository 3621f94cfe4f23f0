"""Pairs of a picture and a caption: bundled, generated, or one's own."""

from .emoji import Concept, EmojiPair, EmojiPairs, Style
from .folder import FolderPairs
from .pair import Mixture, Pair, Pairs, PairStream, Source
from .reading import DataError, LeftOutWarning, read_picture
from .samples import write_shards
from .shapes import ShapePair, ShapePairs
from .shards import ShardPairs

__all__ = [
    "Concept", "DataError", "EmojiPair", "EmojiPairs", "FolderPairs", "LeftOutWarning", "Mixture",
    "Pair", "PairStream", "Pairs", "ShapePair", "ShapePairs", "ShardPairs", "Source", "Style",
    "read_picture", "write_shards",
]  # fmt: skip
