"""Plane sections and wall thickness against closed forms."""

import numpy as np
import pytest

from isofield.geometry.closed_forms import box_mesh, sphere_mesh, torus_mesh
from isofield.geometry.mesh import Mesh
from isofield.geometry.sections import section
from isofield.geometry.solid import Solid
from isofield.geometry.thickness import thickness


def area(outline: np.ndarray) -> float:
    """Signed area of a closed outline: positive where the inside lies on the left."""
    x, y = outline.T
    return float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1])) / 2


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_sphere_is_cut_in_one_circle(axis):
    centre = np.array([1.0, 2.0, 3.0])
    (outline,) = section(sphere_mesh(5, 0.5, tuple(centre)), axis, centre[axis] + 0.3)
    assert np.array_equal(outline[0], outline[-1])
    across = centre[[(axis + 1) % 3, (axis + 2) % 3]]
    assert np.linalg.norm(outline - across, axis=1) == pytest.approx(0.4, abs=1e-3)
    assert area(outline) == pytest.approx(np.pi * 0.16, rel=2e-3)


def test_a_torus_is_cut_in_a_ring_or_in_two_discs():
    torus = torus_mesh(0.5, 0.2, 256, 128)
    ring = sorted(area(outline) for outline in section(torus, 2, 0.001))
    assert ring == pytest.approx([-np.pi * 0.3**2, np.pi * 0.7**2], rel=2e-3)
    discs = [area(outline) for outline in section(torus, 0, 0.001)]
    assert discs == pytest.approx([np.pi * 0.04] * 2, rel=2e-3)


def test_a_plane_through_vertices_and_beside_the_shape():
    box = box_mesh((0.5, 0.5, 0.5))
    assert sum(area(outline) for outline in section(box, 1, 0.0)) == pytest.approx(1)
    assert sum(area(outline) for outline in section(box, 1, 0.5)) == pytest.approx(
        1
    )  # vertices count as above
    assert section(box, 1, 0.6) == []
    assert section(box, 1, -0.5) == []


def test_an_open_mesh_gives_open_outlines():
    sphere = sphere_mesh(3)
    half = Mesh(sphere.vertices, sphere.faces[sphere.vertices[sphere.faces][:, :, 0].mean(axis=1) > 0])
    (outline,) = section(half, 2, 0.01)
    assert not np.array_equal(outline[0], outline[-1])


def test_the_thickness_of_a_plate_is_its_own():
    plate = box_mesh((0.5, 0.5, 0.05))
    values, places = thickness(Solid(plate), 4000, np.random.default_rng(0))
    flat = np.abs(places[:, :2]).max(axis=1) < 0.4
    assert flat.mean() > 0.5
    assert values[flat] == pytest.approx(0.1, rel=1e-4)


def test_the_thickness_of_a_ball_is_its_diameter():
    values, _ = thickness(Solid(sphere_mesh(5)), 1000, np.random.default_rng(0))
    assert len(values) > 900
    assert np.median(values) == pytest.approx(1, rel=5e-3)
