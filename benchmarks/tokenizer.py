"""Captions per second: cliplab's tokenizer and transformers', the same captions, in one run.

    python benchmarks/tokenizer.py

Warm: every word has been seen before. Cold: the tokenizer is built, and sees each word for the
first time. Wall time, median of the rounds; the two take turns. Ids are compared on every caption.
"""

import os
import random
import statistics
import time

os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")  # as fast as transformers can be

import transformers

import cliplab

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


def captions(number: int, seed: int = 0) -> list[str]:
    """Prompts as people write them, with rare made-up words, digits, accents, a few emoji."""
    rng = random.Random(seed)
    letters = "abcdefghijklmnoprstuvwz"
    made_up = ["".join(rng.choices(letters, k=rng.randint(4, 10))) for _ in range(4000)]
    return [
        f"A {rng.choice(ADJECTIVES)} {rng.choice(NOUNS)} and {rng.choice(ADJECTIVES)} "
        f"{rng.choice(NOUNS)} {rng.choice(PLACES)}, {rng.choice(made_up)} {rng.randint(1, 99)}"
        f"{rng.choice(['', '', '', ' 🐶'])}"
        for _ in range(number)
    ]


def seconds(function) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def main(number: int = 20_000, rounds: int = 7) -> None:
    texts = captions(number)
    merges = cliplab.CLIPTokenizer().merges
    vocabulary = cliplab.CLIPTokenizer().vocabulary

    def build_theirs():
        return transformers.CLIPTokenizer(vocab=vocabulary, merges=merges)

    ours, theirs = cliplab.CLIPTokenizer(), build_theirs()
    assert ours(texts) == theirs(texts).input_ids, "the ids differ"

    warm = [(seconds(lambda: ours(texts)), seconds(lambda: theirs(texts))) for _ in range(rounds)]
    cold = [
        (seconds(lambda: cliplab.CLIPTokenizer()(texts)), seconds(lambda: build_theirs()(texts)))
        for _ in range(rounds)
    ]
    print(f"{number:,} captions, {len(set(' '.join(texts).split())):,} different words, ids equal")
    for name, pairs in (("warm", warm), ("cold", cold)):
        a, b = (statistics.median(times) for times in zip(*pairs, strict=True))
        ratio = statistics.median(theirs / ours for ours, theirs in pairs)
        speeds = f"cliplab {number / a:,.0f}/s, transformers {number / b:,.0f}/s"
        print(f"{name}: {speeds}, ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
