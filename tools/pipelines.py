"""What the pipelines of diffusers really do with a prompt: built out of tiny parts, run, recorded.

    python tools/pipelines.py                  all, into book/pipelines.json
    python tools/pipelines.py --check          all, beside what is stored there
    python tools/pipelines.py flux sdxl        these alone, printed

Of each pipeline the half that reads is built: tokenizers (CLIP's is real, others are toys) and
random encoders. `encode_prompt` runs, each encoder's call is recorded, and every row of the context
is looked for among the encoders' states. Some get a tiny denoiser as well, and one call of it says
which rows it reads, whatever the mask says that it is handed.

    pipeline_specs.py      which pipelines, and what each is built of
    pipeline_parts.py      toy tokenizers and tiny encoders
    pipeline_denoisers.py  tiny denoisers
    pipeline_recorder.py   a pipeline whose encoders' calls are written down
    pipeline_rows.py       which rows of which state stand in a context
    pipeline_cells.py      the cells, measured
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from pathlib import Path

import diffusers
import torch
import transformers

sys.path.insert(0, str(Path(__file__).resolve().parent))
from pipeline_cells import measure
from pipeline_specs import PIPELINES

STORED = Path(__file__).resolve().parent.parent / "book" / "pipelines.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--check", action="store_true", help="compare all with what is stored")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(PIPELINES)}")
    arguments = parser.parse_args()
    names = arguments.names
    if unknown := [name for name in names if name not in PIPELINES]:
        parser.error(f"There is no {unknown[0]}; there are {', '.join(PIPELINES)}.")
    quiet()
    table = {}
    for name in names or PIPELINES:
        table[name] = measure(PIPELINES[name])
        print(json.dumps(table[name], ensure_ascii=False) if names else name, flush=True)
    if arguments.check:
        stored = json.loads(STORED.read_text(encoding="utf-8"))
        changed = [name for name in table if table[name] != stored["pipelines"].get(name)]
        sys.exit(f"Not as stored: {', '.join(changed)}." if changed else None)
    if not names:
        versions = {m.__name__: m.__version__ for m in (diffusers, transformers, torch)}
        text = json.dumps({"versions": versions, "pipelines": table}, indent=1, ensure_ascii=False)
        STORED.write_text(text + "\n", encoding="utf-8")


def quiet() -> None:
    """The libraries warn of prompts that are cut, which is what is measured here."""
    transformers.logging.set_verbosity(logging.ERROR)
    diffusers.logging.set_verbosity(logging.ERROR)


if __name__ == "__main__":
    main()
