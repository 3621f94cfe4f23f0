"""Prompt weighting beside Compel: parsing and weighted encoding, same prompts, same run.

    python benchmarks/weighting.py            about two minutes
    python benchmarks/weighting.py --quick    parsing only

Needs `pip install compel`. Both read Compel's syntax, and both are given transformers' encoder of
Stable Diffusion 1.5's size with random weights, on one thread. They take turns, after a warm-up
each; times are the minimum and the median of CPU time. The contexts are compared.
"""

import argparse
import os
import statistics
import tempfile

os.environ["OMP_NUM_THREADS"] = "1"

import torch
import transformers
from compel import Compel
from compel.prompt_parser import PromptParser
from encoder import build  # beside this file, as the next
from turns import take_turns

import cliplab
from cliplab.prompts import compel as grammar
from cliplab.weighting import PromptEncoder

torch.set_num_threads(1)
transformers.logging.set_verbosity_error()

ORDINARY = {
    "no weights": "a photo of a red fox in the snow, golden hour, 85mm",
    "one word up": "a photo of a red++ fox in the snow, golden hour, 85mm",
    "three up": "a (photo)1.2 of a (red fox)1.3 in the snow++, golden hour, 85mm",
    "one down": "a photo of a (red)0.6 fox in the snow, golden hour, 85mm",
    "two down, one up": "a (photo)0.8 of a red-- (fox)1.3 in the snow, golden hour, 85mm",
    "150 words": "a (red)1.3 fox in the snow, " + "with trees and mountains behind it, " * 20,
}


def row(name: str, times: dict[str, list[float]], note: str = "") -> None:
    (ours, theirs) = times.values()
    least, middle = min(ours) / min(theirs), statistics.median(ours) / statistics.median(theirs)
    print(
        f"{name:<22}{1e3 * min(ours):>12.3f}{1e3 * min(theirs):>12.3f}{least:>10.4f}{middle:>10.4f}"
        f"  {note}"
    )


def heading(title: str) -> None:
    print(f"\n{title}\n{'':<22}{'cliplab ms':>12}{'Compel ms':>12}{'minima':>10}{'medians':>10}")


def parsing() -> None:
    heading("Parsing")
    theirs = PromptParser()
    for name, prompt in ORDINARY.items():
        calls = {
            "cliplab": lambda p=prompt: grammar.parse(p),
            "Compel": lambda p=prompt: theirs.parse_conjunction(p),
        }
        row(name, take_turns(calls, 9)[0])
    for depth in (1, 2, 3, 4):
        prompt = "(" * depth + "a fox" + ")" * depth
        calls = {
            "cliplab": lambda p=prompt: grammar.parse(p),
            "Compel": lambda p=prompt: theirs.parse_conjunction(p),
        }
        row(f"plain parentheses, {depth}", take_turns(calls, 1)[0])
    print("\nGrowth, cliplab alone, ms")
    for depth in (50, 100, 200, 400, 800, 50_000):
        print(f"  depth {depth:>6}:  {once('(' * depth + 'a fox' + ')' * depth):10.2f}")
    for words in (100, 1_000, 10_000):
        print(f"  words {words:>6}:  {once('a (red)1.3 fox, ' * (words // 3)):10.2f}")


def once(prompt: str) -> float:
    cpu, _ = take_turns({"cliplab": lambda: grammar.parse(prompt)}, 3)
    return 1e3 * min(cpu["cliplab"])


def encoding() -> None:
    model = build(torch.float32)["transformers"]
    with tempfile.TemporaryDirectory() as folder:
        cliplab.CLIPTokenizer().save(folder)
        tokenizer = transformers.CLIPTokenizer.from_pretrained(folder, model_max_length=77)
    theirs = Compel(tokenizer, model, truncate_long_prompts=False)
    ours = PromptEncoder(tokenizer, model, "compel")
    heading("Parsing and encoding, 123,060,480 parameters")
    for name, prompt in ORDINARY.items():
        calls = {"cliplab": lambda p=prompt: ours(p), "Compel": lambda p=prompt: theirs(p)}
        cpu, _ = take_turns(calls, 5)
        far = (ours(prompt).tensor - theirs(prompt)[0]).abs().max().item()
        row(name, cpu, f"largest difference {far:.1e}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="parsing only")
    options = parser.parse_args()
    parsing()
    if not options.quick:
        encoding()
