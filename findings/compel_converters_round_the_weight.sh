#!/usr/bin/env bash
# Two converters from Automatic1111's weights to Compel's, and what becomes of a weight of 2.
#
# Versions: dgenerate 5.0.0, stablepy 0.6.5, Python 3.11. Their parsers' own code runs, without the
# models that the packages would load.
#
# Compel writes (cat)2 for a weight of 2. Both packages write plus and minus signs instead, each of
# which multiplies by 1.1 or 0.9. dgenerate ("compel;syntax=sdwui") takes one sign for each tenth,
# so that 2 becomes ten signs, which is 2.594, and 0 becomes ten, which is 0.349. stablepy
# ("Classic") does so between 0.8 and 1.3, and cuts off where dgenerate rounds: in floats 1.2 - 1 is
# a little less than two tenths, so 1.2 is one sign, which is 1.1. dgenerate's pattern for escapes
# asks for two backslashes: a \( is a bracket all the same, and weighs. BREAK is handed to Compel in
# brackets with twenty minus signs. The natural guess, that a number goes over as it is, is wrong.
#
# Output seen:
#     dgenerate (cat:1.3): (cat)+++
#     dgenerate (cat:2): (cat)++++++++++
#     dgenerate (cat:0): (cat)----------
#     dgenerate \(cat\): (cat)+
#     dgenerate a BREAK b: a(BREAK)--------------------b
#     stablepy (cat:1.2): (cat)+
#     stablepy (cat:1.3): (cat)1.3
#     stablepy (cat:0.9): (cat)-
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3.11 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --ignore-requires-python \
    --target "$work/there" dgenerate==5.0.0 stablepy==0.6.5
"$work/venv/bin/python" - "$work/there" <<'P' | tee "$work/seen"
import ast
import re
import sys
import typing
from pathlib import Path


def definitions(file):
    """A module's functions and constants, without its imports and classes."""
    tree = ast.parse((Path(sys.argv[1]) / file).read_text())
    kinds = (ast.FunctionDef, ast.Assign)
    made = {"re": re, "typing": typing}
    module = ast.Module([node for node in tree.body if isinstance(node, kinds)], [])
    exec(compile(module, file, "exec"), made)
    return made


there = definitions("dgenerate/promptweighters/compelpromptweighter.py")
for prompt in ("(cat:1.3)", "(cat:2)", "(cat:0)", r"\(cat\)", "a BREAK b"):
    print(f"dgenerate {prompt}:", there["_translate_sdwui_to_compel"](prompt))
there = definitions("stablepy/diffusers_vanilla/prompt_weights.py")
for prompt in ("(cat:1.2)", "(cat:1.3)", "(cat:0.9)"):
    attention = there["parse_prompt_attention"](prompt)
    print(f"stablepy {prompt}:", there["prompt_attention_to_invoke_prompt"](attention))
P
diff "$work/seen" <(sed -n 's/^#     //p' "$0")
