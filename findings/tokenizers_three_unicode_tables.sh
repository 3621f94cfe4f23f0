#!/usr/bin/env bash
# One tokenizer, three Unicode tables of different ages.
#
# Versions: tokenizers 0.23.3, regex 2026.11.15, Python 3.11 (tables of Unicode 14).
#
# CLIP's pattern splits a text into runs of letters (\p{L}), single numbers and runs of other signs.
# The Rust library behind transformers' CLIPTokenizer knows the letters of Unicode 16, lowercases by
# Unicode 17, and composes (NFC) by Unicode 9. OpenAI's own tokenizer uses the Python package
# `regex`, whose letters are newer still. So a letter that was added lately is a letter in one of
# the two tools and a sign in the other; next to Latin letters the same text then has two words in
# one tool and three in the other, and other ids. Neither warns.
#
# Output seen:
#     U+1E6D1: tokenizers splits aXb into 3, regex into 1
#     U+A7CE lowercased by tokenizers: True, by Python 3.11: False
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3.11 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check tokenizers==0.23.3 regex==2026.11.15
"$work/venv/bin/python" - <<'P' | tee "$work/seen"
import regex
from tokenizers import Regex
from tokenizers.normalizers import Lowercase
from tokenizers.pre_tokenizers import Split

PATTERN = r"\p{L}+|\p{N}|[^\s\p{L}\p{N}]+"
letter = chr(0x1E6D1)
split = Split(Regex(PATTERN), behavior="removed", invert=True)
here = [piece for piece, _ in split.pre_tokenize_str(f"a{letter}b")]
there = regex.findall(PATTERN, f"a{letter}b")
print(f"U+1E6D1: tokenizers splits aXb into {len(here)}, regex into {len(there)}")
late = chr(0xA7CE)
print(
    f"U+A7CE lowercased by tokenizers: {Lowercase().normalize_str(late) != late},"
    f" by Python 3.11: {late.lower() != late}"
)
P
diff "$work/seen" <(sed -n 's/^#     //p' "$0")
