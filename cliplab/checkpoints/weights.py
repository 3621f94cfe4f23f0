"""A safetensors file, or the shards that an index lists → tensors by name, read when asked for."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from safetensors import SafetensorError, safe_open
from torch import Tensor

from ..checks import listed
from .files import INDEX, PICKLE, CheckpointError, read_json

BEGINNINGS = {  # of files that are often taken for safetensors
    b"PK\x03\x04": PICKLE,  # torch.save writes a zip archive with a pickle in it
    b"\x80": PICKLE,
    b"version https://git-lfs": "is a pointer of Git LFS, not the file: run git lfs pull there.",
    b"GGUF": "is a GGUF file, for llama.cpp and its kin. Look for the model's .safetensors file.",
    b"<": "is a page of the web, not the file: download it again.",
}


FLOATS = ("F16", "BF16", "F32", "F64")


class Weights:
    """The tensors of open files under their names; none is read before it is asked for.

    metadata: what the file, or the first of the shards, says beside them. notes: what was concluded
    on the way, to be told to whoever asked for the weights.
    """

    def __init__(self, at: dict[str, tuple[safe_open, str]], metadata: dict, notes: list[str]):
        self._at, self.metadata, self.notes = at, metadata, notes

    def keys(self) -> list[str]:
        return list(self._at)

    def under(self, prefix: str, without: tuple[str, ...] = ()) -> "Weights":
        """Those whose names begin with a prefix, without it, and with none of some others."""
        at = {
            key.removeprefix(prefix): place
            for key, place in self._at.items()
            if key.startswith(prefix) and not key.startswith(without)
        }
        return Weights(at, self.metadata, self.notes)

    def shape(self, key: str) -> tuple[int, ...]:
        file, name = self._at[key]
        return tuple(file.get_slice(name).get_shape())

    def dtype(self, key: str) -> str:
        """In the words of safetensors: F32, BF16, F8_E4M3 …"""
        file, name = self._at[key]
        return file.get_slice(name).get_dtype()

    def tensor(self, key: str) -> Tensor:
        file, name = self._at[key]
        return file.get_tensor(name)


@contextmanager
def opened(path: Path) -> Iterator[Weights]:
    """What a file or an index holds; what is found wrong meanwhile is said with the path."""
    try:
        with ExitStack() as stack:
            shards = shards_of(path)
            files = {p: stack.enter_context(open_file(p)) for p in dict.fromkeys(shards.values())}
            at = {key: (file, key) for file in files.values() for key in file.keys()}  # noqa: SIM118
            if path.suffix == ".json":
                require_agreement(set(shards), set(at))
            yield Weights(at, next(iter(files.values())).metadata() or {}, [])
    except (ValueError, TypeError) as error:  # CheckpointError, and numbers that make no encoder
        raise CheckpointError(f"{path}: {error}") from None


def open_file(path: Path) -> safe_open:
    try:
        return safe_open(path, framework="pt")
    except SafetensorError as error:
        with path.open("rb") as file:
            start = file.read(32)
        for beginning, says in BEGINNINGS.items():
            if start.startswith(beginning):
                raise CheckpointError(f"{path.name} {says}") from None
        raise CheckpointError(f"{path.name} is not a sound safetensors file: {error}.") from None


def wrong_numbers(dtypes: dict[str, str]) -> dict[str, list[str]]:
    """What is wrong with tensors of these dtypes → which they are; nothing with floating point."""
    eight = "8-bit floating point (fp8), in whose place this needs the fp16, bf16 or fp32 file"
    none = "dtypes that are not floating point"
    found: dict[str, list[str]] = {eight: [], none: []}
    for key, kind in dtypes.items():
        if kind not in FLOATS:
            found[eight if kind.startswith("F8") else none].append(f"{key} is {kind}")
    return found


def in_words(problems: dict[str, list[str]]) -> list[str]:
    """Of each kind of problem that there is, how many things have it, and which."""
    return [f"{what} ({len(names)}): {listed(names)}" for what, names in problems.items() if names]


def shards_of(path: Path) -> dict[str, Path]:
    """Which file has which tensor; a file that is no index is its own only shard."""
    if path.suffix != ".json":
        return {"": path}
    names = read_json(path).get("weight_map")
    if INDEX not in path.name or not isinstance(names, dict) or not names:
        raise CheckpointError("It is no index of shards: it has no weight_map.")
    if odd := [str(n) for n in names.values() if not isinstance(n, str) or Path(n).name != n]:
        raise CheckpointError(f"It names files that do not lie beside it: {listed(odd)}.")
    shards = {key: path.with_name(name) for key, name in names.items()}
    if missing := sorted({p.name for p in shards.values() if not p.is_file()}):
        count = len(set(names.values()))
        raise CheckpointError(f"Of its {count} shards {listed(missing)} cannot be found beside it.")
    return shards


def require_agreement(listed_keys: set[str], held: set[str]) -> None:
    """An index and its shards hold the same tensors."""
    for keys, what in (
        (listed_keys - held, "lists tensors that its shards do not hold"),
        (held - listed_keys, "does not list tensors that its shards hold"),
    ):
        if keys:
            raise CheckpointError(f"It {what} ({len(keys)}): {listed(sorted(keys))}.")
