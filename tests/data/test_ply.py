"""PLY: one shape, whatever way it is encoded."""

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isofield.data import load
from isofield.data.ply import SCALARS

CUBE = [(x, y, z) for x in (-3, 5) for y in (-4, 6) for z in (-7, 9)]
POLYGONS = [(0, 1, 3, 2), (4, 6, 7), (4, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
TRIANGLES = [t for p in POLYGONS for t in [(p[0], p[i], p[i + 1]) for i in range(1, len(p) - 1)]]
CODES = dict(zip(["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"], "bBhHiIqQfd"))
INTEGERS = [name for name, code in SCALARS.items() if code[0] in "iu"]
FORMATS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}


def encode(layout, elements):
    """A PLY file. elements: (name, properties, rows); a property is (name, type[, type of the count])."""
    head = ["ply", f"format {layout} 1.0", "comment made by a test, not the end_header"]
    body = b""
    for name, properties, rows in elements:
        head.append(f"element {name} {len(rows)}")
        for label, kind, *count in properties:
            head.append(f"property list {count[0]} {kind} {label}" if count else f"property {kind} {label}")
        for row in rows:
            fields = []
            for (_, kind, *count), value in zip(properties, row):
                if count:
                    fields += [(count[0], len(value)), *((kind, v) for v in value)]
                else:
                    fields.append((kind, value))
            if layout == "ascii":
                body += " ".join(repr(v) for _, v in fields).encode() + b"\n"
            else:
                body += b"".join(struct.pack(FORMATS[layout] + CODES[SCALARS[k]], v) for k, v in fields)
    return "\n".join([*head, "end_header", ""]).encode() + body


def read(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("ply") / "shape.ply"
    path.write_bytes(content)
    return load(path)


def vertex_element(kind="float", vertices=CUBE):
    return "vertex", [(axis, kind) for axis in "xyz"], vertices


@settings(max_examples=60, deadline=None)
@given(
    layout=st.sampled_from(list(FORMATS)),
    coordinate=st.sampled_from([n for n in SCALARS if SCALARS[n][0] != "u"]),
    index=st.sampled_from(INTEGERS),
    count=st.sampled_from(INTEGERS),
    list_first=st.booleans(),
    triangles_only=st.booleans(),
    with_strangers=st.booleans(),
)
def test_any_encoding_gives_the_same_shape(
    tmp_path_factory, layout, coordinate, index, count, list_first, triangles_only, with_strangers
):
    polygons = TRIANGLES if triangles_only else POLYGONS
    corners = ("vertex_indices", index, count)
    flag, strange_list = ("flags", "uchar"), ("texcoord", "float", "uchar")
    if with_strangers:
        rows = [
            (p, 7, (0.5,) * (i % 3)) if list_first else (7, p, (0.5,) * (i % 3))
            for i, p in enumerate(polygons)
        ]
        face = ("face", [corners, flag, strange_list] if list_first else [flag, corners, strange_list], rows)
        camera = ("camera", [("f", "double"), ("k", "short", "uint")], [(1.5, (1, 2, 3)), (2.5, ())])
        elements = [camera, vertex_element(coordinate), face, ("edge", [("vertex1", "int")], [(1,)])]
    else:
        elements = [vertex_element(coordinate), ("face", [corners], [(p,) for p in polygons])]
    shape = read(tmp_path_factory, encode(layout, elements))
    assert shape.kind == "mesh"
    np.testing.assert_array_equal(shape.vertices, CUBE)
    np.testing.assert_array_equal(shape.faces, TRIANGLES)
    assert shape.vertices.dtype == np.float64
    assert shape.faces.dtype == np.int32


@pytest.mark.parametrize("layout", FORMATS)
def test_points_keep_normals_colours_and_double_precision(tmp_path_factory, layout):
    properties = [("x", "double"), ("y", "double"), ("z", "double"), ("intensity", "ushort")]
    properties += [(n, "float") for n in ("nx", "ny", "nz")] + [
        (c, "uchar") for c in ("red", "green", "blue", "alpha")
    ]
    rows = [(1e6 + 1e-9 * i, 0.1, -0.3, 9, 0.0, 0.6, 0.8, 10, 20, 30, 255) for i in range(3)]
    shape = read(tmp_path_factory, encode(layout, [("vertex", properties, rows)]))
    assert shape.kind == "points"
    np.testing.assert_array_equal(shape.vertices, [row[:3] for row in rows])
    np.testing.assert_array_equal(shape.normals, np.float32([(0, 0.6, 0.8)] * 3))
    np.testing.assert_array_equal(shape.colours, [(10, 20, 30)] * 3)


def test_colours_as_floats_are_parts_of_one(tmp_path_factory):
    properties = [(n, "float") for n in ("x", "y", "z", "red", "green", "blue")]
    shape = read(
        tmp_path_factory,
        encode("ascii", [("vertex", properties, [(0, 0, 0, 0.0, 0.5, 1.0), (1, 1, 1, 1.0, 1.0, 0.2)])]),
    )
    np.testing.assert_array_equal(shape.colours, [(0, 128, 255), (255, 255, 51)])


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
def test_lines_may_end_in_any_way(tmp_path_factory, line_end):
    content = encode(
        "ascii", [vertex_element(), ("face", [("vertex_index", "int", "uchar")], [(t,) for t in TRIANGLES])]
    )
    shape = read(tmp_path_factory, content.replace(b"\n", line_end))
    np.testing.assert_array_equal(shape.faces, TRIANGLES)


def test_triangle_strips_alternate_and_restart(tmp_path_factory):
    strips = ("tristrips", [("vertex_indices", "int", "int")], [((0, 1, 2, 3, -1, 4, 5, 6),)])
    shape = read(tmp_path_factory, encode("binary_big_endian", [vertex_element(), strips]))
    np.testing.assert_array_equal(shape.faces, [(0, 1, 2), (2, 1, 3), (4, 5, 6)])


def test_what_is_not_read_is_named(tmp_path):
    path = tmp_path / "a.ply"
    more = [f"f_rest_{i}" for i in range(9)]
    vertex = ["x", "y", "z", "nx", "red", "green", "blue", *more]
    path.write_text(
        "ply\nformat ascii 1.0\nelement vertex 3\n"
        + "".join(f"property float {name}\n" for name in vertex)
        + "element face 1\nproperty list uchar int vertex_indices\nproperty uchar flags\n"
        + "element edge 1\nproperty int vertex1\nelement camera 0\nproperty int id\nend_header\n"
        + "".join(f"{i} {i * i} 0{' 0' * 13}\n" for i in range(3))
        + "3 0 1 2 7\n0\n"
    )
    assert load(path).notes == (f"Left out: nx, {', '.join(more[:7])} and 4 more.",)
    path.write_text(
        "ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\nproperty float z\n"
        "element face 1\nproperty list uchar int vertex_index\nproperty uchar flags\n"
        "element edge 1\nproperty int vertex1\nend_header\n0 0 0\n1 0 0\n0 1 0\n3 0 1 2 7\n0\n"
    )
    assert load(path).notes == ("Left out: flags of faces, element edge.",)


def test_polygons_without_three_corners_are_skipped_with_a_note(tmp_path_factory):
    rows = [((0, 1),), ((0, 1, 2),), ((),)]
    shape = read(
        tmp_path_factory,
        encode(
            "binary_little_endian", [vertex_element(), ("face", [("vertex_indices", "int", "uchar")], rows)]
        ),
    )
    np.testing.assert_array_equal(shape.faces, [(0, 1, 2)])
    assert any("2 faces with fewer than three corners" in note for note in shape.notes)
