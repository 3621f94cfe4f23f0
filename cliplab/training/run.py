"""What a run leaves behind: snapshots, a log, and the same numbers for TensorBoard."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from ..contrastive import CLIP
from .batches import Batch
from .distributed import share_weights, wait_for_all
from .errors import TrainingError
from .log import Board, Log
from .snapshot import (
    load_snapshot,
    read_state,
    require_no_run,
    require_recipe,
    save_snapshot,
)
from .step import Trainer


class Run:
    """What is written down of a run, by the one process that writes."""

    def __init__(self, trainer: Trainer, folder, about: dict, writes: bool):
        self.trainer, self.about, self.writes = trainer, about, writes
        self.folder = Path(folder) if folder is not None else None
        self.log, self.board = Log(), Board(None)
        self.saved: int | None = None  # the step of the last snapshot

    def begin(self) -> int:
        """A new run, from step 0: its first snapshot shows whether the folder can be written to."""
        share_weights(self.trainer.clip)
        if self.folder is not None:
            require_no_run(self.folder)
        wait_for_all(self.trainer.device)  # each has looked before one of them writes
        if self.folder is not None and self.writes:
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                self.log = Log.fresh(self.folder)
                self.board = Board(self.folder)
            except OSError as error:
                raise TrainingError(f"{self.folder} cannot hold a run: {error}.") from None
        self.save(0)
        return 0

    def resume(self) -> int:
        trainer = self.trainer
        if self.folder is None:
            raise ValueError("A run is resumed from its folder: give it.")
        state = read_state(self.folder)
        require_recipe(self.folder, state, trainer.recipe.as_dict())
        load_snapshot(self.folder, trainer.clip, trainer.optimizer)
        if state["scaler"]:
            trainer.scaler.load_state_dict(state["scaler"])
        wait_for_all(trainer.device)  # each has read before one of them writes
        self.saved = state["step"]
        if self.writes:
            self.log = Log.read(self.folder, until=state["step"])
            self.board = Board(self.folder, start=state["step"])
        return state["step"]

    def step(self, step: int, stream: Iterator[Batch]) -> dict:
        """One step, with its record written down; the wait for the batch counts as its time."""
        began = time.perf_counter()
        batch = next(stream)
        try:
            record = self.trainer.step(step, batch)
        except TrainingError as error:
            raise TrainingError(f"{error}{self.left()}") from None
        record["pairs_per_second"] = self.trainer.recipe.size / (time.perf_counter() - began)
        self.log.step(**record)
        self.board.add(record)
        return record

    def evaluate(self, step: int, evaluate: Callable[[CLIP], dict]) -> None:
        if not self.writes:
            return
        clip = self.trainer.clip
        clip.eval()
        record = {"step": step, **evaluate(clip)}
        clip.train()
        self.log.evaluation(**record)
        self.board.add(record)

    def save(self, step: int) -> None:
        if self.folder is not None and self.writes:
            self.log.flush()  # so that no power cut leaves it behind the snapshot
            state = {
                "step": step,
                "recipe": self.trainer.recipe.as_dict(),
                "scaler": self.trainer.scaler.state_dict(),
                "about": self.about,
            }
            save_snapshot(self.folder, self.trainer.clip, self.trainer.optimizer, state)
        self.saved = step
        wait_for_all(self.trainer.device)  # none goes on, or ends, before this is done

    def left(self) -> str:
        """What is left of a run that cannot go on."""
        if self.folder is None:
            return ""
        return f" The snapshot of step {self.saved:,} in {self.folder} is intact."

    def how_on(self, step: int) -> str:
        done = f"Stopped after step {step:,} of {self.trainer.recipe.steps:,}"
        if self.folder is None:
            return f"{done}. The run had no folder, so what was learned is in the model alone."
        if not self.about:
            return f"{done} and saved. To go on: train(…, {str(self.folder)!r}, resume=True)"
        return f"{done} and saved. To go on: python -m cliplab.train --resume {self.folder}"

    def close(self) -> None:
        self.board.close()
