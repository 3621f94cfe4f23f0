"""A step of training beside open_clip's: pairs per second and memory, same weights, same run.

    pip install --target SITE --no-deps torchvision==0.28.0 timm==1.0.31 open-clip-torch==3.3.0
    python benchmarks/training.py --open-clip SITE      a few minutes on a quiet machine
    python benchmarks/training.py --open-clip SITE --quick

SITE is a folder outside of every environment (the torchvision that open_clip needs breaks
transformers beside a CPU torch); the environment variable OPEN_CLIP_SITE names it as well.

A step is forward, loss, backward and AdamW, on given ids and pixels, one thread. The model: vision
transformer of 4 layers of 192, patches of 8 on pictures of 64 pixels; text of 4 layers of 192, 32
tokens, vocabulary 49,408; 256 pairs; QuickGELU in both. A second row has the residual network of
the miniature in place of the transformer. open_clip's model, ClipLoss and recipe are its own.
Time: rounds in which the two take turns, after one warm-up each; process CPU time and wall time,
minimum and median. Memory (Linux): each in a process of its own, the highest resident set during a
step above what was resident before it, gradients and the optimizer's state being there already.
"""

import argparse
import ctypes
import functools
import math
import os
import subprocess
import sys

os.environ["OMP_NUM_THREADS"] = "1"

import torch
from encoder import MEMORY_ENVIRONMENT, status  # beside this file, as the next
from turns import beside, load_average, take_turns

import cliplab
from cliplab.checkpoints.layouts import clip_to_layout

torch.set_num_threads(1)

PAIRS, TOKENS = 256, 32
TEXT = cliplab.CLIPTextConfig(49408, TOKENS, 192, 3, 4, 768, projection=192)
TOWERS = {
    "transformer": cliplab.CLIPVisionConfig(64, 8, 192, 3, 4, 768, projection=192),
    "residual network": cliplab.CLIPResNetConfig(64, 16, 192, layers=(1, 1, 1, 1)),
}


@functools.cache
def import_open_clip(site: str):
    # Both are declared here, or torchvision asks for a half of it that a CPU torch does not have.
    library = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    sys.path.append(site)
    import open_clip

    open_clip.declared = library  # which lasts as long as this does
    return open_clip


class Ours:
    """cliplab's model, loss and optimizer."""

    def __init__(self, tower: str, site: str):
        torch.manual_seed(0)
        image = TOWERS[tower]
        encoder = cliplab.CLIPResNet if tower == "residual network" else cliplab.CLIPVisionModel
        self.model = cliplab.CLIP(cliplab.CLIPTextModel(TEXT), encoder(image))
        self.optimizer = optimizer(self.model)

    def step(self, ids, pixels) -> float:
        self.optimizer.zero_grad()
        u, v = self.model(ids, pixels)
        loss = cliplab.clip_loss(u, v, self.model.tau)
        loss.backward()
        self.optimizer.step()
        self.model.clamp_temperature()
        return loss.item()


class Theirs:
    """open_clip's model and loss, with our weights."""

    def __init__(self, tower: str, site: str):
        open_clip = import_open_clip(site)
        c = TOWERS[tower]
        vision = {"image_size": c.image_size, "width": c.width, "layers": c.layers}
        if tower == "transformer":
            vision |= {"patch_size": c.patch_size}
        text = {"context_length": TOKENS, "vocab_size": 49408}
        text |= {"width": TEXT.width, "heads": TEXT.heads, "layers": TEXT.layers}
        self.model = open_clip.CLIP(192, vision, text, quick_gelu=True)
        ours = Ours(tower, site).model
        self.model.load_state_dict(clip_to_layout(ours.state_dict(), "openai"))
        self.loss = open_clip.loss.ClipLoss()
        self.optimizer = optimizer(self.model)

    def step(self, ids, pixels) -> float:
        self.optimizer.zero_grad()
        image, text, scale = self.model(pixels, ids)
        loss = self.loss(image, text, scale)
        loss.backward()
        self.optimizer.step()
        with torch.no_grad():
            self.model.logit_scale.clamp_(0, math.log(100))
        return loss.item()


WHO = {"cliplab": Ours, "open_clip": Theirs}


def optimizer(model) -> torch.optim.Optimizer:
    """The same for both: open_clip's settings, decay on matrices only."""
    matrices = [p for p in model.parameters() if p.ndim >= 2]
    others = [p for p in model.parameters() if p.ndim < 2]
    groups = [{"params": matrices, "weight_decay": 0.2}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=5e-4, betas=(0.9, 0.98), eps=1e-6)


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(0, 49406, (PAIRS, TOKENS), generator=generator)
    ids[:, 0], ids[:, 12:] = 49406, 49407
    return ids, torch.randn(PAIRS, 3, 64, 64, generator=generator)


def seconds(tower: str, site: str, rounds: int) -> None:
    """Print two rows: pairs per second of each, by CPU and by wall time, and the ratio."""
    trainers = {name: make(tower, site) for name, make in WHO.items()}
    pairs, losses = batch(), {name: [] for name in WHO}
    calls = {
        name: lambda name=name: losses[name].append(trainers[name].step(*pairs)) for name in WHO
    }
    cpu, wall = take_turns(calls, rounds)
    gap = max(abs(a - b) for a, b in zip(*losses.values(), strict=True))
    for clock, times in (("CPU", cpu), ("wall", wall)):
        row = f"{tower:17} {clock:5}" + beside(times, lambda seconds: PAIRS / seconds)
        print(row + (f"   {losses['cliplab'][0]:.4f} {gap:.1e}" if clock == "CPU" else ""))


def peak(who: str, tower: str, site: str) -> float:
    """MB that a step needs at its highest, above what stands between two steps. Linux only."""
    trainer, pairs = WHO[who](tower, site), batch()
    for _ in range(2):  # gradients, moments and the libraries' own buffers come to stay
        trainer.step(*pairs)
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    with open("/proc/self/clear_refs", "w") as reset:
        reset.write("5")  # the high-water mark starts again here
    before = status("VmRSS")
    trainer.step(*pairs)
    return status("VmHWM") - before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument(
        "--open-clip", default=os.environ.get("OPEN_CLIP_SITE"), help="the folder that holds it"
    )
    parser.add_argument("--peak", nargs=2, metavar=("WHO", "TOWER"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if not args.open_clip:
        parser.error("--open-clip or OPEN_CLIP_SITE must name the folder that holds open_clip.")
    if args.peak:
        return print(peak(*args.peak, args.open_clip))

    print(f"torch {torch.__version__}, 1 thread, {PAIRS} pairs" + load_average())
    print("\nPairs per second: cliplab, open_clip, ratio; first loss, largest gap between losses")
    print(f"{'':22}{'best':>24}{'median':>28}")
    for tower in TOWERS:
        seconds(tower, args.open_clip, 4 if args.quick else 12)
    print("\nPeak memory of a step in MB")
    for tower in TOWERS:
        for who in WHO:
            command = [sys.executable, __file__, "--open-clip", args.open_clip]
            answer = subprocess.run(
                [*command, "--peak", who, tower],
                env=os.environ | MEMORY_ENVIRONMENT,
                capture_output=True,
                text=True,
                check=True,
            )
            print(f"{tower:17} {who:10} {float(answer.stdout):7.1f}", flush=True)


if __name__ == "__main__":
    main()
