"""What was left out of a source of pairs, and why."""

import warnings
from collections import defaultdict

KINDS = {
    # kind: (of one, of many)
    "row": ("row cannot be read", "rows cannot be read"),
    "unnamed": ("row names no picture", "rows name no picture"),
    "outside": ("path leads out of the folder", "paths lead out of the folder"),
    "missing": ("picture is missing", "pictures are missing"),
    "picture": ("picture cannot be read", "pictures cannot be read"),
    "empty": ("caption is empty", "captions are empty"),
    "caption": ("caption cannot be read", "captions cannot be read"),
    "repeated": ("row is a repetition", "rows are repetitions"),
    "sample": ("sample cannot be read", "samples cannot be read"),
    "shard": ("shard breaks off", "shards break off"),
}
NAMED = 8  # so many of one kind are named in a report


class DataError(ValueError):
    """Pairs cannot be found, or are refused for what is wrong with them."""


class LeftOutWarning(UserWarning):
    """Said when a source left something out; the message is its report."""


class Problems:
    """The list of problems of one source, counted by kind.

    on_bad: "skip" goes on without what is broken; "raise" refuses it with a DataError.
    ``found`` is the list of (where, what): a row's number or a place in a shard, and a sentence.
    """

    def __init__(self, on_bad: str):
        if on_bad not in ("skip", "raise"):
            raise ValueError(
                f'on_bad is "skip" (go on without what is broken) or "raise" (refuse it); '
                f"not {on_bad!r}."
            )
        self.on_bad = on_bad
        self.found: list[tuple[int | str, str]] = []
        self._names: dict[str, list[str]] = defaultdict(list)

    def add(self, kind: str, where: int | str, name: str, what: str) -> None:
        """One problem: its kind, where it is, its name in a report, and a sentence."""
        self.found.append((where, what))
        self._names[kind].append(name)

    def report(self, pairs: int) -> str:
        """How many pairs there are and what was left out, in one sentence."""
        start = f"{pairs:,} pair{'' if pairs == 1 else 's'}; "
        if not self.found:
            return start + "nothing left out."
        kinds = [
            f"{len(names):,} {KINDS[kind][len(names) > 1]} ({_shortened(names)})"
            for kind, names in self._names.items()
        ]
        return f"{start}{len(self.found):,} left out: {', '.join(kinds)}."

    def warn(self, pairs: int, stacklevel: int) -> None:
        """Say the report as a warning, if anything was left out."""
        if self.found:
            warnings.warn(LeftOutWarning(self.report(pairs)), stacklevel=stacklevel + 1)


def _shortened(names: list[str]) -> str:
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
