"""From a prompt to a picture: a real diffusers pipeline, fed by the course's own encoder.

load.py      names and folders → StableDiffusionPipeline; dtype, device, memory
generate.py  prompt → contexts → denoising → picture, with every step's latents; and what cannot be
             painted, said in a sentence
beside.py    what lies beside the weights: steps and guidance that suit them, words that they know
painting.py  Painting, the result, and where each word was looked at
"""

from .beside import known_words
from .generate import generate
from .load import load_pipeline
from .painting import Painting

__all__ = ["Painting", "generate", "known_words", "load_pipeline"]
