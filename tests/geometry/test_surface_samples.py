"""Points drawn on a surface are on it, uniform by area, and the same for the same generator."""

import numpy as np
import pytest

from isofield.geometry.closed_forms import sphere_mesh
from isofield.geometry.mesh import Mesh
from isofield.geometry.surface_samples import sample_surface
from isofield.runtime.errors import InputError


def test_samples_lie_in_the_face_they_name():
    mesh = sphere_mesh(1)
    points, face = sample_surface(mesh, 1000, np.random.default_rng(0))
    corners = mesh.vertices.astype(np.float64)[mesh.faces[face]]
    weights = np.linalg.solve(corners.transpose(0, 2, 1), points[..., None])[..., 0]
    assert weights.min() > -1e-12
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-12)


def test_faces_are_drawn_by_area_and_points_evenly_within_them():
    vertices = np.array([[0, 0, 0], [3, 0, 0], [0, 1, 0], [0, 0, 0], [1, 0, 5], [2, 0, 10]], np.float64)
    vertices = np.concatenate([vertices, [[0, 0, 1], [1, 0, 1], [0, 1, 1]]])
    mesh = Mesh(vertices, np.array([[0, 1, 2], [3, 4, 5], [6, 7, 8]], np.int32))  # areas 3/2, 0, 1/2
    count = 40_000
    points, face = sample_surface(mesh, count, np.random.default_rng(1))
    # four standard deviations of a share of 40,000 draws are 0.009
    np.testing.assert_allclose(np.bincount(face, minlength=3) / count, [0.75, 0, 0.25], atol=0.009)
    x, y = points[face == 0, 0] / 3, points[face == 0, 1]
    np.testing.assert_allclose([x.mean(), y.mean(), (x * y).mean()], [1 / 3, 1 / 3, 1 / 12], atol=0.006)


def test_the_same_generator_gives_the_same_points():
    first, second = (sample_surface(sphere_mesh(1), 50, np.random.default_rng(7)) for _ in range(2))
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])


@pytest.mark.parametrize("faces", [np.zeros((0, 3), np.int32), np.array([[0, 1, 1]], np.int32)])
def test_a_surface_without_area_is_refused(faces):
    with pytest.raises(InputError, match="no area"):
        sample_surface(Mesh(np.eye(3), faces), 10, np.random.default_rng(0))
