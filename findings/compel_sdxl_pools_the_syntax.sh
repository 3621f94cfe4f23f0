#!/usr/bin/env bash
# With Stable Diffusion XL, Compel's pooled vector is that of the brackets, too.
#
# Versions: compel 2.5.1, transformers 5.23.0, diffusers 0.42.1, torch 2.13.0, Python 3.11.
#
# Stable Diffusion XL reads a prompt twice over: as rows, and as one pooled vector. Compel weighs
# the rows, and encodes the prompt as it was typed for the vector, with brackets, plus signs and
# quotes. So (cat)1.0, a weight of 1, leaves all rows as they are and gives another pooled vector
# than cat, and a blend that gives everything to its first part has that part's rows and a vector of
# something else. The natural guess, that a weight of 1 changes nothing, is wrong. Compel #96.
#
# Both encoders are tiny and random; the vocabulary is CLIP's first 512 entries, with no merges.
#
# Output seen:
#     (cat)1.0 beside cat: rows alike True, pooled alike False
#     ("cat", "dog").blend(1, 0) beside cat: rows alike True, pooled alike False
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3.11 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
    compel==2.5.1 transformers==5.23.0 \
    diffusers==0.42.1 torch==2.13.0
"$work/venv/bin/python" - 2>/dev/null <<'P' | tee "$work/seen"
from types import SimpleNamespace

import torch
from compel import CompelForSDXL
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

END = "<|endoftext|>"
printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
letters = [chr(b) for b in printable] + [chr(256 + n) for n in range(256 - len(printable))]
symbols = [*letters, *(letter + "</w>" for letter in letters), "<|startoftext|>", END]
vocabulary = {symbol: i for i, symbol in enumerate(symbols)}
tokenizers = [
    CLIPTokenizer(vocab=vocabulary, merges=[], pad_token=pad, model_max_length=77)
    for pad in (END, "!")
]
torch.manual_seed(0)
config = CLIPTextConfig(
    vocab_size=514, hidden_size=16, intermediate_size=16, num_hidden_layers=3,
    num_attention_heads=2, projection_dim=16, eos_token_id=513,
)
kinds = (CLIPTextModel, CLIPTextModelWithProjection)
encoders = [kind(config).eval() for kind in kinds]
parts = dict(zip(("tokenizer", "tokenizer_2", "text_encoder", "text_encoder_2"),
                 [*tokenizers, *encoders], strict=True))
compel = CompelForSDXL(SimpleNamespace(**parts), device="cpu")
cat = compel("cat")
for prompt in ("(cat)1.0", '("cat", "dog").blend(1, 0)'):
    made = compel(prompt)
    rows = torch.allclose(made.embeds, cat.embeds, atol=1e-6)
    pooled = torch.allclose(made.pooled_embeds, cat.pooled_embeds, atol=1e-6)
    print(f"{prompt} beside cat: rows alike {rows}, pooled alike {pooled}")
P
diff "$work/seen" <(sed -n 's/^#     //p' "$0")
