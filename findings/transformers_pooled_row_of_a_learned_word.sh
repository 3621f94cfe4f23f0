#!/usr/bin/env bash
# In Stable Diffusion XL a learned word takes the place of the whole prompt in the pooled vector.
#
# Versions: transformers 5.23.0, torch 2.13.0, Python 3.11.
#
# CLIP's pooled vector is the row of EOS. The second text encoder of SDXL is told that EOS has the
# id 2, as all older configurations of CLIP are, and transformers then takes the row with the
# largest id: EOS was the last entry of the vocabulary. Textual inversion adds entries after it. As
# soon as a prompt has one, its row is pooled, wherever it stands, and what comes after it is not in
# the vector, since the encoder is causal. Two prompts that differ after the learned word then have
# one pooled vector. With the true id in the configuration the row of EOS is taken. The natural
# guess, that a learned word moves the pooled vector a little, as other words do, is wrong.
#
# Output seen:
#     eos_token_id 2, no learned word: the pooled row is row 5
#     eos_token_id 2, a learned word at row 2: the pooled row is row 2
#     eos_token_id 2: a learned word and then other words: pooled alike True
#     eos_token_id 49407: a learned word and then other words: pooled alike False
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3.11 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
    transformers==5.23.0 torch==2.13.0
"$work/venv/bin/python" - 2>/dev/null <<'P' | tee "$work/seen"
import torch
from transformers import CLIPTextConfig, CLIPTextModelWithProjection

BOS, EOS, LEARNED = 49406, 49407, 49408


def encoder(eos):
    torch.manual_seed(0)
    config = CLIPTextConfig(
        vocab_size=49409, hidden_size=16, intermediate_size=16, num_hidden_layers=2,
        num_attention_heads=2, projection_dim=16, eos_token_id=eos,
    )
    return CLIPTextModelWithProjection(config).eval()


@torch.no_grad()
def pooled(model, ids):
    return model(torch.tensor([ids])).text_embeds[0]


@torch.no_grad()
def pooled_row(model, ids):
    out = model(torch.tensor([ids]))
    rows = model.text_projection(out.last_hidden_state[0])
    return (rows - out.text_embeds).abs().amax(-1).argmin().item()


plain = [BOS, 320, 2368, 525, 320, EOS, EOS]
learned = [BOS, 320, LEARNED, 525, 320, EOS, EOS]
other = [BOS, 320, LEARNED, 536, 1929, EOS, EOS]
sdxl = encoder(2)
print("eos_token_id 2, no learned word: the pooled row is row", pooled_row(sdxl, plain))
print("eos_token_id 2, a learned word at row 2: the pooled row is row", pooled_row(sdxl, learned))
for model, eos in ((sdxl, 2), (encoder(EOS), EOS)):
    alike = torch.equal(pooled(model, learned), pooled(model, other))
    print(f"eos_token_id {eos}: a learned word and then other words: pooled alike {alike}")
P
diff "$work/seen" <(sed -n 's/^#     //p' "$0")
