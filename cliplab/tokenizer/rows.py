"""Sequences of any length become rows of one length, and a warning says what was cut off."""

import warnings

import numpy as np

from ..checks import listed


class TruncationWarning(UserWarning):
    """Said when tokens are cut off; ``lost`` holds their ids, one list per sequence."""

    def __init__(self, message: str, lost: list[list[int]]):
        super().__init__(message)
        self.lost = lost


def fill(rows: np.ndarray, ids: np.ndarray, counts: np.ndarray) -> dict[int, list[int]]:
    """Write sequences into the rows [N, L], from the left, as much of each as fits.

    ids holds all of them, one after the other; counts [N] says how many ids each has. Returns what
    is left over of those that are too long, by row.
    """
    width, left_over = rows.shape[1], {}
    if (counts > width).any():
        stops = counts.cumsum()
        starts = stops - counts
        for row in np.flatnonzero(counts > width).tolist():
            left_over[row] = ids[starts[row] + width : stops[row]].tolist()
        place = np.arange(len(ids)) - np.repeat(starts, counts)  # of each id in its sequence
        ids = ids[place < width]
    rows[np.arange(width) < counts[:, None]] = ids  # numpy goes through a mask row by row
    return left_over


def warn_of_cuts(left_over: dict[int, list[int]], eos: np.ndarray, length: int, level: int) -> None:
    """Warn, once, of what was left over; eos [N] holds the EOS of each sequence.

    The EOS at the end of what was left over are padding, and no loss.
    """
    lost: list[list[int]] = [[] for _ in eos] if left_over else []
    for row, ids in left_over.items():
        while ids and ids[-1] == eos[row]:
            ids.pop()
        lost[row] = ids
    cut = [row for row, ids in enumerate(lost) if ids]
    if not cut:
        return
    most = max(map(len, lost))
    one = len(lost) == 1
    who = "The sequence does" if one else f"{len(cut)} of {len(lost)} sequences do"
    number = f"up to {most}" if len(cut) > 1 else most
    where = "" if one else f" Cut: {listed([f'[{row}]' for row in cut])}."
    message = f"{who} not fit into {length} slots; tokens lost before EOS: {number}.{where}"
    warnings.warn(TruncationWarning(message, lost), stacklevel=level + 1)
