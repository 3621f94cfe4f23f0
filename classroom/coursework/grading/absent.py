"""What is not there while students' code runs: `classroom`, with its answers, and Colab.

A notebook imports both, so the imports succeed; whatever it then calls of them does nothing, and
says so in the log.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
import types
from collections.abc import Iterator, Sequence
from typing import Any


class Nothing:
    """What can be called, entered and walked, does nothing, and has any part: nothing as well."""

    def __init__(self, name: str):
        self._name = name

    def __getattr__(self, part: str) -> Nothing:
        if part.startswith("__"):
            raise AttributeError(part)
        return Nothing(f"{self._name}.{part}")

    def __call__(self, *_: Any, **__: Any) -> Nothing:
        print(f"Left out by the grader: {self._name}")
        return self

    def __getitem__(self, part: object) -> Nothing:
        return Nothing(f"{self._name}[{part!r}]")

    def __iter__(self) -> Iterator[Nothing]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __enter__(self) -> Nothing:
        return self

    def __exit__(self, *_: Any) -> None:
        pass


class Absent(types.ModuleType):
    """A module that has any name, and nothing under it."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Nothing(f"{self.__name__}.{name}")


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds these modules, and all that lie in the last of them."""

    def __init__(self, *names: str):
        self.names, self.inside = names, f"{names[-1]}."

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: Any = None) -> Any:
        if name in self.names or name.startswith(self.inside):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return Absent(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        pass


def take_away() -> None:
    """From now on this process imports nothing of `classroom`, and Colab's tools do nothing."""
    for name in [name for name in sys.modules if name.split(".")[0] == "classroom"]:
        del sys.modules[name]
    sys.meta_path.insert(0, Finder("classroom"))
    sys.meta_path.append(Finder("google", "google.colab"))  # where there is no other `google`
