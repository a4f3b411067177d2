"""Meshes cut by planes: areas against closed forms, orientation, what vertices carry."""

import numpy as np
import pytest

from isofield.extraction.surface import extract_surface
from isofield.geometry.clip import clipped
from isofield.geometry.level import Below
from isofield.geometry.mesh import Mesh


@pytest.fixture(scope="module")
def ball() -> Mesh:
    """Radius 0.8."""
    mesh = extract_surface(lambda points: points.norm(dim=1) - 0.8, Below(), 48).mesh
    normals = mesh.vertices / np.linalg.norm(mesh.vertices, axis=1, keepdims=True)
    colours = np.rint((mesh.vertices + 1) * 100).astype(np.uint8)
    return Mesh(mesh.vertices, mesh.faces, normals.astype(np.float32), colours)


def crossed(mesh: Mesh) -> np.ndarray:
    a, b, c = (mesh.vertices[mesh.faces[:, k]].astype(np.float64) for k in range(3))
    return np.cross(b - a, c - a) / 2


def area(mesh: Mesh) -> float:
    return float(np.linalg.norm(crossed(mesh), axis=1).sum())


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("at", [-0.31, 0.0, 0.55])
def test_the_part_of_a_ball_below_a_plane_has_the_area_of_the_zone(ball, axis, at):
    part = clipped(ball, axis, at)
    assert part.vertices[part.faces][..., axis].max() <= at + 1e-6
    assert area(part) == pytest.approx(2 * np.pi * 0.8 * (0.8 + at), rel=0.01)


def test_both_sides_together_are_the_whole(ball):
    mirrored = Mesh(ball.vertices * [-1, 1, 1], ball.faces[:, ::-1])
    assert area(clipped(ball, 0, 0.123)) + area(clipped(mirrored, 0, -0.123)) == pytest.approx(area(ball))


def test_faces_keep_their_orientation_and_new_vertices_their_place_between(ball):
    part = clipped(ball, 1, 0.2)
    middle = part.vertices[part.faces].mean(axis=1)
    assert np.all((crossed(part) * middle).sum(axis=1) >= 0)
    assert np.abs(part.colours - (part.vertices + 1) * 100).max() <= 1.5  # linear in the place, and stays so
    assert np.abs(part.normals - part.vertices / 0.8).max() < 0.05


def test_beyond_the_mesh_all_or_nothing_is_left(ball):
    assert np.array_equal(clipped(ball, 2, 2.0).faces, ball.faces)
    assert len(clipped(ball, 2, -2.0).faces) == 0
