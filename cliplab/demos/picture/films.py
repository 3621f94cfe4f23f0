"""What the demo "picture" shows first, painted beforehand: alive before its painter has come."""

from __future__ import annotations

import json

from ...checkpoints.files import MINI
from ...pipeline import generate, load_pipeline
from ...prompts import parse_prompt

DIGITS = 3  # of a latent's numbers, whose standard deviation is about 1


def first_films(state: dict) -> bytes:
    """{"state": the demo's first state, "films": [as written, weighted]}, as JSON.

    A film is the latents of `generate`, the noise first: [steps + 1][C · h · w].
    """
    written = "".join(fragment.text for fragment in parse_prompt(state["prompt"], "a1111"))
    how = {name: state[name] for name in ("seed", "guidance", "method")}
    pipe = load_pipeline(MINI)
    latents = [
        [[round(x, DIGITS) for x in z.flatten().tolist()] for z in painted.latents]
        for painted in (generate(pipe, prompt, **how) for prompt in (written, state["prompt"]))
    ]
    return json.dumps({"state": state, "films": latents}, separators=(",", ":")).encode()
