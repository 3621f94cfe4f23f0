"""From a prompt to a picture: a real diffusers pipeline, fed by the course's own encoder.

load.py      names and folders → StableDiffusionPipeline; dtype, device, memory
generate.py  prompt → contexts → denoising → picture, with every step's latents; and what cannot be
             painted, said in a sentence
painting.py  Painting, the result, and where each word was looked at
"""

from .generate import generate
from .load import load_pipeline
from .painting import Painting

__all__ = ["Painting", "generate", "load_pipeline"]
