"""``python -m cliplab.encode "a (red:1.3) cat"``: tokens, weights, and the norms of the context."""

import argparse
import json
import math
import sys
import warnings

import torch

from cliplab.checkpoints import CheckpointError, load_text_encoder
from cliplab.checks import as_options
from cliplab.extras import MissingExtra
from cliplab.prompts import TOOLS
from cliplab.text_encoder import CLIPTextConfig, CLIPTextModel
from cliplab.text_encoder.config import ACTIVATIONS
from cliplab.tokenizer import CLIPTokenizer
from cliplab.weighting import METHODS, PromptEncoder


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m cliplab.encode", description=__doc__)
    parser.add_argument("prompt", help='the prompt; "-" reads it from standard input')
    parser.add_argument("--syntax", choices=TOOLS, default="a1111", help="how it is read")
    parser.add_argument(
        "--method", choices=METHODS, help="what weights do; without it, as the tool does"
    )
    parser.add_argument(
        "--model",
        default="random",
        help='"sd15", or a file or folder with an encoder; without it, a small encoder of random '
        "weights, whose norms show what the method does and nothing of what words mean",
    )
    parser.add_argument("--prefix", help="what stands before its keys, where a file has several")
    parser.add_argument("--heads", type=int, help="of its attention, where no file says it")
    parser.add_argument("--activation", choices=ACTIVATIONS, help="likewise")
    parser.add_argument("--clip-skip", type=int, default=0, help="last layers to leave out")
    parser.add_argument("--truncate", action="store_true", help="keep the first 77 tokens only")
    parser.add_argument("--json", action="store_true", help="one JSON object, for programs")
    options = parser.parse_args(arguments)
    prompt = sys.stdin.read() if options.prompt == "-" else options.prompt
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            rows, fragments = table(prompt, options)
        except (CheckpointError, MissingExtra, OSError, ValueError) as error:
            parser.exit(2, f"{as_options(str(error), parser)}\n")
    for message in dict.fromkeys(str(warning.message) for warning in said):
        print(f"Note: {as_options(message, parser)}", file=sys.stderr)
    if options.json:
        about = {"prompt": prompt, "syntax": options.syntax, "model": options.model}
        made = {"fragments": in_json(fragments), "rows": in_json(rows)}
        print(json.dumps(about | made, ensure_ascii=False))
    else:
        show(rows, options.model)


def table(prompt: str, options: argparse.Namespace) -> tuple[list[dict], list[dict]]:
    """Rows and fragments of the prompt's context, as plain data."""
    tokenizer, model = CLIPTokenizer(), load(options)
    how = {"clip_skip": options.clip_skip, "truncate": options.truncate}
    made, plain = (
        PromptEncoder(tokenizer, model, options.syntax, method, **how).context(prompt)
        for method in (options.method, "ignore")
    )
    norms, moved = made.tensor.norm(dim=-1), (made.tensor - plain.tensor).norm(dim=-1)
    columns = zip(made.ids, made.tokens, made.weights, norms, moved, made.owner, strict=True)
    rows = [
        {
            "id": int(i),
            "token": token,
            "weight": float(weight),
            "norm": round(float(norm), 6),
            "moved": round(float(far), 6),
            "fragment": fragment,
        }
        for i, token, weight, norm, far, fragment in columns
    ]
    return rows, [fragment._asdict() for fragment in made.fragments]


def in_json(weighted: list[dict]) -> list[dict]:
    """JSON has no infinity and no NaN: such a weight becomes "inf", "-inf" or "nan"."""
    return [
        one if math.isfinite(one["weight"]) else one | {"weight": str(one["weight"])}
        for one in weighted
    ]


def load(options: argparse.Namespace) -> CLIPTextModel:
    """The encoder of that name or path; "random": a small one, with CLIP's vocabulary."""
    if options.model != "random":
        told = {name: getattr(options, name) for name in ("prefix", "heads", "activation")}
        found = load_text_encoder(options.model, dtype=torch.float32, **told)
        if not isinstance(found, CLIPTextModel):
            raise CheckpointError(
                f"{options.model} is a {type(found).__name__}; this command encodes with CLIP."
            )
        return found
    torch.manual_seed(0)
    model = CLIPTextModel(CLIPTextConfig(49408, 77, 64, 4, 2, 256))
    # A fresh LayerNorm has mean 0, which A1111's way of weighting cannot live with (erratum E12).
    torch.nn.init.normal_(model.final_layer_norm.weight, mean=1.0, std=0.2)
    torch.nn.init.normal_(model.final_layer_norm.bias, mean=0.1, std=0.2)
    return model.eval()


def show(rows: list[dict], model: str) -> None:
    """The rows as a table; padding that is alike from row to row in one line."""
    width = max(len(row["token"]) for row in rows)
    print(f"{'row':>9}  {'id':>5}  {'token':<{width}}  {'weight':>7}  {'norm':>8}  {'moved':>8}")
    start = 0
    while start < len(rows):
        row, end = rows[start], start + 1
        padding = row["fragment"] is None and start and rows[start - 1]["id"] == row["id"]
        while padding and end < len(rows) and rows[end]["id"] == row["id"]:
            end += 1
        where = f"{start}–{end - 1}" if end - start > 1 else f"{start}"
        mean = {
            key: sum(r[key] for r in rows[start:end]) / (end - start) for key in ("norm", "moved")
        }
        print(
            f"{where:>9}  {row['id']:>5}  {row['token']:<{width}}  {row['weight']:>7.4g}  "
            f"{mean['norm']:>8.4f}  {mean['moved']:>8.4f}"
        )
        start = end
    if model == "random":
        print("The encoder's weights are random: the arithmetic is real, the meaning is not.")


if __name__ == "__main__":
    main()
