"""Packages that only a part of the library needs: which extra brings them."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType


class MissingExtra(ImportError):
    """A package that is not installed, with the command that installs it."""


def need(module: str, extra: str) -> ModuleType:
    """The module, imported. extra: a name of pyproject.toml's optional dependencies.

    Raises MissingExtra where it, or something that it needs itself, is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f'{error.name} is not installed: pip install "cliplab[{extra}]".', name=error.name
        ) from error
