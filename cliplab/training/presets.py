"""Runs that are known to work, by name, and what each takes."""

from .recipe import Recipe

PRESETS = {
    # name: (model, recipe, what it is for)
    "coffee": (
        "mini",
        Recipe(steps=900, size=256, views=2, lr=2e-3, warmup=50),
        "a first CLIP on two cores in at most ten minutes",
    ),
    "mini": (
        "mini",
        Recipe(steps=2200, size=384, views=2, lr=1.5e-3, warmup=100),
        "the CLIP that the course ships",
    ),
}
