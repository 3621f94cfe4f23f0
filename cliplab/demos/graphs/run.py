"""A graph in the kernel: arrays in, arrays out, computed in torch."""

import functools

import numpy as np
import torch

from ..register import all_graphs
from .graph import Graph


@functools.cache
def module(name: str) -> torch.nn.Module:
    """The torch module of a graph, built once and kept, in evaluation mode."""
    return all_graphs()[name].build().eval()


def run(name: str, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Compute a graph in torch: arrays by the names of its inputs → arrays by those of its outputs.

    Raises ValueError for an unknown graph, for inputs that are missing, too many, or of another
    dtype or shape than the graph's, and for what its mathematics refuses, such as an unknown id.
    """
    graphs = all_graphs()
    if name not in graphs:
        raise ValueError(f"There is no graph {name!r}; there are {', '.join(graphs)}.")
    graph = graphs[name]
    check(name, graph, inputs)
    tensors = {key: torch.tensor(array) for key, array in inputs.items()}
    compute = module(name)  # built outside of inference mode, since an export may follow
    try:
        with torch.inference_mode():
            outputs = compute(**tensors)
    except IndexError as error:
        raise ValueError(str(error)) from None
    return {key: out.numpy() for key, out in zip(graph.outputs, outputs, strict=True)}


def check(name: str, graph: Graph, inputs: dict[str, np.ndarray]) -> None:
    """Refuse, in a sentence, what does not fit a graph's inputs."""
    if set(inputs) != set(graph.inputs):
        wants, got = ", ".join(graph.inputs), ", ".join(inputs) or "nothing"
        raise ValueError(f"The graph {name!r} takes {wants}; it was given {got}.")
    sizes: dict[str, int] = {}
    for key, example in graph.inputs.items():
        array, dynamic = inputs[key], graph.dynamic.get(key, {})
        dtype = str(example.dtype).removeprefix("torch.")
        axes = [dynamic.get(axis, size) for axis, size in enumerate(example.shape)]
        fits = len(array.shape) == len(axes) and all(
            size >= 1 and size == (sizes.setdefault(axis, size) if isinstance(axis, str) else axis)
            for axis, size in zip(axes, array.shape, strict=True)
        )
        if not fits or array.dtype != dtype:
            shape = ", ".join(map(str, axes))
            known = ", ".join(f"{axis} = {size}" for axis, size in sizes.items())
            raise ValueError(
                f"The input {key!r} of the graph {name!r} is {dtype} [{shape}]"
                f"{f' (here {known})' if known and not fits else ''}; "
                f"it was given {array.dtype} {list(array.shape)}."
            )
