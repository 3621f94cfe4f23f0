#!/usr/bin/env bash
# Z-Image's pipeline writes its chat template into the list of prompts that it is given.
#
# Versions: diffusers 0.42.1, transformers 5.23.0, torch 2.13.0, Python 3.11.
#
# A language model reads a prompt inside a template. ZImagePipeline puts the template around each
# prompt and stores the result in the caller's own list. Whoever paints the same list again, with
# another seed or in a loop, paints a prompt in a template in a template, and then one more. A
# prompt that is a string is safe, since strings cannot be written into; so the same prompt gives
# other embeddings alone and in a list, from the second call on. The natural guess, that a list
# handed to a function is as it was, is wrong.
#
# The encoder is a tiny Qwen3 with random parameters, the tokenizer makes one token of each byte.
#
# Output seen:
#     first call, a list: ['[user]a cat[assistant]'], 23 tokens read
#     second call, the same list: ['[user][user]a cat[assistant][assistant]'], 40 tokens read
#     second call, a string: 23 tokens read
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3.11 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
    diffusers==0.42.1 transformers==5.23.0 torch==2.13.0
"$work/venv/bin/python" - 2>/dev/null <<'P' | tee "$work/seen"
import transformers
from diffusers import ZImagePipeline

template = "{% for m in messages %}[user]{{ m.content }}{% endfor %}[assistant]"
tokenizer = transformers.ByT5Tokenizer(chat_template=template)
config = transformers.Qwen3Config(
    vocab_size=400, hidden_size=16, intermediate_size=16, num_hidden_layers=2,
    num_attention_heads=2, num_key_value_heads=1, head_dim=8,
)
encoder = transformers.Qwen3Model(config).eval()
pipe = ZImagePipeline(None, None, encoder, tokenizer, None)


def rows(prompt):
    found, _ = pipe.encode_prompt(prompt, do_classifier_free_guidance=False)
    return f"{len(found[0])} tokens read"


prompts = ["a cat"]
for call in ("first call, a list", "second call, the same list"):
    read = rows(prompts)
    print(f"{call}: {prompts}, {read}")
prompt = "a cat"
rows(prompt)
print(f"second call, a string: {rows(prompt)}")
P
diff "$work/seen" <(sed -n 's/^#     //p' "$0")
