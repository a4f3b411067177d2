"""What is written reads back equal, by our readers and by another program's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isofield.data import load, write_mesh, write_points
from isofield.data.writers import POINT_WRITERS, WRITERS
from isofield.geometry.closed_forms import box_mesh, sphere_mesh
from isofield.geometry.mesh import Mesh
from isofield.runtime.errors import FailedError, InputError

COLOURS = np.random.default_rng(0).integers(0, 256, (162, 3), dtype=np.uint8)
SPHERE = sphere_mesh(2)
FULL = Mesh(SPHERE.vertices.astype(np.float32), SPHERE.faces, SPHERE.normals, COLOURS)
KEEPS_NORMALS, KEEPS_COLOURS = {".ply", ".glb"}, {".ply", ".glb", ".obj", ".off"}


def same_triangles(shape, mesh, tolerance):
    np.testing.assert_allclose(shape.vertices[shape.faces], mesh.vertices[mesh.faces], atol=tolerance, rtol=0)


@pytest.mark.parametrize("ending", WRITERS)
def test_geometry_normals_and_colours_read_back(tmp_path, ending):
    path = tmp_path / f"sphere{ending}"
    write_mesh(path, FULL, ["made by a test", "two\nlines, element vertex 3, end_header"])
    shape = load(path)
    same_triangles(shape, FULL, 1e-9)  # text has the nine digits that single precision needs
    assert len(shape.vertices) == len(FULL.vertices)
    if ending in KEEPS_NORMALS:
        np.testing.assert_allclose(shape.normals, FULL.normals, atol=1e-7)
    if ending in KEEPS_COLOURS:
        np.testing.assert_array_equal(shape.colours, COLOURS)


@pytest.mark.parametrize("ending", WRITERS)
def test_another_reader_sees_the_same_mesh(tmp_path, ending):
    trimesh = pytest.importorskip("trimesh")
    path = tmp_path / f"sphere{ending}"
    write_mesh(path, FULL, ["made by a test"])
    read = trimesh.load(path, force="mesh", process=False)
    np.testing.assert_allclose(read.triangles, FULL.vertices[FULL.faces], atol=1e-7)
    if ending in {".ply", ".obj"}:
        np.testing.assert_array_equal(read.visual.vertex_colors[:, :3], COLOURS)


@pytest.mark.parametrize("ending", WRITERS)
@pytest.mark.parametrize(("size", "far"), [(1e-7, 0.0), (1e7, 0.0), (1e7, 1e6), (1.0, 1e6), (1e-3, 1e6)])
def test_tiny_huge_and_far_away_boxes_keep_their_form(tmp_path, ending, size, far):
    mesh = box_mesh((size, size / 2, size / 3), (far, -far, far))
    path = tmp_path / f"box{ending}"
    write_mesh(path, mesh)
    same_triangles(load(path), mesh, 1e-6 * size)


@settings(max_examples=30, deadline=None)
@given(
    points=st.lists(
        st.tuples(*[st.floats(-1e29, 1e29, allow_subnormal=False)] * 3), min_size=3, max_size=12, unique=True
    ),
    ending=st.sampled_from([".ply", ".obj", ".off"]),
)
def test_double_precision_comes_back_to_the_last_bit(tmp_path_factory, points, ending):
    vertices = np.array(points)
    vertices[0] = (0.1, -0.2, 1e6 + 1e-9)  # not representable in single precision
    size = np.max(vertices.max(axis=0) - vertices.min(axis=0))
    mesh = Mesh(vertices, np.array([[0, 1, 2]], np.int32))
    if not np.cross((vertices[1] - vertices[0]) / size, (vertices[2] - vertices[0]) / size).any():
        return
    path = tmp_path_factory.mktemp("double") / f"a{ending}"
    write_mesh(path, mesh)
    single = vertices.astype(np.float32).astype(np.float64)
    exact = np.abs(single - vertices).max() > 1e-6 * size
    shape = load(path)
    read, wanted = shape.vertices[shape.faces], (vertices if exact else single)[mesh.faces]
    if exact:
        np.testing.assert_array_equal(read, wanted)
    else:
        np.testing.assert_array_equal(read.astype(np.float32), wanted)


def test_points_read_back_with_normals(tmp_path):
    write_points(tmp_path / "p.ply", SPHERE.vertices, SPHERE.normals, comments=["a scan"])
    shape = load(tmp_path / "p.ply")
    assert shape.kind == "points"
    np.testing.assert_array_equal(shape.normals, SPHERE.normals)
    assert b"comment a scan\n" in (tmp_path / "p.ply").read_bytes()


@pytest.mark.parametrize("ending", POINT_WRITERS)
@pytest.mark.parametrize("kept", [(), ("normals",), ("colours",), ("normals", "colours")])
@pytest.mark.parametrize("digits", [np.float32, np.float64])
def test_points_come_back_to_the_last_bit(tmp_path, ending, kept, digits):
    rng = np.random.default_rng(1)
    points = (rng.normal(size=(3000, 3)) * [1, 1e-7, 1e7]).astype(digits).astype(np.float64)
    normals = rng.normal(size=(3000, 3))
    normals = (normals / np.linalg.norm(normals, axis=1, keepdims=True)).astype(np.float32)
    colours = rng.integers(0, 256, (3000, 3), dtype=np.uint8)
    more = {name: values for name, values in (("normals", normals), ("colours", colours)) if name in kept}
    path = tmp_path / f"p{ending}"
    write_points(path, points, **more, comments=["a scan", "of two lines\nand more"])
    shape = load(path)
    np.testing.assert_array_equal(shape.vertices, points)
    for name in ("normals", "colours"):
        if name in kept:
            np.testing.assert_array_equal(getattr(shape, name), more[name])
        else:
            assert getattr(shape, name) is None
    assert shape.notes == ()


def test_points_of_an_unknown_ending_are_refused_with_the_known_ones(tmp_path):
    with pytest.raises(InputError, match=r"no writer for '.stl'(.|\n)*\.npz \.pcd \.ply \.xyz"):
        write_points(tmp_path / "a.stl", SPHERE.vertices)
    assert list(tmp_path.iterdir()) == []


def test_unknown_ending_is_refused_with_the_known_ones(tmp_path):
    with pytest.raises(InputError, match=r"no writer for '.fbx'(.|\n)*\.glb"):
        write_mesh(tmp_path / "a.fbx", FULL)


def test_failed_writing_leaves_nothing_behind(tmp_path):
    with pytest.raises(FailedError, match="could not be written"):
        write_mesh(tmp_path / "no such folder" / "a.ply", FULL)
    broken = Mesh(FULL.vertices, FULL.faces, FULL.normals[:5])
    with pytest.raises(ValueError, match="broadcast"):
        write_mesh(tmp_path / "a.ply", broken)
    assert list(tmp_path.iterdir()) == []
