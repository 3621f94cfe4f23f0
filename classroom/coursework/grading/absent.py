"""What is not there while students' code runs: `classroom`, with its answers, and Colab.

A notebook imports both, so the imports succeed; whatever it then calls of them does nothing, and
says so in the log.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import sys
import types
from collections.abc import Sequence
from typing import Any


class Absent(types.ModuleType):
    """A module whose every name is a function that does nothing, and can be called again."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if f"{self.__name__}.{name}" == "google.colab":
            return importlib.import_module("google.colab")

        def nothing(*_: Any, **__: Any) -> Any:
            print(f"Left out by the grader: {self.__name__}.{name}")
            return nothing

        return nothing


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the modules whose name begins with one of these."""

    def __init__(self, *names: str):
        self.names = names

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: Any = None) -> Any:
        if any(name == one or name.startswith(f"{one}.") for one in self.names):
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
