"""Figures of pictures against closed forms."""

import math

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio

from isofield.metrics.features import frechet_distance, kernel_distance, perceptual_random_convolutions
from isofield.metrics.image import SSIMS, power_spectrum, psnr, psnr_mean_of_images, psnr_of_mean_mse

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


def test_means_over_pictures_are_their_closed_forms():
    assert psnr_mean_of_images([20.0, 40.0]) == 30
    assert psnr_of_mean_mse([20.0, 40.0]) == pytest.approx(-10 * math.log10((1e-2 + 1e-4) / 2))
    assert psnr_of_mean_mse([math.inf, math.inf]) == math.inf


@pytest.mark.parametrize("name", SSIMS)
def test_structural_similarity_is_one_for_equal_pictures_and_less_for_others(name):
    picture = RNG.random((20, 24, 3), np.float32)
    assert SSIMS[name](picture, picture) == pytest.approx(1)
    assert SSIMS[name](picture, picture * 0.5) < 0.9
    assert math.isnan(SSIMS[name](picture[:5, :5], picture[:5, :5])) or name == "ssim_luminance5"


def test_the_perceptual_distance_grows_with_blur_and_noise():
    y, x = np.mgrid[:48, :48] / 12
    picture = (
        np.stack([np.sin(3 * x + y), np.cos(y * x), np.sign(np.sin(4 * y))], 2).astype(np.float32) / 2 + 0.5
    )
    noise = RNG.standard_normal(picture.shape).astype(np.float32)
    distances = [perceptual_random_convolutions(picture, picture + a * noise) for a in (0, 0.01, 0.05, 0.2)]
    assert distances[0] == 0
    assert distances == sorted(distances)


def test_distances_of_feature_sets_are_their_closed_forms():
    features = RNG.standard_normal((50, 4))
    assert frechet_distance(features, features) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(features, features + 2) == pytest.approx(16)
    assert frechet_distance(features, 3 * features - 2 * features.mean(0)) == pytest.approx(
        4 * np.trace(np.cov(features, rowvar=False))
    )
    assert abs(kernel_distance(features, RNG.standard_normal((50, 4)))) < kernel_distance(
        features, features + 2
    )
