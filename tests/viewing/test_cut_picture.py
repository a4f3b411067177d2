"""Pictures of a field on a plane: which way they lie, what is warm, where the lines are."""

import numpy as np
import pytest

from isofield.geometry.level import Above, Below
from isofield.viewing.cut_picture import INK, PLANE_AXES, LiveField, cut_picture

LOW, HIGH = (9.0, -1.0, 4.0), (11.0, 1.0, 6.0)  # a cube around (10, 0, 5)


def ball(points):
    return np.linalg.norm(points - [10.0, 0.0, 5.0], axis=1) - 0.6


def live(values, inside=Below(), reach=0.3):  # noqa: B008 (frozen)
    return LiveField(values, lambda level: None, LOW, HIGH, inside, reach, "signed distance")


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_columns_and_rows_run_along_the_axes_of_the_plane(axis):
    along, across = PLANE_AXES[axis]
    for chosen, rows_differ in ((along, False), (across, True)):
        field = live(lambda points, chosen=chosen: points[:, chosen] - LOW[chosen], Above(1.0), 1.0)
        alpha = cut_picture(field, axis, LOW[axis], 1.0, 16)[..., 3]
        warm = alpha == 255  # the upper half of the chosen axis is inside
        expected = np.arange(16) >= 8
        assert np.array_equal(warm, np.broadcast_to(expected[:, None] if rows_differ else expected, (16, 16)))


def test_the_inside_is_warm_the_outside_cool_and_the_surface_a_dark_line():
    picture = cut_picture(live(ball), 2, 5.0, 0.0, 200).astype(int)
    centre, corner = picture[100, 100], picture[2, 2]
    assert centre[0] > centre[2] + 50
    assert corner[2] > corner[0] + 50
    dark = np.abs(picture[..., :3] - INK).sum(axis=-1) < 40
    places = (np.argwhere(dark) + 0.5) / 100 - 1
    assert np.abs(np.hypot(*places.T) - 0.6).max() < 0.02
    assert np.unique(np.round(np.arctan2(*places.T) / np.pi * 8)).size >= 16  # all the way round


def test_another_level_is_a_white_line_beside_it():
    picture = cut_picture(live(ball), 0, 10.0, -0.2, 200).astype(int)
    places = (np.argwhere(picture[..., :3].sum(axis=-1) > 755) + 0.5) / 100 - 1
    radii = np.hypot(*places.T)
    assert np.median(radii) == pytest.approx(0.4, abs=0.02)
    assert np.any(np.abs(picture[..., :3] - INK).sum(axis=-1) < 40)


def test_a_plane_that_misses_the_solid_is_all_outside():
    assert np.all(cut_picture(live(ball), 1, 0.9, 0.0, 32)[..., 3] < 255)
