"""Figures of views against the values of the published evaluators."""

import numpy as np
import pytest

from isofield.metrics.features import frechet_distance, kernel_distance
from isofield.metrics.image import SSIMS, psnr

RELATIVE = 1e-6
PUBLISHED = {
    "ssim_gaussian11_valid": ("ssim_tf", "ssim_skimage_gauss"),
    "ssim_gaussian11_reflected": ("ssim_torchmetrics", "ssim_torchmetrics_norange"),  # range of the pictures: 1
    "ssim_uniform7": ("ssim_skimage_default",),
    "ssim_luminance5": ("ssim_ngp",),
}


@pytest.fixture(scope="module")
def pack(shared):
    folder = shared / "parity" / "radiance_metrics"
    return dict(np.load(folder / "inputs.npz")), dict(np.load(folder / "outputs.npz"))


@pytest.mark.parametrize("name", SSIMS)
def test_structural_similarity_equals_the_published_one(pack, name):
    inputs, outputs = pack
    for published in PUBLISHED[name]:
        assert SSIMS[name](inputs["A"], inputs["B"]) == pytest.approx(float(outputs[published]), rel=RELATIVE)


def test_the_signal_to_noise_ratio_equals_the_published_one(pack):
    inputs, outputs = pack
    ratio = psnr(inputs["A"], inputs["B"])
    assert ratio == pytest.approx(float(outputs["psnr"]), rel=RELATIVE)
    assert 10 ** (-ratio / 10) == pytest.approx(float(outputs["mse"]), rel=RELATIVE)


def test_distances_of_features_equal_the_published_ones(pack):
    inputs, outputs = pack
    x, y = inputs["feat_x"], inputs["feat_y"]
    assert frechet_distance(x, y) == pytest.approx(float(outputs["fid"]), rel=RELATIVE)
    assert kernel_distance(x[:200], y[:200]) == pytest.approx(float(outputs["kid_first200"]), rel=RELATIVE)
