"""Figures of pictures against closed forms."""

import math

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio

from isofield.metrics.image import power_spectrum, psnr

RNG = np.random.default_rng(0)


def test_psnr_of_a_constant_error_is_its_closed_form():
    truth = np.full((10, 12, 3), 100, np.uint8)
    assert psnr(truth + np.uint8(5), truth) == pytest.approx(20 * math.log10(255 / 5))
    assert psnr(np.full((4, 4, 1), 0.6), np.full((4, 4, 1), 0.5)) == pytest.approx(20)
    assert psnr(truth, truth) == math.inf


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_psnr_equals_that_of_scikit_image(dtype):
    one, other = (RNG.integers(0, np.iinfo(dtype).max, (20, 30, 3), dtype) for _ in range(2))
    assert psnr(one, other) == pytest.approx(peak_signal_noise_ratio(other, one), rel=1e-6)


def test_the_spectrum_of_a_wave_has_its_peaks_where_the_wave_is():
    y, x = np.mgrid[:64, :96]
    wave = np.sin(2 * np.pi * (12 * x / 96 + 5 * y / 64))
    pixels = np.repeat((127 + 100 * wave).astype(np.uint8)[:, :, None], 3, 2)
    spectrum = power_spectrum(pixels)
    peaks = {
        tuple(int(i) for i in np.unravel_index(n, spectrum.shape)) for n in np.argsort(spectrum.ravel())[-2:]
    }
    assert peaks == {(32 + 5, 48 + 12), (32 - 5, 48 - 12)}
