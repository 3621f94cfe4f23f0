"""Which of the six shapes a silhouette is: the one with the best intersection over union."""

import numpy as np

from cliplab.training.data.scenes import SHAPES
from cliplab.training.data.shapes import sdf

from .regions import box

FINE = 4  # samples a pixel, along each side


def _box(shape: str) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of a shape, in radii from its center."""
    grid = np.linspace(-1, 1, 401)
    left, top, right, bottom = box(sdf(shape, *np.meshgrid(grid, grid)) <= 0)
    return grid[left], grid[top], grid[right - 1], grid[bottom - 1]


BOXES = {shape: _box(shape) for shape in SHAPES}


def overlaps(silhouette: np.ndarray) -> dict[str, float]:
    """For each shape, its intersection over union with a silhouette when it fills the same box.

    silhouette: bool [S, S]; a ring's has a hole.
    """
    left, top, right, bottom = box(silhouette)
    seen = silhouette[top:bottom, left:right]
    height, width = seen.shape
    found = {}
    for shape, (x0, y0, x1, y1) in BOXES.items():
        x = x0 + (x1 - x0) * (np.arange(width * FINE) + 0.5) / (width * FINE)
        y = y0 + (y1 - y0) * (np.arange(height * FINE) + 0.5) / (height * FINE)
        template = sdf(shape, *np.meshgrid(x, y)) < 0
        covered = template.reshape(height, FINE, width, FINE).mean(axis=(1, 3))
        found[shape] = float(np.minimum(covered, seen).sum() / np.maximum(covered, seen).sum())
    return found
