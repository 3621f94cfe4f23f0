"""What a run is: every number that decides how it ends; and runs that are known to work."""

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

from ..checks import one_of, whole_number
from ..image_encoder import ResizeMode

Precision = Literal["fp32", "bf16", "fp16"]
Loss = Literal["softmax", "sigmoid"]


@dataclass(frozen=True)
class Recipe:
    """The numbers of a run. Two runs of one recipe end bit for bit alike on one machine's CPU, with
    one number of threads.

    batch_size: N, pairs per step over all processes. views: pairs of one thing in a batch, where
        the data knows that (emoji: one concept in several styles). micro_batch: pairs encoded at a
        time, None for all; smaller needs less memory and costs a second forward pass (GradCache).
    lr: highest learning rate. warmup: steps on the way up to it. max_grad_norm: longest gradient.
    precision: "fp32", or autocast to "bf16" or "fp16". gradient_checkpointing: less memory still,
        for another forward pass (both in `training/grad_cache.py`).
    resize_mode: how a picture of another shape becomes a square: "longest" fits the whole of it in,
        "shortest" crops its middle, "squash" stretches it. The trained model remembers it.
    augment: how much pictures are varied, from 0, not at all, to 1 (`training/augment.py`). More of
        it lets a run gain for longer, and begin more slowly.
    loss: "softmax" (eq. 64) or "sigmoid" (SigLIP). distill: beside that loss, the weight of the
        squared distance from the teachers' cosines (`training/distillation.py`); 0 without them.
    Raises ValueError for what cannot be.
    """

    steps: int
    batch_size: int = 256
    views: int = 1
    micro_batch: int | None = None
    lr: float = 2e-3
    warmup: int = 50
    weight_decay: float = 0.1
    max_grad_norm: float = 1.0
    precision: Precision = "fp32"
    gradient_checkpointing: bool = False
    resize_mode: ResizeMode = "longest"
    augment: float = 1.0
    loss: Loss = "softmax"
    distill: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        counts = {"steps": 1, "batch_size": 1, "views": 1, "warmup": 0, "seed": 0}
        for name, least in counts.items():
            object.__setattr__(self, name, whole_number(name, getattr(self, name), least))
        if self.batch_size < 2:
            raise ValueError(
                "A batch of one pair has nothing to compare: a caption learns which of several "
                "pictures is its own. Give a batch_size of at least 2; the larger, the better."
            )
        if self.micro_batch is not None:
            whole_number("micro_batch, if not None for all,", self.micro_batch, 1)
        for what, value, may_be_0 in (
            ("learning rate", self.lr, False),
            ("longest gradient (max_grad_norm)", self.max_grad_norm, False),
            ("weight decay", self.weight_decay, True),
            ("weight of the teachers (distill)", self.distill, True),
        ):
            if not 0 <= value < math.inf or (value == 0 and not may_be_0):
                range_ = "0 or above" if may_be_0 else "above 0"
                raise ValueError(f"The {what} must be {range_}, not {value}.")
        if not 0 <= self.augment <= 1:
            raise ValueError(f"Pictures are varied (augment) by 0 to 1, not {self.augment}.")
        one_of("resize_mode", self.resize_mode, get_args(ResizeMode))
        one_of("precision", self.precision, get_args(Precision))
        one_of("loss", self.loss, get_args(Loss))


class Preset(NamedTuple):
    """A model, the data it learns from, the recipe, and what the run is for."""

    model: str
    data: str
    recipe: Recipe
    purpose: str


COFFEE = Recipe(steps=800, batch_size=384, views=2, lr=1.5e-3, warmup=50, augment=0.3)
MINI = Recipe(steps=1800, batch_size=384, views=2, lr=1.5e-3, warmup=100, augment=0.6)
TAUGHT = Recipe(steps=1600, batch_size=384, views=2, lr=1e-3, warmup=50, distill=500.0)

BOTH = "emoji+shapes"
PRESETS = {
    "coffee": Preset("tiny", "emoji", COFFEE, "a first CLIP, in the time of a coffee"),
    "mini": Preset("mini", BOTH, MINI, "the first run of the CLIP that the course ships"),
    "taught": Preset(
        "mini",
        BOTH,
        TAUGHT,
        "goes on from mini and learns from teachers as well; the CLIP that the course ships",
    ),
}
