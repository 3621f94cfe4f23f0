#!/usr/bin/env bash
# Chroma's mask for padding hides nothing: it is made of numbers, and attention adds numbers.
#
# Versions: diffusers 0.42.1, transformers 5.23.0, torch 2.13.0, Python 3.11.
#
# Chroma was trained to see a prompt and one row of padding. encode_prompt returns a mask that says
# so, as ones and zeros of the embeddings' type, and the pipeline hands it on. torch's attention
# hides what a boolean mask calls False; numbers it adds to the scores. So a padding row's scores
# are one lower beside the text's, which leaves it about a third of its attention. All 512 rows are
# read, 505 of them not meant to be. The denoiser is tiny and random here, and is called with the
# mask in two types; a row is read if the estimate's gradient by it is not zero. The natural guess,
# that a mask of ones and zeros masks, is wrong. diffusers #12116, #13619.
#
# Output seen:
#     the mask that encode_prompt returns: torch.float32, 7 of 512 rows shown
#     as it is: 512 rows read
#     as booleans: 7 rows read
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3.11 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
    diffusers==0.42.1 transformers==5.23.0 torch==2.13.0
"$work/venv/bin/python" - 2>/dev/null <<'P' | tee "$work/seen"
import torch
import transformers
from diffusers import ChromaPipeline, ChromaTransformer2DModel

torch.manual_seed(0)
config = transformers.T5Config(
    vocab_size=400, d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2
)
encoder = transformers.T5EncoderModel(config).eval()
denoiser = ChromaTransformer2DModel(
    in_channels=16, num_layers=1, num_single_layers=1, attention_head_dim=16, num_attention_heads=2,
    joint_attention_dim=16, axes_dims_rope=(4, 4, 8), approximator_num_channels=8,
    approximator_hidden_dim=16, approximator_layers=1,
)
pipe = ChromaPipeline(None, None, encoder, transformers.ByT5Tokenizer(), denoiser)
with torch.no_grad():
    embeds, text_ids, mask, *_ = pipe.encode_prompt("a dog", do_classifier_free_guidance=False)
shown = int(mask[0].bool().sum())
print(f"the mask that encode_prompt returns: {mask.dtype}, {shown} of {len(mask[0])} rows shown")


def rows_read(mask):
    rows = embeds.clone().requires_grad_()
    with_picture = torch.cat([mask, torch.ones(1, 4, dtype=mask.dtype)], 1)  # as the pipeline does
    estimate = denoiser(
        torch.ones(1, 4, 16), rows, torch.tensor([0.5]), torch.zeros(4, 3), text_ids,
        attention_mask=with_picture, return_dict=False,
    )[0]
    (slope,) = torch.autograd.grad(estimate.square().sum(), rows)
    return f"{int(slope[0].any(-1).sum())} rows read"


print("as it is:", rows_read(mask))
print("as booleans:", rows_read(mask.bool()))
P
diff "$work/seen" <(sed -n 's/^#     //p' "$0")
