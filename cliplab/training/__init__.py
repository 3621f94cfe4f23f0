"""Training a CLIP: pairs, batches, the loop, and what was learned.

A step of training is read in six files, in this order:

    loop.py         the loop: steps, evaluations, snapshots, Ctrl-C
    batches.py      which pairs make up which step
    augment.py      pictures as the network sees them
    step.py         one step: loss, gradient, AdamW, learning rate
    grad_cache.py   big batches in little memory: GradCache, gradient checkpointing, bucketing
    distributed.py  where to compute; one batch on many processes

Around it:

    data/           pictures with captions: emoji, shapes, a folder, tar shards
    recipe.py       the numbers of a run, and runs that are known to work
    build.py        the parts of a run from their names; what words mean beforehand
    distillation.py learning from other CLIPs beside the captions
    run.py          what is left behind: the log of what happened, and, in snapshot.py, the whole
                    state of a run in one file
    evaluate.py     retrieval, and classifiers made of words

From a shell: ``python -m cliplab.train --help``.
"""

from .batches import Batches
from .build import build_batches, build_clip, sources
from .data import (
    DataError,
    EmojiPairs,
    FolderPairs,
    LeftOutWarning,
    Mixture,
    Pair,
    Pairs,
    PairStream,
    ShapePairs,
    ShardPairs,
    Source,
    read_picture,
    write_shards,
)
from .errors import Stopped, TrainingError
from .evaluate import (
    Accuracy,
    Retrieval,
    accuracy,
    classify,
    evaluate,
    retrieval,
    zero_shot_weights,
)
from .loop import fit, train
from .recipe import PRESETS, Recipe
from .run import Log, Task

__all__ = [
    "PRESETS", "Accuracy", "Batches", "DataError", "EmojiPairs", "FolderPairs", "LeftOutWarning",
    "Log", "Mixture", "Pair", "PairStream", "Pairs", "Recipe", "Retrieval", "ShapePairs",
    "ShardPairs", "Source", "Stopped", "Task", "TrainingError", "accuracy", "build_batches",
    "build_clip", "classify", "evaluate", "fit", "read_picture", "retrieval", "sources", "train",
    "write_shards", "zero_shot_weights",
]  # fmt: skip
