"""What people feed a program by mistake: a clear error, nothing half-written, no memory blown."""

import json
import os
import resource
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from isofield import load, write_mesh
from isofield.geometry.mesh import Mesh

SPOT = Path(__file__).resolve().parents[2] / "isofield" / "data" / "spot.ply"
BILLION = 1_000_000_000
MEMORY = 400 * 2**20  # bytes that a refusal may take at most, whatever a header promises


def _spot() -> Mesh:
    shape = load(SPOT)
    return Mesh(shape.vertices, shape.faces)


def _mesh(vertices: list, faces: list) -> Mesh:
    return Mesh(np.array(vertices, np.float64).reshape(-1, 3), np.array(faces, np.int32).reshape(-1, 3))


def _written(mesh: Mesh) -> Callable[[Path], None]:
    return lambda path: write_mesh(path, mesh)


def _bytes(content: str | bytes) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(content.encode() if isinstance(content, str) else content)


def _triangle(third: list[float]) -> Mesh:
    return _mesh([[0, 0, 0], [1, 0, 0], third], [[0, 1, 2]])


def _truncated(share: float) -> Callable[[Path], None]:
    """Spot in the format of the path, cut after a share of its bytes."""

    def write(path: Path) -> None:
        if path.suffix == ".npz":
            np.savez(path, points=_spot().vertices, normals=_spot().vertices)
        elif path.suffix == ".binvox":
            path.write_bytes(_binvox(32, bytes([0, 255, 1, 255] * 64)))
        else:
            write_mesh(path, _spot())
        path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])

    return write


def _binvox(size: int, runs: bytes) -> bytes:
    header = f"#binvox 1\ndim {size} {size} {size}\ntranslate 0 0 0\nscale 1\ndata\n"
    return header.encode() + runs


def _ply(form: str, vertices: int, faces: int, body: bytes = b"\0" * 64) -> Callable[[Path], None]:
    """A PLY of which the header promises so much."""
    header = f"ply\nformat {form} 1.0\nelement vertex {vertices}\n"
    header += "property float x\nproperty float y\nproperty float z\n"
    header += f"element face {faces}\nproperty list uchar int vertex_indices\nend_header\n"
    return lambda path: path.write_bytes(header.encode() + body)


def _glb(count: int) -> Callable[[Path], None]:
    """A binary glTF of one triangle whose accessor promises `count` vertices."""
    accessor = {
        "bufferView": 0,
        "componentType": 5126,
        "count": count,
        "type": "VEC3",
        "min": [0, 0, 0],
        "max": [1, 1, 1],
    }
    content = {
        "asset": {"version": "2.0"},
        "buffers": [{"byteLength": 36}],
        "bufferViews": [{"buffer": 0, "byteLength": 36}],
        "accessors": [accessor],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}],
        "nodes": [{"mesh": 0}],
        "scenes": [{"nodes": [0]}],
        "scene": 0,
    }
    text = json.dumps(content).encode()
    text += b" " * (-len(text) % 4)
    binary = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], "<f4").tobytes()
    chunks = (
        struct.pack("<II", len(text), 0x4E4F534A)
        + text
        + struct.pack("<II", len(binary), 0x004E4942)
        + binary
    )
    return lambda path: path.write_bytes(struct.pack("<III", 0x46546C67, 2, 12 + len(chunks)) + chunks)


def _npz(rows: int) -> Callable[[Path], None]:
    """An archive whose array promises so many rows and holds none."""

    def write(path: Path) -> None:
        header = repr({"descr": "<f8", "fortran_order": False, "shape": (rows, 3)}).encode()
        header += b" " * (-(len(header) + 11) % 64) + b"\n"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("points.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header)

    return write


PCD = "VERSION 0.7\nFIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nPOINTS 4\nDATA ascii\n"


def _clusters(path: Path) -> None:
    """Two balls of points a million diameters apart."""
    points = np.random.default_rng(0).normal(size=(2000, 3))
    points /= 2 * np.linalg.norm(points, axis=1, keepdims=True)
    points[1000:, 0] += 1e6
    np.savez(path, points=points)


def _scans(last: float | None) -> Callable[[Path], None]:
    """A folder of three scans, of which the last is multiplied by a number, or is not there."""

    def write(path: Path) -> None:
        path.mkdir()
        names = ["a.xyz", "b.xyz", "c.xyz"]
        points = np.random.default_rng(0).normal(size=(100, 3))
        for name, factor in zip(names, (1.0, 1.0, last)):
            if factor is not None:
                np.savetxt(path / name, points * factor)
        lines = [f"bmesh {name} 0 0 0 0 0 0 1\n" for name in names]
        (path / "all.conf").write_text("".join(lines))

    return write


@dataclass(frozen=True)
class Case:
    """A bad input: what it is, its file, how that is made, a word that the error says, the exit code."""

    what: str
    name: str
    make: Callable[[Path], None]
    says: str = ""
    code: int = 2


NAN = _mesh([[0, 0, 0], [1, 0, np.nan], [0, 1, 0], [0, 0, 1]], [[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])

LITTLE, BIG = "binary_little_endian", "binary_big_endian"
STL = bytes(80) + struct.pack("<I", BILLION) + bytes(50)
WEB_PAGE, PICTURE = b"<!DOCTYPE html><html>404</html>", b"\x89PNG\r\n\x1a\n" + bytes(100)

CASES = [
    Case("an empty file", "a.ply", _bytes("")),
    Case("a mesh without vertices", "a.ply", _ply("ascii", 0, 0, b""), "no vertices"),
    Case("a text without numbers", "a.obj", _bytes("# nothing\n"), "no vertex"),
    Case("vertices that are not numbers", "a.ply", _written(NAN), "vertex 1"),
    Case("vertices that are infinite", "a.obj", _bytes("v 0 0 0\nv inf 0 0\nv 0 1 0\nf 1 2 3\n"), "vertex 1"),
    Case("numbers too large", "a.xyz", _bytes("0 0 0 0 0 1\n1e300 0 0 0 0 1\n0 1 0 0 0 1\n"), "size"),
    Case("one triangle", "a.ply", _written(_triangle([0, 1, 0])), "flat"),
    Case("a triangle without area", "a.ply", _written(_triangle([2, 0, 0])), "area"),
    Case("a single point", "a.xyz", _bytes("1 2 3 0 0 1\n"), "size"),
    Case("points all in one place", "a.xyz", _bytes("1 2 3 0 0 1\n" * 9), "size"),
    Case("four points", "a.xyz", _bytes("0 0 0\n1 0 0\n0 1 0\n0 0 1\n"), "too few"),
    Case("five points", "a.xyz", _bytes("0 0 0\n1 0 0\n0 1 0\n0 0 1\n1 1 1\n"), "too few"),
    Case("collinear points", "a.xyz", _bytes("".join(f"{i} {2 * i} 0\n" for i in range(99))), "flat"),
    Case("raw points that are not numbers", "a.xyz", _bytes("0 0 0\nnan 0 0\n" * 99), "99 of 198"),
    Case("missing returns only", "a.pcd", _bytes(PCD + "nan nan nan\n" * 4), "no vertices"),
    Case("two clusters too far apart", "a.npz", _clusters, "flat"),
    Case("a scan with NaN among others", "scans", _scans(np.nan), "c.xyz"),
    Case("a scan in other units", "scans", _scans(1000.0), "scan 3 is"),
    Case("a scan that is not there", "scans", _scans(None), "names c.xyz"),
    Case("missing vertices", "a.obj", _bytes("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 9\n"), "triangle"),
    Case("a text that is no ply", "a.ply", _bytes("Dear Sir or Madam,\n")),
    Case("a web page", "a.stl", _bytes(WEB_PAGE), "web page"),
    Case("a picture", "a.obj", _bytes(PICTURE), "PNG"),
    Case("an archive of something else", "a.npz", lambda path: np.savez(path, pixels=np.zeros(3)), "points"),
    Case("an ending that nothing reads", "a.fbx", _bytes("Kaydara FBX"), ".fbx"),
    Case("no ending", "shape", _bytes("v 0 0 0\n"), "ending"),
    Case(
        "a missing file", "spto.ply", lambda path: _written(_spot())(path.with_name("spot.ply")), "spot.ply"
    ),
    Case("a folder that is empty", "folder", lambda path: path.mkdir(), "holds no file"),
    *[
        Case(f"{ending} cut at {share}", f"a{ending}", _truncated(share))
        for ending in (".ply", ".stl", ".glb", ".npz", ".binvox")
        for share in (0.03, 0.5, 0.98)
    ],
    Case("a promise of a billion vertices in text", "a.ply", _ply("ascii", BILLION, 1)),
    Case("a promise of a billion vertices", "a.ply", _ply(LITTLE, BILLION, 1)),
    Case("a promise of a billion faces", "a.ply", _ply(BIG, 3, BILLION)),
    Case("more vertices than fit 64 bits", "a.ply", _ply(LITTLE, 10**30, 1)),
    Case("fewer vertices than none", "a.ply", _ply(LITTLE, -1, 1)),
    Case("a promise of a billion facets", "a.stl", _bytes(STL)),
    Case("a promise of a billion vertices in OFF", "a.off", _bytes(f"OFF\n{BILLION} {BILLION} 0\n0 0 0\n")),
    Case("a promise of a billion vertices in glTF", "a.glb", _glb(BILLION)),
    Case("a promise of a billion points", "a.npz", _npz(BILLION)),
    Case("a promise of a billion voxels", "a.binvox", _bytes(_binvox(1000, bytes([1, 255])))),
    Case("a promise of more voxels than there are", "a.binvox", _bytes(_binvox(10**6, bytes([1, 255])))),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.what)
def test_bad_input_is_a_clear_error_and_leaves_nothing(command, fast, tmp_path, case):
    case.make(tmp_path / case.name)
    before = sorted(os.listdir(tmp_path))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    answer = command("fit", tmp_path / case.name, *fast, "--out", tmp_path / "run").assert_clear_error()
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak) * 1024 < MEMORY
    assert answer.code == case.code
    assert case.says in answer.err
    assert case.name in answer.err or case.code == 1
    assert sorted(os.listdir(tmp_path)) == (before if case.code == 2 else sorted([*before, "run"]))


@pytest.mark.parametrize("case", [case for case in CASES if case.code == 2], ids=lambda case: case.what)
def test_a_look_before_training_says_the_same(command, tmp_path, case):
    case.make(tmp_path / case.name)
    answer = command("data", "check", tmp_path / case.name)
    if answer.code == 0:  # a file that can be read, but not fitted
        assert case.says in answer.out
        assert "warning" in answer.out
    else:
        assert answer.assert_clear_error().code == 2


def test_a_folder_below_a_file_cannot_be_made_and_is_named(command, tmp_path, fast):
    (tmp_path / "file").write_text("")
    answer = command("fit", SPOT, *fast, "--out", tmp_path / "file" / "run").assert_clear_error()
    assert str(tmp_path / "file" / "run") in answer.err
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
def test_a_read_only_folder_is_named(command, tmp_path, fast):
    (tmp_path / "locked").mkdir(mode=0o500)
    answer = command("fit", SPOT, *fast, "--out", tmp_path / "locked" / "run").assert_clear_error()
    assert answer.code == 1
    assert "locked" in answer.err


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no /dev/full")
def test_a_device_as_output_is_refused_and_stays_what_it_is(command, spot_run, tmp_path):
    command("extract", spot_run, "--resolution", 24, "--out", "/dev/full").assert_clear_error()
    (tmp_path / "full.ply").symlink_to("/dev/full")
    answer = command(
        "extract", spot_run, "--resolution", 24, "--out", tmp_path / "full.ply"
    ).assert_clear_error()
    assert answer.code == 1
    assert os.readlink(tmp_path / "full.ply") == "/dev/full"


@pytest.mark.parametrize(
    ("limit", "whole"),
    [
        (50_000, {"run.json"}),
        (500_000, {"run.json", "mesh.ply", "certificate.json", "metrics.json"}),
    ],
    ids=["no room for a checkpoint", "no room for the page"],
)
def test_a_disk_that_fills_up_leaves_whole_files_only(tmp_path, limit, whole):
    """Files may grow to `limit` bytes: what a full disk is to a program that writes one."""
    network = {
        "levels": 2,
        "coarsest": 8,
        "finest": 16,
        "log2_table": 12,
    }  # a checkpoint smaller than the page
    (tmp_path / "small.json").write_text(json.dumps({"points": 4096, "network": network}))
    settings = ["--config", tmp_path / "small.json", "--steps", 60, "--resolution", 48]
    command = [sys.executable, "-m", "isofield", "fit", SPOT, *settings, "--out", tmp_path / "run"]
    answer = subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        env={name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert answer.returncode == 1
    assert "Traceback" not in answer.stderr
    assert "unexpected" not in answer.stderr
    assert "free space" in answer.stderr
    files = {path.name: path for path in (tmp_path / "run").rglob("*") if path.is_file()}
    assert [name for name in files if name.startswith(".")] == []
    assert whole <= files.keys()
    assert "page.html" not in files
    for name in whole:
        if name.endswith(".json"):
            json.loads(files[name].read_text())
    if "mesh.ply" in whole:
        assert len(load(files["mesh.ply"]).faces) > 1000


def test_a_damaged_checkpoint_is_a_clear_error(command, spot_run, tmp_path):
    import shutil

    run = shutil.copytree(spot_run, tmp_path / "run")
    path = next((run / "checkpoints").glob("*.safetensors"))
    path.write_bytes(path.read_bytes()[:1000])
    answer = command("extract", run, "--resolution", 24).assert_clear_error()
    assert answer.code == 2
    assert path.name in answer.err


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"method": "sdf"}'])
def test_a_damaged_description_of_a_run_is_a_clear_error(command, tmp_path, content):
    (tmp_path / "run.json").write_text(content)
    assert command("extract", tmp_path).assert_clear_error().code == 2
    assert command("evaluate", tmp_path).assert_clear_error().code == 2


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"netwrk": {}}', '{"points": "many"}', '{"points": -3}', '{"network": 3}']
)
def test_a_file_of_settings_that_cannot_be_used_is_a_clear_error(command, tmp_path, content):
    (tmp_path / "settings.json").write_text(content)
    answer = command("fit", SPOT, "--config", tmp_path / "settings.json", "--out", tmp_path / "run")
    assert answer.assert_clear_error().code == 2
    assert not (tmp_path / "run").exists()
