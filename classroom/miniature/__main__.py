"""``python -m classroom.miniature``: train the miniature Stable Diffusion.

    python -m classroom.miniature vae --out runs/vae                       pictures ↔ latents
    python -m classroom.miniature unet --vae runs/vae --out runs/unet      words → latents

Ctrl-C saves a run; the same command with --resume goes on with it. In the end runs/vae/vae is an
AutoencoderKL of diffusers, and runs/unet/pipeline a whole StableDiffusionPipeline.
"""

from __future__ import annotations

import argparse
import hashlib
from dataclasses import fields
from pathlib import Path

import torch

from cliplab.command import ends_in_a_sentence, positive_int
from cliplab.extras import need
from cliplab.training import fit

from . import unet, vae
from .folder import load_vae, save_pipeline, save_vae

GO_ON = "the same command with --resume"


def main(arguments: list[str] | None = None) -> None:
    parser = make_parser()
    options = vars(parser.parse_args(arguments))
    kind = options.pop("kind")
    with ends_in_a_sentence(parser):
        if threads := options.pop("threads", None):
            torch.set_num_threads(threads)
        for library in ("diffusers", "transformers"):
            need(library, "pipeline")
        how = {name: options.pop(name) for name in ("out", "resume", "every", "quiet")}
        print({"vae": train_vae, "unet": train_unet}[kind](options, **how))


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m classroom.miniature",
        description=__doc__.replace("``", ""),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    kinds = parser.add_subparsers(dest="kind", required=True)
    for name, recipe, text in (
        ("vae", vae.Recipe, "the autoencoder"),
        ("unet", unet.Recipe, "the text encoder and the U-Net"),
    ):
        one = kinds.add_parser(name, help=text, argument_default=argparse.SUPPRESS)
        one.add_argument("--out", type=Path, required=True, help="the folder of the run")
        one.add_argument("--resume", action="store_true", default=False, help="go on with it")
        if name == "unet":
            one.add_argument("--vae", type=Path, required=True, help="the run of the autoencoder")
        one.add_argument(
            "--every", type=positive_int, default=200, help="steps between snapshots (200)"
        )
        one.add_argument("--threads", type=positive_int, metavar="N", help="CPU threads")
        one.add_argument("--quiet", action="store_true", default=False, help="no progress bar")
        for field in fields(recipe):
            kind = type(field.default)
            one.add_argument(f"--{field.name.replace('_', '-')}", type=kind, metavar=kind.__name__,
                             help=f"{field.default} if not given")  # fmt: skip
    return parser


def train_vae(recipe: dict, out: Path, resume: bool, every: int, quiet: bool) -> str:
    task = vae.VAETask(vae.Recipe(**recipe))
    log = fit(task, out, resume=resume, every=every, progress=not quiet, go_on=GO_ON)
    save_vae(task.model.average, out)
    psnr = sum(log["psnr"][-100:]) / len(log["psnr"][-100:])
    return f"Done: {len(log.steps):,} steps, PSNR {psnr:.1f} dB. The autoencoder: {out / 'vae'}"


def train_unet(recipe: dict, out: Path, resume: bool, every: int, quiet: bool) -> str:
    coder = load_vae(recipe.pop("vae"))
    weights = b"".join(t.numpy().tobytes() for t in coder.encoder.state_dict().values())
    about = {"encoder": hashlib.sha256(weights).hexdigest()[:16]}
    task = unet.UNetTask(unet.Recipe(**recipe), coder, about)
    log = fit(task, out, resume=resume, every=every, progress=not quiet, go_on=GO_ON)
    save_pipeline(task.model.average, task.tokenizer, coder, out / "pipeline")
    return (
        f"Done: {len(log.steps):,} steps, loss {log['loss'][-1]:.3f}. "
        f"The pipeline: {out / 'pipeline'}"
    )


if __name__ == "__main__":
    main()
