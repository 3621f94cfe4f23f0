"""What the tools do, and what they let their users choose."""

from collections.abc import Sequence
from dataclasses import dataclass

from . import chunks

METHODS = ("ignore", "scale", "restore_mean", "from_empty", "compel")
DEFAULT = {  # what each tool does when nobody tells it otherwise
    "a1111": "restore_mean",
    "comfyui": "from_empty",
    "compel": "compel",
    "lecture": "scale",
    "plain": "ignore",
}


@dataclass(frozen=True)
class Settings:
    """What the tools let their users choose, with the tools' own defaults.

    comma_backtrack  A1111: how far back a comma may stand for a chunk to end there; 0: nowhere
    split            Compel: where chunks may end: "sentences", "phrases", "words", "brutal"
    downweight       Compel: "mask" the fragment, or "remove" it, in the context to blend with
    eos              Compel, beyond 77 tokens: a chunk has its "own" EOS row, that of the "first"
                     chunk, or the "mean" of all
    see_padding      Compel: whether padding may be looked at, as it may in Stable Diffusion
    """

    comma_backtrack: int = 20
    split: str = "sentences"
    downweight: str = "mask"
    eos: str = "own"
    see_padding: bool = True

    def __post_init__(self):
        one_of("split", self.split, chunks.SPLITS)
        one_of("downweight", self.downweight, ("mask", "remove"))
        one_of("eos", self.eos, ("own", "first", "mean"))


def one_of(name: str, value, allowed: Sequence) -> None:
    if value not in allowed:
        raise ValueError(f"{name} is one of {', '.join(allowed)}; not {value!r}.")
