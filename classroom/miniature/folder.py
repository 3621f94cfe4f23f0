"""The parts of a miniature as a folder that diffusers' StableDiffusionPipeline opens."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import torch

from cliplab.training import TrainingError

VAE = "vae"  # the name of the autoencoder's folder in a run, and in a pipeline
WORDS = "words.json"  # beside diffusers' files: the words that it has learned, by kind
SETTINGS = "generation.json"  # beside diffusers' files: the guidance and steps that suit the model
SCHEDULE = {
    "num_train_timesteps": 1000,
    "beta_schedule": "squaredcos_cap_v2",
    "prediction_type": "v_prediction",
    "clip_sample": False,
    "set_alpha_to_one": True,
    "timestep_spacing": "trailing",
    "steps_offset": 1,  # without effect under this spacing; diffusers asks for it
}


def save_vae(vae, folder: Path) -> None:
    vae.to(memory_format=torch.contiguous_format).save_pretrained(folder / VAE)


def load_vae(folder: Path):
    """The autoencoder of a finished run of `vae`, or of a folder in diffusers' format."""
    from diffusers import AutoencoderKL

    path = folder / VAE if (folder / VAE).is_dir() else folder
    if not (path / "config.json").is_file():
        raise TrainingError(
            f"There is no autoencoder in {folder}. Train one to its end: python -m "
            f"classroom.miniature vae --out {folder}"
        )
    vae = AutoencoderKL.from_pretrained(path, use_safetensors=True, low_cpu_mem_usage=False)
    return vae.eval().requires_grad_(False)


def load_pipeline_folder(folder: Path):
    """A pipeline in float32, as plain diffusers opens it."""
    from diffusers import StableDiffusionPipeline

    pipe = StableDiffusionPipeline.from_pretrained(
        folder, use_safetensors=True, low_cpu_mem_usage=False
    )
    pipe.set_progress_bar_config(disable=True)
    return pipe.to(torch.float32)


def save_pipeline(painter, tokenizer, vae, folder: Path, dtype=torch.float32) -> None:
    """Write a whole pipeline. A tokenizer folder is written by cliplab.CLIPTokenizer."""
    from diffusers import DDIMScheduler, StableDiffusionPipeline
    from transformers import CLIPTokenizer

    from .text import KNOWN

    # A tokenizer.json of an earlier vocabulary would be read before the files that are saved here.
    shutil.rmtree(folder / "tokenizer", ignore_errors=True)
    tokenizer.save(folder / "tokenizer")
    parts = {
        "vae": vae,
        "text_encoder": painter.text_encoder,
        "unet": painter.unet.to(memory_format=torch.contiguous_format),
    }
    pipe = StableDiffusionPipeline(
        **parts,
        tokenizer=CLIPTokenizer.from_pretrained(folder / "tokenizer"),
        scheduler=DDIMScheduler(**SCHEDULE),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipe.to(dtype).save_pretrained(folder)
    tokenizer.save(folder / "tokenizer")  # vocab.json and merges.txt, which any version reads
    text = json.dumps(KNOWN, indent=1, ensure_ascii=False) + "\n"
    (folder / WORDS).write_text(text, encoding="utf-8")


def save_settings(folder: Path, guidance: float, steps: int) -> None:
    text = json.dumps({"guidance": guidance, "steps": steps}) + "\n"
    (folder / SETTINGS).write_text(text, encoding="utf-8")
