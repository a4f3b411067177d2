"""Figures of a picture against the true one."""

import math

import numpy as np
from jaxtyping import Shaped

__all__ = ["IMAGE_FIGURES", "power_spectrum", "psnr", "share_of_full_scale"]

IMAGE_FIGURES = {
    "psnr_db": "peak signal-to-noise ratio of reconstruction.png, -10 log10 of the mean squared error over "
    "all pixels and channels, full scale 1",
    "psnr_held_out_db": "the same over the pixels that were kept apart from training",
    "psnr_float16_db": "the same as psnr_db with the weights rounded to float16",
    "float16_bytes": "bytes of all weights as float16",
    "bits_per_pixel": "bits of the weights as float16 for each pixel",
    "share_of_raw": "bytes of the weights as float16 over those of the pixels",
}


def share_of_full_scale(pixels: np.ndarray) -> np.ndarray:
    """Whole numbers (uint8 or uint16) as float32 in [0, 1]."""
    return pixels.astype(np.float32) / np.float32(np.iinfo(pixels.dtype).max)


def psnr(prediction: Shaped[np.ndarray, "*shape"], truth: Shaped[np.ndarray, "*shape"]) -> float:
    """Peak signal-to-noise ratio in dB, -10 log10 of the mean squared error over all values; full scale is 1,
    or the largest whole number of the type. Infinite for equal pictures."""
    error = 0.0
    for one, other in zip(prediction, truth):  # row by row: no copy of a large picture
        rows = (share_of_full_scale(r) if r.dtype.kind == "u" else r for r in (one, other))
        difference = np.subtract(*rows, dtype=np.float64)
        error += float((difference * difference).sum())
    error /= truth.size
    return -10 * math.log10(error) if error > 0 else math.inf


def power_spectrum(pixels: np.ndarray) -> np.ndarray:
    """log10 of the power at each frequency, [H, W] float64, of the mean of the colour channels [H, W, C].

    The zero frequency is in the middle. A Hann window is laid over the picture first: without it, the jump
    between opposite borders puts a cross over everything.
    """
    colours = pixels[:, :, : 3 if pixels.shape[2] > 2 else 1]
    grey = share_of_full_scale(colours).mean(axis=2, dtype=np.float64)
    window = np.hanning(grey.shape[0] + 2)[1:-1, None] * np.hanning(grey.shape[1] + 2)[1:-1]
    power = np.abs(np.fft.fft2((grey - grey.mean()) * window)) ** 2 / (window**2).sum()
    return np.log10(np.fft.fftshift(power) + 1e-12)
