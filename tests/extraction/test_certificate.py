"""The certificate against closed forms, against trimesh, and on meshes with known faults."""

import json

import numpy as np
import pytest
import trimesh

from isofield.extraction.surface import extract_surface, marching_cubes
from isofield.geometry.certificate import certify
from isofield.geometry.level import Above, Below
from isofield.geometry.mesh import Mesh


def mesh_of(shape):
    return Mesh(np.asarray(shape.vertices), np.asarray(shape.faces, np.int32))


def combined(*meshes):
    offsets = np.cumsum([0] + [len(m.vertices) for m in meshes])
    faces = [m.faces + np.int32(offset) for m, offset in zip(meshes, offsets)]
    return Mesh(np.concatenate([m.vertices for m in meshes]), np.concatenate(faces))


CUBE = mesh_of(trimesh.creation.box())


def test_noise_surface_has_the_numbers_that_trimesh_finds():
    values = np.random.default_rng(3).normal(size=(12, 11, 10)).astype(np.float32)
    mesh = marching_cubes(values, (-1.0, 1.0), Above(0.5))
    theirs = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    ours = certify(mesh, from_marching_cubes=True)
    assert ours.closed == theirs.is_watertight
    assert ours.euler_number == theirs.euler_number
    assert ours.components == theirs.body_count
    assert ours.volume == pytest.approx(theirs.volume, rel=1e-6)
    assert ours.area == pytest.approx(theirs.area, rel=1e-6)


def test_genus_is_the_sum_over_components():
    torus = mesh_of(trimesh.creation.torus(1.0, 0.3))
    ball = Mesh(CUBE.vertices + 5, CUBE.faces)
    found = certify(combined(torus, Mesh(torus.vertices + 10, torus.faces), ball), 0)
    assert (found.components, found.euler_number, found.genus) == (3, 2, 2)


def test_turned_inside_out_is_closed_and_oriented_but_not_outward():
    found = certify(Mesh(CUBE.vertices, np.ascontiguousarray(CUBE.faces[:, ::-1])), 0)
    assert found.closed
    assert found.oriented
    assert not found.outward
    assert found.volume == pytest.approx(-1)


def test_hole_leaves_volume_and_genus_unknown():
    found = certify(Mesh(CUBE.vertices, CUBE.faces[1:]), 0)
    assert not found.closed
    assert found.manifold
    assert found.boundary_edges == 3
    assert found.volume is found.genus is found.outward is None


def test_one_turned_face_is_not_oriented():
    faces = CUBE.faces.copy()
    faces[0] = faces[0, ::-1]
    found = certify(Mesh(CUBE.vertices, faces), 0)
    assert found.misoriented_edges == 3
    assert not found.oriented
    assert found.manifold


def test_cubes_on_a_common_vertex_or_edge_are_not_manifold():
    corner = combined(CUBE, Mesh(CUBE.vertices + 1, CUBE.faces))
    merged = mesh_of(trimesh.Trimesh(corner.vertices, corner.faces, process=True))
    found = certify(merged, 0)
    assert (found.non_manifold_vertices, found.non_manifold_edges, found.manifold) == (1, 0, False)
    edge = combined(CUBE, Mesh(CUBE.vertices + np.array([1, 1, 0]), CUBE.faces))
    found = certify(mesh_of(trimesh.Trimesh(edge.vertices, edge.faces, process=True)), 0)
    assert (found.non_manifold_edges, found.manifold, found.genus) == (1, False, None)


def test_faces_that_name_a_vertex_twice_or_have_no_area_are_counted():
    vertices = np.concatenate([CUBE.vertices, [[0, 0, 0], [1, 1, 1], [2, 2, 2]]])
    faces = np.concatenate([CUBE.faces, [[0, 0, 1], [8, 9, 10]]]).astype(np.int32)
    found = certify(Mesh(vertices, faces), 0)
    assert found.degenerate_faces == 2
    assert found.components == 2


def test_unused_vertices_are_counted_and_are_no_components():
    found = certify(Mesh(np.concatenate([CUBE.vertices, CUBE.vertices + 9]), CUBE.faces), 0)
    assert (found.unused_vertices, found.components, found.genus) == (8, 1, 0)


def test_far_from_the_origin_the_volume_keeps_its_digits():
    assert certify(Mesh(CUBE.vertices + 1e6, CUBE.faces), 0).volume == pytest.approx(1, rel=1e-9)


def test_empty_mesh_is_not_closed():
    found = certify(Mesh(np.zeros((0, 3)), np.zeros((0, 3), np.int32)), 0)
    assert (found.faces, found.components, found.closed) == (0, 0, False)


def test_surface_of_marching_cubes_does_not_cross_itself_by_construction(shapes):
    mesh = extract_surface(shapes["torus"].distance, Below(), 32).mesh
    found = certify(mesh, from_marching_cubes=True)
    assert found.self_intersections == 0
    assert any("by construction" in text for text in found.proved)


@pytest.mark.parametrize("values", ["normal", "small_integers"])
def test_surface_of_noise_does_not_cross_itself(values):
    random = np.random.default_rng(5)
    grid = random.normal(size=(24, 24, 24)) if values == "normal" else random.integers(-2, 3, (24, 24, 24))
    mesh = marching_cubes(grid.astype(np.float32), (-1.0, 1.0), Above())
    assert certify(mesh, self_intersection_limit=10**6).self_intersections == 0


def test_crossing_solids_are_counted():
    assert (
        certify(
            combined(CUBE, Mesh(CUBE.vertices + np.array([0.5, 0.3, 0.2]), CUBE.faces))
        ).self_intersections
        > 0
    )


def test_crossing_faces_are_not_counted_beyond_the_limit():
    found = certify(CUBE, self_intersection_limit=11)
    assert found.self_intersections is None
    assert any("more than 11 faces" in text for text in found.computed)


def test_certificate_is_plain_json(shapes):
    found = certify(extract_surface(shapes["sphere"].distance, Below(), 16).mesh, 0)
    assert json.loads(json.dumps(found.to_json())) == found.to_json()
