"""Damaged files of every format end in a Shape or an InputError: nothing else, no hang, little memory."""

import base64
import contextlib
import copy
import io
import json
import re
import signal
import struct
import zipfile

import numpy as np
import pytest

from isofield.data import READERS, Shape, load, write_mesh, write_points
from isofield.data.binvox import write_binvox
from isofield.data.voxels import VoxelGrid, write_voxels_npz
from isofield.data.writers import POINT_WRITERS
from isofield.geometry.closed_forms import sphere_mesh
from isofield.geometry.mesh import Mesh
from isofield.runtime.errors import InputError

MEMORY = 300 << 20  # bytes that reading a file of some kilobytes may take on top of what the process has
SECONDS = 5
NUMBERS = [b"0", b"-1", b"3", b"255", b"65536", b"999999999", b"4294967296", b"1e30", b"nan", b"-inf", b"1.5"]
NUMBERS += [b"", b"9" * 400]

JUNK = [
    None,
    True,
    -1,
    0,
    1,
    2,
    5126,
    1.5,
    10**30,
    float("nan"),
    "",
    "VEC3",
    "SCALAR",
    "data:;base64,AAAA",
    [],
    {},
]
JUNK += [[0] * 16, [[0]], [None], [0, 0], {"count": 1}]

OBJ = """# a
v 0 0 0 1 0 0
v 1 0 0 0 1 0
v 0 1 0 0 0 1
v 0 0 1 1 1 1
vt 0 0
vn 0 0 1
f 1/1/1 2/1/1 3/1/1
f -1 -2 -3 -4
"""
PLY = """ply
format ascii 1.0
comment a
element vertex 4
property float x
property double y
property int z
property uchar red
property uchar green
property uchar blue
element face 3
property uchar flag
property list uchar int vertex_indices
property list int float uv
end_header
0 0 0 1 2 3
1 0 0 1 2 3
0 1.5 0 1 2 3
0 0 1 1 2 3
7 3 0 1 2 2 0.5 0.5
7 4 0 1 2 3 0
7 3 3 2 1 1 0.5
"""
PCD = """# .PCD v0.7 - Point Cloud Data file format
VERSION 0.7
FIELDS x _ y z rgb
SIZE 4 1 4 4 4
TYPE F U I F U
COUNT 1 2 1 1 1
WIDTH 3
HEIGHT 1
VIEWPOINT 1 2 3 1 0 0 0
POINTS 3
DATA ascii
0 9 9 0 0 255
1 9 9 0 2.5 65535
nan 9 9 3 0 4278190080
"""
OFF = """COFF # a
4 2 0
0 0 0 255 0 0 255
1 0 0 0 255 0 255
0 1 0 0 0 255 255
0 0 1 9 9 9 255
3 0 1 2
4 0 1 2 3 0.5 0.5 0.5
"""
STL = """solid a
facet normal 0 0 1
outer loop
vertex 0 0 0
vertex 1 0 0
vertex 0 1 0
endloop
endfacet
endsolid a
"""


def seeds(folder):
    """Small healthy files of every format: ending -> list of contents."""
    sphere = sphere_mesh(1)
    colours = np.full((len(sphere.vertices), 3), 99, np.uint8)
    mesh = Mesh(sphere.vertices, sphere.faces, sphere.normals, colours)
    found = {ending: [] for ending in READERS}
    for ending in (".ply", ".obj", ".stl", ".off", ".glb"):
        for far in (0.0, 1e8):  # in single and in double precision
            path = folder / f"a{ending}"
            write_mesh(path, Mesh(mesh.vertices + far, mesh.faces, mesh.normals, colours), ["a comment"])
            found[ending].append(path.read_bytes())
    write_points(folder / "p.ply", sphere.vertices, sphere.normals)
    found[".ply"] += [(folder / "p.ply").read_bytes(), PLY.encode(), _mixed_ply()]
    for ending, text in ((".obj", OBJ), (".off", OFF), (".stl", STL)):
        found[ending].append(text.encode())
    found[".gltf"] = [_json_of(content) for content in found[".glb"]]
    found[".xyz"] = [b"2\n0 0 0 0 0 1 10 20 30\n1 2 3 0 1 0 40 50 60\n", b"x,y,z\n0,0,0\n1,2,3.5\n# end\n"]
    for save in (np.savez, np.savez_compressed):
        save(folder / "p.npz", points=sphere.vertices, normals=sphere.normals.astype(np.float16))
        found[".npz"].append((folder / "p.npz").read_bytes())
    grid = VoxelGrid(np.random.default_rng(0).random((5, 5, 5)) < 0.4)
    write_voxels_npz(folder / "v.npz", grid)
    found[".npz"].append((folder / "v.npz").read_bytes())
    write_binvox(folder / "v.binvox", grid)
    for ending in POINT_WRITERS:
        write_points(folder / f"w{ending}", sphere.vertices, sphere.normals, colours, ["a comment"])
        found[ending].append((folder / f"w{ending}").read_bytes())
    found[".pcd"] += [PCD.encode(), _compressed_pcd()]
    found[".binvox"] = [(folder / "v.binvox").read_bytes()]
    return found


def _compressed_pcd():
    """The text PCD above in compressed bytes: some as they are, a repetition, one that enters itself."""
    x, padding, y = (
        np.array([0, 1, 2], "<f4").tobytes(),
        bytes(range(6)),
        np.array([0, 4, 0], "<i4").tobytes(),
    )
    body = bytes([11]) + x + bytes([5]) + padding + bytes([11]) + y
    body += bytes([7 << 5, 3, 29])  # z: the twelve bytes of x, which began 30 bytes before
    body += bytes([0, 7, 7 << 5, 2, 0])  # rgb: a seven, then eleven more from one byte before
    head = PCD.replace("DATA ascii", "DATA binary_compressed").partition("0 9")[0].encode()
    return head + struct.pack("<II", len(body), 54) + body


def _mixed_ply():
    """The text PLY above in big-endian bytes: rows of different lengths."""
    head, _, body = PLY.replace("ascii", "binary_big_endian").partition("end_header\n")
    rows = [line.split() for line in body.splitlines()]
    content = b"".join(struct.pack(">fdiBBB", float(r[0]), float(r[1]), *map(int, r[2:])) for r in rows[:4])
    for row in rows[4:]:
        corners = int(row[1])
        uv = row[3 + corners :]
        content += struct.pack(f">BB{corners}i", *map(int, row[: 2 + corners]))
        content += struct.pack(f">i{len(uv)}f", len(uv), *map(float, uv))
    return (head + "end_header\n").encode() + content


def _json_of(glb):
    """The same scene as a .gltf text with its bytes in a data URI."""
    size = struct.unpack_from("<I", glb, 12)[0]
    uri = b'"buffers":[{"uri":"data:;base64,' + base64.b64encode(glb[20 + size + 8 :]) + b'",'
    return glb[20 : 20 + size].replace(b'"buffers":[{', uri)


def zipped(array):
    """An .npz archive with `array`, the bytes of an .npy file, as its points."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("points.npy", array)
    return file.getvalue()


def _array_file():
    file = io.BytesIO()
    np.save(file, sphere_mesh(0).vertices.astype(np.float32))
    return file.getvalue()


ARRAY = _array_file()


def with_junk(text, rng):
    """A JSON text in which one to three values, anywhere, are replaced by others of any type or dropped."""
    tree = json.loads(text)
    for _ in range(rng.integers(1, 4)):
        places, waiting = [], [tree]
        while waiting:
            at = waiting.pop()
            keys = at if isinstance(at, dict) else range(len(at))
            places += [(at, key) for key in keys]
            waiting += [at[key] for key in keys if isinstance(at[key], dict | list)]
        container, key = places[rng.integers(0, len(places))]
        if rng.random() < 0.2:
            del container[key]
        else:
            container[key] = copy.deepcopy(JUNK[rng.integers(0, len(JUNK))])
    return json.dumps(tree).encode()


def mutated(content, others, rng):
    """The content with one to four damages: to bits, bytes, pieces, numbers, or with its end cut off."""
    for _ in range(rng.integers(1, 5)):
        data = bytearray(content)
        size = max(len(data), 1)
        at, to = sorted(rng.integers(0, size, 2))
        match rng.integers(0, 8):
            case 0:
                data[at : at + 1] = bytes([data[at] ^ 1 << rng.integers(0, 8)]) if data else b"x"
            case 1:
                data[at : at + 1] = rng.bytes(rng.integers(0, 4))
            case 2:
                del data[at:]
            case 3:
                del data[at : min(to, at + 40)]
            case 4:
                data[at:at] = data[at : min(to, at + 200)]
            case 5:
                other = others[rng.integers(0, len(others))]
                data[at:] = other[rng.integers(0, max(len(other), 1)) :]
            case 6:  # four bytes as an extreme number
                extreme = [0, 1, -1, 2**31 - 1, -(2**31), 10**9, 0x7F800000, 0x7FC00000]
                data[at : at + 4] = int(extreme[rng.integers(0, 8)] & 0xFFFFFFFF).to_bytes(4, "little")
            case _:  # a number written in the text
                places = [m.span() for m in re.finditer(rb"\d+", content[:2000])]
                if places:
                    begin, end = places[rng.integers(0, len(places))]
                    data[begin:end] = NUMBERS[rng.integers(0, len(NUMBERS))]
        content = bytes(data)
    return content


@contextlib.contextmanager
def little_memory_and_time():
    """Raise MemoryError where more than MEMORY is asked for, TimeoutError after SECONDS (both on Linux)."""
    resource = pytest.importorskip("resource")

    def late(*_):
        raise TimeoutError(f"reading took more than {SECONDS} s")

    old = resource.getrlimit(resource.RLIMIT_AS)
    with open("/proc/self/statm") as file:
        now = int(file.read().split()[0]) * resource.getpagesize()
    handler = signal.signal(signal.SIGALRM, late)
    resource.setrlimit(resource.RLIMIT_AS, (now + MEMORY, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, old)
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)


def check(outcome):
    """A Shape that methods can trust, or an error in three parts."""
    if isinstance(outcome, InputError):
        assert all([outcome.what, outcome.where, outcome.remedy])
        return
    count, faces = len(outcome.vertices), outcome.faces
    assert np.isfinite(outcome.vertices).all()
    assert not len(faces) or 0 <= faces.min() <= faces.max() < count
    for values in (outcome.normals, outcome.colours):
        assert values is None or values.shape == (count, 3)
    assert outcome.normals is None or np.allclose(np.linalg.norm(outcome.normals, axis=1), 1, atol=2e-3)


def fuzz(ending, rounds, folder, seed=0):
    """Load `rounds` damaged files of one format; the number that were still shapes. Fails with the bytes."""
    rng = np.random.default_rng([seed, *ending.encode()])
    healthy = seeds(folder)[ending]
    path = folder / f"damaged{ending}"
    shapes = 0
    with little_memory_and_time():
        for index in range(rounds):
            content = mutated(healthy[rng.integers(0, len(healthy))], healthy, rng)
            if ending == ".npz" and index % 2:  # damage inside, under a checksum that is right
                content = zipped(mutated(ARRAY, [ARRAY], rng))
            if ending == ".gltf" and index % 2:
                content = with_junk(healthy[rng.integers(0, len(healthy))], rng)
            path.write_bytes(content)
            signal.setitimer(signal.ITIMER_REAL, SECONDS)
            try:
                outcome = load(path)
            except InputError as error:
                outcome = error
            except Exception as error:
                raise AssertionError(f"file {index}: {error!r} from {content!r}") from error
            check(outcome)
            shapes += isinstance(outcome, Shape)
    return shapes


@pytest.mark.parametrize("ending", READERS)
def test_damaged_files_end_in_a_shape_or_a_clear_error(tmp_path, ending):
    shapes = fuzz(ending, 300, tmp_path)
    assert 0 < shapes < 300  # some damage is harmless, some is not: both ways are seen


@pytest.mark.slow
@pytest.mark.parametrize("ending", READERS)
def test_ten_thousand_damaged_files(tmp_path, ending):
    assert 0 < fuzz(ending, 10_000, tmp_path, seed=1) < 10_000
