"""Stand-ins for torch and numpy, which a page does not have.

The checks of exercises in plain Python share their files with others that need torch. Here any
`import torch.nn.functional as F` succeeds and any name exists, so that those files can be read; to
compute with one of these names raises, and says what is missing.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
import types

PACKAGES = ("PIL", "numpy", "safetensors", "torch")


class Absent(type):
    """A class that stands for any name: every attribute is another one, and no value is of it."""

    def __getattr__(cls, name: str) -> Absent:
        if name.startswith("__"):  # what Python itself asks for is not there
            raise AttributeError(name)
        return Absent(name, (), {"__module__": cls.__module__})

    def __call__(cls, *args, **kwargs):
        # Decorators run while a file is read: `@torch.no_grad()` gives one, which takes a function.
        if not args and not kwargs:
            return cls
        if len(args) == 1 and isinstance(args[0], types.FunctionType):
            return args[0]
        raise RuntimeError(
            f"{cls.__module__} is not there on this page, and {cls.__name__} needs it. "
            "The notebook has it."
        )

    def __or__(cls, other):
        return cls

    def __ror__(cls, other):
        return cls


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the absent packages and everything in them."""

    def find_spec(self, fullname, path=None, target=None):
        if fullname.partition(".")[0] in PACKAGES:
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec):
        return AbsentModule(spec.name)

    def exec_module(self, module):
        pass


class AbsentModule(types.ModuleType):
    """A module that has every name."""

    def __getattr__(self, name: str) -> Absent:
        if name.startswith("__"):
            raise AttributeError(name)
        return Absent(name, (), {"__module__": self.__name__.partition(".")[0]})


def install() -> None:
    """From now on, the packages that are not there can be imported."""
    sys.meta_path.insert(0, Finder())
