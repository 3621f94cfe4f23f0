"""What is trained, and what its run leaves behind: snapshots, a log, the same for TensorBoard."""

from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn
from torch.optim import AdamW

from .distributed import barrier, broadcast_weights, is_main_process
from .errors import TrainingError
from .log import Board, Log
from .snapshot import (
    load_snapshot,
    read_state,
    require_no_run,
    require_recipe,
    save_snapshot,
)


class Task(Protocol):
    """What a loop trains. A step depends on its number and on the model, optimizer and scaler
    before it alone, so a run that was killed and resumed ends as one that was not."""

    steps: int  # of the whole run
    settings: dict[str, Any]  # plain data: a run is resumed with the same ones only
    scaler: torch.amp.GradScaler

    @property
    def model(self) -> nn.Module:
        """Whatever has to be kept."""
        ...

    @property
    def optimizer(self) -> AdamW: ...

    def records(self, start: int) -> Generator[dict[str, Any]]:
        """Do a step, from number `start` on, each time that its record is asked for. A record has
        "step" and "loss"; raises TrainingError where a number is not finite."""
        ...

    def in_short(self, record: dict[str, Any]) -> str:
        """A record in a few words, for the progress bar."""
        ...


class Run:
    """What is written down of a run, by the one process that writes."""

    def __init__(self, task: Task, folder: Path | str | None, about: dict[str, Any]):
        self.task, self.about, self.writes = task, about, is_main_process()
        self.device = next(task.model.parameters()).device
        self.folder = Path(folder) if folder is not None else None
        self.log, self.board = Log(), Board(None)
        self.saved = 0  # the step of the last snapshot

    def begin(self) -> int:
        """A new run, from step 0: its first snapshot shows whether the folder can be written to."""
        broadcast_weights(self.task.model)
        if self.folder is not None:
            require_no_run(self.folder)
        barrier(self.device)  # each has looked before one of them writes
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
        """The run in the folder as its last snapshot has it; returns the step that comes next."""
        task = self.task
        if self.folder is None:
            raise ValueError("A run is resumed from its folder: give it.")
        state = read_state(self.folder)
        require_recipe(self.folder, state, task.settings)
        load_snapshot(self.folder, task.model, task.optimizer)
        if state["scaler"]:
            task.scaler.load_state_dict(state["scaler"])
        barrier(self.device)  # each has read before one of them writes
        self.saved = state["step"]
        if self.writes:
            self.log = Log.read(self.folder, until=self.saved)
            self.board = Board(self.folder, start=self.saved)
        return self.saved

    def step(self, records: Iterator[dict[str, Any]]) -> dict[str, Any]:
        """One step, with its record written down."""
        try:
            record = next(records)
        except TrainingError as error:
            raise TrainingError(f"{error}{self.left()}") from None
        self.log.step(**record)
        self.board.add(record)
        return record

    def evaluate(self, step: int, evaluate: Callable[[Any], dict[str, Any]]) -> None:
        """Hand over the model, in evaluation mode, and write down what comes back."""
        if not self.writes:
            return
        model = self.task.model
        model.eval()
        record = {"step": step, **evaluate(model)}
        model.train()
        self.log.evaluation(**record)
        self.board.add(record)

    def save(self, step: int) -> None:
        """A snapshot of the run as it is before `step`."""
        if self.folder is not None and self.writes:
            self.log.flush()  # so that no power cut leaves it behind the snapshot
            state = {
                "step": step,
                "recipe": self.task.settings,
                "scaler": self.task.scaler.state_dict(),
                "about": self.about,
            }
            save_snapshot(self.folder, self.task.model, self.task.optimizer, state)
        self.saved = step
        barrier(self.device)  # none goes on, or ends, before this is done

    def left(self) -> str:
        """What is left of a run that cannot go on."""
        if self.folder is None:
            return ""
        return f" The snapshot of step {self.saved:,} in {self.folder} is intact."

    def stopped(self, step: int, go_on: str) -> str:
        """What is left of a run that was stopped, and how to go on with it."""
        done = f"Stopped after step {step:,} of {self.task.steps:,}"
        if self.folder is None:
            return f"{done}. The run had no folder, so what was learned is in the model alone."
        return f"{done} and saved. To go on: {go_on}"

    def close(self) -> None:
        self.board.close()
