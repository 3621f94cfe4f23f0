"""``python -m classroom.miniature.second``: how much of real pictures the second judge knows."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from ..folder import load_vae
from .ceilings import KINDS, Tally, validate


def through(vae) -> Callable[[Sequence[np.ndarray]], list[np.ndarray]]:
    """Pictures uint8 [S, S, 3] → what an autoencoder gives back of them, one at a time."""

    @torch.inference_mode()
    def back(picture: np.ndarray) -> np.ndarray:
        x = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 127.5 - 1
        y = vae.decode(vae.encode(x).latent_dist.mode()).sample[0].clamp(-1, 1)
        return ((y.permute(1, 2, 0) + 1) * 127.5).round().byte().numpy()

    return lambda pictures: [back(picture) for picture in pictures]


def row(kind: str, tally: Tally) -> str:
    shares = [tally.right / tally.n, tally.things_right / tally.n]
    shares += [tally.near / tally.told] if tally.told else []
    faults = ", ".join(f"{fault} {n}" for fault, n in tally.faults.most_common())
    return f"{kind:<22}" + "".join(f"{100 * s:8.1f}" for s in shares).ljust(26) + faults


def main(arguments: Sequence[str] | None = None) -> None:
    """The table of ceilings, in percent."""
    parser = argparse.ArgumentParser("python -m classroom.miniature.second", description=__doc__)
    parser.add_argument("--n", type=int, default=250, help="pictures of each kind")
    parser.add_argument("--vae", type=Path, help="an autoencoder that they pass first")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=[*KINDS], metavar="KIND")
    parser.add_argument("--reasons", action="store_true", help="what is said of each wrong one")
    options = parser.parse_args(arguments)
    seen_through = through(load_vae(options.vae)) if options.vae else None
    torch.set_num_threads(1)
    print(f"{'of real pictures, %':<22}{'right':>8}{'things':>8}{'color':>8}  faults")
    for kind in options.kinds:
        tally = validate(kind, options.n, seen_through)
        print(row(kind, tally), flush=True)
        if options.reasons:
            print(*(f"    {said}" for said in tally.said), sep="\n")


if __name__ == "__main__":
    main()
