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

import logging
import sys
from pathlib import Path

import diffusers
import transformers

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tools import measured  # noqa: E402
from tools.pipeline_cells import measure  # noqa: E402
from tools.pipeline_specs import PIPELINES  # noqa: E402

STORED = ROOT / "book" / "pipelines.json"


def quiet() -> None:
    """The libraries warn of prompts that are cut, which is what is measured here."""
    transformers.logging.set_verbosity(logging.ERROR)
    diffusers.logging.set_verbosity(logging.ERROR)


def main() -> None:
    quiet()
    title = __doc__.split("\n", 1)[0]
    measured.command(title, STORED, "pipelines", PIPELINES, lambda name: measure(PIPELINES[name]))


if __name__ == "__main__":
    main()
