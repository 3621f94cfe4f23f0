"""What words mean, as far as the company they keep in text can tell.

A CLIP learns words from captions alone. With 400 million captions that is enough; with 1,426 names
of emoji, "mango" would be a string that was never read. So a small model is given its words: each
that is one token begins, and stays, as a vector that GloVe made from six billion words of text, in
which mango is near papaya. Pictures are not in it. The words of the emoji that training never shows
are known in this way as well, as they are to the big CLIP; what they look like is not.
"""

import functools
import json
from importlib import resources

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..tokenizer import CLIPTokenizer


@functools.cache
def word_vectors() -> dict[str, Tensor]:
    """Word → unit vector [100], for the words that name and describe emoji and scenes.

    Source: GloVe (Pennington et al. 2014), see cliplab/assets/words/README.md.
    """
    from safetensors.torch import load_file

    folder = resources.files("cliplab") / "assets" / "words"
    words = json.loads((folder / "words.json").read_text(encoding="utf-8"))
    with resources.as_file(folder / "vectors.safetensors") as path:
        vectors = F.normalize(load_file(path)["vectors"].float(), dim=-1)
    return dict(zip(words, vectors, strict=True))


@torch.no_grad()
def give_words(embedding: nn.Embedding, tokenizer: CLIPTokenizer) -> int:
    """Make a token table of what is known of words, and keep training from changing it.

    Rows of tokens that are a whole word become its vector, with zeros where the table is wider;
    all others, pieces of words, become random ones of the same length. A table that training could
    change would leave the words of captions elsewhere than those that no caption has.
    Returns how many words were given. Raises ValueError for a table narrower than 100.
    """
    vectors = word_vectors()
    given = {
        row: vectors[symbol.removesuffix("</w>")]
        for symbol, row in tokenizer.vocabulary.items()
        if symbol.endswith("</w>") and symbol.removesuffix("</w>") in vectors
    }
    table = embedding.weight  # [V, D]
    dimensions = len(next(iter(vectors.values())))
    if table.shape[1] < dimensions:
        raise ValueError(
            f"Word vectors have {dimensions} numbers, but the encoder's width is {table.shape[1]}."
        )
    table.copy_(F.normalize(torch.randn(table.shape), dim=-1))
    for row, vector in given.items():
        table[row] = F.pad(vector, (0, table.shape[1] - dimensions))
    table.requires_grad_(False)
    return len(given)
