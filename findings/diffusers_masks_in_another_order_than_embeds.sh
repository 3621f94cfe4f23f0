#!/usr/bin/env bash
# Two prompts, two pictures each: the text of one prompt gets the padding mask of the other.
#
# Versions: diffusers 0.42.1, transformers 5.23.0, torch 2.13.0, Python 3.11.
#
# encode_prompt makes a copy of each prompt's embeddings for each picture. Qwen-Image, Lumina 2,
# Sana and AuraFlow put embeddings in the order a a b b, and masks in the order a b a b. With
# prompts of one length nobody notices. Otherwise a short prompt's second picture is painted with
# its padding shown, and a long prompt's first picture with its end hidden. No error, no warning.
# PixArt-Sigma, whose code was the model of the others, keeps one order. The natural guess, that
# what comes back as a pair belongs together, is wrong as soon as there are two of both. One prompt
# with many pictures is safe, and so are many prompts with one picture each.
#
# The embeddings are given here, as for a text encoder that ran before; of prompt a two rows of four
# are padding, of prompt b none.
#
# Output seen:
#     Qwen-Image: embeds a a b b, masks a b a b
#     Lumina 2: embeds a a b b, masks a b a b
#     Sana: embeds a a b b, masks a b a b
#     PixArt-Sigma: embeds a a b b, masks a a b b
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3.11 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
    diffusers==0.42.1 transformers==5.23.0 torch==2.13.0
"$work/venv/bin/python" - 2>/dev/null <<'P' | tee "$work/seen"
import inspect

import torch
from diffusers import Lumina2Pipeline, PixArtSigmaPipeline, QwenImagePipeline, SanaPipeline


def letters(rows):
    return " ".join("b" if row.flatten().float().mean() > 0.75 else "a" for row in rows)


embeds = torch.stack([torch.zeros(4, 8), torch.ones(4, 8)])  # all of a is 0, all of b is 1
masks = torch.tensor([[1, 1, 0, 0], [1, 1, 1, 1]])
kinds = {
    "Qwen-Image": QwenImagePipeline,
    "Lumina 2": Lumina2Pipeline,
    "Sana": SanaPipeline,
    "PixArt-Sigma": PixArtSigmaPipeline,
}
for name, kind in kinds.items():
    parts = inspect.signature(kind.__init__).parameters
    pipe = kind(**{part: None for part in parts if part != "self"})
    takes = inspect.signature(pipe.encode_prompt).parameters
    mask = "prompt_embeds_mask" if "prompt_embeds_mask" in takes else "prompt_attention_mask"
    more = {"do_classifier_free_guidance": False} if "negative_prompt" in takes else {}
    found = pipe.encode_prompt(
        ["a", "b"], num_images_per_prompt=2, device=torch.device("cpu"),
        prompt_embeds=embeds, **{mask: masks}, **more,
    )
    print(f"{name}: embeds {letters(found[0])}, masks {letters(found[1])}")
P
diff "$work/seen" <(sed -n 's/^#     //p' "$0")
