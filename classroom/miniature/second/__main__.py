"""``python -m classroom.miniature.second``: how much of real pictures the second judge knows."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch

from ..folder import load_vae
from .ceilings import KINDS, Tally, through, validate

HEADINGS = ("right", "things", "color", "name 1st", "among 3")


def row(kind: str, tally: Tally) -> str:
    """A line of the table: shares in percent, then how many pictures have each fault."""
    ranks = [rank for places in tally.names.values() for rank in places]
    shares = [
        f"{100 * part / whole:9.1f}" if whole else " " * 9
        for part, whole in (
            (tally.right, tally.n),
            (tally.things_right, tally.n),
            (tally.near, tally.told),
            (sum(rank == 1 for rank in ranks), len(ranks)),
            (sum(rank <= 3 for rank in ranks), len(ranks)),
        )
    ]
    faults = ", ".join(f"{fault} {n}" for fault, n in tally.faults.most_common())
    return f"{kind:<21}{''.join(shares)}  {faults}".rstrip()


def weak(tallies: Sequence[Tally]) -> str:
    """The names that come first in less than half of their pictures, with how often they do."""
    ranks: dict[str, list[int]] = {}
    for tally in tallies:
        for name, places in tally.names.items():
            ranks.setdefault(name, []).extend(places)
    shares = {name: places.count(1) / len(places) for name, places in ranks.items()}
    found = [f"{name} {100 * share:.0f} %" for name, share in shares.items() if share < 0.5]
    return ", ".join(found) or "none"


def main(arguments: Sequence[str] | None = None) -> None:
    """The table of ceilings."""
    parser = argparse.ArgumentParser("python -m classroom.miniature.second", description=__doc__)
    parser.add_argument("--n", type=int, default=250, help="pictures of each kind (250)")
    parser.add_argument("--vae", type=Path, help="an autoencoder that the pictures pass first")
    parser.add_argument("--reasons", action="store_true", help="also say what is wrong with each")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    seen_through = through(load_vae(options.vae)) if options.vae else None
    print("of real pictures, %  " + "".join(f"{heading:>9}" for heading in HEADINGS))
    tallies = []
    for kind in KINDS:
        tallies.append(validate(kind, options.n, seen_through))
        print(row(kind, tallies[-1]), flush=True)
        if options.reasons:
            print(*(f"    {said}" for said in tallies[-1].said), sep="\n")
    print(f"Names that it does not know well: {weak(tallies)}.")


if __name__ == "__main__":
    main()
