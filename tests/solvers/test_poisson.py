"""The indicator of closed forms from oriented points."""

import numpy as np
import pytest

from isofield.geometry.closed_forms import torus_mesh
from isofield.geometry.mesh import Mesh
from isofield.geometry.surface_samples import sample_surface
from isofield.solvers.poisson import spectral_poisson


def on_sphere(count: int, radius: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points, normals, and the area of each."""
    normals = np.random.default_rng(0).normal(size=(count, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return radius * normals, normals, np.full(count, 4 * np.pi * radius**2 / count)


@pytest.mark.parametrize("radius", [0.3, 0.7])
def test_the_indicator_of_a_ball_is_one_higher_inside(radius):
    points, normals, areas = on_sphere(20_000, radius)
    found = spectral_poisson(points, normals, areas, 64)
    directions = normals[:200]
    inside, outside = (found.at(directions * r) for r in (radius - 0.15, min(radius + 0.15, 0.95)))
    assert np.median(inside) - np.median(outside) == pytest.approx(1.0, abs=0.05)
    assert np.all(inside > found.level)
    assert np.all(outside < found.level)
    assert found.jump == pytest.approx(1.0, abs=0.15)


def test_turned_normals_turn_the_solid():
    points, normals, areas = on_sphere(5_000, 0.5)
    found = spectral_poisson(points, -normals, areas, 32)
    assert found.at(np.zeros((1, 3)))[0] < found.level


def test_the_level_passes_through_the_surface_of_a_torus():
    torus = torus_mesh(around=96, across=48)
    vertices = torus.vertices * (0.8 / np.abs(torus.vertices).max())
    mesh = Mesh(vertices, torus.faces)
    points, face = sample_surface(mesh, 30_000, np.random.default_rng(0))
    a, b, c = np.moveaxis(vertices[mesh.faces[face]], 1, 0)
    cross = np.cross(b - a, c - a)
    areas = np.linalg.norm(
        np.cross(*(vertices[mesh.faces][:, k] - vertices[mesh.faces][:, 0] for k in (1, 2))), axis=1
    )
    normals = cross / np.linalg.norm(cross, axis=1, keepdims=True)
    found = spectral_poisson(points, normals, np.full(len(points), areas.sum() / 2 / len(points)), 96)
    step = 0.03 * normals
    assert np.mean(found.at(points - step) > found.level) > 0.99
    assert np.mean(found.at(points + step) < found.level) > 0.99
