"""Colours between files (bytes, floats, linear light) and the uint8 sRGB of a Shape."""

import numpy as np

__all__ = ["colour_bytes", "linear_from_srgb", "srgb_from_linear"]


def colour_bytes(colours: np.ndarray, full: float) -> np.ndarray:
    """Colours [V, 3 or more], of which `full` is the brightest value, as uint8 [V, 3]; NaN becomes 0."""
    scaled = np.nan_to_num(
        np.asarray(colours[:, :3], np.float64) * (255.0 / full), nan=0.0, posinf=255.0, neginf=0.0
    )
    return np.rint(np.clip(scaled, 0.0, 255.0)).astype(np.uint8)


def linear_from_srgb(colours: np.ndarray) -> np.ndarray:
    """sRGB in [0, 1], as displayed, as linear light in [0, 1] (IEC 61966-2-1)."""
    return np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)


def srgb_from_linear(light: np.ndarray) -> np.ndarray:
    """Linear light in [0, 1] as sRGB in [0, 1] (IEC 61966-2-1)."""
    light = np.clip(light, 0.0, 1.0)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
