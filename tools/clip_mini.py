"""Runs of the course's training → the miniature CLIP that the package ships.

make miniature                           the runs, one after the other, and what follows
python tools/clip_mini.py runs/taught    weights, logs and scores, two minutes
python tools/clip_mini.py --check        compute the scores again and compare
"""

import argparse
import hashlib
import json
import sys
from pathlib import Path

import torch

import cliplab
from classroom.miniature.clip_scores import as_shares, scores
from cliplab.training import EmojiPairs
from cliplab.training.distillation import joined
from cliplab.training.evaluate import retrieval
from cliplab.training.snapshot import read_state

HERE = Path(cliplab.__file__).parent / "assets" / "clip-mini"
EVERY = 10  # steps of the log that are kept


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path, nargs="?", help="the folder of a run with teachers")
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
    """Store weights in half precision, thinned logs of the run and of the one it began with, and
    the scores of what is stored and of its teachers."""
    state = read_state(run)
    about = state["about"]
    clip = cliplab.load_clip(run / "model")
    file = cliplab.save_clip(clip, HERE, dtype=torch.float16)
    keep_log(Path(about["start"]).parent, HERE)
    keep_log(run, HERE / "taught")
    found = {
        "step": state["step"],
        "recipe": state["recipe"],
        **about,
        "parameters": clip.num_parameters(),
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "scores": scores(cliplab.load_clip("mini")),
        "teachers_scores": of_teachers(about["teachers"]),
    }
    text = json.dumps(found, indent=1) + "\n"
    (HERE / "scores.json").write_text(text, encoding="utf-8")
    print(text)


def of_teachers(names: list[str]) -> dict:
    """Retrieval among concepts that nobody saw: each teacher alone, and the first 1, 2, … K."""
    unseen = EmojiPairs("concept")
    captions, images = [pair.caption for pair in unseen], [pair.image for pair in unseen]
    clips = [cliplab.load_clip(name) for name in names]
    U, V = [c.encode_text(captions) for c in clips], [c.encode_image(images) for c in clips]
    first = range(1, len(clips) + 1)
    return {
        "alone": [as_shares(retrieval(u, v)) for u, v in zip(U, V, strict=True)],
        "together": [as_shares(retrieval(joined(U[:k]), joined(V[:k]))) for k in first],
    }


def keep_log(run: Path, folder: Path) -> None:
    """Every tenth step and each evaluation, without the matrices, to four digits."""
    lines = []
    for line in (run / "log.jsonl").read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        if record["kind"] == "evaluation" or record["step"] % EVERY == 0:
            kept = {k: short(v) for k, v in record.items() if not k.startswith("similarities")}
            lines.append(json.dumps(kept))
    folder.mkdir(exist_ok=True)
    (folder / "log.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def short(value):
    return float(f"{value:.4g}") if isinstance(value, float) else value


if __name__ == "__main__":
    main()
