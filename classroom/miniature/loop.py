"""The loop of both halves of the miniature: steps, snapshots, a log, and Ctrl-C."""

import copy
import math
import time
from pathlib import Path

import torch
from torch import nn

from cliplab.training.errors import Stopped, TrainingError
from cliplab.training.log import Log
from cliplab.training.loop import progress_bar, stop_signals
from cliplab.training.optim import gradient_norm
from cliplab.training.snapshot import (
    load_snapshot,
    read_state,
    require_no_run,
    require_recipe,
    save_snapshot,
)


def fit(task, folder: Path, *, resume: bool = False, every: int = 200, progress: bool = True):
    """Run a task's steps and keep it in a folder; returns its log.

    task: has `steps`, `model` (all that has to be kept), `optimizer`, `about` (plain data that says
    which run it is), and `step(n)`, which moves the weights and returns a record with the loss. A
    step depends on its number and the state before alone, so a run that was killed and resumed ends
    as one that was not. Raises TrainingError and Stopped as `cliplab.training.train` does.
    """
    folder = Path(folder)
    if resume:
        state = read_state(folder)
        require_recipe(folder, state, task.about)
        load_snapshot(folder, task.model, task.optimizer)
        start, log = state["step"], Log.read(folder, until=state["step"])
    else:
        require_no_run(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            start, log = 0, Log.fresh(folder)
        except OSError as error:
            raise TrainingError(f"{folder} cannot hold a run: {error}.") from None
    with stop_signals() as stopping, progress_bar(start, task.steps, progress) as bar:
        for n in range(start, task.steps):
            began = time.process_time()
            record = task.step(n)
            if not math.isfinite(record["loss"]):
                raise TrainingError(
                    f"At step {n + 1:,} the loss is not a finite number. The last snapshot in "
                    f"{folder} is intact; lower the learning rate."
                )
            log.step(step=n, **record, core_seconds=round(time.process_time() - began, 4))
            bar.set_postfix_str(f"loss {record['loss']:.3f}", refresh=False)
            bar.update(1)
            stop = stopping.is_set() and n + 1 < task.steps
            if stop or (n + 1) % every == 0 or n + 1 == task.steps:
                log.flush()
                about = {"step": n + 1, "recipe": task.about, "scaler": {}, "about": {}}
                save_snapshot(folder, task.model, task.optimizer, about)
            if stop:
                raise Stopped(
                    f"Stopped after step {n + 1:,} of {task.steps:,} and saved. To go on: the same "
                    "command with --resume"
                )
    return log


class Averaged(nn.Module):
    """Modules in training, and beside them their moving average, which is what is kept.

    The average follows the weights closely at first: its decay at step n is (1 + n) / (10 + n), at
    most `decay`.
    """

    def __init__(self, net: nn.Module, decay: float):
        super().__init__()
        self.net, self.decay = net, decay
        self.average = copy.deepcopy(net).requires_grad_(False).eval()

    @torch.no_grad()
    def follow(self, n: int) -> None:
        share = 1 - min(self.decay, (1 + n) / (10 + n))
        pairs = zip(self.average.parameters(), self.net.parameters(), strict=True)
        for mean, now in pairs:
            mean.lerp_(now, share)


def move(task, loss, n: int, lr: float) -> float:
    """One step of AdamW along the loss's gradient, cut at length 1; the average follows."""
    for group in task.optimizer.param_groups:
        group["lr"] = lr
    task.optimizer.zero_grad()
    loss.backward()
    gradient_norm((p for p in task.model.parameters() if p.requires_grad), 1.0)
    task.optimizer.step()
    task.model.follow(n)
    return loss.item()
