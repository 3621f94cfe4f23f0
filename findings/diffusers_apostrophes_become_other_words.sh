#!/usr/bin/env bash
# Apostrophes of a prompt are taken for quotes, or cost a word its place.
#
# Versions: diffusers 0.42.1, transformers 5.23.0, torch 2.13.0, Python 3.11.
#
# Some pipelines draw what stands in quotes with an encoder of its own, letter by letter. English
# has the same sign in dog's. HunyuanImage takes all from the first apostrophe to the second for a
# text to be drawn. GLM-Image does the same. LongCat-Image knows better and hides words such as
# dog's behind marks before it looks for quotes; but the second word's mark is the first one's
# twice, so that it comes back as the first word, twice. The cat is gone, without a warning. Which
# of the two words stays depends on the order of a set, that is, on Python's hash seed. One such
# word is safe, and so is the same word again. The natural guess, that a prompt without quotes is
# read as it was typed, is wrong.
#
# Output seen:
#     HunyuanImage draws: Text "s bowl and a cat".
#     GLM-Image draws: ['s bowl and a cat']
#     LongCat-Image reads: a dog's bowl and a dog'sdog's bed
#     LongCat-Image, one word: a dog's bowl and a dog's bed
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3.11 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
    diffusers==0.42.1 transformers==5.23.0 torch==2.13.0
PYTHONHASHSEED=0 "$work/venv/bin/python" - 2>/dev/null <<'P' | tee "$work/seen"
from diffusers.pipelines.glm_image.pipeline_glm_image import GlmImagePipeline
from diffusers.pipelines.hunyuan_image.pipeline_hunyuanimage import extract_glyph_text
from diffusers.pipelines.longcat_image.pipeline_longcat_image import split_quotation

prompt = "a dog's bowl and a cat's bed"


def longcat(text):
    return "".join(piece for piece, _ in split_quotation(text))


print("HunyuanImage draws:", extract_glyph_text(prompt).strip())
print("GLM-Image draws:", GlmImagePipeline.get_glyph_texts(None, prompt)[0])
print("LongCat-Image reads:", longcat(prompt))
print("LongCat-Image, one word:", longcat("a dog's bowl and a dog's bed"))
P
diff "$work/seen" <(sed -n 's/^#     //p' "$0")
