"""A run of the course's training → the miniature CLIP that the package ships.

    python -m cliplab.train --preset mini --out runs/mini      the run, some hours
    python tools/clip_mini.py runs/mini                        weights, log and scores, one minute
    python tools/clip_mini.py --check                          compute the scores again and compare
"""

import argparse
import hashlib
import json
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file

import cliplab
from cliplab.training import build_clip, sources
from cliplab.training.scores import scores
from cliplab.training.snapshot import FILE, read_state

HERE = Path(cliplab.__file__).parent / "assets" / "clip-mini"
EVERY = 10  # steps of the log that are kept


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path, nargs="?", help="the folder of the run")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    options = parser.parse_args()
    if options.check:
        stored = json.loads((HERE / "scores.json").read_text(encoding="utf-8"))["scores"]
        again = scores(cliplab.load_clip("mini"))
        print("The scores are as stored." if again == stored else f"They are now: {again}")
        sys.exit(again != stored)
    if options.run is None:
        parser.error("name the folder of the run, or --check")
    ship(options.run)


def ship(run: Path) -> None:
    """Store weights in half precision, a thinned log, and the scores of what is stored."""
    state = read_state(run)
    about = state["about"]
    clip = build_clip(about["model"], sources(about["data"]))
    weights = load_file(run / FILE)
    prefix = "model."
    clip.load_state_dict(
        {key.removeprefix(prefix): t for key, t in weights.items() if key.startswith(prefix)}
    )
    file = cliplab.save_clip(clip, HERE, dtype=torch.float16)
    keep_log(run, state["step"])
    found = {
        "step": state["step"],
        "recipe": state["recipe"],
        **about,
        "parameters": clip.num_parameters(),
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "scores": scores(cliplab.load_clip("mini")),
    }
    text = json.dumps(found, indent=1) + "\n"
    (HERE / "scores.json").write_text(text, encoding="utf-8")
    print(text)


def keep_log(run: Path, until: int) -> None:
    """Every tenth step and each evaluation, without the matrices, to four digits."""
    lines = []
    for line in (run / "log.jsonl").read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        if record["step"] > until:
            continue
        if record["kind"] == "evaluation" or record["step"] % EVERY == 0:
            kept = {k: short(v) for k, v in record.items() if not k.startswith("similarities")}
            lines.append(json.dumps(kept))
    (HERE / "log.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def short(value):
    return float(f"{value:.4g}") if isinstance(value, float) else value


if __name__ == "__main__":
    main()
