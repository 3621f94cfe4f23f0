"""generate beside diffusers' own call, on the same model, in the same run; start-up and size.

    python benchmarks/generate.py                    a minute or two
    python benchmarks/generate.py --model FOLDER     another model than the miniature

One thread, 20 steps with guidance and a negative prompt. The two take turns, after a warm-up each:
diffusers is called with the prompts as text, generate with the same text, which it encodes itself
and of which it keeps every step's latents. The last latents are compared. Start-up: each in a
process of its own, from `python` to the first picture.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import diffusers
import torch
from turns import beside, load_average, take_turns  # beside this file

import cliplab
from cliplab.pipeline import generate, load_pipeline

torch.set_num_threads(1)

PROMPT, NEGATIVE, STEPS, GUIDANCE = "a large red circle", "a blue square", 20, 2.0
START = {
    "cliplab": "from cliplab.pipeline import generate, load_pipeline\n"
    "generate(load_pipeline({model!r}), {prompt!r})",
    "diffusers": "import torch\nfrom diffusers import StableDiffusionPipeline\n"
    "pipe = StableDiffusionPipeline.from_pretrained({folder!r}, torch_dtype=torch.float32)\n"
    "pipe.set_progress_bar_config(disable=True)\n"
    "pipe({prompt!r}, num_inference_steps=20)",
}


def painting(pipe, batch: int, rounds: int) -> None:
    """Print two rows: seconds of each, and the ratio; and how far the latents are apart."""
    prompts, negatives = [PROMPT] * batch, [NEGATIVE] * batch

    def ours():
        return generate(pipe, prompts, negatives, steps=STEPS, guidance=GUIDANCE)

    def theirs(output_type="pil"):
        return pipe(
            prompts,
            negative_prompt=negatives,
            num_inference_steps=STEPS,
            guidance_scale=GUIDANCE,
            generator=[torch.Generator().manual_seed(seed) for seed in range(batch)],
            output_type=output_type,
        ).images

    far = (ours().latents[-1] - theirs("latent")).abs().max().item()
    for clock, times in zip(
        ("CPU", "wall"), take_turns({"ours": ours, "theirs": theirs}, rounds), strict=True
    ):
        row = f"{batch:5} {clock:5}" + beside(times, float, digits=3)
        print(row + (f"   {far:.1e}" if clock == "CPU" else ""), flush=True)


def start_up(model: str, folder: Path, rounds: int) -> None:
    """Print the seconds from `python` to the first picture, for each."""
    for name, code in START.items():
        code = code.format(model=model, folder=str(folder), prompt=PROMPT)
        times = []
        for _ in range(rounds + 1):
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
            times.append(time.perf_counter() - start)
        print(f"{name:12}{min(times[1:]):8.2f}{statistics.median(times[1:]):8.2f}", flush=True)


def sizes(pipe, folder: Path) -> None:
    """Print parameters and bytes of every part, as stored."""
    total = 0
    for part in ("tokenizer", "text_encoder", "unet", "vae", "scheduler"):
        stored = sum(path.stat().st_size for path in (folder / part).rglob("*") if path.is_file())
        model = getattr(pipe, part)
        count = sum(p.numel() for p in model.parameters()) if hasattr(model, "parameters") else 0
        total += stored
        print(f"{part:13}{count:>14,}{stored / 1e6:>10.2f}")
    print(f"{'together':13}{'':>14}{total / 1e6:>10.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--model", default="mini", help='"mini" or a folder')
    parser.add_argument(
        "--rounds", type=int, default=10, help="after a first, which is not counted"
    )
    args = parser.parse_args()
    pipe = load_pipeline(args.model, device="cpu")
    pipe.set_progress_bar_config(disable=True)
    folder = Path(pipe.config._name_or_path)
    print(
        f"torch {torch.__version__}, diffusers {diffusers.__version__}, 1 thread" + load_average()
    )
    print(f"cliplab {cliplab.__version__}, model {args.model}, {STEPS} steps, guidance {GUIDANCE}")
    print("\nSeconds: cliplab, diffusers, ratio; largest difference between their last latents")
    print(f"batch      {'minimum':>27}{'median':>27}")
    for batch in (1, 4):
        painting(pipe, batch, args.rounds)
    print("\nFrom `python` to the first picture, seconds: minimum, median")
    start_up(args.model, folder, max(2, args.rounds // 3))
    print(f"\n{'part':13}{'parameters':>14}{'MB':>10}")
    sizes(pipe, folder)


if __name__ == "__main__":
    main()
