"""What is trained, and what its run leaves behind: snapshots, a log, the same for TensorBoard."""

import json
import os
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TextIO

import torch
from torch import nn
from torch.optim import AdamW

from .distributed import barrier, broadcast_weights, is_main_process
from .errors import TrainingError
from .snapshot import load_snapshot, read_state, require_no_run, require_recipe, save_snapshot

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

LOG = "log.jsonl"


class Task(Protocol):
    """What a loop trains. A step depends on its number and on the model, optimizer and scaler
    before it alone, so a run that was killed and resumed ends as one that was not."""

    steps: int  # of the whole run
    settings: dict[str, Any]  # plain data: a run is resumed with the same ones only
    scaler: torch.amp.GradScaler

    @property
    def model(self) -> nn.Module:
        """Whatever has to be kept."""

    @property
    def optimizer(self) -> AdamW: ...

    def records(self, start: int) -> Generator[dict[str, Any]]:
        """Do a step, from number `start` on, each time that its record is asked for. A record has
        "step" and "loss"; raises TrainingError where a number is not finite."""

    def in_short(self, record: dict[str, Any]) -> str:
        """A record in a few words, for the progress bar."""


@dataclass
class Log:
    """A run's records, in memory and, given a folder, in folder/log.jsonl as they happen.

    steps        {"step", "loss", "lr", "temperature", "r@1", "grad_norm", "pairs_per_second"};
                 "grad_norm" is the gradient's length before it was cut, None where fp16 could not
                 hold it
    evaluations  {"step", name: value, …}; each may hold "similarities", a small matrix.
    `log["loss"]` is one column of the steps. `cliplab.plots.training_curves(log)` draws them.
    """

    folder: Path | None = None
    steps: list[dict[str, Any]] = field(default_factory=list)
    evaluations: list[dict[str, Any]] = field(default_factory=list)
    board: "SummaryWriter | None" = None  # the same numbers for TensorBoard, where it is installed

    def __getitem__(self, column: str) -> list[Any]:
        return [record[column] for record in self.steps]

    def __repr__(self) -> str:
        return f"Log of {len(self.steps):,} steps and {len(self.evaluations)} evaluations"

    def add(self, kind: str, record: dict[str, Any]) -> None:
        """Take in a record of a "step" or of an "evaluation"."""
        (self.steps if kind == "step" else self.evaluations).append(record)
        line = json.dumps({"kind": kind, **record}) + "\n"
        self._on_file(lambda file: file.write(line))
        self._on_board(record)

    def _on_board(self, record: dict[str, Any]) -> None:
        if self.board is not None:
            for name, value in record.items():
                if isinstance(value, (int, float)) and name != "step":
                    self.board.add_scalar(name, value, record["step"], walltime=time.time())

    def flush(self) -> None:
        """Have the disk itself hold what was written, not only the system's memory."""
        self._on_file(lambda file: os.fsync(file.fileno()))

    def _on_file(self, act: Callable[[TextIO], object]) -> None:
        if self.folder is None:
            return
        path = self.folder / LOG
        try:
            with path.open("a", encoding="utf-8") as file:
                act(file)
        except OSError as error:
            raise TrainingError(
                f"The log could not be written to {path}: {error}. The last snapshot is intact."
            ) from None

    @classmethod
    def read(cls, folder: Path | str, until: int | None = None) -> "Log":
        """The log of a run. until: only what happened before that step; what a killed run wrote
        after its last snapshot is cut off the file, since it will happen again."""
        folder = Path(folder)
        path = folder / LOG
        log, kept = cls(folder), []
        text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
        for line in text.splitlines():
            try:
                record = json.loads(line)
            except ValueError:
                break  # the line that was being written when the run was killed
            if until is not None and record["step"] >= until + (record["kind"] == "evaluation"):
                continue
            kept.append(line)
            records = log.steps if record.pop("kind") == "step" else log.evaluations
            records.append(record)
        if until is not None:
            part = path.with_name(f".{LOG}.part")
            part.write_text("".join(line + "\n" for line in kept), encoding="utf-8")
            part.replace(path)
            log.board = tensorboard(folder, start=until)
            for record in log.evaluations:  # that of step `until` was before it, and is purged too
                if record["step"] == until:
                    log._on_board(record)
        return log

    def close(self) -> None:
        if self.board is not None:
            self.board.close()


def tensorboard(folder: Path, start: int) -> "SummaryWriter | None":
    """TensorBoard's writer; what it holds from step `start` on will happen again."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(folder / "tensorboard", purge_step=start)


class Run:
    """What is written down of a run, by the one process that writes."""

    def __init__(self, task: Task, folder: Path | str | None, about: dict[str, Any]):
        self.task, self.about, self.writes = task, about, is_main_process()
        self.device = next(task.model.parameters()).device
        self.folder = Path(folder) if folder is not None else None
        self.log = Log()
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
                self.log = Log.read(self.folder, until=0)  # emptied, if one is left there
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
        return self.saved

    def step(self, records: Iterator[dict[str, Any]]) -> dict[str, Any]:
        """One step, with its record written down."""
        try:
            record = next(records)
        except TrainingError as error:
            raise TrainingError(f"{error}{self.left()}") from None
        self.log.add("step", record)
        return record

    def evaluate(self, step: int, evaluate: Callable[[Any], dict[str, Any]]) -> None:
        """Hand over the model, in evaluation mode, and write down what comes back."""
        if not self.writes:
            return
        model = self.task.model
        model.eval()
        record = {"step": step, **evaluate(model)}
        model.train()
        self.log.add("evaluation", record)

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
