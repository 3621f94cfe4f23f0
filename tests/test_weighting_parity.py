"""Contexts equal those that the tools themselves computed, on a small encoder of random weights."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import cliplab
from cliplab.weighting import PromptEncoder

DATA = Path(__file__).parent / "data"
CONTEXTS = load_file(DATA / "weighting.safetensors")
A1111 = {
    "original": {},
    "nonorm": {"method": "scale"},
    "ignore": {"method": "ignore"},
    "none": {"syntax": "plain"},
    "original_clipskip2": {"clip_skip": 1},
    "original_backtrack0": {"comma_backtrack": 0},
}
COMPEL = {"trunc": {"truncate": True}, "notrunc": {}}


def cases(file: str) -> list:
    stored = json.loads((DATA / file).read_text(encoding="utf-8"))
    return [
        pytest.param(
            case,
            stored["prompts"][str(case["prompt_id"])],
            id=f"{case['config']}-{case['prompt_id']}",
        )
        for case in stored["cases"]
    ]


def compare(context, case: dict, tool: str, ids: list) -> None:
    assert context.ids.tolist() == ids
    expected = CONTEXTS[f"{tool}/{case['key']}"]
    torch.testing.assert_close(context.tensor, expected, rtol=0, atol=1e-5)


def expand(runs: list) -> list:
    """Run lengths → values."""
    return [value for value, count in runs for _ in range(count)]


@pytest.mark.parametrize(("case", "prompt"), cases("a1111_embed.json"))
def test_a1111(case, prompt, tokenizer, tiny_clip):
    options = {"syntax": "a1111"} | A1111[case["config"]]
    context = cliplab.encode_prompt(prompt, tokenizer, tiny_clip, **options)
    compare(context, case, "a1111", [i for chunk in case["chunks"] for i in chunk["tokens"]])
    weights = [w for chunk in case["chunks"] for w in expand(chunk["multipliers_rle"])]
    assert context.weights.tolist() == pytest.approx(weights, rel=1e-12)


@pytest.mark.parametrize(("case", "prompt"), cases("comfy_embed.json"))
def test_comfyui(case, prompt, tokenizer, tiny_clip):
    context = cliplab.encode_prompt(prompt, tokenizer, tiny_clip, "comfyui")
    compare(context, case, "comfy", [i for section in case["tokens"] for i in section])
    weights = [w for section in case["weights_rle"] for w in expand(section)]
    assert context.weights.tolist() == pytest.approx(weights, rel=1e-12)


@pytest.mark.filterwarnings("ignore::cliplab.TruncationWarning")
@pytest.mark.parametrize(("case", "prompt"), cases("compel_embed.json"))
def test_compel(case, prompt, tokenizer, tiny_clip):
    encoder = PromptEncoder(tokenizer, tiny_clip, "compel", **COMPEL[case["config"]])
    if "error" in case:
        with pytest.raises(cliplab.PromptError):
            encoder(prompt)
        return
    compare(encoder(prompt), case, "compel", case["tokens"][0][0])
