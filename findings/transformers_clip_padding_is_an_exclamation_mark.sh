#!/usr/bin/env bash
# In SDXL's second tokenizer an exclamation mark of the prompt is padding.
#
# Versions: transformers 5.23.0, Python 3.11.
#
# OpenCLIP's models were trained with padding 0, and 0 is the id of the symbol "!". SDXL's
# tokenizer_2 (and SD 2's tokenizer) say so by "pad_token": "!". transformers takes special tokens
# out of a text as it was typed, so every "!" becomes 0, wherever it stands, and "!!!" three of
# them. The first tokenizer of the same pipeline, and OpenCLIP's own, have 256, "!</w>", the sign at
# the end of a word. So "dog!" is two different prompts for SDXL's two encoders. No warning.
# Automatic1111 and ComfyUI give both encoders the same ids and pad them apart. The natural guess,
# that padding is something that only stands after the prompt, is wrong. diffusers #4153.
#
# The vocabulary here is CLIP's first 512 entries and the two specials, with no merges.
#
# Output seen:
#     pad_token <|endoftext|>: dog! ends with 256, a!!b has 2 of 0 and 256
#     pad_token !: dog! ends with 0, a!!b has 2 of 0 and 256
#     the ids of "!!" at the end: [0, 256] and [0, 0]
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3.11 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check transformers==5.23.0
"$work/venv/bin/python" - 2>/dev/null <<'P' | tee "$work/seen"
from transformers import CLIPTokenizer

END = "<|endoftext|>"
printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
letters = [chr(b) for b in printable] + [chr(256 + n) for n in range(256 - len(printable))]
symbols = [*letters, *(letter + "</w>" for letter in letters), "<|startoftext|>", END]
vocabulary = {symbol: i for i, symbol in enumerate(symbols)}
assert vocabulary["!"] == 0 and vocabulary["!</w>"] == 256

toks = {pad: CLIPTokenizer(vocab=vocabulary, merges=[], pad_token=pad) for pad in (END, "!")}
for pad, tok in toks.items():
    last = tok("dog!")["input_ids"][-2]
    marks = [i for i in tok("a!!b")["input_ids"] if i in (0, 256)]
    print(f"pad_token {pad}: dog! ends with {last}, a!!b has {len(marks)} of 0 and 256")
ends = [tok("a !!")["input_ids"][2:-1] for tok in toks.values()]
print(f'the ids of "!!" at the end: {ends[0]} and {ends[1]}')
P
diff "$work/seen" <(sed -n 's/^#     //p' "$0")
