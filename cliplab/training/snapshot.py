"""The whole state of a run in one file that is either the old one or the new one, never a half."""

import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from ..checks import listed
from .errors import TrainingError

FILE = "snapshot.safetensors"
STATE = {"step", "recipe", "scaler", "about"}
MOMENTS = ("step", "exp_avg", "exp_avg_sq")  # what AdamW remembers of a parameter


def save_snapshot(folder: Path, model: nn.Module, optimizer: Optimizer, state: dict) -> None:
    """Write weights, buffers, AdamW's two means and `state` (plain data) to folder/FILE.

    The file is written beside the old one, flushed to the disk, and renamed over it. Raises
    TrainingError when the disk is full or cannot be written; the old file is then still there.
    """
    tensors = {f"model.{key}": t.detach().cpu() for key, t in model.state_dict().items()}
    names: dict[Tensor, str] = {p: name for name, p in model.named_parameters()}
    for parameter, kept in optimizer.state.items():
        for key in MOMENTS:
            tensors[f"optimizer.{key}.{names[parameter]}"] = kept[key].detach().cpu()
    tensors = {key: t.contiguous() for key, t in tensors.items()}
    path, part = folder / FILE, folder / f".{FILE}.part"
    try:
        save_file(tensors, part, metadata={"state": json.dumps(state)})
        flush(part)
        os.replace(part, path)
        if os.name == "posix":
            flush(folder)  # the new name, too
    except (OSError, SafetensorError) as error:
        part.unlink(missing_ok=True)
        left = " The snapshot before it is intact." if path.exists() else ""
        raise TrainingError(f"{path} could not be written: {error}.{left}") from None


def flush(path: Path) -> None:
    """Have the disk itself hold a file, or a folder's names."""
    number = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def require_no_run(folder: Path) -> None:
    if (folder / FILE).exists():
        step = read_state(folder)["step"]
        raise TrainingError(
            f"{folder} holds a run, at step {step:,}. Go on with it (resume), or choose another "
            "folder."
        )


def read_state(folder: Path) -> dict[str, Any]:
    """The plain data of a run's last snapshot."""
    path = folder / FILE
    if not path.is_file():
        raise TrainingError(f"There is no run to go on with in {folder}: it has no {FILE}.")
    try:
        with safe_open(path, framework="pt") as file:
            state = json.loads(file.metadata()["state"])
        if missing := STATE - state.keys():
            raise ValueError(f"it does not say {', '.join(sorted(missing))}")
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise TrainingError(f"{path} is damaged, or not a snapshot of a run: {error}.") from None
    return state


def require_recipe(folder: Path, state: dict[str, Any], recipe: dict[str, Any]) -> None:
    """Refuse to go on with a run by other numbers than its own, and say which."""
    there = state["recipe"]
    differ = [key for key in {**there, **recipe} if there.get(key) != recipe.get(key)]
    if differ:
        which = [f"{k} is {there.get(k)!r} there and {recipe.get(k)!r} here" for k in differ]
        raise TrainingError(f"The run in {folder} has another recipe: {'; '.join(which)}.")


@torch.no_grad()
def load_snapshot(folder: Path, model: nn.Module, optimizer: Optimizer) -> None:
    """Put a run's weights and optimizer back as they were, to the last bit.

    Raises TrainingError, before anything is changed, for a file of another model.
    """
    with safe_open(folder / FILE, framework="pt") as file:
        there = {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}  # noqa: SIM118
        expected = {f"model.{key}": tuple(t.shape) for key, t in model.state_dict().items()}
        found = {key: shape for key, shape in there.items() if key.startswith("model.")}
        if found != expected:
            differ = sorted(k for k in found | expected if found.get(k) != expected.get(k))
            raise TrainingError(
                f"{folder / FILE} is of another model: the two differ in {listed(differ, 4)}."
            )
        model.load_state_dict(
            {key.removeprefix("model."): file.get_tensor(key) for key in expected}
        )
        for name, parameter in model.named_parameters():
            if f"optimizer.step.{name}" not in there:
                continue  # it has had no gradient yet
            count, *means = (file.get_tensor(f"optimizer.{key}.{name}") for key in MOMENTS)
            # The fused kernel walks through memory, so the means must lie as the weights do.
            means = [torch.empty_like(parameter).copy_(mean) for mean in means]
            kept = (count.to(parameter.device), *means)
            optimizer.state[parameter] = dict(zip(MOMENTS, kept, strict=True))
