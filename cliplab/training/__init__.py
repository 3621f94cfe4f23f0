"""Training a CLIP: pairs, batches, the loop, and what was learned.

    data/           pictures with captions: emoji, shapes, a folder, tar shards
    batches.py      which pairs make up which step
    augment.py      pictures as the network sees them
    recipe.py       the numbers of a run; presets.py, runs that are known to work
    loop.py         the loop; step.py, one step of it, of which optim.py, cached.py, memory.py,
                    distributed.py, device.py and distillation.py are parts
    run.py          what is left behind: snapshot.py, the whole state of a run in one file, and
                    log.py, what happened
    evaluate.py     retrieval; zero_shot.py, classifiers made of words

From a shell: ``python -m cliplab.train --help``.
"""

from .batches import Batches
from .build import build_batches, build_clip, sources
from .data import (
    DataError,
    EmojiPairs,
    FolderPairs,
    LeftOutWarning,
    Pair,
    Pairs,
    ShapePairs,
    ShardPairs,
    write_shards,
)
from .errors import Stopped, TrainingError
from .evaluate import Retrieval, evaluate, retrieval
from .log import Log
from .loop import train
from .recipe import Recipe
from .zero_shot import Accuracy, accuracy, classify, zero_shot_weights

__all__ = [
    "Accuracy", "Batches", "DataError", "EmojiPairs", "FolderPairs", "LeftOutWarning", "Log",
    "Pair", "Pairs", "Recipe", "Retrieval", "ShapePairs", "ShardPairs", "Stopped",
    "TrainingError", "accuracy", "build_batches", "build_clip", "classify", "evaluate",
    "retrieval", "sources", "train", "write_shards", "zero_shot_weights",
]  # fmt: skip
