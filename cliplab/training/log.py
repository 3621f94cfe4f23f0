"""What happened during a run: one record a step, and evaluations in between."""

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from .errors import TrainingError

FILE = "log.jsonl"


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

    def __getitem__(self, column: str) -> list[Any]:
        return [record[column] for record in self.steps]

    def __repr__(self) -> str:
        return f"Log of {len(self.steps):,} steps and {len(self.evaluations)} evaluations"

    def step(self, **record: Any) -> None:
        self.steps.append(record)
        self._write("step", record)

    def evaluation(self, **record: Any) -> None:
        self.evaluations.append(record)
        self._write("evaluation", record)

    def _write(self, kind: str, record: dict[str, Any]) -> None:
        line = json.dumps({"kind": kind, **record}) + "\n"
        self._on_file(lambda file: file.write(line))

    def flush(self) -> None:
        """Have the disk itself hold what was written, not only the system's memory."""
        self._on_file(lambda file: os.fsync(file.fileno()))

    def _on_file(self, act: Callable[[TextIO], object]) -> None:
        if self.folder is None:
            return
        path = self.folder / FILE
        try:
            with path.open("a", encoding="utf-8") as file:
                act(file)
        except OSError as error:
            raise TrainingError(
                f"The log could not be written to {path}: {error}. The last snapshot is intact."
            ) from None

    @classmethod
    def fresh(cls, folder: Path) -> "Log":
        """The log of a new run; one that a folder without a snapshot still holds is emptied."""
        (folder / FILE).write_text("", encoding="utf-8")
        return cls(folder)

    @classmethod
    def read(cls, folder: Path | str, until: int | None = None) -> "Log":
        """The log of a run. until: only what happened before that step; what a killed run wrote
        after its last snapshot is cut off the file, since it will happen again."""
        folder = Path(folder)
        path = folder / FILE
        log = cls(folder)
        if not path.is_file():
            return log
        kept = []
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
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
            part = path.with_name(f".{FILE}.part")
            part.write_text("".join(line + "\n" for line in kept), encoding="utf-8")
            part.replace(path)
        return log


class Board:
    """The same numbers for TensorBoard, where that is installed. start: what it holds from that
    step on will happen again."""

    def __init__(self, folder: Path | None, start: int = 0):
        self.writer = None
        if folder is not None:
            try:
                from torch.utils.tensorboard import SummaryWriter
            except ImportError:
                return
            self.writer = SummaryWriter(folder / "tensorboard", purge_step=start)

    def add(self, record: dict[str, Any]) -> None:
        if self.writer is not None:
            for name, value in record.items():
                if isinstance(value, (int, float)) and name != "step":
                    self.writer.add_scalar(name, value, record["step"], walltime=time.time())

    def close(self) -> None:
        if self.writer is not None:
            self.writer.close()
