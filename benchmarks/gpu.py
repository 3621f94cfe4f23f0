"""Training on a CUDA GPU: a step beside open_clip's, and the loop with its own presets.

    pip install open-clip-torch==3.3.0
    python benchmarks/gpu.py                two minutes on one H100

A step is forward, loss, backward and AdamW, on given ids and pixels, in bf16 autocast; the model is
that of the name, with random weights, QuickGELU in both. Time: rounds in which the two take turns,
with the GPU waited for at the end of each; median. Memory: the most that tensors took at any moment
of a step, weights and optimizer included, the other's model not being there.
The loop: `cliplab.training.train`, so data, augmentation and log are in its time; median of the
steps after the first tenth. The preset `taught` gets six teachers.
"""

import argparse
import gc
import math
import statistics
from dataclasses import replace

import torch
from turns import take_turns  # beside this file

import cliplab
from cliplab.training import PRESETS, build_batches, build_clip, sources, train
from cliplab.training.step import adamw

SIZES = {"ViT-B/32": 512, "RN50": 256, "ViT-L/14": 128}  # pairs per step
HOW = {"lr": 5e-4, "weight_decay": 0.2}  # open_clip's, for both
GiB = 2**30


class Ours:
    """cliplab's model and loss."""

    def __init__(self, name: str):
        self.model = cliplab.CLIP.from_preset(name).cuda()
        self.optimizer = adamw(self.model, **HOW)

    def loss(self, ids, pixels):
        u, v = self.model(ids, pixels)
        return cliplab.clip_loss(u.float(), v.float(), self.model.tau)

    def step(self, ids, pixels) -> float:
        self.optimizer.zero_grad()
        with torch.autocast("cuda", torch.bfloat16):
            loss = self.loss(ids, pixels)
        loss.backward()
        self.optimizer.step()
        self.clamp()
        return loss.item()  # waits for the GPU

    def clamp(self) -> None:
        self.model.clamp_temperature()


class Theirs(Ours):
    """open_clip's model and loss."""

    def __init__(self, name: str):
        import open_clip

        self.model = open_clip.create_model(f"{name.replace('/', '-')}-quickgelu", device="cuda")
        self.criterion = open_clip.loss.ClipLoss()
        self.optimizer = adamw(self.model, **HOW)

    def loss(self, ids, pixels):
        return self.criterion(*self.model(pixels, ids))

    def clamp(self) -> None:
        with torch.no_grad():
            self.model.logit_scale.clamp_(0, math.log(100))


WHO = {"cliplab": Ours, "open_clip": Theirs}


def batch(pairs: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(0, 49406, (pairs, 77), generator=generator)
    ids[:, 0], ids[:, 12:] = 49406, 49407
    return ids.cuda(), torch.randn(pairs, 3, 224, 224, generator=generator).cuda()


def steps(name: str, rounds: int) -> None:
    """Print a row: pairs per second of each, the ratio, and GiB of each at its highest."""
    pairs, memory = batch(SIZES[name]), {}
    for one in WHO:  # alone, for its memory
        trainer = WHO[one](name)
        for _ in range(2):
            trainer.step(*pairs)
        torch.cuda.reset_peak_memory_stats()
        trainer.step(*pairs)
        memory[one] = torch.cuda.max_memory_allocated() / GiB
        del trainer
        free()
    trainers = {one: make(name) for one, make in WHO.items()}
    calls = {one: lambda trainer=trainer: trainer.step(*pairs) for one, trainer in trainers.items()}
    _, wall = take_turns(calls, rounds, warm_up=2)
    ours, theirs = (SIZES[name] / statistics.median(wall[one]) for one in WHO)
    row = f"{name:9} {SIZES[name]:4} {ours:9.0f} {theirs:9.0f} {ours / theirs:7.3f}"
    print(row + "".join(f" {memory[one]:7.2f}" for one in WHO), flush=True)
    del trainers, calls
    free()


def free() -> None:
    gc.collect()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()


def loop(name: str, count: int) -> None:
    """Print a row: the preset's pairs per second in the loop, and GiB at its highest."""
    preset = PRESETS[name]
    data = sources(preset.data)
    recipe = replace(preset.recipe, steps=count)
    clip = build_clip(preset.model, data)
    teachers = [build_clip("tiny", data, seed=n) for n in range(6)] if recipe.distill else []
    batches = build_batches(data, recipe, clip.preprocess.image_size)
    log = train(clip, batches, recipe, progress=False, device="cuda", teachers=teachers)
    speed = statistics.median(log["pairs_per_second"][count // 10 :])
    memory = torch.cuda.max_memory_allocated() / GiB
    print(f"{name:9} {recipe.batch_size:4} {speed:9.0f} {memory:7.2f}", flush=True)
    free()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--steps", type=int, default=100, help="of the loop")
    args = parser.parse_args()
    if not torch.cuda.is_available():
        parser.exit(2, "There is no CUDA GPU here.\n")
    print(f"torch {torch.__version__}, {torch.cuda.get_device_name()}")
    print(f"\nA step in bf16: pairs; pairs per second of {', '.join(WHO)}, ratio; GiB")
    for name in SIZES:
        steps(name, args.rounds)
    print("\nThe loop in fp32: pairs; pairs per second; GiB")
    for name in PRESETS:
        loop(name, args.steps)


if __name__ == "__main__":
    main()
