"""Cameras: rays and projections are each other's inverse, and known cameras give known rays."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isofield.rendering.cameras import Cameras, focal_length, looking_at, pinholes
from isofield.rendering.lenses import reach, undistort


def camera(lens=(0,) * 8, fisheye=False) -> Cameras:
    pose = looking_at(np.array([3.0, -1, 2]), np.array([0.2, 0.1, 0]), np.array([0.0, 0, 1]))
    return Cameras(
        pose[None],
        np.array([[500.0, 480, 310, 250]]),
        np.array([[640, 480]]),
        np.array([lens], np.float64),
        np.array([fisheye]),
    )


@settings(max_examples=60, deadline=None)
@given(
    k=st.tuples(*[st.floats(-0.3, 0.3)] * 2, *[st.floats(-0.01, 0.01)] * 2, *[st.floats(-0.1, 0.1)] * 4),
    angle=st.floats(0, 2 * np.pi),
    share=st.floats(0, 0.7),
    fisheye=st.booleans(),
)
def test_the_ray_of_the_pixel_of_a_point_runs_to_the_point(k, angle, share, fisheye):
    """Up to 0.7 of what the lens reaches, where the tangential terms cannot fold it."""
    one = camera((k[0], k[1], k[4], k[5], 0, 0, 0, 0) if fisheye else k, fisheye)
    off = share * min(one.reach[0], 2.0)
    across = np.array([np.cos(angle), np.sin(angle)]) * (np.sin(off) if fisheye else off)
    point = one.poses[0, :, :3] @ [*across, np.cos(off) if fisheye else 1] + one.centres[0]
    pixels, _ = one.project(0, point[None])
    direction = (point - one.centres[0]) / np.linalg.norm(point - one.centres[0])
    assert one.rays(0, pixels).directions[0].numpy() == pytest.approx(direction, abs=1e-6)


def test_the_middle_of_the_picture_looks_along_the_axis():
    poses = looking_at(np.array([0.0, -4, 0]), np.zeros(3), np.array([0.0, 0, 1]))[None]
    cameras = pinholes(poses, focal_length(100, np.pi / 2), (100, 60))
    assert cameras.intrinsics[0] == pytest.approx([50, 50, 50, 30])
    rays = cameras.rays(0, np.array([[50.0, 30], [100, 30], [50, 0]]))
    half = np.sqrt(0.5)
    up = np.array([0, 5, 3]) / np.sqrt(34)
    assert rays.directions.numpy() == pytest.approx(np.array([[0, 1, 0], [half, half, 0], up]), abs=1e-6)
    assert rays.origins.numpy() == pytest.approx(np.tile([0, -4, 0], (3, 1)))


def test_the_rays_of_a_picture_run_through_its_pixel_centres_row_by_row():
    one = pinholes(camera().poses, 5.0, (7, 4))
    pixels, depth = one.project(0, (lambda r: r.origins + 3 * r.directions)(one.picture_rays(0)).numpy())
    rows, columns = np.divmod(np.arange(28), 7)
    assert pixels == pytest.approx(np.column_stack([columns, rows]) + 0.5, abs=1e-4)
    assert (depth <= 3).all()


def test_what_lies_behind_a_camera_has_no_pixel():
    one = camera()
    behind = one.centres - one.axes
    pixels, depth = one.project(0, behind)
    assert np.isnan(pixels).all()
    assert depth == pytest.approx([-1])


def test_a_fisheye_sees_behind_itself():
    one = camera(fisheye=True)
    angle = 2.0
    point = one.centres + np.cos(angle) * one.axes + np.sin(angle) * one.poses[:, :, 0]
    pixels, depth = one.project(0, point)
    assert pixels[0] == pytest.approx([310 + 500 * angle, 250])
    assert depth[0] < 0
    assert one.rays(0, pixels).directions[0].numpy() == pytest.approx((point - one.centres)[0], abs=1e-6)


def test_a_lens_that_folds_reaches_to_its_fold():
    """x (1 + k x^2) with k = -1/3 turns at x = 1, where it is 2/3: no place beyond 2/3 is seen."""
    lens = np.array([[-1 / 3, 0, 0, 0, 0, 0, 0, 0]])
    far = reach(lens, np.array([False]))
    assert far == pytest.approx([1], rel=2e-3)
    seen = undistort(np.array([[0.0, 0.9]]), lens, np.array([False]), far)
    assert seen[0] == pytest.approx([0, far[0] / np.hypot(far[0], 1), 1 / np.hypot(far[0], 1)])
    pixels, _ = camera(lens[0]).project(0, camera().centres + camera().axes + 1.1 * camera().poses[:, :, 0])
    assert np.isnan(pixels).all()


def test_lenses_that_never_fold_reach_everywhere():
    lenses = np.array([[0.0] * 8, [0.1, 0.01, 0.3, 0.3, 0.001, 0, 0, 0]])
    assert np.isinf(reach(lenses, np.zeros(2, bool))).all()
    assert reach(lenses[:1], np.ones(1, bool)) == pytest.approx([np.pi])


def test_resized_cameras_see_the_same():
    one = camera((-0.1, 0.02, 0.001, 0.002, 0, 0, 0, 0))
    small = one.resized(np.array([[160, 120]]))
    pixels = np.array([[13.0, 57], [120, 3]])
    assert np.array_equal(one.rays(0, 4 * pixels).directions, small.rays(0, pixels).directions)
