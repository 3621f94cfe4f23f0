"""What the demos compute: one torch module, run by the kernel as it is and by pages as ONNX."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch


@dataclass(frozen=True)
class Graph:
    """A piece of mathematics with named inputs and outputs.

    Integers are int32, pictures uint8, everything else float32: the arrays that JavaScript has.
    """

    build: Callable[[], torch.nn.Module]  # forward(**inputs) gives a tuple in `outputs`' order
    inputs: dict[str, torch.Tensor]  # an example; its dynamic sizes are more than 1
    outputs: tuple[str, ...]
    precision: str  # how the file stores weights: "int8" or "fp16"
    tolerance: float  # what the export may differ from torch with the weights it stores
    weights: tuple[Path, ...] = ()  # the files they come from: the export carries their hashes
    dynamic: dict[str, dict[int, str]] = field(default_factory=dict)  # {"ids": {0: "B"}}
