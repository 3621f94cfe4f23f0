"""The text encoder beside transformers' (sdpa): time and memory, same weights, same run.

    python benchmarks/encoder.py            a few minutes on a quiet machine
    python benchmarks/encoder.py --quick    fp32 only, fewer rounds

At Stable Diffusion 1.5's size, 77 tokens, one thread, under inference_mode. Time: rounds in which
the two take turns, after one warm-up each; process CPU time and wall time, minimum and median.
Memory (Linux): each model in a process of its own, the highest resident set during a call above
what was resident before it.
"""

import argparse
import ctypes
import os
import subprocess
import sys

os.environ["OMP_NUM_THREADS"] = "1"

import torch
import transformers
from turns import beside, load_average, milliseconds, take_turns  # beside this file

import cliplab

torch.set_num_threads(1)

# Read when the C library starts: every tensor gets pages of its own and gives them back at once, so
# that the resident set is what is alive and not what the allocator kept for later.
MEMORY_ENVIRONMENT = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}

WHO = {
    # name: (peer, what is asked of the model)
    "cliplab, context alone": ("cliplab", {"hidden_states": False}),
    "transformers, context alone": ("transformers", {}),
    "cliplab, 13 hidden states": ("cliplab", {}),
    "transformers, 13 hidden states": ("transformers", {"output_hidden_states": True}),
}


def build(dtype: torch.dtype) -> dict[str, torch.nn.Module]:
    """Both models, sharing one set of random weights."""
    torch.manual_seed(0)
    with torch.device("meta"):
        ours = cliplab.CLIPTextModel(cliplab.CLIPTextConfig.sd15())
    config = transformers.CLIPTextConfig(
        vocab_size=49408,
        hidden_size=768,
        intermediate_size=3072,
        num_hidden_layers=12,
        num_attention_heads=12,
        eos_token_id=2,
        attn_implementation="sdpa",
    )
    theirs = transformers.CLIPTextModel(config).to(dtype)
    ours.load_state_dict(theirs.state_dict(), assign=True)
    return {"cliplab": ours.eval(), "transformers": theirs.eval()}


def prompts(batch: int) -> torch.Tensor:
    ids = torch.randint(0, 49406, (batch, 77))
    ids[:, 0], ids[:, 12:] = 49406, 49407
    return ids


def seconds(dtype: torch.dtype, batch: int, rounds: int) -> None:
    """Print two rows: CPU and wall time of each, and the ratio."""
    models, ids = build(dtype), prompts(batch)
    calls = {name: lambda m=model: m(ids) for name, model in models.items()}
    with torch.inference_mode():
        context = models["cliplab"](ids).context.float()
        gap = (context - models["transformers"](ids).last_hidden_state.float()).abs().max()
        clocks = zip(("CPU", "wall"), take_turns(calls, rounds), strict=True)
    for clock, times in clocks:
        row = f"{str(dtype).removeprefix('torch.'):9} {batch:5} {clock:5}"
        row += beside(times, milliseconds)
        print(row + (f"   {gap:.1e}" if clock == "CPU" else ""), flush=True)


def status(field: str) -> float:
    """A line of /proc/self/status, in MB."""
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 1024


def peak(who: str, dtype: torch.dtype, batch: int) -> float:
    """MB that one call needs at its highest, above the loaded model. Linux only."""
    name, asked = WHO[who]
    model, ids = build(dtype)[name], prompts(batch)
    with torch.inference_mode():
        model(ids, **asked)  # the libraries' own buffers come to stay with the first call
        ctypes.CDLL("libc.so.6").malloc_trim(0)
        with open("/proc/self/clear_refs", "w") as reset:
            reset.write("5")  # the high-water mark starts again here
        before = status("VmRSS")
        model(ids, **asked)
        return status("VmHWM") - before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help="fp32 only, fewer rounds")
    parser.add_argument(
        "--peak", nargs=3, metavar=("WHO", "DTYPE", "BATCH"), help=argparse.SUPPRESS
    )
    args = parser.parse_args()
    if args.peak:
        who, dtype, batch = args.peak
        return print(peak(who, getattr(torch, dtype), int(batch)))

    dtypes = ["float32"] if args.quick else ["float32", "bfloat16"]
    print(
        f"torch {torch.__version__}, transformers {transformers.__version__}, 1 thread"
        + load_average()
    )
    print("\nTime in ms: cliplab, transformers, ratio; largest difference between their contexts")
    print(f"{'':22}{'minimum':>23}{'median':>28}")
    for dtype in dtypes:
        for batch, rounds in ((1, 10), (16, 3)) if args.quick else ((1, 40), (16, 10)):
            seconds(getattr(torch, dtype), batch, rounds)
    print("\nPeak memory of a call in MB")
    for dtype in dtypes:
        for batch in (1, 16):
            for who in WHO:
                command = [sys.executable, __file__, "--peak", who, dtype, str(batch)]
                answer = subprocess.run(
                    command,
                    env=os.environ | MEMORY_ENVIRONMENT,
                    capture_output=True,
                    text=True,
                    check=True,
                )
                print(f"{dtype:9} {batch:5}  {who:31} {float(answer.stdout):7.1f}", flush=True)


if __name__ == "__main__":
    main()
