"""T5 and a decoder model beside transformers' (sdpa): time, same weights, same run.

    python benchmarks/later_encoders.py            a few minutes on a quiet machine
    python benchmarks/later_encoders.py --quick    fewer rounds

T5 v1.1 at the size of t5-base, and a Qwen3 of 0.6 B's width with two layers; one prompt, one
thread, fp32, under inference_mode. The two take turns in rounds; process CPU time, minimum and
median. Half of the tokens are padding; with the mask, it is hidden.
"""

import argparse
import os

os.environ["OMP_NUM_THREADS"] = "1"

import torch
import transformers
from turns import beside, load_average, milliseconds, take_turns  # beside this file

import cliplab

torch.set_num_threads(1)


def t5() -> tuple[torch.nn.Module, torch.nn.Module]:
    """Both encoders, sharing one set of random weights."""
    config = transformers.T5Config(
        vocab_size=32128,
        d_model=768,
        d_kv=64,
        d_ff=2048,
        num_layers=12,
        num_heads=12,
        feed_forward_proj="gated-gelu",
        attn_implementation="sdpa",
    )
    with torch.device("meta"):
        ours = cliplab.T5EncoderModel(cliplab.T5Config(32128, 768, 12, 64, 12, 2048))
    return ours, transformers.T5EncoderModel(config)


def qwen3() -> tuple[torch.nn.Module, torch.nn.Module]:
    """Both models, sharing one set of random weights."""
    config = transformers.Qwen3Config(
        vocab_size=151936,
        hidden_size=1024,
        intermediate_size=3072,
        num_hidden_layers=2,
        num_attention_heads=16,
        num_key_value_heads=8,
        head_dim=128,
        rope_theta=1e6,
        attn_implementation="sdpa",
        use_cache=False,
    )
    numbers = cliplab.DecoderConfig(151936, 1024, 16, 8, 128, 2, 3072, rope_theta=1e6, qk_norm=True)
    with torch.device("meta"):
        ours = cliplab.DecoderModel(numbers)
    return ours, transformers.Qwen3Model(config)


def seconds(name: str, ours, theirs, length: int, masked: bool, rounds: int) -> None:
    """Print one row: CPU time of each, and the ratio."""
    ids = torch.randint(0, 32000, (1, length))
    mask = torch.arange(length)[None] < length // 2 if masked else None
    whole = mask if mask is None else mask.long()
    calls = {
        "cliplab": lambda: ours(ids, mask).context,
        "transformers": lambda: theirs(ids, attention_mask=whole).last_hidden_state,
    }
    with torch.inference_mode():
        here, there = (call() for call in calls.values())
        gap = (here - there).abs().max() / there.abs().max()
        cpu, _ = take_turns(calls, rounds)
    row = f"{name:6} {length:4} {'yes' if masked else 'no':5}"
    print(f"{row}{beside(cpu, milliseconds)}   {gap:.1e}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    rounds = 7 if parser.parse_args().quick else 40

    print(
        f"torch {torch.__version__}, transformers {transformers.__version__}, 1 thread"
        + load_average()
    )
    print("\nTime in ms: cliplab, transformers, ratio; largest difference, relative")
    print(f"{'':6} {'L':>4} mask {'minimum':>22}{'median':>28}")
    for name, build in (("T5", t5), ("Qwen3", qwen3)):
        torch.manual_seed(0)
        ours, theirs = build()
        ours.load_state_dict(theirs.state_dict(), assign=True)
        for length in (77, 256):
            for masked in (False, True):
                seconds(name, ours.eval(), theirs.eval(), length, masked, rounds)


if __name__ == "__main__":
    main()
