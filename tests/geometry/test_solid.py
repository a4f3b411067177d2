"""What is inside a mesh, whatever its faces are like, and how far the border of that solid is."""

import numpy as np
import pytest
import torch
import trimesh

from isofield.geometry.closed_forms import box_distance, box_mesh, sphere_mesh, torus_distance, torus_mesh
from isofield.geometry.frames import Frame
from isofield.geometry.mesh import Mesh
from isofield.geometry.solid import Solid, count_open_edges, signed_volume


def turned(mesh):
    return Mesh(mesh.vertices, mesh.faces[:, ::-1].copy())


def joined(*meshes):
    starts = np.cumsum([0] + [len(m.vertices) for m in meshes])
    faces = np.concatenate([m.faces + start for m, start in zip(meshes, starts)]).astype(np.int32)
    return Mesh(np.concatenate([m.vertices for m in meshes]), faces)


def without_cap(mesh, height):
    """The mesh without the faces whose centroid is above `height` along z."""
    return Mesh(mesh.vertices, mesh.faces[mesh.vertices[mesh.faces].mean(axis=1)[:, 2] < height])


def box_points(count=4000, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (count, 3)).astype(np.float32)


def test_signed_volume_is_that_of_the_closed_form_wherever_the_mesh_is():
    box = box_mesh((0.5, 0.4, 0.3))
    moved = Mesh(box.vertices + np.float32([3, -2, 5]), box.faces)
    assert signed_volume(box) == pytest.approx(0.48, rel=1e-5)
    assert signed_volume(moved) == pytest.approx(0.48, rel=1e-5)
    assert signed_volume(turned(moved)) == pytest.approx(-0.48, rel=1e-5)


def test_open_edges_are_counted_after_vertices_in_one_place_are_joined():
    box = box_mesh()
    split = Mesh(box.vertices[box.faces.ravel()], np.arange(36, dtype=np.int32).reshape(12, 3))
    assert count_open_edges(box) == count_open_edges(split) == 0
    assert count_open_edges(Mesh(split.vertices, split.faces[1:])) == 3
    one_turned = split.faces.copy()
    one_turned[0] = one_turned[0, ::-1]
    assert count_open_edges(Mesh(split.vertices, one_turned)) == 3


@pytest.mark.parametrize("change", [lambda mesh: mesh, turned])
def test_signed_distance_of_a_closed_mesh_is_the_closed_form(change):
    points = box_points()
    solid = Solid(change(box_mesh((0.5, 0.4, 0.3))))
    exact = box_distance((0.5, 0.4, 0.3))(torch.from_numpy(points)).numpy()
    np.testing.assert_allclose(solid.signed_distance(points), exact, atol=1e-6)
    np.testing.assert_allclose(solid.signed_distance(points, 0.1), exact.clip(-0.1, 0.1), atol=1e-6)
    np.testing.assert_array_equal(solid.occupancy(points), exact < 0)


def test_signed_distance_approaches_that_of_the_smooth_shape():
    points = box_points()
    exact = torus_distance(0.5, 0.2)(torch.from_numpy(points)).numpy()
    solid = Solid(torus_mesh(0.5, 0.2))
    np.testing.assert_allclose(solid.signed_distance(points), exact, atol=5e-3)  # chords of the mesh


def test_a_hole_leaves_the_inside_nearly_as_it_was():
    points = box_points()
    whole, holed = sphere_mesh(4), without_cap(sphere_mesh(4), 0.45)  # a hole of a twentieth of the area
    solid = Solid(holed)
    assert solid.open_edges > 0
    assert np.mean(solid.occupancy(points) != Solid(whole).occupancy(points)) < 2e-3
    assert solid.separating_share == pytest.approx(1, abs=1e-3)
    assert solid.doubt < 0.1


def test_signed_distance_does_not_jump_where_a_hole_is_crossed():
    """Along lines through the hole of a sphere, the value moves hardly more than the point."""
    solid = Solid(without_cap(sphere_mesh(5), 0.4))
    step = 2e-3
    heights = np.arange(0, 0.8, step)
    for x, y in ((0, 0), (0.1, 0.05), (-0.2, 0.1)):
        line = np.stack([np.full_like(heights, x), np.full_like(heights, y), heights], axis=1)
        distance = solid.signed_distance(line.astype(np.float32))
        assert distance[0] < 0 < distance[-1]
        # the expansions of w and of its gradient leave up to a hundredth of a far border's distance
        assert (np.abs(np.diff(distance)) < 1.2 * step + 0.01 * np.abs(distance[1:])).all()
        assert np.abs(distance).min() < step


def test_parts_that_overlap_are_one_solid_and_their_hidden_surface_does_not_separate():
    first, second = sphere_mesh(3, 0.4, (-0.2, 0, 0)), sphere_mesh(3, 0.4, (0.2, 0, 0))
    solid = Solid(joined(first, second))
    points = box_points()
    np.testing.assert_array_equal(
        solid.occupancy(points), Solid(first).occupancy(points) | Solid(second).occupancy(points)
    )
    # of each sphere the cap beyond the other's plane of symmetry is hidden: height 0.2 of a diameter of 0.8
    assert solid.separating_share == pytest.approx(0.75, abs=0.02)
    assert solid.doubt == 0


def test_a_sheet_is_doubted_and_a_closed_shape_is_not():
    x, y = np.meshgrid(np.linspace(-1, 1, 20), np.linspace(-1, 1, 20))
    vertices = np.stack([x, y, 0.1 * x * x], axis=-1).reshape(-1, 3)
    corner = (np.arange(19)[:, None] * 20 + np.arange(19)).reshape(-1, 1)
    faces = np.concatenate([corner + np.array(c) for c in ((0, 1, 20), (1, 21, 20))]).astype(np.int32)
    assert Solid(Mesh(vertices, faces)).doubt > 0.5
    assert Solid(torus_mesh()).doubt == 0
    assert Solid(torus_mesh()).separating_share == 1


def test_surface_points_lie_on_the_surface():
    solid = Solid(sphere_mesh(5))
    points = solid.surface_points(500, np.random.default_rng(0))
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 0.5, atol=5e-4)


@pytest.mark.parametrize(
    ("name", "clean", "doubted"),
    [
        ("stanford-bunny", True, False),
        ("spot", True, False),
        ("sword", True, False),
        ("plane-holes", True, False),
        ("suzanne", False, False),
        ("teapot", False, False),
        ("beetle", False, True),
        ("truck", False, True),
        ("pizza", False, True),
    ],
)
def test_measures_tell_clean_dirty_and_doubtful_meshes_apart(shared, name, clean, doubted):
    mesh = trimesh.load(shared / "data" / "meshes" / f"{name}.ply", process=False)
    vertices, faces = np.asarray(mesh.vertices, np.float64), np.asarray(mesh.faces, np.int32)
    solid = Solid(Mesh(Frame.around(vertices[np.unique(faces)]).to_working(vertices), faces))
    assert (solid.doubt > 0.25) == doubted
    assert (solid.separating_share > 0.98 and solid.doubt < 0.25) == clean
