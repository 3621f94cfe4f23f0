"""What the tests of training share: tiny models, a few pictures, and processes to train in."""

import multiprocessing
import os
import sys
import threading
import time
from pathlib import Path

import torch
from tqdm import tqdm

from cliplab import (
    CLIP,
    CLIPResNet,
    CLIPResNetConfig,
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTokenizer,
    CLIPVisionConfig,
    CLIPVisionModel,
)
from cliplab.training import Pair, Pairs, Recipe
from cliplab.training.batches import Batches

SIDE, WIDTH, E = 32, 16, 12
COLORS = ("red", "green", "blue", "gold", "pink", "gray")
THINGS = ("box", "bar", "dot", "cup", "hat", "key", "fan", "map")


class Blocks(Pairs):
    """n pictures, each with its own pattern; captions like "red box", each for `alike` pictures."""

    def __init__(self, n: int, alike: int = 1):
        generator = torch.Generator().manual_seed(0)
        pixels = torch.randint(0, 256, (n, 4, 4, 3), generator=generator, dtype=torch.uint8)
        self.pixels = pixels.repeat_interleave(8, 1).repeat_interleave(8, 2).numpy()
        words = [f"{color} {thing}" for thing in THINGS for color in COLORS]
        self.texts = [words[i // alike] for i in range(n)]

    def __len__(self):
        return len(self.texts)

    def pair(self, index: int) -> Pair:
        from PIL import Image

        return Pair(Image.fromarray(self.pixels[index]), self.texts[index])


def tiny(image: str = "vit", seed: int = 0, **settings) -> CLIP:
    """A CLIP of some 50,000 parameters, all of them away from where they are at the start."""
    torch.manual_seed(seed)
    tokenizer = CLIPTokenizer.train(["red box"], vocab_size=518)
    text = CLIPTextConfig(tokenizer.vocab_size, 77, WIDTH, 2, 2, 2 * WIDTH, projection=E)
    tower = {
        "vit": lambda: CLIPVisionModel(CLIPVisionConfig(SIDE, 8, WIDTH, 2, 2, 2 * WIDTH, E)),
        "resnet": lambda: CLIPResNet(CLIPResNetConfig(SIDE, 2, E, layers=(1, 1, 1, 1))),
    }[image]()
    clip = CLIP(CLIPTextModel(text), tower, tokenizer=tokenizer, **settings)
    with torch.no_grad():
        for parameter in clip.parameters():
            if parameter.ndim:
                parameter.add_(0.1 * torch.randn_like(parameter))
    return clip


def recipe(**changes) -> Recipe:
    return Recipe(**{"steps": 6, "batch_size": 8, "warmup": 2, "lr": 1e-3, **changes})


def batches(batch_size: int = 8, n: int = 24, alike: int = 1, **parts) -> Batches:
    return Batches(Blocks(n, alike), batch_size, SIDE, **parts)


def gradients(clip) -> dict[str, torch.Tensor]:
    return {name: p.grad.clone() for name, p in clip.named_parameters() if p.grad is not None}


def gap(one: dict, other: dict) -> float:
    """The largest difference of two sets of tensors, as a share of the largest entry of them all.

    Not of each tensor's own: a key's bias, for one, has no gradient but what rounding leaves.
    """
    assert one.keys() == other.keys()
    largest = max(tensor.abs().max().item() for tensor in one.values())
    return max((one[k].double() - other[k].double()).abs().max().item() for k in one) / largest


# --- processes ------------------------------------------------------------------------------------

FORKS = multiprocessing.get_context("forkserver") if hasattr(os, "fork") else None
if FORKS:
    # imported once for all of them
    FORKS.set_forkserver_preload(["pytest", "cliplab.train", "tests.tiny_training"])


def start(target, *arguments, said: Path, **environment):
    """A process of its own that runs target(*arguments) and writes what it prints to `said`."""
    process = FORKS.Process(target=_child, args=(target, arguments, said, environment))
    process.start()
    return process


def _child(target, arguments, said: Path, environment: dict) -> None:
    file = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.environ.update(environment)
    tqdm.set_lock(threading.RLock())  # the one between processes would outlive one that is killed
    try:
        target(*arguments)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


def start_together(target, *arguments, said: Path, world: int = 2) -> list:
    """`world` processes as torchrun starts them; each says its things in said/RANK.

    As under torchrun they meet at a place that none of them keeps, so one may end before another.
    """
    place = torch.distributed.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    said.mkdir(exist_ok=True)
    where = {"WORLD_SIZE": str(world), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(place.port)}
    where |= {
        "TORCHELASTIC_USE_AGENT_STORE": "True",
    }
    processes = [
        start(target, *arguments, said=said / str(rank), RANK=str(rank), **where)
        for rank in range(world)
    ]
    processes[0].place = place  # which lasts as long as they do
    return processes


def finish(processes, seconds: float = 600) -> list[int]:
    """Wait for processes, and return their exit codes; one that hangs is killed, and is a fault."""
    until = time.monotonic() + seconds
    for process in processes:
        process.join(max(0, until - time.monotonic()))
    hanging = [process for process in processes if process.is_alive()]
    for process in hanging:
        process.kill()
        process.join()
    assert not hanging, f"{len(hanging)} processes still ran after {seconds} seconds"
    return [process.exitcode for process in processes]
