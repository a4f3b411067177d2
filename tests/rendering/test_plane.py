"""Pictures of fields of the plane."""

import numpy as np
import pytest
import torch

from isofield.rendering.plane import pixel_centres, render_plane


def test_the_centres_of_two_by_four_pixels():
    expected = [[0.125, 0.25], [0.375, 0.25], [0.625, 0.25], [0.875, 0.25]]
    centres = pixel_centres(np.arange(8), 2, 4).numpy()
    np.testing.assert_allclose(centres[:4], expected)
    np.testing.assert_allclose(centres[4:], np.add(expected, (0, 0.5)))


@pytest.mark.parametrize(("dtype", "full"), [(np.uint8, 255), (np.uint16, 65535)])
def test_a_picture_is_the_field_at_the_centres_rounded_and_clipped(dtype, full):
    def field(points):
        return torch.stack([points[:, 0], points[:, 1], 2 * points[:, 0] - 0.5], 1)

    picture = render_plane(field, 30, 50, 3, dtype)
    x, y = (np.arange(50) + 0.5) / 50, (np.arange(30) + 0.5) / 30
    assert picture.dtype == dtype
    np.testing.assert_allclose(picture[4, :, 0], x * full, atol=0.51)
    np.testing.assert_allclose(picture[:, 7, 1], y * full, atol=0.51)
    np.testing.assert_allclose(picture[0, :, 2], np.clip(2 * x - 0.5, 0, 1) * full, atol=0.52)


def test_parts_join_without_a_seam():
    """More pixels than are evaluated at a time."""
    picture = render_plane(lambda points: points[:, :1], 300, 400, 1)
    assert np.all(picture == picture[0])
