"""The training loop: a task's steps, and, for a CLIP, batches in, a trained CLIP and a log out."""

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import torch

from ..checks import whole_number
from ..contrastive import CLIP
from ..extras import need
from .batches import BatchSource
from .distributed import any_process, find_device, is_main_process, process_group
from .errors import Stopped
from .grad_cache import disable_gradient_checkpointing
from .recipe import Recipe
from .run import Log, Run, Task
from .step import Trainer


def train(
    clip: CLIP,
    batches: BatchSource,
    recipe: Recipe,
    folder: Path | str | None = None,
    *,
    device: str | torch.device | None = None,
    teachers: Sequence[CLIP] = (),
    **how: Any,
) -> Log:
    """Train a CLIP in place; return the log of the run.

    batches: Batches, MixedBatches or StreamBatches. folder, and how: resume, evaluate, every,
    progress, about, go_on, as for `fit`. teachers: CLIPs whose mean cosines are learned beside the
    captions, with the weight `recipe.distill` (`distillation.py`). Under torchrun, all processes
    begin with the weights of process 0, which alone evaluates and writes.

    Raises TrainingError and Stopped as `fit` does. Source: openai/CLIP's and open_clip's training;
    the rules are in `step`, `grad_cache` and `distributed`.
    """
    device = torch.device(device) if device is not None else find_device()
    with process_group(device) as (_, world):
        try:
            trainer = Trainer(clip, batches, recipe, device, world, teachers)
            here = {"go_on": f"train(…, {str(folder)!r}, resume=True)"}
            return fit(trainer, folder, **here | how)
        finally:
            disable_gradient_checkpointing(clip)
            clip.eval()


def fit(
    task: Task,
    folder: Path | str | None = None,
    *,
    resume: bool = False,
    evaluate: Callable[[Any], dict[str, Any]] | None = None,
    every: int = 200,
    progress: bool = True,
    about: dict[str, Any] | None = None,
    go_on: str = "resume=True",
) -> Log:
    """Run a task's steps and keep them in a folder; return the log.

    folder: where snapshots and the log go, None for neither. resume: go on with the run in
    `folder`. evaluate: called every `every` steps and at the end, with the model in evaluation
    mode; what it returns goes into the log. A snapshot is written at the start and as often.
    about: plain data that is kept in the snapshots beside the task's settings. go_on: what a
    person who stopped the run types to go on with it.

    Raises TrainingError, with the last snapshot intact, for a loss that is not finite, a disk that
    is full, or a folder that holds a run already; Stopped after Ctrl-C, when the run has been
    saved.
    """
    whole_number("every, the steps between snapshots,", every, 1)
    tqdm = need("tqdm.auto", "training").tqdm
    with stop_signals() as stopping:
        run = Run(task, folder, about or {})
        try:
            start = run.resume() if resume else run.begin()
            shown = {"disable": not (progress and is_main_process()), "dynamic_ncols": True}
            bar = tqdm(total=task.steps, initial=start, unit="step", **shown)
            with closing(task.records(start)) as records, bar:
                for step in range(start, task.steps):
                    record = run.step(records)
                    bar.set_postfix_str(task.in_short(record), refresh=False)
                    bar.update(1)
                    last = step + 1 == task.steps
                    due = last or (step + 1) % every == 0
                    if due and evaluate is not None:
                        run.evaluate(step + 1, evaluate)
                    stop = any_process(stopping.is_set(), run.device) and not last
                    if due or stop:
                        run.save(step + 1)
                    if stop:
                        raise Stopped(run.stopped(step + 1, go_on))
        finally:
            run.log.close()
    return run.log


@contextmanager
def stop_signals() -> Iterator[threading.Event]:
    """Within it Ctrl-C and SIGTERM only set an event, so that no step is torn in half."""
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event  # only the main thread can take signals
        return
    signals = (signal.SIGINT, signal.SIGTERM)
    before = {sig: signal.signal(sig, lambda *_: event.set()) for sig in signals}
    try:
        yield event
    finally:
        for sig, handler in before.items():
            signal.signal(sig, handler)
