"""Distances between colors as eyes see them: CIELAB, and the plain ΔE of 1976 (CIE76)."""

from functools import cache

import numpy as np

from ..things import TINTS

NEAR = 15  # ΔE up to which a color is the one that was asked for
PALEST = 0.5  # most white that is mixed into a color which is still called by its name
# sRGB → CIE XYZ under D65; each row sums to that coordinate of white.
_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)


def lab(rgb: np.ndarray) -> np.ndarray:
    """sRGB [..., 3] from 0 to 255 → CIELAB [..., 3]: L from 0 to 100, a, b."""
    rgb = np.asarray(rgb, dtype=float) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    t = linear @ (_XYZ / _XYZ.sum(axis=1, keepdims=True)).T
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = np.moveaxis(f, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def delta_e(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """CIE76 between CIELAB colors [..., 3] → [...]."""
    return np.linalg.norm(one - other, axis=-1)


@cache
def tints(name: str) -> np.ndarray:
    """What is still called by a color's name, in CIELAB [21, 3]: from pure to half white."""
    white = np.linspace(0, PALEST, 21)[:, None]
    return lab((1 - white) * np.array(TINTS[name]) + white * 255)


def distance(color: np.ndarray, name: str) -> float:
    """ΔE from a CIELAB color [3] to the nearest tint of a named one."""
    return float(delta_e(color, tints(name)).min())
