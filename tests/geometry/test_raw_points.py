"""Normals, their orientation and outliers of raw points, on closed forms."""

import numpy as np
import pytest

from isofield.data import Shape
from isofield.data.raw_points import solid_of_raw_points
from isofield.geometry.closed_forms import box_mesh, torus_mesh
from isofield.geometry.mesh import Mesh
from isofield.geometry.raw_points import Neighbourhoods, inliers, oriented_by_tree, smoothed, turned_towards
from isofield.geometry.surface_samples import sample_surface
from isofield.kernels.topology import components
from isofield.methods.choice import suited_to


def samples(mesh: Mesh, count: int, noise: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Points and the normals of their faces."""
    rng = np.random.default_rng(0)
    points, face = sample_surface(mesh, count, rng)
    a, b, c = np.moveaxis(mesh.vertices[mesh.faces[face]], 1, 0)
    cross = np.cross(b - a, c - a)
    return points + rng.normal(0, noise, points.shape), cross / np.linalg.norm(cross, axis=1, keepdims=True)


@pytest.mark.parametrize("mesh", [box_mesh(), torus_mesh(around=96, across=48)], ids=["box", "torus"])
def test_normals_are_found_and_agree_in_their_direction(mesh):
    points, normals = samples(mesh, 5000)
    around = Neighbourhoods.of(points, 16)
    assert np.abs((around.normals * normals).sum(1)).mean() > 0.97
    cosines = (oriented_by_tree(points, around) * normals).sum(1)
    clear = np.abs(cosines) > 0.5  # on the edges of a box a plane says little
    assert np.mean(cosines[clear] > 0) > 0.999


def test_two_parts_are_oriented_each_for_itself():
    points, normals = samples(torus_mesh(around=96, across=48), 4000)
    points, normals = np.concatenate([points, points + 10.0]), np.concatenate([normals, normals])
    cosines = (oriented_by_tree(points, Neighbourhoods.of(points, 16)) * normals).sum(1)
    assert np.mean(cosines > 0) > 0.999


def test_the_sensor_says_which_side_is_out():
    normals = np.array([[0.0, 0, 1], [0, 0, -1]])
    turned = turned_towards(normals, np.array([[0.1, 0, 0.9], [0.1, 0, 0.9]]))
    assert turned.tolist() == [[0, 0, 1], [0, 0, 1]]


def test_residuals_tell_the_noise():
    quiet, loud = (
        np.median(Neighbourhoods.of(samples(box_mesh(), 5000, noise)[0], 16).residuals) for noise in (0, 0.02)
    )
    assert quiet < 0.002
    assert loud == pytest.approx(0.018, rel=0.25)


def test_far_points_are_outliers_and_surface_points_are_not():
    points, _ = samples(torus_mesh(around=96, across=48), 5000)
    far = np.random.default_rng(1).uniform(-3, 3, (50, 3)) + np.array([0, 0, 5])
    found = inliers(np.concatenate([points, far]))
    assert found[:5000].mean() > 0.99
    assert found[5000:].mean() < 0.1


def test_a_sparse_part_of_a_surface_is_kept():
    points, _ = samples(torus_mesh(around=96, across=48), 50_000)
    sparse = (points[:, 0] > 0) | (np.random.default_rng(0).random(len(points)) < 0.05)
    assert inliers(points[sparse]).mean() > 0.99


def test_smoothing_brings_noisy_points_back_to_the_surface_and_keeps_it_curved():
    directions = np.random.default_rng(0).normal(size=(8000, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    noisy = directions + np.random.default_rng(1).normal(0, 0.02, directions.shape)
    around = Neighbourhoods.of(noisy, 48)
    moved, normals = smoothed(noisy, around)
    radius = np.linalg.norm(moved, axis=1)
    assert radius.std() < 0.5 * np.linalg.norm(noisy, axis=1).std()
    assert radius.mean() == pytest.approx(1.0, abs=0.002)
    assert np.abs((normals * directions).sum(1)).mean() > 0.97


def test_a_stray_point_blows_no_bubble():
    points, _ = samples(torus_mesh(around=96, across=48), 4000)
    stray = np.concatenate([0.5 * points, [[0.9, 0.9, 0.9]]])
    assert len(np.unique(components(*_faces_of(solid_of_raw_points(stray, None, "test"))))) == 1


def _balls(apart: float) -> Shape:
    """Two unit balls as raw points."""
    directions = np.random.default_rng(0).normal(size=(4000, 3))
    points = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    points[2000:, 0] += apart
    return Shape("balls", "points", points)


def test_two_clusters_far_from_each_other_are_two_solids():
    shape = _balls(20)
    places = shape.frame.to_working(np.array([[0.0, 0, 0], [20, 0, 0], [10, 0, 0]]))
    assert shape.solid.occupancy(places).tolist() == [True, True, False]
    assert suited_to(shape).doubts == ()
    assert len(np.unique(components(*_faces_of(shape.solid)))) == 2


def test_two_clusters_too_far_for_the_grid_are_doubted():
    assert "clear which side is inside" in suited_to(_balls(1000)).doubts[0]


def test_repeated_points_change_nothing():
    points, _ = samples(torus_mesh(around=96, across=48), 3000)
    once, thrice = (Shape("torus", "points", p) for p in (points, np.repeat(points, 3, axis=0)))
    np.testing.assert_array_equal(once.solid.mesh.vertices, thrice.solid.mesh.vertices)


def _faces_of(solid) -> tuple[np.ndarray, int]:
    """The faces of a solid among the vertices that they use, and the number of these."""
    used, faces = np.unique(solid.mesh.faces, return_inverse=True)
    return faces.reshape(-1, 3).astype(np.int32), len(used)
