"""Colours for values, and sRGB to linear light and back."""

from typing import Literal

import numpy as np
from jaxtyping import UInt8

__all__ = ["Kind", "colour_map", "displayed", "error_range", "linear_light"]

Kind = Literal["sequential", "diverging"]

# sRGB anchors at equal steps. Sequential: paper to plum, ever darker. Diverging: blue, near-white, rust.
_ANCHORS = {
    "sequential": (
        (246, 243, 236),
        (250, 217, 150),
        (241, 150, 86),
        (203, 73, 84),
        (124, 30, 92),
        (60, 12, 68),
    ),
    "diverging": (
        (16, 48, 92),
        (45, 104, 163),
        (120, 172, 213),
        (205, 226, 240),
        (247, 247, 245),
        (252, 224, 195),
        (241, 165, 103),
        (203, 92, 40),
        (112, 38, 16),
    ),
}


def colour_map(
    values: np.ndarray, low: float, high: float, kind: Kind = "sequential"
) -> UInt8[np.ndarray, "*shape 3"]:
    """Colours (sRGB) of values (any shape) clipped to [low, high]; `diverging` is near white half way."""
    anchors = np.array(_ANCHORS[kind], np.float64)
    place = (np.asarray(values, np.float64) - low) / max(high - low, np.finfo(float).tiny)
    place = np.clip(np.nan_to_num(place), 0, 1) * (len(anchors) - 1)
    first = np.minimum(place.astype(np.int64), len(anchors) - 2)
    share = (place - first)[..., None]
    return np.round(anchors[first] * (1 - share) + anchors[first + 1] * share).astype(np.uint8)


def error_range(error: np.ndarray) -> tuple[float, float]:
    """The range of the colours of distances (any shape), symmetric for signed ones.

    The largest hundredth is clipped, so that one stray vertex does not take the colours from all others.
    """
    high = float(np.quantile(np.abs(error), 0.99)) or float(np.abs(error).max()) or 1e-6
    return (-high if error.min() < 0 else 0.0), high


def linear_light(colours: np.ndarray) -> np.ndarray:
    """Linear light, float32 in [0, 1], of sRGB bytes (IEC 61966-2-1)."""
    table = np.arange(256) / 255
    table = np.where(table <= 0.04045, table / 12.92, ((table + 0.055) / 1.055) ** 2.4)
    return table.astype(np.float32)[colours]


def displayed(light: np.ndarray) -> np.ndarray:
    """sRGB in [0, 1] of linear light, clipped to [0, 1] (IEC 61966-2-1)."""
    light = np.clip(light, 0, 1)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
