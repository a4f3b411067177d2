"""Round trips between all representations: nothing is lost where nothing need be, the rest is said."""

import itertools

import numpy as np
import pytest
import torch

from isofield.data import load, write_mesh
from isofield.data.writers import write_points
from isofield.geometry.closed_forms import sphere_mesh
from isofield.geometry.mesh import Mesh
from isofield.runtime.errors import InputError
from isofield.verbs.convert import convert
from isofield.verbs.field_file import open_field, rounded, save_field
from isofield.verbs.representation import opened, surface_of

MESHES, CLOUDS, GRIDS = (
    (".ply", ".obj", ".off", ".stl", ".glb"),
    (".ply", ".xyz", ".npz", ".pcd"),
    (".binvox", ".npz"),
)
EXACT = (".ply", ".obj", ".off", ".stl")  # hold double precision and shared vertices


def doubles() -> Mesh:
    """A sphere that single precision cannot hold."""
    sphere = sphere_mesh(2)
    return Mesh(sphere.vertices / 3 + (0.1, 100.0, 0.7), sphere.faces)


@pytest.mark.parametrize(("first", "second"), list(itertools.product(MESHES, MESHES)))
def test_meshes_of_single_precision_pass_through_any_two_formats_bit_for_bit(tmp_path, first, second):
    sphere = sphere_mesh(2)
    start = Mesh(sphere.vertices.astype(np.float32), sphere.faces)
    write_mesh(tmp_path / "start.ply", start, tolerance=0.0)
    assert convert(tmp_path / "start.ply", tmp_path / f"a{first}")["exact"]
    assert convert(tmp_path / f"a{first}", tmp_path / f"b{second}")["exact"]
    end = load(tmp_path / f"b{second}")
    assert np.array_equal(end.vertices[end.faces], start.vertices[start.faces].astype(np.float64))


@pytest.mark.parametrize("ending", MESHES)
def test_meshes_of_double_precision_lose_digits_only_where_the_format_has_none(tmp_path, ending):
    write_mesh(tmp_path / "start.ply", doubles(), tolerance=0.0)
    made = convert(tmp_path / "start.ply", tmp_path / f"a{ending}")
    assert made["exact"] == (ending in EXACT)
    if ending in EXACT:
        end = load(tmp_path / f"a{ending}")
        assert np.array_equal(end.vertices[end.faces], doubles().vertices[doubles().faces])
    else:
        assert 0 < made["figures"]["largest_move"] < 1e-4


@pytest.mark.parametrize(("first", "second"), list(itertools.product(CLOUDS, CLOUDS)))
def test_points_pass_through_any_two_formats_bit_for_bit(tmp_path, first, second):
    mesh = doubles()
    normals = sphere_mesh(2).normals
    write_points(tmp_path / "start.npz", mesh.vertices, normals)
    assert convert(tmp_path / "start.npz", tmp_path / f"a{first}")["exact"]
    assert convert(tmp_path / f"a{first}", tmp_path / f"b{second}")["exact"]
    end = load(tmp_path / f"b{second}")
    assert np.array_equal(end.vertices, mesh.vertices)
    assert np.array_equal(end.normals, normals)


def test_voxels_pass_through_both_formats_and_their_own_surface(tmp_path):
    write_mesh(tmp_path / "start.ply", doubles(), tolerance=0.0)
    made = convert(tmp_path / "start.ply", tmp_path / "a.binvox", resolution=32)
    assert made["kind"] == "voxels"
    assert 0.8 < made["figures"]["iou"] < 1
    assert convert(tmp_path / "a.binvox", tmp_path / "b.npz")["exact"]
    assert convert(tmp_path / "b.npz", tmp_path / "c.binvox")["exact"]
    assert (tmp_path / "a.binvox").read_bytes() == (tmp_path / "c.binvox").read_bytes()
    assert convert(tmp_path / "a.binvox", tmp_path / "d.ply")["exact"]  # a mesh that is the same solid
    volume = load(tmp_path / "a.binvox").voxels.filled.sum() * np.prod(
        load(tmp_path / "a.binvox").voxels.cell
    )
    assert volume == pytest.approx(4 / 3 * np.pi / 6**3, rel=0.06)


def test_a_surface_becomes_points_on_it(tmp_path):
    write_mesh(tmp_path / "start.ply", doubles(), tolerance=0.0)
    made = convert(tmp_path / "start.ply", tmp_path / "a.xyz", points=5000)
    assert load(tmp_path / "a.xyz").vertices.shape == (5000, 3)
    assert made["figures"]["points_distance_largest"] < 1e-6
    assert 0 < made["figures"]["gap_mean"] < 0.02
    back = convert(tmp_path / "a.xyz", tmp_path / "b.stl", to="mesh", resolution=48)
    assert back["figures"]["points_distance_mean"] < 5e-3
    assert any("closed, manifold" in note for note in back["notes"])


def test_a_run_becomes_a_portable_field_of_any_precision(tmp_path, far_run):
    points = np.random.default_rng(0).normal((100, 0, -50), 2, (1000, 3))
    expected, sizes = far_run.field(points), []
    for precision, most in (("float32", 0.0), ("float16", 2e-3), ("int8", 2e-2)):
        path = tmp_path / f"{precision}.safetensors"
        made = convert(far_run, path, precision=precision)
        assert made["exact"] == (precision == "float32")
        assert made["figures"].get("iou", 1.0) > 0.99
        field = open_field(path)
        assert float((field(points) - expected).abs().max()) <= most
        assert torch.equal(field(points), rounded(far_run.field, precision)(points))
        sizes.append(path.stat().st_size)
    assert sizes[0] > 1.8 * sizes[1] > 3 * sizes[2]
    again = convert(tmp_path / "int8.safetensors", tmp_path / "again.ply", resolution=64)
    assert again["kind"] == "mesh"
    assert load(tmp_path / "again.ply").vertices.mean(axis=0) == pytest.approx([100, 0, -50], abs=0.1)


def test_a_mesh_becomes_a_field_by_training(tmp_path, make_ball):
    made = convert(make_ball(), tmp_path / "a.safetensors", quality="draft")
    assert made["figures"]["iou"] > 0.98
    assert surface_of(opened(tmp_path / "a.safetensors"), 32).faces.shape[1] == 3


@pytest.mark.parametrize(
    ("out", "settings", "words"),
    [
        ("a.jpg", {}, "no writer"),
        ("a.binvox", {"to": "mesh"}, "cannot hold mesh"),
        ("a.npz", {"to": "voxels", "resolution": 2}, "from 3 to 1024"),
        ("a.obj", {"resolution": 64}, "no bearing on mesh from mesh"),
        ("a.obj", {"points": 5}, "no bearing"),
        ("a.binvox", {"precision": "int8"}, "no bearing"),
        ("a.xyz", {"points": 0}, "1 or more"),
        ("missing/a.ply", {}, "no such folder"),
        ("start.ply", {}, "is the input itself"),
    ],
)
def test_what_cannot_be_written_is_said_before_anything_is(tmp_path, out, settings, words):
    write_mesh(tmp_path / "start.ply", doubles())
    before = (tmp_path / "start.ply").read_bytes()
    with pytest.raises(InputError, match=words):
        convert(tmp_path / "start.ply", tmp_path / out, **settings)
    assert [entry.name for entry in tmp_path.iterdir()] == ["start.ply"]
    assert (tmp_path / "start.ply").read_bytes() == before


def test_files_that_are_no_fields_are_refused(tmp_path, far_run):
    path = tmp_path / "a.safetensors"
    save_field(path, far_run.field)
    whole = path.read_bytes()
    from safetensors.numpy import save

    for content, words in (
        (whole[: len(whole) // 2], "not a whole safetensors"),
        (b"", "not a whole safetensors"),
        (save({"a": np.zeros(3)}), "no field of isofield"),
        (whole.replace(b"truncation", b"truncatiom"), "no setting"),
        (whole.replace(b'\\"sdf\\"', b'\\"sdg\\"'), "does not have"),
        (save({"a": np.zeros(3)}, {"isofield_field": "{}"}), "does not describe"),
    ):
        path.write_bytes(content)
        with pytest.raises(InputError, match=words):
            open_field(path)
    with pytest.raises(InputError, match="no such file"):
        open_field(tmp_path / "b.safetensors")
