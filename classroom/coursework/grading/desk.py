"""The folder of grades, in which people write as well: nothing that they wrote is overwritten.

Of every file that the command writes a copy stays in the folder `.written`. A file that is no
longer its copy was changed by a person: it is kept, and what becomes of it is said.
"""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

WRITTEN, KEPT = ".written", "kept"


def write_whole(path: Path, text: str | bytes) -> None:
    """A file that is there whole or not at all, whenever the power goes."""
    part = path.with_name(f".{os.getpid()}.part")
    with part.open("wb") as file:
        file.write(text.encode("utf-8", "replace") if isinstance(text, str) else text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


class Desk:
    """Writes reports into a folder. `said`: what a person should know about files of theirs."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.said: list[str] = []

    def path(self, name: str) -> Path:
        return self.folder / name

    def former(self, name: str) -> bytes | None:
        """What the command itself wrote last into this file."""
        copy = self.folder / WRITTEN / name
        return copy.read_bytes() if copy.is_file() else None

    def changed(self, name: str) -> bool:
        """Whether a person wrote in the file since."""
        path = self.path(name)
        return path.is_file() and path.read_bytes() != self.former(name)

    def write(self, name: str, text: str | bytes) -> None:
        """Writes a table or a page anew. What a person made of the former one goes to `kept`."""
        if self.changed(name):
            at = time.strftime("%Y-%m-%d %H.%M.%S")
            path = self.path(name)
            kept = self.folder / KEPT / f"{path.stem} {at}{path.suffix}"
            kept.parent.mkdir(exist_ok=True)
            shutil.copy2(path, kept)
            self.said.append(f"Somebody changed {name}; that file is kept as {kept}.")
        self._write(name, text)

    def write_beside(self, name: str, text: str) -> None:
        """Writes a page for a student. One that a person changed stays; the new one is beside."""
        if self.changed(name) and self.path(name).read_bytes() != text.encode():
            path = Path(name)
            name = str(path.with_name(f"{path.stem} (new){path.suffix}"))
            self.said.append(f"Somebody changed {path}, which stays as it is; see {name}.")
        self._write(name, text)

    def _write(self, name: str, text: str | bytes) -> None:
        for path in (self.path(name), self.folder / WRITTEN / name):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, text)
