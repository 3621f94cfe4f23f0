"""Runs that are known to work, by name."""

from typing import NamedTuple

from .recipe import Recipe


class Preset(NamedTuple):
    """A model, the data it learns from, the recipe, and what the run is for."""

    model: str
    data: str
    recipe: Recipe
    purpose: str


PRESETS = {
    "coffee": Preset(
        "tiny",
        "emoji",
        Recipe(steps=800, size=384, views=2, lr=1.5e-3, warmup=50, augment=0.3),
        "a first CLIP, in the time of a coffee",
    ),
    "mini": Preset(
        "mini",
        "emoji+shapes",
        Recipe(steps=1800, size=384, views=2, lr=1.5e-3, warmup=100, augment=0.6),
        "the first run of the CLIP that the course ships",
    ),
    "taught": Preset(
        "mini",
        "emoji+shapes",
        Recipe(steps=1600, size=384, views=2, lr=1e-3, warmup=50, augment=1.0, distill=500.0),
        "goes on from mini and learns from teachers as well; the CLIP that the course ships",
    ),
}
