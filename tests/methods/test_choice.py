"""The method is chosen by what the input is, and the reason is said."""

import numpy as np
import pytest

from isofield.data.shape import Shape
from isofield.extraction.surface import extract_surface
from isofield.geometry.closed_forms import box_mesh
from isofield.geometry.level import Below
from isofield.geometry.mesh import Mesh
from isofield.methods.choice import suited_to
from isofield.runtime.errors import InputError

SPHERE = extract_surface(lambda points: points.norm(dim=1) - 0.7, Below(), 24).mesh


def _choice(mesh: Mesh):
    shape = Shape("test", "mesh", np.asarray(mesh.vertices, np.float64), mesh.faces)
    return suited_to(shape)


def _together(*meshes: Mesh) -> Mesh:
    starts = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes)])
    faces = [mesh.faces + np.int32(start) for mesh, start in zip(meshes, starts)]
    return Mesh(np.concatenate([mesh.vertices for mesh in meshes]), np.concatenate(faces))


def test_a_closed_surface_gets_distances():
    choice = _choice(SPHERE)
    assert choice.method == "sdf"
    assert choice.doubts == ()


def test_turning_the_whole_surface_inside_out_changes_nothing():
    assert _choice(Mesh(SPHERE.vertices, np.ascontiguousarray(SPHERE.faces[:, ::-1]))) == _choice(SPHERE)


def test_walls_inside_the_solid_get_occupancy():
    inner = Mesh(SPHERE.vertices * 0.5, SPHERE.faces)
    choice = _choice(_together(SPHERE, inner))
    assert choice.method == "occupancy"
    assert "%" in choice.reason


def test_a_sheet_that_encloses_nothing_is_doubted():
    corners = np.array([[-1, -1, 0], [1, -1, 0.1], [1, 1, 0], [-1, 1, 0.1]], np.float64)
    sheet = Mesh(corners, np.array([[0, 1, 2], [0, 2, 3]], np.int32))
    assert _choice(sheet).doubts


def test_a_flat_sheet_is_refused():
    corners = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], np.float64)
    with pytest.raises(InputError, match="flat"):
        _choice(Mesh(corners, np.array([[0, 1, 2], [0, 2, 3]], np.int32)))


def test_a_closed_box_as_thin_as_a_needle_gets_distances():
    assert _choice(box_mesh((500, 0.5, 0.5))).method == "sdf"


def _points(count: int, flipped: float) -> Shape:
    rng = np.random.default_rng(0)
    directions = rng.normal(size=(count, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    signs = np.where(rng.random(count) < flipped, -1, 1)[:, None]
    return Shape("test", "points", directions, normals=(signs * directions).astype(np.float32))


def test_normals_that_contradict_each_other_are_doubted():
    assert suited_to(_points(3000, 0.0)).doubts == ()
    assert suited_to(_points(3000, 0.5)).doubts


def test_normals_that_point_inward_as_a_whole_are_turned():
    inward = _points(3000, 1.0)
    assert "turned" in suited_to(inward).doubts[0]
    assert inward.solid.occupancy(np.zeros((1, 3), np.float32)).all()


def test_points_with_normals_get_distances():
    directions = (SPHERE.vertices / np.linalg.norm(SPHERE.vertices, axis=1, keepdims=True)).astype(np.float32)
    shape = Shape("test", "points", np.asarray(SPHERE.vertices, np.float64), normals=directions)
    assert suited_to(shape).method == "sdf"


@pytest.mark.parametrize("seed", range(3))
def test_turning_the_shape_in_space_keeps_the_choice(seed):
    turn, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    turn *= np.linalg.det(turn)  # a rotation, not a mirror image
    assert _choice(Mesh(SPHERE.vertices @ turn, SPHERE.faces)).method == "sdf"
