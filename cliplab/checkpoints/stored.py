"""The tensors of one encoder in an open file → a model, once every key has been looked at."""

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import nn

from .files import CheckpointError
from .layouts import Tower, from_layout, to_layout, twin
from .weights import Weights, in_words, wrong_numbers

Model = TypeVar("Model", bound=nn.Module)


class Stored:
    """The tensors of one encoder, and their shapes, under the names of a layout.

    A projection is x · P in OpenAI's layout, P [D, E], and a linear map with a `.weight` [E, D] in
    Hugging Face's. Some files name one as the other does; then it is turned.
    """

    def __init__(self, weights: Weights, keys: list[str], layout: str, tower: Tower):
        self.weights, self.layout, self.tower = weights, layout, tower
        self.shapes = {key: weights.shape(key) for key in keys}
        self.turned: dict[str, str] = {}
        own, other = twin(layout, tower)
        if other in self.shapes and own not in self.shapes:
            self.turned[own] = other
            self.shapes[own] = self.shapes.pop(other)[::-1]

    def dtype(self, key: str) -> str:
        return self.weights.dtype(self.turned.get(key, key))

    def tensor(self, key: str) -> torch.Tensor:
        if key in self.turned:
            return self.weights.tensor(self.turned[key]).T
        return self.weights.tensor(key)

    def fill(self, build: Callable[[], Model], dtype: torch.dtype | None) -> Model:
        """A new model with these tensors for its weights, once all of them have been compared."""
        with torch.device("meta"):
            model = build()  # names and shapes without memory
        compare(self, to_layout(model.state_dict(), self.layout, self.tower), dtype)
        tensors = {key: self.tensor(key) for key in self.shapes}
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


def compare(stored: Stored, expected: dict, dtype: torch.dtype | None) -> None:
    """Name everything that is wrong, in the file's own words, in one error."""
    shapes = stored.shapes
    wrong_shape = [
        f"{key} is {list(shapes[key])}, not {list(tensor.shape)}"
        for key, tensor in expected.items()
        if key in shapes and shapes[key] != tuple(tensor.shape)
    ]
    numbers = [key for key in shapes if not key.endswith("num_batches_tracked")]
    dtypes = {key: stored.dtype(key) for key in numbers}
    weights_differ = {
        "missing keys": [key for key in expected if key not in shapes],
        "unexpected keys": [key for key in shapes if key not in expected],
        "wrong shapes": wrong_shape,
    }
    problems = in_words(weights_differ | wrong_numbers(dtypes))
    if not problems and dtype is None and len(set(dtypes.values())) > 1:
        problems = [f"it mixes {', '.join(sorted(set(dtypes.values())))}: choose with dtype=…"]
    if problems:
        raise CheckpointError("; ".join(problems) + ".")
