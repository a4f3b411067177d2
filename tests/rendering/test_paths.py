"""Paths of cameras."""

import numpy as np
import pytest

from isofield.rendering.cameras import looking_at
from isofield.rendering.paths import between, orbit, orbit_like, spiral, up_of

Z = np.array([0.0, 0, 1])
CENTRE = np.array([1.0, 2, 0.5])


def ring(up=Z, radius=4.0, elevation=0.5, count=12):
    return orbit(CENTRE, up, np.array([1.0, 0.2, 0.1]), radius, elevation, count)


def rotations_are_rotations(poses):
    R = poses[:, :, :3]
    return np.allclose(R @ R.transpose(0, 2, 1), np.eye(3)) and np.allclose(np.linalg.det(R), 1)


def test_an_orbit_looks_at_its_centre_from_its_radius_and_elevation():
    poses = ring()
    off = CENTRE - poses[:, :, 3]
    assert rotations_are_rotations(poses)
    assert np.linalg.norm(off, axis=1) == pytest.approx(np.full(12, 4))
    assert np.einsum("ni,ni->n", off, poses[:, :, 2]) == pytest.approx(np.full(12, 4))
    assert -off[:, 2] == pytest.approx(np.full(12, 4 * np.sin(0.5)))


def test_an_orbit_is_evenly_spaced_and_ends_a_step_before_its_start():
    centres = ring()[:, :, 3]
    steps = np.linalg.norm(centres - np.roll(centres, 1, axis=0), axis=1)
    assert steps == pytest.approx(np.full(12, steps[0]))


@pytest.mark.parametrize("up", [Z, np.array([0.0, -1, 0]), np.array([0.6, 0, 0.8])])
def test_an_orbit_like_an_orbit_is_that_orbit(up):
    start = np.array([0.3, 0.1, 1.0]) if abs(up[2]) < 0.9 else np.array([1.0, 0.2, 0])
    poses = orbit(CENTRE, up, start, 3.0, 0.4, 24)
    assert up_of(poses) == pytest.approx(up)
    assert orbit_like(poses, CENTRE, 24) == pytest.approx(poses, abs=1e-9)


def test_cameras_straight_above_still_have_an_orbit():
    above = looking_at(CENTRE + 3 * Z, CENTRE, np.array([0.0, 1, 0]))[None]
    assert np.isfinite(orbit_like(above, CENTRE, 8)).all()


def test_a_spiral_stays_with_its_cameras_and_looks_at_one_point():
    rng = np.random.default_rng(0)
    places = rng.uniform(-1, 1, (20, 3)) * [0.4, 0.2, 0.1]
    cameras = np.stack([looking_at(p, np.array([0.0, 0, -6]), np.array([0.0, 1, 0])) for p in places])
    poses = spiral(cameras, 2.0, 20.0, count=30)
    assert rotations_are_rotations(poses)
    assert (np.abs(poses[:, :, 3]) < [0.6, 0.4, 0.3]).all()
    off = poses[:, :, 3][:, None] - poses[:, :, 3][None]
    # two lines of view meet where their distance is nothing
    crossing = np.einsum("ijk,ijk->ij", off, np.cross(poses[:, None, :, 2], poses[None, :, :, 2]))
    assert np.abs(crossing).max() < 1e-9


@pytest.mark.parametrize("closed", [False, True])
def test_a_path_between_cameras_meets_each_at_its_time(closed):
    keys = ring(count=6)
    path = between(keys, 30 if closed else 26, closed)
    assert path[::5] == pytest.approx(keys, abs=1e-9)
    assert rotations_are_rotations(path)


def test_a_closed_path_has_no_corner_where_it_closes():
    path = between(ring(count=8), 400, closed=True)
    turns = np.linalg.norm(np.diff(path[:, :, 3], n=2, axis=0, append=path[:2, :, 3]), axis=1)
    assert turns.max() < 1.5 * np.median(turns)


def test_from_one_camera_the_path_stands_still():
    assert np.array_equal(between(ring()[:1], 3), np.repeat(ring()[:1], 3, axis=0))
