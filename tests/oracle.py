"""open_clip itself, where somebody has put it into a folder of its own.

    pip install --target SITE --no-deps torchvision==0.28.0 timm==1.0.31 open-clip-torch==3.3.0
    OPEN_CLIP_SITE=SITE pytest tests/test_contrastive.py tests/test_clip_checkpoints.py

The torchvision that it needs, from PyPI, breaks transformers beside a CPU torch. So the folder is
put on the path only when a test asks, and torchvision's two operators are declared before.
"""

import functools
import os
import sys

import pytest


@functools.cache
def declared():
    import torch
    import transformers.models.clip.modeling_clip  # before a torchvision can be found  # noqa: F401

    library = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    sys.path.append(os.environ["OPEN_CLIP_SITE"])
    return library  # the declaration lasts as long as this does


def open_clip_or_skip():
    if "OPEN_CLIP_SITE" not in os.environ:
        pytest.skip("open_clip is not at hand: OPEN_CLIP_SITE names no folder (tests/oracle.py)")
    declared()
    import open_clip

    return open_clip
