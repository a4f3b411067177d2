"""OBJ, OFF, STL and XYZ: what their text means."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isofield.data import load
from isofield.data.faces import fan_triangles
from isofield.kernels.topology import first_occurrences

SQUARE = "v 0 0 0\nv 1 0 0\nv 1 1 0.5\nv 0 1 0\n"


@pytest.fixture
def read(tmp_path):
    def read(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return load(path)

    return read


@pytest.mark.parametrize(
    "faces",
    [
        "f 1 2 3 4\n",
        "f 1/1 2/2 3/3 4/4\n",
        "f 1//9 2//9 3//9 4//9\n",
        "f 1/5/9 2/5/9 3/5/9 4/5/9\n",
        "f 1/1 2//2 3 4/4/4\n",
        "f -4 -3 -2 -1\n",
        "f 1 2 3\nf 1 3 4\n",
        "f\t1  2 \\\n 3 4   # a comment\n",
        "g front\nusemtl red#3\ns off\nf 1 2 3 4\nl 1 2\n",
    ],
)
def test_obj_faces_in_every_notation(read, faces):
    shape = read("a.obj", "mtllib a.mtl\no thing\n" + SQUARE + "vt 0 0\nvn 0 0 1\n" + faces)
    np.testing.assert_array_equal(shape.faces, [(0, 1, 2), (0, 2, 3)])
    np.testing.assert_array_equal(shape.vertices[2], (1, 1, 0.5))


def test_obj_negative_indices_count_back_from_their_own_line(read):
    shape = read(
        "a.obj", "v 0 0 0\nv 1 0 0\nv 0 1 0\nf -3 -2 -1\nv 5 0 0\nv 6 0 0\nv 5 1 0\nf -3 -2 -1\nf 1 2 3\n"
    )
    np.testing.assert_array_equal(shape.faces, [(0, 1, 2), (3, 4, 5), (0, 1, 2)])


def test_obj_colours_after_the_coordinates_are_parts_of_one_or_bytes(read):
    for white in ("1", "1.0", "255"):
        shape = read("a.obj", f"v 0 0 0 {white} 0 0\nv 1 0 0 0 {white} 0\nv 0 1 0 0 0 {white}\nf 1 2 3\n")
        np.testing.assert_array_equal(shape.colours, 255 * np.eye(3))


def test_obj_vertices_split_along_seams_are_joined(read):
    shape = read("a.obj", SQUARE + "v 0 0 0\nv 1 1 0.5\nf 1 2 3\nf 5 6 4\n")
    np.testing.assert_array_equal(shape.faces, [(0, 1, 2), (0, 2, 3)])
    assert any("joined with it: 2" in note for note in shape.notes)


def test_obj_without_faces_is_points_and_keeps_their_normals(read):
    shape = read("a.obj", "v 0 0 0\nvn 0 0 1\nv 1 0 0\nvn 0 1 0\n")
    assert shape.kind == "points"
    np.testing.assert_array_equal(shape.normals, [(0, 0, 1), (0, 1, 0)])


OFF_BODY = "0 0 0{0}\n1 0 0{0}\n1 1 0.5{0}\n0 1 0{0}\n\n# faces\n{1}"


@pytest.mark.parametrize(
    "content",
    [
        "OFF\n4 1 0\n" + OFF_BODY.format("", "4 0 1 2 3\n"),
        "OFF4 1 0\n" + OFF_BODY.format("", "4 0 1 2 3\n"),
        "OFF 4 2 5\r\n" + OFF_BODY.format("", "3 0 1 2\n3 0 2 3 255 0 0"),
        "# made by hand\n OFF # here\n\n4 1\n" + OFF_BODY.format("", "4 0 1 2 3 0.1 0.2 0.3\n"),
        "COFF\n4 1 0\n" + OFF_BODY.format(" 10 20 30 255", "4 0 1 2 3"),
        "NOFF\n4 1 0\n" + OFF_BODY.format(" 0 0 2", "4 0 1 2 3"),
        "CNOFF\n4 1 0\n" + OFF_BODY.format(" 0 0 1 10 20 30", "4 0 1 2 3"),
    ],
)
def test_off_and_its_relatives(read, content):
    shape = read("a.off", content)
    np.testing.assert_array_equal(shape.faces, [(0, 1, 2), (0, 2, 3)])
    np.testing.assert_array_equal(shape.vertices[2], (1, 1, 0.5))
    keyword = content.split()[0]
    assert (shape.normals is not None) == keyword.startswith(("N", "CN"))
    if keyword.startswith("C"):
        np.testing.assert_array_equal(shape.colours, [(10, 20, 30)] * 4)


STL_CORNERS = np.float32([[(0, 0, 0), (1, 0, 0), (1, 1, 0.5)], [(0, 0, 0), (1, 1, 0.5), (0, 1, 0)]])


def binary_stl(title, corners=STL_CORNERS):
    triangles = b"".join(struct.pack("<12fH", 0, 0, 1, *c.ravel(), 0) for c in corners)
    return title.ljust(80) + struct.pack("<I", len(corners)) + triangles


def text_stl(corners=STL_CORNERS):
    vertex = "vertex {} {} {}\n"
    facets = [
        "facet normal 0 0 1\n outer loop\n" + "".join(vertex.format(*v) for v in c) + "endloop\nendfacet\n"
        for c in corners
    ]
    return "solid a name\n" + "".join(facets) + "endsolid a name\n"


@pytest.mark.parametrize(
    "content", [binary_stl(b"made here"), binary_stl(b"solid, yet binary"), text_stl(), text_stl().upper()]
)
def test_stl_shares_equal_corners(read, content):
    shape = read("a.stl", content)
    np.testing.assert_array_equal(shape.vertices, [(0, 0, 0), (1, 0, 0), (1, 1, 0.5), (0, 1, 0)])
    np.testing.assert_array_equal(shape.faces, [(0, 1, 2), (0, 2, 3)])
    assert any("joined with it: 2" in note for note in shape.notes)


@pytest.mark.parametrize(
    ("content", "normals", "colours"),
    [
        ("0 0 0\n1 2 3\n", False, False),
        ("2\n0 0 0\n1 2 3\n", False, False),
        ("x,y,z\n0,0,0\n1;2;3\n", False, False),
        ("# points\n0 0 0 0.5\n1 2 3 0.25\n", False, False),
        ("0 0 0 0 0 1\n1 2 3 0 0.6 0.8\n", True, False),
        ("0 0 0 255 0 7\n1 2 3 0 128 9\n", False, True),
        ("0 0 0 255 0 7 0 0 1\n1 2 3 0 128 9 0 1 0\n", True, True),
        ("0 0 0 0 0 1 255 0 7\n1 2 3 0 1 0 0 128 9\n", True, True),
    ],
)
def test_xyz_columns_are_told_by_their_values(read, content, normals, colours):
    shape = read("a.xyz", content)
    assert shape.kind == "points"
    np.testing.assert_array_equal(shape.vertices, [(0, 0, 0), (1, 2, 3)])
    assert (shape.normals is not None, shape.colours is not None) == (normals, colours)


@given(st.lists(st.lists(st.integers(0, 9), max_size=6), max_size=8))
def test_fan_has_corner_zero_with_each_following_pair(polygons):
    expected = [(p[0], p[i], p[i + 1]) for p in polygons for i in range(1, len(p) - 1)]
    counts, corners = (
        np.array([len(p) for p in polygons], np.int64),
        np.array([c for p in polygons for c in p], np.int64),
    )
    np.testing.assert_array_equal(fan_triangles(counts, corners), np.reshape(expected, (-1, 3)))


@given(st.lists(st.tuples(*[st.sampled_from([0.0, -0.0, 1.0, 1e-300, np.pi])] * 3), max_size=30))
def test_first_occurrences_keeps_the_first_of_equal_rows(rows):
    vertices = np.reshape(np.array(rows, np.float64), (-1, 3))
    kept, shared = first_occurrences(vertices)
    np.testing.assert_array_equal(vertices[kept][shared], vertices)
    firsts = [i for i, row in enumerate(rows) if row not in rows[:i]]
    np.testing.assert_array_equal(kept, firsts)


def test_what_an_obj_or_off_file_holds_besides_is_named(tmp_path):
    (tmp_path / "a.obj").write_text(
        "mtllib a.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\nusemtl red\nl 1 2\nf 1/1 2/1 3/1\nusemtl blue"
    )
    assert load(tmp_path / "a.obj").notes == ("Left out: texture coordinates, materials, lines.",)
    (tmp_path / "a.off").write_text("OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 2 255 0 0\n")
    assert load(tmp_path / "a.off").notes == ("Left out: colours of faces.",)


def test_arrays_that_are_not_read_are_named(tmp_path):
    np.savez(tmp_path / "a.npz", points=np.eye(3), intensity=np.zeros(3))
    assert load(tmp_path / "a.npz").notes == ("Left out: intensity.",)
