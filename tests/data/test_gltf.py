"""glTF: where nodes put their meshes, and how accessors store numbers."""

import base64
import json

import numpy as np
import pytest

from isofield.data import load
from isofield.geometry.closed_forms import box_mesh

BOX = box_mesh((1.0, 2.0, 3.0))


def document(nodes, indexed=True, mode=4, kind="f4", **extra):
    """A .gltf text with one box mesh in a data URI."""
    faces = BOX.faces
    positions = BOX.vertices if indexed else BOX.vertices[faces].reshape(-1, 3)
    codes = {"f4": 5126, "i2": 5122, "i1": 5120}
    data = positions.astype("<" + kind).tobytes() + faces.astype("<u2").tobytes()
    size = positions.size * np.dtype(kind).itemsize
    view = [
        {"buffer": 0, "byteLength": size},
        {"buffer": 0, "byteOffset": size, "byteLength": faces.size * 2},
    ]
    accessors = [
        {"bufferView": 0, "componentType": codes[kind], "type": "VEC3", "count": len(positions)},
        {"bufferView": 1, "componentType": 5123, "type": "SCALAR", "count": faces.size},
    ]
    primitive = {"attributes": {"POSITION": 0}, "mode": mode, **({"indices": 1} if indexed else {})}
    uri = "data:application/octet-stream;base64," + base64.b64encode(data).decode()
    tree = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": nodes,
        "meshes": [{"primitives": [primitive]}],
        "accessors": accessors,
        "bufferViews": view,
        "buffers": [{"byteLength": len(data), "uri": uri}],
    }
    return tree | extra


@pytest.fixture
def read(tmp_path):
    def read(tree):
        path = tmp_path / "scene.gltf"
        path.write_text(json.dumps(tree))
        return load(path)

    return read


def volume(shape):
    return np.linalg.det(shape.vertices[shape.faces]).sum() / 6


@pytest.mark.parametrize("kind", ["f4", "i2", "i1"])
def test_positions_of_any_component_type(read, kind):
    np.testing.assert_array_equal(read(document([{"mesh": 0}], kind=kind)).vertices, BOX.vertices)


def test_transforms_multiply_down_the_tree(read):
    half_turn = [0, 0, 1, 0]  # about z
    nodes = [
        {"translation": [10, 0, 0], "children": [1]},
        {"rotation": half_turn, "scale": [1, 2, 3], "children": [2]},
        {"matrix": [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 1, 1, 1, 1], "mesh": 0},
    ]
    expected = (BOX.vertices + 1) * (1, 2, 3) * (-1, -1, 1) + (10, 0, 0)
    np.testing.assert_allclose(read(document(nodes)).vertices, expected, atol=1e-12)


def test_one_mesh_of_two_nodes_is_there_twice(read):
    nodes = [
        {"children": [1, 2]},
        {"mesh": 0, "translation": [-5, 0, 0]},
        {"mesh": 0, "translation": [5, 0, 0]},
    ]
    shape = read(document(nodes))
    assert len(shape.faces) == 24
    assert volume(shape) == pytest.approx(2 * 48)


def test_mirrored_part_still_faces_outward(read):
    assert volume(read(document([{"mesh": 0, "scale": [-1, 1, 1]}]))) == pytest.approx(48)


def test_unindexed_triangles_share_equal_corners(read):
    shape = read(document([{"mesh": 0}], indexed=False))
    assert len(shape.vertices) == 8
    assert volume(shape) == pytest.approx(48)


def test_nodes_without_a_scene_are_all_read(read):
    tree = document([{"mesh": 0}, {"mesh": 0, "translation": [9, 0, 0]}])
    del tree["scene"], tree["scenes"]
    assert len(read(tree).faces) == 24


@pytest.mark.parametrize(("mode", "faces"), [(5, [(0, 1, 2), (2, 1, 3)]), (6, [(0, 1, 2), (0, 2, 3)])])
def test_strips_and_fans(read, mode, faces):
    tree = document([{"mesh": 0}], mode=mode)
    tree["meshes"][0]["primitives"][0] = {"attributes": {"POSITION": 0}, "mode": mode}
    tree["accessors"][0]["count"] = 4
    np.testing.assert_array_equal(read(tree).faces, faces)


def test_sparse_accessor_replaces_single_entries(read):
    tree = document([{"mesh": 0}])
    data = np.array([7], "<u2").tobytes() + b"\0\0" + np.array([9, 9, 9], "<f4").tobytes()
    tree["buffers"].append({"byteLength": 16, "uri": "data:;base64," + base64.b64encode(data).decode()})
    tree["bufferViews"] += [
        {"buffer": 1, "byteLength": 2},
        {"buffer": 1, "byteOffset": 4, "byteLength": 12},
    ]
    tree["accessors"][0]["sparse"] = {
        "count": 1,
        "indices": {"bufferView": 2, "componentType": 5123},
        "values": {"bufferView": 3},
    }
    np.testing.assert_array_equal(read(tree).vertices, [*BOX.vertices[:7], (9, 9, 9)])


def test_buffer_beside_the_file_may_have_a_quoted_name(read, tmp_path):
    tree = document([{"mesh": 0}])
    (tmp_path / "my data.bin").write_bytes(base64.b64decode(tree["buffers"][0]["uri"].partition(",")[2]))
    tree["buffers"][0]["uri"] = "my%20data.bin"
    np.testing.assert_array_equal(read(tree).vertices, BOX.vertices)
