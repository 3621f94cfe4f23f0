"""The vocabularies of the tokenizers, as lib/bpe.js takes them; and the words that are known."""

import json
from importlib import resources
from pathlib import Path

from ...pipeline.beside import WORDS
from ...tokenizer import CLIPTokenizer

ASSETS = Path(str(resources.files("cliplab") / "assets"))


def vocabulary(tokenizer: CLIPTokenizer) -> bytes:
    """What ``createTokenizer`` in lib/bpe.js takes: ``{"merges": [left, right, left, right, …]}``.

    The two sides of every merge as ids, in rank order; the merge of rank r makes the id 512 + r,
    and from that the strings follow. JSON, for gzip makes it small: 187 kB for CLIP's. Raises
    ValueError for merges that make one string twice, which CLIP's numbering has no id for.
    """
    merges, ids = tokenizer.merges, tokenizer.vocabulary
    if tokenizer.results != list(range(512, 512 + len(merges))):
        raise ValueError(
            "Two merges of this vocabulary make the same token; each must make its own."
        )
    sides = [ids[side] for pair in merges for side in pair]
    return json.dumps({"merges": sides}, separators=(",", ":")).encode()


CLIP_VOCABULARY = {"clip_vocabulary": lambda: vocabulary(CLIPTokenizer())}
MINI_VOCABULARY = {"mini_vocabulary": lambda: vocabulary(CLIPTokenizer.load(ASSETS / "clip-mini"))}
SD_VOCABULARY = {
    "sd_vocabulary": lambda: vocabulary(CLIPTokenizer.load(ASSETS / "sd-mini" / "tokenizer"))
}
# {"color": ["red", …], …}: what the miniature has learned of them, as its folder lists it.
SD_WORDS = {"sd_words": lambda: (ASSETS / "sd-mini" / WORDS).read_bytes()}
