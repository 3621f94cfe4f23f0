"""Runs of the course's training → the miniature Stable Diffusion that the package ships.

python -m classroom.miniature vae --out runs/vae
python -m classroom.miniature unet --vae runs/vae --out runs/unet        some hours
python tools/sd_mini.py --vae runs/vae --unet runs/unet    weights, log and scores, some minutes
python tools/sd_mini.py --study                 what weights and guidance do: ten minutes
python tools/sd_mini.py --check                 compute the scores again and compare

A network may have been trained in several runs, each from the end of the one before: name all.
"""

import argparse
import hashlib
import json
import sys
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from safetensors.torch import load_file

import cliplab
from classroom.miniature.folder import load_pipeline_folder, save_pipeline, save_settings
from classroom.miniature.guided import guided_study
from classroom.miniature.scores import reconstruction, scores
from classroom.miniature.study import STEPS, study
from classroom.miniature.text import build_tokenizer
from classroom.miniature.unet import Painter
from classroom.miniature.vae import SHAPE
from cliplab.training.snapshot import FILE, read_state

HERE = Path(cliplab.__file__).parent / "assets" / "sd-mini"
EVERY = {"vae": 25, "unet": 20}  # steps of the logs that are kept
# Chosen on weights of 32 pixels. From 2 to 4 as many pictures were right, to the error of 440
# prompts. At 2 the color of an orange thing whose word had weight 1.5 turned yellow, and at 4
# colors began to suffer.
GUIDANCE = 3.0
WEIGHTS = ("text_encoder/model", "unet/diffusion_pytorch_model", "vae/diffusion_pytorch_model")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--vae", type=Path, nargs="+", help="the folders of its runs")
    parser.add_argument("--unet", type=Path, nargs="+", help="the folders of its runs")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("--study", action="store_true", help="weigh words in the shipped model")
    options = parser.parse_args()
    if options.check:
        stored = read("scores.json")["scores"]
        again = all_scores(read("generation.json")["guidance"])
        print("The scores are as stored." if again == stored else f"They are now: {again}")
        sys.exit(again != stored)
    if options.study:
        found = study(load_pipeline_folder(HERE), read("generation.json")["guidance"])
        write("study.json", {"sha256": hashes(), **found})
        write("guided.json", {"sha256": hashes(), **guided_study(load_pipeline_folder(HERE))})
    elif options.vae and options.unet:
        ship({"vae": options.vae, "unet": options.unet})
    else:
        parser.error("name the folders of the runs of both, or --study, or --check")


def ship(runs: dict[str, list[Path]]) -> None:
    """Store weights in half precision, thinned logs, and the scores of what is stored."""
    tokenizer = build_tokenizer()
    coder, painter = AutoencoderKL(**SHAPE), Painter(tokenizer)
    for part, name in ((coder, "vae"), (painter, "unet")):
        part.load_state_dict(averages(runs[name][-1]))
    save_pipeline(painter, tokenizer, coder, HERE, dtype=torch.float16)
    pipe = load_pipeline_folder(HERE)
    save_settings(HERE, GUIDANCE, STEPS)
    parts = {"text_encoder": pipe.text_encoder, "unet": pipe.unet, "vae": pipe.vae}
    spent = keep_logs(runs)
    write(
        "scores.json",
        {
            "runs": {name: [state_of(run) for run in runs[name]] for name in runs},
            "core_seconds": spent,
            "parameters": {name: part.num_parameters() for name, part in parts.items()},
            "sha256": hashes(),
            "scores": all_scores(GUIDANCE),
        },
    )
    for file in HERE.rglob("*"):
        file.chmod(0o755 if file.is_dir() else 0o644)


def state_of(run: Path) -> dict:
    """How far a run went and its recipe; of the folder that it began with, the name alone."""
    state = read_state(run)
    start = Path(state["recipe"]["start"]).name
    return {"step": state["step"], "recipe": {**state["recipe"], "start": start}}


def averages(run: Path) -> dict:
    """The moving average of a run's weights, from its last snapshot."""
    prefix, stored = "model.average.", load_file(run / FILE)
    return {k.removeprefix(prefix): t for k, t in stored.items() if k.startswith(prefix)}


def all_scores(guidance: float) -> dict:
    pipe = load_pipeline_folder(HERE)
    return {"reconstruction": reconstruction(pipe.vae), **scores(pipe, guidance, STEPS)}


def hashes() -> dict:
    files = [f"{name}.safetensors" for name in WEIGHTS]
    return {file: hashlib.sha256((HERE / file).read_bytes()).hexdigest() for file in files}


def keep_logs(runs: dict[str, list[Path]]) -> dict[str, list[int]]:
    """Some steps of each run, to four digits, in one file; returns each run's core-seconds."""
    kept: list[str] = []
    spent: dict[str, list[int]] = {name: [] for name in runs}
    for name, run in ((name, run) for name, all_runs in runs.items() for run in all_runs):
        lines = (run / "log.jsonl").read_text(encoding="utf-8").splitlines()
        records = [json.loads(line) for line in lines]
        spent[name].append(round(sum(record["core_seconds"] for record in records)))
        for record in records:
            if record["step"] % EVERY[name] == 0:
                record = {"run": f"{name} {len(spent[name])}", **record}
                kept.append(json.dumps({k: short(v) for k, v in record.items() if k != "kind"}))
    (HERE / "log.jsonl").write_text("\n".join(kept) + "\n", encoding="utf-8")
    return spent


def short(value):
    return float(f"{value:.4g}") if isinstance(value, float) else value


def read(name: str) -> dict:
    return json.loads((HERE / name).read_text(encoding="utf-8"))


def write(name: str, found: dict) -> None:
    text = json.dumps(found, indent=1) + "\n"
    (HERE / name).write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
