"""Captions per second to a tensor: cliplab's batch, Rust's and transformers', in one run.

    pip install --target SITE --no-deps instant-clip-tokenizer==0.1.1
    python benchmarks/tokenizer.py --rust SITE

SITE is a folder of its own. Two sets of 20,000 texts become ids [20,000, 77], padded with 0 as
instant-clip-tokenizer does: captions of emoji and of shapes, and prompts with accents, emoji,
digits and made-up words. Ids are compared on all of them.

Warm: the words were seen before, in other texts. Cold: a new tokenizer, which saw no word; with
and without its construction. Process CPU time, which counts all threads; the tools take turns, and
the best of the rounds counts. Memory: the most that Python and numpy held during a call, tensor
included, over the tensor.
"""

import argparse
import os
import random
import sys
import time
import tracemalloc

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"  # threads would cost CPU time, and save none of it

import transformers

import cliplab
from cliplab.training import EmojiPairs, ShapePairs

ADJECTIVES = ["red", "blue", "tiny", "huge", "rusty", "glowing", "cinematic", "blurry", "ornate"]
NOUNS = ["dog", "cat", "castle", "portrait", "woman", "robot", "landscape", "bicycle", "lighthouse"]
PLACES = [
    "on a beach",
    "in the rain",
    "at sunset",
    "in a café",
    ", 4k, f/1.8",
    "in Kraków",
    "by night",
]


def prompts(number: int, seed: int) -> list[str]:
    """Prompts as people write them, with rare made-up words, digits, accents, a few emoji."""
    rng, made_up = random.Random(seed), random.Random(0)
    letters = "abcdefghijklmnoprstuvwz"
    words = ["".join(made_up.choices(letters, k=made_up.randint(4, 10))) for _ in range(4000)]
    return [
        f"A {rng.choice(ADJECTIVES)} {rng.choice(NOUNS)} and {rng.choice(ADJECTIVES)} "
        f"{rng.choice(NOUNS)} {rng.choice(PLACES)}, {rng.choice(words)} {rng.randint(1, 99)}"
        f"{rng.choice(['', '', '', ' 🐶'])}"
        for _ in range(number)
    ]


def captions(number: int, seed: int) -> list[str]:
    """Half of them of two emoji and what else is said of one; half of drawn shapes."""
    rng, emoji = random.Random(seed), EmojiPairs("train").captions()
    shapes = ShapePairs(2 * number, seed=seed)
    return [
        f"{rng.choice(emoji)} beside {rng.choice(emoji)}, {rng.choice(emoji)}"
        if i % 2
        else shapes.scene(i).caption
        for i in range(number)
    ]


def seconds(function, *arguments):
    """CPU time of a call, and what it returns."""
    start = time.process_time()
    answer = function(*arguments)
    return time.process_time() - start, answer


def peak(function) -> int:
    tracemalloc.start()
    function()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


def compare(name: str, seen: list[str], new: list[str], rust, rounds: int) -> None:
    number = len(new)
    words = {word for text in new for word in text.split()}
    known = len(words & {word for text in seen for word in text.split()})
    print(f"{name}: {number:,} new texts of {len(words):,} words, {known:,} of them seen before")

    ours, theirs = cliplab.CLIPTokenizer(), rust.Tokenizer()
    slow = transformers.CLIPTokenizer(vocab=ours.vocabulary, merges=ours.merges)
    slow_seconds, wanted = seconds(
        lambda: slow(new, padding="max_length", max_length=77, truncation=True, return_tensors="pt")
    )
    assert ours.batch(new).equal(wanted.input_ids), "transformers' ids differ"

    ours = cliplab.CLIPTokenizer()  # the check above has shown it the texts
    ours.batch(seen)
    warm, cold, built, lists = [], [], [], []
    for _ in range(rounds):
        a, ids = seconds(ours.batch, new, 77, 0)
        b, rows = seconds(lambda: theirs.tokenize_batch(new, context_length=77))
        warm.append((a, b))
        assert (ids.numpy() == rows).all(), "instant-clip-tokenizer's ids differ"
        sequences = ours(new)
        lists.append(seconds(cliplab.length_normalization, sequences, 77, 0)[0])
        a, ours_new = seconds(cliplab.CLIPTokenizer)
        b, theirs_new = seconds(rust.Tokenizer)
        first = seconds(ours_new.batch, new, 77, 0)[0]
        second = seconds(lambda new=new, t=theirs_new: t.tokenize_batch(new, context_length=77))[0]
        cold.append((first, second))
        built.append((a + first, b + second))
    for kind, pairs in (("warm", warm), ("cold", cold), ("cold, with construction", built)):
        a, b = (min(times) for times in zip(*pairs, strict=True))
        speeds = f"cliplab {number / a:,.0f}/s, Rust {number / b:,.0f}/s"
        print(f"  {kind}: {speeds}, ratio {b / a:.2f}")
    best = min(a for a, _ in warm)
    print(f"  transformers {number / slow_seconds:,.0f}/s, ratio {slow_seconds / best:.0f}")
    print(f"  length_normalization of lists {number / min(lists):,.0f}/s")
    print(f"  memory / tensor {peak(lambda: ours.batch(new)) / ids.nbytes:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rust", required=True, metavar="SITE", help="see the top of this file")
    parser.add_argument("--number", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    sys.path.append(options.rust)
    import instant_clip_tokenizer as rust

    for name, make in (("captions", captions), ("prompts", prompts)):
        new = make(options.number, 2)
        seen = set(make(2 * options.number, 1)) - set(new)
        compare(name, sorted(seen), new, rust, options.rounds)


if __name__ == "__main__":
    main()
