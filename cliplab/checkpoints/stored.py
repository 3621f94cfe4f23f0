"""The tensors of one encoder in an open file → a model, once every key has been looked at."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import safe_open
from torch import nn

from ..checks import listed
from .files import CheckpointError, read_json
from .layouts import Tower, from_layout, to_layout
from .shards import Shards

Model = TypeVar("Model", bound=nn.Module)
FLOATS = {"F16": torch.float16, "BF16": torch.bfloat16, "F32": torch.float32, "F64": torch.float64}


class Stored:
    """The tensors of one encoder in an open file, and their shapes, under the names of a layout."""

    def __init__(self, file: safe_open | Shards, keys: list[str], layout: str, tower: Tower):
        self.file, self.layout, self.tower = file, layout, tower
        self.shapes = {key: tuple(file.get_slice(key).get_shape()) for key in keys}

    def fill(self, build: Callable[[], Model], dtype: torch.dtype | None) -> Model:
        """A new model with these tensors for its weights, once all of them have been compared."""
        with torch.device("meta"):
            model = build()  # names and shapes without memory
        compare(self, to_layout(model.state_dict(), self.layout, self.tower), dtype)
        tensors = {key: self.file.get_tensor(key) for key in self.shapes}
        state = from_layout(tensors, self.layout, self.tower)
        model.load_state_dict({key: t.contiguous() for key, t in state.items()}, assign=True)
        return model

    def name(self, key: str) -> str:
        """What the layout calls a parameter."""
        state = {key: torch.empty(0, 0, device="meta")}
        return next(iter(to_layout(state, self.layout, self.tower)))

    def size(self, key: str, axes: int = 2) -> tuple[int, ...]:
        """The shape of a parameter without which the encoder's size is not known."""
        name = self.name(key)
        if len(shape := self.shapes.get(name, ())) != axes:
            raise CheckpointError(
                f"Without {name}, of {axes} axes, the size of the encoder is not known; the file "
                f"has {list(shape) if name in self.shapes else 'no such key'}."
            )
        return shape


def said_of(path: Path, tower: str) -> dict:
    """What the config.json beside a file says about one of its encoders."""
    said = read_json(path.with_name("config.json"))
    said = said.get(tower, said)  # a whole CLIP has one for each tower
    return {key: value for key, value in said.items() if value is not None}


def refuse_other_mathematics(
    said: dict[str, Any], computes: dict[str, Any], shown: dict[str, Any], encoder: str
) -> None:
    """config.json must agree with the weights, and ask for no other mathematics."""
    for key, value in {**computes, **shown}.items():
        if said.get(key, value) != value:
            has = "the weights show" if key in shown else "this encoder computes with"
            raise CheckpointError(
                f"config.json says {key} = {said[key]!r} of the {encoder}, but {has} {value!r}. "
                "The answers would be wrong, so nothing was loaded."
            )


def compare(stored: Stored, expected: dict, dtype: torch.dtype | None) -> None:
    """Name everything that is wrong, in the file's own words, in one error."""
    shapes = stored.shapes
    wrong_shape = [
        f"{key} is {list(shapes[key])}, not {list(tensor.shape)}"
        for key, tensor in expected.items()
        if key in shapes and shapes[key] != tuple(tensor.shape)
    ]
    numbers = [key for key in shapes if not key.endswith("num_batches_tracked")]
    dtypes = {key: stored.file.get_slice(key).get_dtype() for key in numbers}
    wrong_dtype = [f"{key} is {kind}" for key, kind in dtypes.items() if kind not in FLOATS]
    problems = [
        f"{what} ({len(names)}): {listed(names)}"
        for what, names in (
            ("missing keys", [key for key in expected if key not in shapes]),
            ("unexpected keys", [key for key in shapes if key not in expected]),
            ("wrong shapes", wrong_shape),
            ("dtypes that are not floating point", wrong_dtype),
        )
        if names
    ]
    if not problems and dtype is None and len(set(dtypes.values())) > 1:
        problems = [f"it mixes {', '.join(sorted(set(dtypes.values())))}: choose with dtype=…"]
    if problems:
        raise CheckpointError("; ".join(problems) + ".")
