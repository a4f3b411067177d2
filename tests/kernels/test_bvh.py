"""The tree over triangles or oriented points: nearest points, winding numbers and their gradients, against
brute force and closed forms.
"""

import igl
import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from isofield.geometry.closed_forms import box_mesh, sphere_mesh, torus_mesh
from isofield.kernels import bvh
from isofield.kernels.bvh import reference
from isofield.runtime.errors import InputError
from isofield.runtime.threads import set_threads, threads


def mesh_of(shared, name):
    """Vertices in the working box, float64, and faces of a real mesh."""
    mesh = trimesh.load(shared / "data" / "meshes" / f"{name}.ply", process=False)
    vertices, faces = np.asarray(mesh.vertices, np.float64), np.asarray(mesh.faces, np.int32)
    low, high = vertices[faces].min((0, 1)), vertices[faces].max((0, 1))
    return (vertices - (low + high) / 2) * (2 / 1.1 / (high - low).max()), faces


def queries(vertices, faces, count, seed=0):
    """Half the points in the box [-1.2, 1.2]^3, half within some hundredths of the surface."""
    rng = np.random.default_rng(seed)
    near = vertices[faces[rng.integers(0, len(faces), count // 2)]].mean(1) + rng.normal(
        0, 0.02, (count // 2, 3)
    )
    return np.concatenate([rng.uniform(-1.2, 1.2, (count - count // 2, 3)), near]).astype(np.float32)


def soup(count, seed):
    """Random triangles, some of them points, segments, needles, and repetitions of others."""
    rng = np.random.default_rng(seed)
    corners = rng.uniform(-1, 1, (count, 1, 3)) + rng.normal(0, 0.2, (count, 3, 3))
    corners[::7, 1] = corners[::7, 0]
    corners[::11, 1:] = corners[::11, :1]
    corners[3::13, 2] = corners[3::13, :2].mean(1)
    corners[4::13, 2] = corners[4::13, :2].mean(1) + rng.normal(0, 1e-9, corners[4::13, 2].shape)
    corners[5::17] = corners[len(corners[5::17])]
    return corners.reshape(-1, 3), np.arange(3 * count, dtype=np.int32).reshape(-1, 3)


@pytest.mark.parametrize("count", [1, 2, 7, 40, 700])
def test_nearest_equals_brute_force_on_soups_with_degenerate_triangles(count):
    vertices, faces = soup(count, seed=count)
    points = queries(vertices, faces, 500)
    tree = bvh.build(vertices, faces)
    distance, face, closest = bvh.nearest(tree, points)
    exact, _, _ = reference.nearest(vertices, faces, points)
    np.testing.assert_allclose(distance, exact, atol=3e-7)
    np.testing.assert_allclose(np.linalg.norm(points - closest, axis=1), exact, atol=5e-7)
    alone, _, _ = reference.nearest(
        vertices, faces[face[:1]], points[:1]
    )  # the face named is one at that distance
    np.testing.assert_allclose(alone, exact[:1], atol=3e-7)


def test_beyond_the_limit_the_distance_is_the_limit_and_the_face_is_missing():
    vertices, faces = soup(300, seed=1)
    points = queries(vertices, faces, 1000)
    tree = bvh.build(vertices, faces)
    full, face, closest = bvh.nearest(tree, points)
    for limit in (0.0, 0.1, 0.5):
        distance, face_within, closest_within = bvh.nearest(tree, points, limit)
        np.testing.assert_array_equal(distance, np.minimum(full, np.float32(limit)))
        far = full > limit
        assert (face_within[far] == -1).all()
        np.testing.assert_array_equal(face_within[~far], face[~far])
        np.testing.assert_array_equal(closest_within, np.where(far[:, None], points, closest))


def test_a_nearest_point_does_not_depend_on_the_other_queries():
    mesh = sphere_mesh(4)
    points = queries(mesh.vertices, mesh.faces, 3000)
    points[:200] = mesh.vertices[:200]  # equally near to six faces
    tree = bvh.build(mesh.vertices.astype(np.float64), mesh.faces)
    together = bvh.nearest(tree, points)
    subset = np.random.default_rng(0).permutation(len(points))[:77]
    for a, b in zip(together, bvh.nearest(tree, points[subset])):
        np.testing.assert_array_equal(a[subset], b)


def test_results_do_not_depend_on_the_number_of_threads():
    mesh = torus_mesh()
    points = queries(mesh.vertices, mesh.faces, 5000)
    before = threads()
    results = []
    for count in (1, 3):
        set_threads(count)
        tree = bvh.build(mesh.vertices, mesh.faces)
        results.append((*bvh.nearest(tree, points), *bvh.winding_number_and_gradient(tree, points)))
    set_threads(before)
    for a, b in zip(*results):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("count", [1, 5, 40, 700])
def test_winding_number_equals_the_sum_of_solid_angles_on_soups(count):
    vertices, faces = soup(count, seed=count)
    points = queries(vertices, faces, 400)
    found = bvh.winding_number(bvh.build(vertices, faces), points)
    np.testing.assert_allclose(found, reference.winding_number(vertices, faces, points), atol=4e-3)


def test_winding_number_counts_the_surfaces_around_a_point():
    inner, outer = sphere_mesh(3, 0.3), sphere_mesh(3, 0.6)
    vertices = np.concatenate([inner.vertices, outer.vertices])
    faces = np.concatenate([inner.faces, outer.faces + len(inner.vertices)])
    points = np.array(
        [[0.0, 0, 0], [0.1, 0.2, 0], [0.45, 0, 0], [0, -0.5, 0], [0.7, 0, 0], [9, 9, 9]], np.float32
    )
    found = bvh.winding_number(bvh.build(vertices, faces), points)
    np.testing.assert_allclose(found, [2, 2, 1, 1, 0, 0], atol=2e-3)
    found = bvh.winding_number(bvh.build(vertices, faces[:, ::-1]), points)
    np.testing.assert_allclose(found, [-2, -2, -1, -1, 0, 0], atol=2e-3)


def test_winding_number_is_exact_where_every_triangle_is_near():
    """A box of twelve triangles seen from inside: no expansion serves, and turns of the complex product
    are counted right.
    """
    mesh = box_mesh((0.5, 0.4, 0.3))
    points = np.random.default_rng(0).uniform(-0.999, 0.999, (2000, 3)) * [0.5, 0.4, 0.3]
    tree = bvh.build(mesh.vertices, mesh.faces)
    np.testing.assert_allclose(bvh.winding_number(tree, points.astype(np.float32)), 1, atol=3e-6)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.floats(-4, 4), st.floats(-3, 3))
def test_scale_and_place_change_distances_by_the_scale_and_winding_numbers_not_at_all(seed, shift, exponent):
    scale = 10.0**exponent
    vertices, faces = soup(50, seed % 5)
    points = queries(vertices, faces, 64, seed)
    moved = (points * scale + shift * scale).astype(np.float32)
    d, _, _ = bvh.nearest(bvh.build(vertices, faces), points)
    w = bvh.winding_number(bvh.build(vertices, faces), points)
    tree = bvh.build((vertices + shift) * scale, faces)
    # float32 moves the points by some 1e-7 of their size, and winding numbers by that over the distance
    clear = d > 1e-3
    np.testing.assert_allclose(bvh.nearest(tree, moved)[0] / scale, d, atol=4e-6)
    np.testing.assert_allclose(bvh.winding_number(tree, moved)[clear], w[clear], atol=5e-3)


def test_winding_gradient_is_the_derivative_of_the_winding_number():
    vertices, faces = soup(60, seed=2)
    points = queries(vertices, faces, 300).astype(np.float64)
    points = points[bvh.nearest(bvh.build(vertices, faces), points)[0] > 0.05].astype(np.float32)
    step = 1e-2
    numeric = np.stack(
        [
            (reference.winding_number(vertices - e, faces, points).astype(np.float64)
             - reference.winding_number(vertices + e, faces, points)) / (2 * step)
            for e in step * np.eye(3)
        ],
        axis=1,
    )  # fmt: skip
    exact = reference.winding_gradient(vertices, faces, points)
    np.testing.assert_allclose(exact, numeric, atol=0.05 * np.abs(exact).max())
    number, gradient = bvh.winding_number_and_gradient(bvh.build(vertices, faces), points)
    np.testing.assert_allclose(number, reference.winding_number(vertices, faces, points), atol=3e-3)
    # the expansion is differentiated term by term: an error of w over the distance from its node
    np.testing.assert_allclose(gradient, exact, atol=2e-2)


def oriented(mesh):
    corners = mesh.vertices.astype(np.float64)[mesh.faces]
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    length = np.linalg.norm(cross, axis=1)
    return corners.mean(1), cross / length[:, None], length / 2


def test_oriented_points_sum_as_dipoles():
    positions, normals, areas = oriented(sphere_mesh(3))
    tree = bvh.build_points(positions, normals, areas)
    rng = np.random.default_rng(0)
    points = rng.uniform(-1, 1, (2000, 3)).astype(np.float32)
    points = points[np.abs(np.linalg.norm(points, axis=1) - 0.5) > 0.02]
    vectors = normals * areas[:, None]
    exact = reference.dipole_winding_number(positions, vectors, points)
    number, gradient = bvh.winding_number_and_gradient(tree, points)
    np.testing.assert_allclose(number, exact, atol=3e-3)
    np.testing.assert_allclose(
        gradient, reference.dipole_winding_gradient(positions, vectors, points), atol=3e-2
    )
    clear = np.abs(np.linalg.norm(points, axis=1) - 0.5) > 0.1
    np.testing.assert_allclose(number[clear], np.linalg.norm(points[clear], axis=1) < 0.5, atol=1e-2)
    assert np.isfinite(bvh.winding_number(tree, positions[:10].astype(np.float32))).all()


@pytest.mark.parametrize("name", ["bunny-watertight-7k", "suzanne", "truck"])
def test_real_meshes_agree_with_libigl(shared, name):
    vertices, faces = mesh_of(shared, name)
    points = queries(vertices, faces, 20_000)
    tree = bvh.build(vertices, faces)
    squared, _, _ = igl.point_mesh_squared_distance(
        points.astype(np.float64), vertices, faces.astype(np.int64)
    )
    np.testing.assert_allclose(bvh.nearest(tree, points)[0], np.sqrt(squared), atol=5e-7)
    exact = igl.winding_number(vertices, faces.astype(np.int64), points[::10].astype(np.float64))
    error = np.abs(bvh.winding_number(tree, points)[::10] - exact)
    assert error.max() < 4e-3
    assert np.sqrt(np.mean(error**2)) < 1e-3


def test_the_reference_answers_the_same_calls(monkeypatch):
    vertices, faces = soup(60, seed=3)
    points = queries(vertices, faces, 100)
    fast = bvh.build(vertices, faces)
    fast_points = bvh.build_points(vertices, np.ones_like(vertices), np.full(len(vertices), 1e-3))
    monkeypatch.setenv("ISOFIELD_KERNELS", "reference")
    slow = bvh.build(vertices, faces)
    slow_points = bvh.build_points(vertices, np.ones_like(vertices), np.full(len(vertices), 1e-3))
    expected = bvh.nearest(slow, points, 0.3)
    numbers = [bvh.winding_number_and_gradient(t, points)[0] for t in (slow, slow_points)]
    monkeypatch.delenv("ISOFIELD_KERNELS")
    np.testing.assert_allclose(bvh.nearest(fast, points, 0.3)[0], expected[0], atol=3e-7)
    np.testing.assert_allclose(bvh.winding_number(fast, points), numbers[0], atol=3e-3)
    np.testing.assert_allclose(bvh.winding_number(fast_points, points), numbers[1], atol=3e-3)


def test_no_queries_give_empty_answers():
    vertices, faces = soup(5, seed=0)
    tree = bvh.build(vertices, faces)
    empty = np.zeros((0, 3), np.float32)
    assert [len(a) for a in (*bvh.nearest(tree, empty), *bvh.winding_number_and_gradient(tree, empty))] == [
        0
    ] * 5


@pytest.mark.parametrize(
    ("vertices", "faces", "message"),
    [
        (np.zeros((3, 3)), np.zeros((0, 3), np.int32), "no faces"),
        (np.zeros((3, 3)), np.array([[0, 1, 3]]), "not there"),
        (np.full((3, 3), np.nan), np.array([[0, 1, 2]]), "not finite"),
    ],
)
def test_meshes_without_a_surface_are_refused(vertices, faces, message):
    with pytest.raises(InputError, match=message):
        bvh.build(vertices, faces)


def triangles(*corners):
    vertices = np.array(corners, np.float64).reshape(-1, 3)
    return vertices, np.arange(len(vertices), dtype=np.int32).reshape(-1, 3)


FLOOR = [(0, 0, 0), (4, 0, 0), (0, 4, 0)]


@pytest.mark.parametrize(
    ("other", "crossing"),
    [
        ([(1, 1, -1), (1, 1, 1), (2, 1, 1)], True),  # through the middle
        ([(1, 1, 1), (1, 1, 2), (2, 1, 1)], False),  # above
        ([(1, 1, 0), (1, 1, 2), (2, 1, 1)], True),  # a corner touches the inside
        ([(5, 5, -1), (5, 5, 1), (9, 9, 0)], False),  # beside, through the plane
        ([(0, 0, 0), (4, 0, 0), (0, -4, 0)], False),  # neighbours in one plane
        ([(0, 0, 0), (4, 0, 0), (1, 0, 3)], False),  # neighbours at an angle
        ([(0, 0, 0), (4, 0, 0), (3, 1, 0)], True),  # a fold: a common edge, overlapping
        ([(0, 0, 0), (0, 4, 0), (4, 0, 0)], True),  # the same face again, turned
        ([(0, 0, 0), (-1, 0, 1), (-1, 0, -1)], False),  # a common corner only
        ([(0, 0, 0), (2, 2, 1), (2, 2, -1)], True),  # a common corner, and on through the inside
        ([(0, 0, 0), (-4, 0, 0), (0, -4, 0)], False),  # a common corner in one plane
        ([(0, 0, 0), (1, 0.5, 0), (0.5, 1, 0)], True),  # inside, from a common corner in one plane
        ([(4, 4, 0), (4, 0, 0), (0, 4, 0)], False),  # the other half of a square
        ([(1, 1, 0), (2, 1, 0), (1, 2, 0)], True),  # inside, in one plane
        ([(2, 0, 0), (5, 0, 0), (3, -3, 0)], False),  # along a part of an edge, in one plane
    ],
)
def test_two_triangles_cross_where_they_meet_beyond_what_they_share(other, crossing, monkeypatch):
    vertices, faces = triangles(*FLOOR, *other)
    for backend in ("numba", "reference"):
        monkeypatch.setenv("ISOFIELD_KERNELS", backend)
        for order in (faces, faces[::-1], faces[:, [1, 2, 0]], faces[:, ::-1]):
            pairs = bvh.self_intersections(vertices, np.ascontiguousarray(order))
            assert pairs.tolist() == ([[0, 1]] if crossing else [])


def test_crossings_equal_those_in_rational_arithmetic(monkeypatch):
    """On a grid of few values, where triangles touch, share corners and lie in one plane again and again."""
    rng = np.random.default_rng(0)
    vertices = rng.integers(0, 5, (40, 3)).astype(np.float64)
    faces = rng.integers(0, 40, (70, 3)).astype(np.int32)
    corners = vertices[faces]
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    faces = faces[np.abs(cross).sum(axis=1) > 0]
    fast = bvh.self_intersections(vertices, faces)
    limited = bvh.self_intersections(vertices, faces, 7)
    monkeypatch.setenv("ISOFIELD_KERNELS", "reference")
    assert len(fast) > 300
    np.testing.assert_array_equal(fast, bvh.self_intersections(vertices, faces))
    assert len(limited) == 7
    assert {tuple(pair) for pair in limited} <= {tuple(pair) for pair in fast}


def test_two_spheres_cross_along_a_circle_and_one_does_not():
    one = sphere_mesh(3)
    assert len(bvh.self_intersections(one.vertices, one.faces)) == 0
    vertices = np.concatenate([one.vertices, one.vertices + np.float32([0.31, 0.12, 0.05])])
    faces = np.concatenate([one.faces, one.faces + len(one.vertices)])
    pairs = bvh.self_intersections(vertices, faces)
    assert len(pairs) > 100
    assert (pairs[:, 0] < len(one.faces)).all()
    assert (pairs[:, 1] >= len(one.faces)).all()


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("bunny-watertight-7k", 0),
        ("pizza", 34),
        ("teapot", 161),  # with corners in one place taken as shared
        ("suzanne", 90 + 1),  # ... and a repeated face
        ("beetle", 56 + 3),  # ... and three folded edges
        ("truck", 422),  # the number in rational arithmetic
        pytest.param("beast", 994 + 2, marks=pytest.mark.slow),  # ... and two repeated faces
        pytest.param("armadillo", 0, marks=pytest.mark.slow),
        pytest.param("stanford-bunny", 0, marks=pytest.mark.slow),
    ],
)
def test_real_meshes_cross_themselves_as_often_as_known(shared, name, count):
    assert len(bvh.self_intersections(*mesh_of(shared, name))) == count


def test_faces_without_area_do_not_cross_anything(monkeypatch):
    vertices, faces = triangles(*FLOOR, (1, 1, -1), (1, 1, 1), (1, 1, 0), (1, 1, -1), (1, 1, 1), (1, 1, -1))
    for backend in ("numba", "reference"):
        monkeypatch.setenv("ISOFIELD_KERNELS", backend)
        assert len(bvh.self_intersections(vertices, faces)) == 0
        assert len(bvh.self_intersections(vertices, faces[1:])) == 0


def test_winding_numbers_are_right_close_to_the_long_edges_of_slivers():
    """Single precision loses all digits of a sliver's solid angle there."""
    box = box_mesh((1.0, 1e-3, 1e-3))
    tree = bvh.build(box.vertices, box.faces)
    rng = np.random.default_rng(0)
    points = rng.uniform((-0.9, -1e-3, -1e-3), (0.9, 1e-3, 1e-3), (4000, 3))
    near = np.sign(points[:, 1:]) * (1e-3 - 10 ** rng.uniform(-6, -4, (4000, 2)))  # beside an edge, inside
    inside = np.column_stack([points[:, 0], near]).astype(np.float32)
    outside = inside.copy()
    outside[:, 1:] += 2 * (np.sign(inside[:, 1:]) * 1e-3 - inside[:, 1:])
    assert np.abs(bvh.winding_number(tree, inside) - 1).max() < 0.01
    assert np.abs(bvh.winding_number(tree, outside)).max() < 0.01
