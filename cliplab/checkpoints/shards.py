"""Weights in one safetensors file, or in several with an index beside them, opened as one."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from .files import INDEX, CheckpointError, read_json


class Shards:
    """Several open files behind the methods of one."""

    def __init__(self, files: dict[str, safe_open], where: dict[str, str]):
        self.files, self.where = files, where

    def keys(self) -> list[str]:
        return [*self.where]

    def metadata(self) -> dict[str, str]:
        return {}

    def get_slice(self, key: str) -> Any:
        return self.files[self.where[key]].get_slice(key)

    def get_tensor(self, key: str) -> Tensor:
        return self.files[self.where[key]].get_tensor(key)


@contextmanager
def opened(path: Path) -> Iterator[safe_open | Shards]:
    """A safetensors file, or the index of several; what is wrong with it is said with its name."""
    try:
        with ExitStack() as stack:
            if path.name != INDEX:
                yield stack.enter_context(safe_open(path, framework="pt"))
                return
            where = read_index(path)
            files = {}
            for name in dict.fromkeys(where.values()):
                files[name] = stack.enter_context(safe_open(path.parent / name, framework="pt"))
            there = {key: name for name, file in files.items() for key in file.keys()}  # noqa: SIM118
            if there != where:
                odd = sorted(
                    key for key in there.keys() | where if there.get(key) != where.get(key)
                )
                raise CheckpointError(f"{odd[0]} is not in the file that the index names for it.")
            yield Shards(files, where)
    except SafetensorError as error:
        raise CheckpointError(f"{path} is not a sound safetensors file: {error}.") from None
    except (ValueError, TypeError) as error:  # CheckpointError, and numbers that make no encoder
        raise CheckpointError(f"{path}: {error}") from None


def read_index(path: Path) -> dict[str, str]:
    """Key → the name of a file in the index's own folder."""
    where = read_json(path).get("weight_map")
    if not isinstance(where, dict) or not where:
        raise CheckpointError("It has no weight_map, which says the file of every tensor.")
    for name in dict.fromkeys(where.values()):
        if not (
            isinstance(name, str) and Path(name).name == name and name.endswith(".safetensors")
        ):
            raise CheckpointError(f"It names {name!r}, which is no safetensors file beside it.")
        if not (path.parent / name).is_file():
            raise CheckpointError(f"{name}, which it names, is not beside it.")
    return where
