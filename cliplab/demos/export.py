"""``python -m cliplab.demos.export OUT [NAMES]``: what pages run and fetch for their demos.

    OUT/graphs/NAME.onnx.gz   a graph of a demo, for onnxruntime-web
    OUT/data/NAME.gz          data of a demo
    OUT/manifest.json         what each file is, what it was made from, how far it is from torch

Every graph is run in onnxruntime and held to torch: with the weights that the file stores, all
outputs must agree to the graph's tolerance ("difference"); how far rounding them moved the outputs
is written down beside it ("rounding"). What is up to date stays as it is.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import hashlib
import importlib.util
import io
import json
import logging
import warnings
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

import cliplab

from .graphs.graph import Graph
from .register import all_data, all_graphs
from .storing import rounded, store

PACKAGE = Path(cliplab.__file__).parent
NO_MATTER = ("plots",)  # no export is made from these
OPSET, IR_VERSION = 18, 10  # onnxruntime-web 1.22 reads IR versions up to 10
TOOLS = ("onnx", "onnxscript", "onnxruntime")


class ExportError(Exception):
    """An export that cannot be made, or must not be used."""


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m cliplab.demos.export", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("out", metavar="OUT", type=Path, help="the folder to write to")
    parser.add_argument("names", metavar="NAMES", nargs="*", help="these only; without it, all")
    options = parser.parse_args(arguments)
    try:
        export(options.out, options.names or None, say=print)
    except (ExportError, OSError, ValueError) as error:
        parser.exit(2, f"{error}\n")


def export(out: Path, names: list[str] | None = None, say=lambda line: None) -> dict:
    """Write graphs and data of these names (None: all) to a folder, and give its manifest.

    `say` gets a line for each file that is made. Raises ExportError where the tools are not
    installed, or where a graph and its export disagree; ValueError for an unknown name.
    """
    graphs, data = all_graphs(), all_data()
    if unknown := sorted({*(names or ())} - {*graphs, *data}):
        raise ValueError(f"There is no {unknown[0]!r}; there are {', '.join([*graphs, *data])}.")
    path, made = out / "manifest.json", {"graphs": {}, "data": {}}
    if path.is_file():
        made |= json.loads(path.read_text(encoding="utf-8"))
    made = {"cliplab": cliplab.__version__, "graphs": made["graphs"], "data": made["data"]}
    code = fingerprint()
    for kind, known, make, suffix in (
        ("graphs", graphs, lambda name: onnx_file(name, graphs[name]), ".onnx.gz"),
        ("data", data, lambda name: (data[name](), {}), ".gz"),
    ):
        for name in sorted(known):
            file, entry = out / kind / f"{name}{suffix}", made[kind].get(name, {})
            if (names and name not in names) or is_current(file, entry, code):
                continue
            content, about = make(name)
            packed = gzip.compress(content, 9, mtime=0)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(packed)
            sizes = {"bytes": len(packed), "unpacked": len(content)}
            made[kind][name] = {"sha256": digest(packed), **sizes, **about, "made_from": code}
            path.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
            say(f"{file}: {len(packed):,} bytes")
        for name in sorted({*made[kind]} - {*known}):  # what the package no longer has
            (out / kind / f"{name}{suffix}").unlink(missing_ok=True)
            del made[kind][name]
    path.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    return made


def fingerprint() -> str:
    """One SHA-256 of all that exports are made from: code, weights, data, and the exporter."""
    total = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*")):
        inside = path.relative_to(PACKAGE)
        matters = path.suffix == ".py" or inside.parts[0] == "assets"
        if path.is_file() and matters and inside.parts[0] not in NO_MATTER:
            total.update(f"{inside.as_posix()} {digest(path.read_bytes())}\n".encode())
    for tool in ("torch", "onnx", "onnxscript"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            total.update(f"{tool} {version(tool)}\n".encode())
    return total.hexdigest()


def is_current(file: Path, entry: dict, code: str) -> bool:
    """Whether a file was made from what there is now, and is still as it was made."""
    return (
        entry.get("made_from") == code
        and file.is_file()
        and digest(file.read_bytes()) == entry["sha256"]
    )


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


# A graph --------------------------------------------------------------------------------------


def onnx_file(name: str, graph: Graph) -> tuple[bytes, dict]:
    """A graph as the bytes of an ONNX file, held to torch, and what there is to say of it."""
    if missing := [tool for tool in TOOLS if importlib.util.find_spec(tool) is None]:
        raise ExportError(
            f"Exporting needs {', '.join(missing)}, which is not installed here: "
            f"pip install {' '.join(missing)}. With the course's own versions: "
            "pip install -c constraints.txt -r requirements.txt."
        )
    from onnx import helper

    module = graph.build().eval().requires_grad_(False)
    small, steps = rounded(module, graph.precision)
    model = exported(name, graph, small)
    store(model, graph.precision, steps)
    weights = {
        path.relative_to(PACKAGE).as_posix(): digest(path.read_bytes()) for path in graph.weights
    }
    said = {"cliplab": cliplab.__version__, "graph": name, "weights": json.dumps(weights)}
    helper.set_model_props(model, said)
    content = model.SerializeToString(deterministic=True)
    difference, rounding = compare(graph, content, small, module)
    if not difference <= graph.tolerance:  # so that NaN is refused too
        raise ExportError(
            f"The export of {name!r} differs from torch by {difference:.3g}, and its tolerance is "
            f"{graph.tolerance:g}: it cannot be used."
        )
    return content, {
        "precision": graph.precision,
        "weights": weights,
        "inputs": {key: described(graph, key) for key in graph.inputs},
        "outputs": list(graph.outputs),
        "tolerance": graph.tolerance,
        "difference": difference,
        "rounding": rounding,
    }


def described(graph: Graph, key: str) -> dict:
    """An input's type and shape; letters for sizes that the caller chooses."""
    example, dynamic = graph.inputs[key], graph.dynamic.get(key, {})
    shape = [dynamic.get(axis, size) for axis, size in enumerate(example.shape)]
    return {"type": str(example.dtype).removeprefix("torch."), "shape": shape}


def exported(name: str, graph: Graph, module: nn.Module):
    """The module as an ONNX model, with nothing in it but what is computed."""
    with quiet():
        program = torch.onnx.export(
            module,
            # Copies, for inputs that are one tensor would become one input.
            kwargs={key: tensor.clone() for key, tensor in graph.inputs.items()},
            output_names=list(graph.outputs),
            # Names alone: sizes that the export may assume to be more than 1, but need not be.
            dynamic_shapes={key: graph.dynamic.get(key) for key in graph.inputs},
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    model = program.model_proto
    for value in model.graph.input:
        dims = [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]
        if dims != described(graph, value.name)["shape"]:
            raise ExportError(
                f"The export of {name!r} takes {value.name} as {dims} only, not as "
                f"{described(graph, value.name)['shape']}: something in it fixes the size."
            )
    # Where nodes come from, with paths of this machine, is of no use to a page.
    for part in (*model.graph.node, *model.graph.input, *model.graph.output):
        del part.metadata_props[:]
        part.doc_string = ""
    del model.graph.value_info[:], model.graph.metadata_props[:]
    model.ir_version = IR_VERSION
    return model


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """The exporter talks, and warns of torchvision, which nothing here needs."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


# Held to torch --------------------------------------------------------------------------------


@torch.inference_mode()
def compare(
    graph: Graph, content: bytes, small: nn.Module, module: nn.Module
) -> tuple[float, dict[str, float]]:
    """How far a file is from the module with its weights; and, by output, from the module.

    Both are the largest absolute difference: on the example, on the same numbers in another
    order, and with other sizes, 1 among them.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    largest, rounding = [], dict.fromkeys(graph.outputs, 0.0)
    for inputs in variants(graph):
        found = session.run(None, {key: tensor.numpy() for key, tensor in inputs.items()})
        for key, out, same, exact in zip(
            graph.outputs, found, small(**inputs), module(**inputs), strict=True
        ):
            largest.append(apart(key, out, same.numpy()))
            rounding[key] = max(rounding[key], apart(key, out, exact.numpy()))
    return float(np.max(largest)), rounding


def apart(key: str, a: np.ndarray, b: np.ndarray) -> float:
    """The largest absolute difference; what is equal, infinities too, is 0 apart."""
    if a.shape != b.shape or a.dtype != b.dtype:
        raise ExportError(
            f"The output {key!r} is {a.dtype} {list(a.shape)} in onnxruntime and {b.dtype} "
            f"{list(b.shape)} in torch."
        )
    with np.errstate(invalid="ignore"):
        return float(np.where(a == b, 0, np.abs(a.astype(np.float64) - b)).max(initial=0))


def variants(graph: Graph) -> Iterator[dict[str, Tensor]]:
    """The example; its numbers in another order; each switch alone; other dynamic sizes."""
    seeded = torch.Generator().manual_seed(0)

    def shuffled(tensor: Tensor) -> Tensor:
        order = torch.randperm(tensor.numel(), generator=seeded)
        return tensor.flatten()[order].view(tensor.shape)

    def sized(key: str, tensor: Tensor, size) -> Tensor:
        for axis in graph.dynamic.get(key, {}):
            n = tensor.shape[axis]
            tensor = tensor.index_select(axis, torch.arange(size(n)) % n)
        return tensor

    yield graph.inputs
    # Whole numbers stay: ids and masks mean something where they stand.
    mixed = lambda t: t if t.dtype == torch.int32 else shuffled(t)  # noqa: E731
    yield {key: mixed(tensor) for key, tensor in graph.inputs.items()}
    for key, tensor in graph.inputs.items():
        if tensor.ndim == 0 and tensor.dtype == torch.int32:
            yield from ({**graph.inputs, key: torch.full_like(tensor, on)} for on in (0, 1))
    if graph.dynamic:
        for size in (lambda n: 1, lambda n: n + 1):
            yield {key: sized(key, t, size).contiguous() for key, t in graph.inputs.items()}


if __name__ == "__main__":
    main()
