"""Figures of a picture against the true one."""

import math
from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float, Shaped
from scipy.ndimage import correlate1d, uniform_filter1d

__all__ = [
    "IMAGE_FIGURES", "SSIMS", "power_spectrum", "psnr", "psnr_mean_of_images", "psnr_of_mean_mse",
    "share_of_full_scale", "ssim_gaussian11_reflected", "ssim_gaussian11_valid", "ssim_luminance5",
    "ssim_uniform7",
]  # fmt: skip

IMAGE_FIGURES = {
    "psnr_db": "peak signal-to-noise ratio of reconstruction.png, -10 log10 of the mean squared error over "
    "all pixels and channels, full scale 1",
    "psnr_held_out_db": "the same over the pixels that were kept apart from training",
    "psnr_float16_db": "the same as psnr_db with the weights rounded to float16",
    "float16_bytes": "bytes of all weights as float16",
    "bits_per_pixel": "bits of the weights as float16 for each pixel",
    "share_of_raw": "bytes of the weights as float16 over those of the pixels",
}
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])  # of red, green and blue (Rec. 709)
AT_ONCE = 1 << 18  # values that are compared together
STEADY = 0.01**2, 0.03**2  # k1^2 and k2^2 of Wang et al., for a range of 1

Picture = Float[np.ndarray, "height width channels"]


def share_of_full_scale(pixels: np.ndarray) -> np.ndarray:
    """Whole numbers (uint8 or uint16) as float32 in [0, 1]."""
    return pixels.astype(np.float32) / np.float32(np.iinfo(pixels.dtype).max)


def psnr(prediction: Shaped[np.ndarray, "*shape"], truth: Shaped[np.ndarray, "*shape"]) -> float:
    """Peak signal-to-noise ratio in dB, -10 log10 of the mean squared error over all values; full scale is 1,
    or the largest whole number of the type. Infinite for equal pictures."""
    error, rows_at_once = 0.0, max(AT_ONCE * len(truth) // max(truth.size, 1), 1)
    for first in range(0, len(truth), rows_at_once):  # no copy of a large picture
        some = slice(first, first + rows_at_once)
        rows = (share_of_full_scale(r) if r.dtype.kind == "u" else r for r in (prediction[some], truth[some]))
        difference = np.subtract(*rows, dtype=np.float64)
        error += float((difference * difference).sum())
    error /= truth.size
    return -10 * math.log10(error) if error > 0 else math.inf


def psnr_mean_of_images(each: Sequence[float]) -> float:
    """The mean of the pictures' PSNRs [dB]: the figure of the papers on view synthesis."""
    return math.fsum(each) / len(each)


def psnr_of_mean_mse(each: Sequence[float]) -> float:
    """The PSNR of the mean of the pictures' squared errors, from their PSNRs [dB], pictures weighted equally:
    never above the mean of the PSNRs."""
    error = math.fsum(10 ** (-value / 10) for value in each) / len(each)
    return -10 * math.log10(error) if error > 0 else math.inf


def _similarity(
    one: np.ndarray, other: np.ndarray, mean: Callable[[np.ndarray], np.ndarray], unbiased: float = 1.0
) -> np.ndarray:
    """SSIM at every pixel (Wang et al. 2004, equation 13), for values in [0, 1]. mean: over the window around
    each pixel. unbiased: n / (n - 1) where variances are those of a sample."""
    means = mean(one), mean(other)
    variances = [
        np.maximum(unbiased * (mean(x * x) - m * m), 0) for x, m in zip((one, other), means)
    ]  # never negative but for rounding
    covariance = unbiased * (mean(one * other) - means[0] * means[1])
    light = (2 * means[0] * means[1] + STEADY[0]) / (means[0] ** 2 + means[1] ** 2 + STEADY[0])
    return light * (2 * covariance + STEADY[1]) / (variances[0] + variances[1] + STEADY[1])


def _windowed(weights: np.ndarray, mode: str) -> Callable[[np.ndarray], np.ndarray]:
    """Means over a separable window of a picture [H, W] or [H, W, C]; mode: of the border, as scipy names
    it."""
    return lambda x: correlate1d(correlate1d(x, weights, 0, mode=mode), weights, 1, mode=mode)


_OFFSETS = np.arange(-5, 6)
_GAUSSIAN11 = np.exp(-(_OFFSETS**2) / (2 * 1.5**2))
_GAUSSIAN11 /= _GAUSSIAN11.sum()
_FIVE = np.array([0.120078, 0.233881, 0.292082, 0.233881, 0.120078])


def _inner(values: np.ndarray, border: int) -> np.ndarray:
    return values[border : values.shape[0] - border, border : values.shape[1] - border]


def ssim_gaussian11_valid(one: Picture, other: Picture) -> float:
    """Structural similarity as TensorFlow and mip-NeRF have it: a Gaussian window of 11 x 11, deviation 1.5,
    only where it lies within the picture, channel by channel. NaN for pictures smaller than the window."""
    values = _similarity(one.astype(np.float64), other.astype(np.float64), _windowed(_GAUSSIAN11, "mirror"))
    inside = _inner(values, 5)
    return float(inside.mean()) if inside.size else math.nan


def ssim_gaussian11_reflected(one: Picture, other: Picture) -> float:
    """The same window over the whole picture, which is reflected at its border, as torchmetrics has it (with
    data_range=1). NaN for pictures smaller than the window."""
    if min(one.shape[:2]) < len(_OFFSETS):
        return math.nan
    values = _similarity(one.astype(np.float64), other.astype(np.float64), _windowed(_GAUSSIAN11, "mirror"))
    return float(values.mean())


def ssim_uniform7(one: Picture, other: Picture) -> float:
    """Structural similarity as scikit-image has it by default (with data_range=1): a plain window of 7 x 7,
    variances of a sample, the outer 3 pixels left out. NaN for pictures smaller than the window."""

    def mean(x: np.ndarray) -> np.ndarray:
        return uniform_filter1d(uniform_filter1d(x, 7, axis=0), 7, axis=1)

    inside = _inner(_similarity(one.astype(np.float64), other.astype(np.float64), mean, 49 / 48), 3)
    return float(inside.mean()) if inside.size else math.nan


def ssim_luminance5(one: Picture, other: Picture) -> float:
    """Structural similarity as instant-ngp's scripts have it: of the luminance, a window of 5 x 5 that is
    close to a Gaussian, over the whole picture, which is mirrored at its border."""
    grey, other_grey = (picture.astype(np.float64) @ LUMINANCE for picture in (one, other))
    return float(_similarity(grey, other_grey, _windowed(_FIVE, "reflect")).mean())


SSIMS: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "ssim_gaussian11_valid": ssim_gaussian11_valid,
    "ssim_gaussian11_reflected": ssim_gaussian11_reflected,
    "ssim_uniform7": ssim_uniform7,
    "ssim_luminance5": ssim_luminance5,
}


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
