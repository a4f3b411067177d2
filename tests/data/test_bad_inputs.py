"""Files that cannot be used end in an error that says what is wrong, where, and what to do."""
# ruff: noqa: E501 (a table with one case a line)

import base64
import contextlib
import io
import json
import struct

import numpy as np
import pytest

from isofield.data import load, write_mesh
from isofield.geometry.closed_forms import sphere_mesh
from isofield.runtime.errors import InputError

HEAD = "ply\nformat {0} 1.0\nelement vertex {1}\nproperty float x\nproperty float y\nproperty float z\n"
FACES = "element face {0}\nproperty list uchar int vertex_indices\n"
TRIANGLE = "0 0 0\n1 0 0\n0 1 0\n"
NORMALS = "property float nx\nproperty float ny\nproperty float nz\n"


def ply(body=TRIANGLE + "3 0 1 2\n", vertices=3, faces=1, layout="ascii", extra=""):
    return (
        HEAD.format(layout, vertices) + extra + (FACES.format(faces) if faces else "") + "end_header\n" + body
    )


def pcd(body="0 0 0\n1 0 0\n0 1 0\n", points=3, layout="ascii", **changes):
    lines = {"FIELDS": "x y z", "SIZE": "4 4 4", "TYPE": "F F F", "COUNT": "1 1 1"} | changes
    lines |= {"POINTS": points, "DATA": layout}
    return "".join(f"{name} {value}\n" for name, value in lines.items() if value is not None) + body


def npz(**arrays):
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def gltf(**changes):
    data = np.zeros((3, 3), "<f4")
    data[1, 0] = data[2, 1] = 1
    uri = "data:;base64," + base64.b64encode(data.tobytes()).decode()
    tree = {
        "asset": {"version": "2.0"},
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}],
        "accessors": [{"bufferView": 0, "componentType": 5126, "type": "VEC3", "count": 3}],
        "bufferViews": [{"buffer": 0, "byteLength": 36}],
        "buffers": [{"byteLength": 36, "uri": uri}],
    }
    return json.dumps(tree | changes)


def glb_header(version, length):
    return b"glTF" + struct.pack("<II", version, length)


def accessor(**changes):
    return gltf(accessors=[{"bufferView": 0, "componentType": 5126, "type": "VEC3", "count": 3} | changes])


BILLION = 10**9
STL_PROMISE = b"x" * 80 + struct.pack("<I", BILLION) + b"\0" * 100

# file name, content, and words that the error must have: what is wrong, where, what to do
BAD = {
    "empty file": ("a.ply", "", "the file is empty", "a.ply", "again"),
    "unknown ending": ("a.fbx", "Kaydara", "no reader for '.fbx'", "a.fbx", ".ply .obj .stl"),
    "misspelt ending": ("a.plyy", "ply", "no reader for '.plyy'", "a.plyy", "Did you mean .ply?"),
    "no ending": ("shape", "ply", "no ending", "shape", ".ply .obj .stl"),
    "text named ply": ("a.ply", "Dear reader,\nthis is a letter.", "does not begin with 'ply'", "a.ply", "real format"),
    "picture named obj": ("a.obj", b"\x89PNG\r\n\x1a\n\0\0", "is a PNG image, not a .obj file", "a.obj", ".ply .obj"),
    "page named stl": ("a.stl", "<!DOCTYPE html><html>", "is a web page", "a.stl", ".ply .obj"),
    "git placeholder": ("a.ply", "version https://git-lfs.github.com/spec/v1\n", "git-lfs", "a.ply", "git lfs pull"),
    "ply: no vertices": ("a.ply", ply("", 0, 0), "holds no vertices", "a.ply", "export"),
    "ply: no coordinates": ("a.ply", ply().replace("float y", "float q"), "no element 'vertex' with", "a.ply", "Export"),
    "ply: NaN": ("a.ply", ply("0 0 0\nnan 0 0\n0 1 0\n3 0 1 2\n"), "1 of 3 vertices are not finite", "vertex 1", "Remove or repair"),
    "ply: unused NaN": ("a.ply", ply("0 0 0\n1 0 0\n0 1 0\n0 inf 0\n3 0 1 2\n", 4), "1 of 4 vertices", "vertex 3", "never dropped"),
    "ply: index too large": ("a.ply", ply(TRIANGLE + "3 0 1 3\n"), "asks for vertex 3 and the file has 3", "triangle 0", "again"),
    "ply: index negative": ("a.ply", ply(TRIANGLE + "3 0 1 -1\n"), "asks for vertex -1", "triangle 0", "again"),
    "ply: index 0.5": ("a.ply", ply(TRIANGLE + "3 0 1 0.5\n"), "not a whole number", "triangle 0", "Export"),
    "ply: count 2.5": ("a.ply", ply(TRIANGLE + "2.5 0 1 2\n"), "length of a list is not a whole", "row 0 of 'face'", "again"),
    "ply: a word": ("a.ply", ply("0 0 0\n1 O 0\n0 1 0\n3 0 1 2\n"), "'O' is not a number", "line 11", "Repair the line"),
    "ply: cut in text": ("a.ply", ply(TRIANGLE + "3 0 1"), "ends within row 0", "a.ply", "cut short"),
    "ply: cut in bytes": ("a.ply", ply("\0" * 47, layout="binary_little_endian", faces=0, vertices=4), "promises 4 rows", "a.ply", "cut short"),
    "ply: cut in faces": ("a.ply", ply("\0" * 36 + "\3" + "\0" * 11, layout="binary_little_endian"), "ends within row 0", "a.ply", "cut short"),
    "ply: billion vertices": ("a.ply", ply("\0" * 99, BILLION, 0, "binary_big_endian"), f"promises {BILLION} rows of 'vertex'", "a.ply", "header is wrong"),
    "ply: billion faces": ("a.ply", ply(faces=BILLION), f"promises {BILLION} rows of 'face'", "a.ply", "header is wrong"),
    "ply: header cut": ("a.ply", HEAD.format("ascii", 3), "no 'end_header'", "a.ply", "cut short"),
    "ply: header garbled": ("a.ply", ply().replace("float x", "flaot x"), "'property flaot x' is not understood", "line 4", "Export"),
    "ply: no format": ("a.ply", ply().replace("format ascii 1.0\n", ""), "no 'format' line", "a.ply", "Export"),
    "ply: faces without corners": ("a.ply", ply().replace("vertex_indices", "colours"), "no list 'vertex_indices'", "a.ply", "points"),
    "ply: one place": ("a.ply", ply("1 2 3\n" * 3 + "3 0 1 2\n"), "3 vertices all lie at (1 2 3)", "a.ply", "extends"),
    "ply: one point": ("a.ply", ply("1 2 3\n", 1, 0), "a single point has no size", "a.ply", "extends"),
    "ply: all on a line": ("a.ply", ply("0 0 0\n1 0 0\n2 0 0\n3 0 1 2\n"), "none of the 1 triangles has an area", "a.ply", "points"),
    "ply: overflowing": ("a.ply", ply("-1e308 0 0\n1e308 0 0\n0 1 0\n3 0 1 2\n"), "the size of the shape, inf", "a.ply", "Scale"),
    "ply: NaN normal": ("a.ply", ply("0 0 0 0 0 1\n1 0 0 0 nan 1\n", 2, 0, extra=NORMALS), "1 of 2 normals are not finite", "normal of vertex 1", "Compute"),
    "ply: zero normal": ("a.ply", ply("0 0 0 0 0 0\n1 0 0 0 0 1\n", 2, 0, extra=NORMALS), "1 of 2 normals have zero length", "normal of vertex 0", "Compute"),
    "obj: no vertices": ("a.obj", "hello\nworld\n", "no vertex ('v') lines", "a.obj", "export"),
    "obj: binary": ("a.obj", b"v 0 0\0\1\2", "not a text file", "a.obj", "export"),
    "obj: two numbers": ("a.obj", "v 0 0 0\nv 1 0\n", "a vertex of 2 numbers", "line 2", "Repair"),
    "obj: NaN": ("a.obj", "v 0 0 0\n\nv nan 0 0\nv 0 1 0\nf 1 2 3\n", "the first is nan 0 0", "vertex 1 (line 3)", "never dropped"),
    "obj: index 0": ("a.obj", "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 0 1 2\n", "uses vertex 0", "line 4", "again"),
    "obj: index 4": ("a.obj", "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 2 3 4\n", "asks for vertex 3", "triangle 0", "again"),
    "obj: index -4": ("a.obj", "v 0 0 0\nv 1 0 0\nv 0 1 0\nf -1 -2 -4\n", "asks for vertex -1", "triangle 0", "again"),
    "obj: index a": ("a.obj", "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 a 2\n", "'a' is not a whole number", "line 4", "Repair"),
    "stl: neither": ("a.stl", "vertex 1 2 3\n", "neither a text STL", "a.stl", "cut short"),
    "stl: billion": ("a.stl", STL_PROMISE, f"says {BILLION} triangles and 2 fit", "a.stl", "cut short"),
    "stl: text cut": ("a.stl", "solid a\nfacet\nouter loop\nvertex 0 0 0\nvertex 1 0 0\n", "does not end with 'endsolid'", "a.stl", "cut short"),
    "stl: two numbers": ("a.stl", "solid a\nvertex 0 0\nendsolid\n", "without exactly three numbers", "line 2", "Export"),
    "off: no keyword": ("a.off", "3 1 0\n", "does not begin with 'OFF'", "a.off", "real format"),
    "off: binary": ("a.off", "OFF BINARY\n", "binary", "a.off", "text"),
    "off: no counts": ("a.off", "OFF\n", "counts of vertices and faces are missing", "a.off", "again"),
    "off: billion": ("a.off", f"OFF\n{BILLION} 1 0\n0 0 0\n", f"promises {BILLION} vertices", "a.off", "cut short"),
    "off: cut": ("a.off", "OFF\n3 1 0\n" + TRIANGLE, "only 3 lines follow", "a.off", "cut short"),
    "off: corner missing": ("a.off", "OFF\n3 1 0\n" + TRIANGLE + "3 0 1\n", "a face of 3 corners on a line of 3 numbers", "line 6", "Repair"),
    "off: ragged": ("a.off", "OFF\n3 1 0\n0 0 0\n1 0\n0 1 0\n3 0 1 2\n", "a vertex line of 2 numbers", "line 4", "Repair"),
    "xyz: ragged": ("a.xyz", "0 0 0\n1 0 0 1\n", "a line of 4 numbers, where 3", "line 2", "one point a line"),
    "xyz: two columns": ("a.xyz", "0 0\n1 0\n", "a line of 2 numbers", "line 1", "x y z"),
    "xyz: strange columns": ("a.xyz", "0 0 0 7.5 9 9\n1 0 0 0 0 7\n", "neither unit normals nor colours", "a.xyz", "unit length"),
    "npz: not a zip": ("a.npz", b"PK\3\4 not really", "not a whole .npz archive", "a.npz", "again"),
    "npz: no points": ("a.npz", npz(vertices=np.zeros((2, 3))), "no array 'points' (it holds: vertices)", "a.npz", "savez"),
    "npz: shape": ("a.npz", npz(points=np.zeros((3, 2))), "the shape (3, 2)", "array 'points'", "Save"),
    "npz: objects": ("a.npz", npz(points=np.array([[None] * 3])), "the type object", "array 'points'", "Save"),
    "npz: normals": ("a.npz", npz(points=np.eye(3), normals=np.eye(3)[:2]), "'normals' has the shape (2, 3)", "a.npz", "one normal"),
    "npz: cut": ("a.npz", npz(points=np.random.default_rng(0).random((99, 3)))[:400], "not a whole .npz archive", "a.npz", "again"),
    "npz: colours": ("a.npz", npz(points=np.eye(3), colours=np.eye(3)), "the type float64", "array 'colours'", "Save"),
    "pcd: no data": ("a.pcd", "VERSION 0.7\nFIELDS x y z\n", "no 'DATA' line", "a.pcd", "cut short"),
    "pcd: layout": ("a.pcd", pcd(layout="zipped"), "'zipped' is not known", "a.pcd", "binary_compressed"),
    "pcd: garbled": ("a.pcd", pcd(FEILDS="x y z"), "'FEILDS x y z' is not understood", "line 5", "Export"),
    "pcd: no count": ("a.pcd", pcd(points=None), "how many points", "a.pcd", "Export"),
    "pcd: counts": ("a.pcd", pcd(WIDTH=2, HEIGHT=2), "3 points and 4 in its rows", "a.pcd", "Export"),
    "pcd: sizes": ("a.pcd", pcd(SIZE="4 4"), "3 fields and 2 entries in its line SIZE", "a.pcd", "Export"),
    "pcd: type": ("a.pcd", pcd(TYPE="F F X"), "the field 'z' has the type X", "a.pcd", "Export"),
    "pcd: no z": ("a.pcd", pcd(FIELDS="x y w"), "no fields x, y and z", "a.pcd", "Export"),
    "pcd: pairs": ("a.pcd", pcd("1 " * 18, COUNT="2 2 2"), "of one number each", "a.pcd", "Export"),
    "pcd: viewpoint": ("a.pcd", pcd(VIEWPOINT="0 0 0"), "not seven numbers", "a.pcd", "1 0 0 0"),
    "pcd: a word": ("a.pcd", pcd("0 0 0\n1 O 0\n0 1 0\n"), "'O' is not a number", "line 8", "Repair the line"),
    "pcd: too many": ("a.pcd", pcd(points=2), "6 numbers, but there are 9", "a.pcd", "damaged"),
    "pcd: all missing": ("a.pcd", pcd("nan nan nan\n" * 3), "holds no vertices", "a.pcd", "Check"),
    "pcd: billion": ("a.pcd", pcd("\0" * 99, BILLION, "binary"), f"promises {BILLION} points", "a.pcd", "cut short"),
    "pcd: billion in text": ("a.pcd", pcd(points=BILLION), f"promises {BILLION} points", "a.pcd", "cut short"),
    "pcd: billion packed": ("a.pcd", pcd("\x50\0\0\0\x00\x78\x50\x2c" + "\0" * 80, 61_954_901, "binary_compressed"), "promises 61954901 points", "a.pcd", "cut short"),
    "pcd: packed badly": ("a.pcd", pcd("\x06\0\0\0\x24\0\0\0\0\0\x20\x09\0\0", 3, "binary_compressed"), "cannot be unpacked", "a.pcd", "damaged"),
    "binvox: no data": ("a.binvox", "#binvox 1\ndim 2 2 2\n", "ends with a line 'data'", "a.binvox", "again"),
    "binvox: no dim": ("a.binvox", "#binvox 1\ndata\n\1\1", "a line 'dim' with 3 numbers", "a.binvox", "again"),
    "binvox: billion": ("a.binvox", b"#binvox 1\ndim 1000 1000 1000\ndata\n\1\xff", "code 255 cells", "a.binvox", "cut short"),
    "binvox: nothing filled": ("a.binvox", b"#binvox 1\ndim 2 2 2\ndata\n\0\x08", "none of the cells is filled", "a.binvox", "voxelisation"),
    "gltf: broken JSON": ("a.gltf", '{"asset": ', "JSON cannot be parsed", "a.gltf", "again"),
    "gltf: other JSON": ("a.gltf", '{"type": "FeatureCollection"}', "is not glTF", "a.gltf", "real format"),
    "gltf: empty scene": ("a.gltf", gltf(nodes=[{"camera": 0}]), "no mesh in its scene", "a.gltf", "objects"),
    "gltf: missing file": ("a.gltf", gltf(buffers=[{"byteLength": 36, "uri": "b.bin"}]), "needs the file 'b.bin'", "a.gltf", "beside"),
    "gltf: short buffer": ("a.gltf", gltf(buffers=[{"byteLength": 36, "uri": "data:,"}]), "promises 36 bytes and there are 0", "buffers 0", "incomplete"),
    "gltf: billion": ("a.gltf", accessor(count=BILLION), f"promises {BILLION} entries and there are 36 bytes", "accessors 0", "damaged"),
    "gltf: billion zeros": ("a.gltf", accessor(count=BILLION, bufferView=None).replace('"bufferView": null, ', ""), "promises 1000000000 entries", "accessors 0", "damaged"),
    "gltf: too many": ("a.gltf", accessor(count=4), "4 entries need 48 bytes of the 36", "accessors 0", "damaged"),
    "gltf: wrong type": ("a.gltf", accessor(type="VEC2"), "has the type VEC2", "accessors 0", "damaged"),
    "gltf: loop": ("a.gltf", gltf(nodes=[{"mesh": 0, "children": [0]}], scenes=[{"nodes": [0]}]), "must form a tree", "nodes 0", "damaged"),
    "gltf: no such mesh": ("a.gltf", gltf(nodes=[{"mesh": 5}]), "there is no entry 5", "meshes", "damaged"),
    "gltf: compressed": ("a.gltf", gltf(extensionsRequired=["KHR_draco_mesh_compression"]), "KHR_draco", "a.gltf", "without compression"),
    "glb: cut": ("a.glb", glb_header(2, 999) + b"\0" * 50, "999 bytes (there are 62)", "a.glb", "cut short"),
    "glb: version 1": ("a.glb", glb_header(1, 20) + b"\0" * 8, "version 1", "a.glb", "version 1"),
    "glb: chunk": ("a.glb", glb_header(2, 20) + struct.pack("<II", 99, 0x4E4F534A), "a chunk of 99 bytes", "byte 20", "damaged"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_unusable_file_is_refused_with_what_where_and_remedy(tmp_path, case):
    name, content, what, where, remedy = BAD[case]
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError) as caught:
        load(path)
    error = caught.value
    assert what in error.what
    assert where in error.where
    assert str(tmp_path) in error.where
    assert remedy in error.remedy
    assert str(error) == f"{error.where}: {error.what}\n  {error.remedy}"


def test_missing_file_suggests_a_similar_name(tmp_path):
    (tmp_path / "bunny.ply").write_text(ply())
    with pytest.raises(InputError, match=r"no such file\n  Did you mean 'bunny.ply'"):
        load(tmp_path / "buny.ply")
    with pytest.raises(InputError, match="no such file"):
        load(tmp_path / "no" / "such" / "folder.ply")


def test_folder_is_not_a_file(tmp_path):
    with pytest.raises(InputError, match=r"is a folder(.|\n)*\.ply \.obj"):
        load(tmp_path)


# what is odd but usable, and the note that says so
ODD = {
    "repeated": (ply(TRIANGLE + "3 0 1 2\n3 0 0 1\n", faces=2), "Faces that use a vertex twice and have no area: 1."),
    "unused": (ply("0 0 0\n1 0 0\n0 1 0\n5 5 5\n3 0 1 2\n", 4), "Vertices that no face uses: 1."),
    "duplicate": (ply("0 0 0\n1 0 0\n0 1 0\n0 1 0\n3 0 1 2\n3 0 1 3\n", 4, 2), "repeat the position of another: 1."),
    "long normals": (ply("0 0 0 0 0 2\n1 0 0 0 3 0\n", 2, 0, extra=NORMALS), "2 of 2 normals were not of unit length"),
    "mesh with a zero normal": (
        ply("0 0 0 0 0 0\n1 0 0 0 0 1\n0 1 0 0 0 1\n3 0 1 2\n", extra=NORMALS),
        "set aside: 1 of 3 have zero length",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ODD)
def test_odd_file_is_read_as_it_is_with_a_note(tmp_path, case):
    content, note = ODD[case]
    path = tmp_path / "a.ply"
    path.write_text(content)
    shape = load(path)
    assert any(note in n for n in shape.notes)
    assert len(shape.vertices) == int(content.split("element vertex ")[1].split()[0])
    if case == "long normals":
        np.testing.assert_array_equal(shape.normals, [(0, 0, 1), (0, 1, 0)])


def test_content_of_another_known_format_is_read_as_such_with_a_note(tmp_path):
    write_mesh(tmp_path / "a.ply", sphere_mesh(1))
    (tmp_path / "a.ply").rename(tmp_path / "a.obj")
    shape = load(tmp_path / "a.obj")
    assert len(shape.faces) == 80
    assert "The name says .obj, the content is a PLY file" in shape.notes[0]


@pytest.mark.parametrize("case", ["flat sheet", "one triangle"])
def test_flat_shapes_are_read(tmp_path, case):
    path = tmp_path / "a.ply"
    path.write_text(ply() if case == "one triangle" else ply("0 0 0\n1 0 0\n0 1 0\n1 1 0\n4 0 1 3 2\n", 4))
    assert load(path).kind == "mesh"


def test_every_cut_of_every_format_is_refused_or_read(tmp_path):
    for ending in (".ply", ".obj", ".stl", ".off", ".glb"):
        whole = tmp_path / f"whole{ending}"
        write_mesh(whole, sphere_mesh(0))
        content = whole.read_bytes()
        cut = tmp_path / f"cut{ending}"
        for size in range(0, len(content) - 1, 7):
            cut.write_bytes(content[:size])
            if ending == ".obj":  # any part of an OBJ up to the end of a line is an OBJ
                with contextlib.suppress(InputError):
                    load(cut)
            else:
                with pytest.raises(InputError):
                    load(cut)
