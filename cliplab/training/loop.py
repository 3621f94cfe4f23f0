"""The training loop: batches in, a trained CLIP and a log out."""

import signal
import threading
from collections.abc import Callable, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import torch

from ..contrastive import CLIP
from .batches import ahead
from .device import find_device
from .distributed import on_any, process_group
from .errors import Stopped
from .log import Log
from .memory import keep_layers
from .recipe import Recipe
from .run import Run
from .step import Trainer


def train(
    clip: CLIP,
    batches,
    recipe: Recipe,
    folder: Path | str | None = None,
    *,
    resume: bool = False,
    device: str | torch.device | None = None,
    evaluate: Callable[[CLIP], dict] | None = None,
    every: int = 200,
    progress: bool = True,
    about: dict | None = None,
    teachers: Sequence[CLIP] = (),
) -> Log:
    """Train a CLIP in place; return the log of the run.

    batches: Batches, MixedBatches or StreamBatches. folder: where snapshots and the log go, None
    for neither. resume: go on with the run in `folder`. evaluate: called every `every` steps and at
    the end, with the model in evaluation mode; what it returns goes into the log. A snapshot is
    written at the start and as often. about: plain data that is kept in the snapshots beside the
    recipe. teachers: CLIPs whose mean cosines are learned beside the captions, with the weight
    `recipe.distill` (`distillation.py`). Under torchrun, all processes begin with the weights of
    process 0, which alone evaluates and writes.

    Raises TrainingError, with the last snapshot intact, for a loss that is not finite, a disk that
    is full, or a folder that holds a run already; Stopped after Ctrl-C, when the run has been
    saved. Source: openai/CLIP's and open_clip's training; the rules are in `step`, `optim`,
    `cached` and `distributed`.
    """
    if every < 1:
        raise ValueError(f"Snapshots are written every so many steps, at least 1; not {every}.")
    device = torch.device(device) if device is not None else find_device()
    with process_group(device) as (rank, world), stop_signals() as stopping:
        trainer = Trainer(clip, recipe, device, world, teachers)
        run = Run(trainer, folder, about or {}, writes=rank == 0)
        try:
            start = run.resume() if resume else run.begin()
            stream = ahead(batches.starting_at(start))
            with closing(stream), progress_bar(start, recipe.steps, progress and rank == 0) as bar:
                for step in range(start, recipe.steps):
                    record = run.step(step, stream)
                    bar.set_postfix_str(in_short(record), refresh=False)
                    bar.update(1)
                    last = step + 1 == recipe.steps
                    due = last or (step + 1) % every == 0
                    if due and evaluate is not None:
                        run.evaluate(step + 1, evaluate)
                    stop = on_any(stopping.is_set(), device) and not last
                    if due or stop:
                        run.save(step + 1)
                    if stop:
                        raise Stopped(run.how_on(step + 1))
        finally:
            run.close()
            keep_layers(clip)
            clip.eval()
    return run.log


@contextmanager
def stop_signals():
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


def progress_bar(start: int, steps: int, shown: bool):
    from tqdm.auto import tqdm

    return tqdm(total=steps, initial=start, disable=not shown, unit="step", dynamic_ncols=True)


def in_short(record: dict) -> str:
    return (
        f"loss {record['loss']:.3f}, R@1 {100 * record['r@1']:.0f} %, "
        f"τ {record['temperature']:.4f}, {record['pairs_per_second']:.0f} pairs/s"
    )
