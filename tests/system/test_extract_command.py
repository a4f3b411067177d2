"""`isofield extract`: other meshes from a trained field."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from isofield import load, open_run, write_mesh
from isofield.extraction.surface import extract_surface
from isofield.geometry.certificate import certify
from isofield.geometry.level import Below
from isofield.geometry.mesh import Mesh
from isofield.training.checkpoints import load_checkpoint, save_checkpoint


@pytest.mark.parametrize("ending", [".ply", ".obj", ".stl", ".off", ".glb"])
def test_every_format_holds_the_same_mesh(command, spot_run, tmp_path, ending):
    certificate = command("extract", spot_run, "--resolution", 32, "--out", tmp_path / f"a{ending}", "--json")
    certificate = certificate.assert_done().json
    expected, _ = _extract(command, spot_run, tmp_path / "expected.ply", "--resolution", 32)
    mesh = load(tmp_path / f"a{ending}")
    assert len(mesh.faces) == certificate["faces"] == len(expected.faces)
    assert len(mesh.vertices) == certificate["vertices"]
    corners, expected_corners = (np.sort(m.vertices[m.faces].mean(1), axis=0) for m in (mesh, expected))
    assert np.abs(corners - expected_corners).max() < 1e-5
    assert json.loads((tmp_path / f"a{ending}.certificate.json").read_text()) == certificate


def _extract(command, run, path, *flags):
    certificate = command("extract", run, "--out", path, "--json", *flags).assert_done().json
    return load(path), certificate


def test_without_a_file_the_mesh_goes_into_the_run(command, spot_run, tmp_path):
    run = shutil.copytree(spot_run, tmp_path / "run")
    before = (run / "mesh.ply").read_bytes()
    command("extract", run, "--resolution", 32).assert_done()
    assert (run / "mesh.ply").read_bytes() != before
    assert json.loads((run / "certificate.json").read_text())["extraction"]["resolution"] == 32


def test_a_file_elsewhere_leaves_the_run_as_it_is(command, spot_run, tmp_path):
    before = {path.name: path.read_bytes() for path in spot_run.iterdir() if path.is_file()}
    command("extract", spot_run, "--resolution", 24, "--out", tmp_path / "a.ply").assert_done()
    assert {path.name: path.read_bytes() for path in spot_run.iterdir() if path.is_file()} == before
    assert {path.name for path in tmp_path.iterdir()} == {"a.ply", "a.ply.certificate.json"}


def test_the_same_resolution_gives_the_mesh_of_the_fit_again(command, spot_run, tmp_path):
    command("extract", spot_run, "--resolution", 48, "--out", tmp_path / "a.ply").assert_done()
    assert (tmp_path / "a.ply").read_bytes() == (spot_run / "mesh.ply").read_bytes()


@pytest.mark.parametrize("search", ["mise", "dense"])
def test_a_bound_on_memory_does_not_change_the_mesh(command, spot_run, tmp_path, search):
    flags = ["--resolution", 96, "--search", search]
    free, _ = _extract(command, spot_run, tmp_path / "free.ply", *flags)
    bound, _ = _extract(command, spot_run, tmp_path / "bound.ply", *flags, "--max-memory", "20MiB")
    assert np.array_equal(free.vertices, bound.vertices)
    assert np.array_equal(free.faces, bound.faces)


def test_dense_and_mise_make_the_same_mesh(command, spot_run, tmp_path):
    dense, all_points = _extract(
        command, spot_run, tmp_path / "dense.ply", "--resolution", 96, "--search", "dense"
    )
    mise, some_points = _extract(command, spot_run, tmp_path / "mise.ply", "--resolution", 96)
    assert all_points["extraction"]["evaluations"] == 97**3
    assert some_points["extraction"]["evaluations"] <= 97**3
    assert np.array_equal(dense.vertices, mise.vertices)
    assert np.array_equal(dense.faces, mise.faces)


def test_a_simplified_mesh_has_about_the_faces_asked_for_and_stays_closed(command, spot_run, tmp_path):
    mesh, certificate = _extract(command, spot_run, tmp_path / "a.ply", "--resolution", 64, "--faces", 3000)
    assert len(mesh.faces) == pytest.approx(3000, rel=0.05)
    assert certificate["closed"]
    assert certificate["manifold"]
    assert certificate["self_intersections"] is not None
    figures = (
        command("evaluate", spot_run, "--mesh", tmp_path / "a.ply", "--json").assert_done().json["figures"]
    )
    assert figures["iou"] > 0.96


def test_more_faces_than_there_are_change_nothing(command, spot_run, tmp_path):
    whole, _ = _extract(command, spot_run, tmp_path / "a.ply", "--resolution", 24)
    asked, _ = _extract(command, spot_run, tmp_path / "b.ply", "--resolution", 24, "--faces", 10**7)
    assert np.array_equal(whole.faces, asked.faces)


def test_the_certificate_says_what_was_proved_and_what_was_only_hoped(spot_run):
    certificate = json.loads((spot_run / "certificate.json").read_text())
    assert certificate["proved"]
    assert certificate["heuristic"]
    assert certificate["units"] == "the input's own"


def test_open_surfaces_stay_open_when_asked(command, fast, tmp_path):
    """The upper half of a sphere of radius 1: area 2 pi without a lid, more with the lid that closes it."""
    sphere = extract_surface(lambda points: points.norm(dim=1) - 0.9, Below(), 48).mesh
    vertices = sphere.vertices.astype(np.float64) / 0.9
    upper = sphere.faces[(vertices[sphere.faces][:, :, 2] > 0).all(1)]
    write_mesh(tmp_path / "bowl.ply", Mesh(vertices, upper))
    closed = (
        command("fit", tmp_path / "bowl.ply", *fast, "--out", tmp_path / "run", "--json").assert_done().json
    )
    assert closed["certificate"]["closed"]
    assert closed["certificate"]["area"] > 2.4 * np.pi
    mesh, certificate = _extract(
        command, tmp_path / "run", tmp_path / "open.ply", "--resolution", 64, "--open"
    )
    assert not certificate["closed"]
    assert certificate["manifold"]
    assert certificate["boundary_edges"] > 50
    assert certificate["extraction"]["trimmed"]
    assert certificate["area"] == pytest.approx(2 * np.pi, rel=0.15)
    lid = (np.linalg.norm(mesh.vertices[:, :2], axis=1) < 0.6) & (mesh.vertices[:, 2] < 0.4)
    assert not lid.any()


def test_open_leaves_a_closed_surface_closed(command, fast, tmp_path):
    write_mesh(
        tmp_path / "ball.ply", extract_surface(lambda points: points.norm(dim=1) - 0.9, Below(), 48).mesh
    )
    answer = command(
        "fit", tmp_path / "ball.ply", *fast, "--open", "--out", tmp_path / "run", "--json"
    ).assert_done()
    assert answer.json["certificate"]["extraction"]["trimmed"]
    assert answer.json["certificate"]["closed"]


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--faces", 2], "--faces"),
        (["--resolution", 0], "resolution"),
        (["--max-memory", "much"], "--max-memory"),
        (["--max-memory", "0"], "memory"),
        (["--max-memory", "10kB"], "memory"),
        (["--threads", 0], "--threads"),
        (["--out", "mesh.fbx"], ".fbx"),
        (["--out", "nowhere/mesh.ply"], "nowhere"),
    ],
)
def test_flags_that_cannot_work_are_refused_by_name(command, spot_run, tmp_path, monkeypatch, flags, words):
    monkeypatch.chdir(tmp_path)
    answer = command("extract", spot_run, "--resolution", 24, *flags).assert_clear_error()
    assert words in answer.err
    assert [*tmp_path.iterdir()] == []


def test_a_field_without_a_surface_is_a_failure_in_words(command, spot_run, tmp_path):
    """With every weight at nought the field is the same everywhere."""
    run = shutil.copytree(spot_run, tmp_path / "run")
    path = next((run / "checkpoints").glob("*.safetensors"))
    step, tensors, numbers = load_checkpoint(path)
    save_checkpoint(path.parent, step, {name: tensor.zero_() for name, tensor in tensors.items()}, numbers)
    answer = command("extract", run, "--resolution", 24).assert_clear_error()
    assert answer.code == 1
    assert "no surface" in answer.err


def test_a_run_whose_input_has_moved_is_evaluated_with_the_path_given(command, spot, fast, tmp_path):
    moved = tmp_path / "moved.ply"
    shutil.copy(spot, moved)
    command("fit", moved, *fast, "--out", tmp_path / "run").assert_done()
    moved.rename(tmp_path / "elsewhere.ply")
    assert "moved.ply" in command("evaluate", tmp_path / "run").assert_clear_error().err
    command("evaluate", tmp_path / "run", "--data", tmp_path / "elsewhere.ply").assert_done()
    assert "moved.ply" in command("extract", tmp_path / "run", "--open").assert_clear_error().err
    command("extract", tmp_path / "run", "--resolution", 24).assert_done()


@pytest.mark.parametrize("flags", [lambda run: [], lambda run: ["--out", run / "mesh.ply"]])
def test_figures_and_page_of_another_mesh_do_not_stay(command, spot_run, tmp_path, flags):
    run = shutil.copytree(spot_run, tmp_path / "run")
    assert "evaluate" in command("extract", run, "--resolution", 32, *flags(run)).assert_done().err
    assert not (run / "metrics.json").exists()
    assert not (run / "page.html").exists()
    command("evaluate", run).assert_done()
    assert (run / "page.html").is_file()


def test_without_a_resolution_it_is_that_of_the_quality(command, spot_run, tmp_path):
    _, certificate = _extract(command, spot_run, tmp_path / "a.ply")
    assert certificate["extraction"]["resolution"] == 128


def test_the_input_is_never_written_over(command, spot, fast, tmp_path):
    mine = Path(shutil.copy(spot, tmp_path / "mine.ply"))
    command(
        "train", "sdf", "--data", mine, "--steps", 5, "--finest", 32, "--out", tmp_path / "run"
    ).assert_done()
    before = mine.read_bytes()
    assert "is the input" in command("extract", tmp_path / "run", "--out", mine).assert_clear_error().err
    assert mine.read_bytes() == before


def test_refined_vertices_lie_on_the_level_of_the_field(command, spot_run, tmp_path):
    field = open_run(spot_run).field
    plain, _ = _extract(command, spot_run, tmp_path / "a.ply", "--resolution", 48)
    refined, certificate = _extract(command, spot_run, tmp_path / "b.ply", "--resolution", 48, "--refine")
    off = [float(field(mesh.vertices).abs().mean()) for mesh in (plain, refined)]
    assert off[1] < 0.1 * off[0]
    assert certificate["closed"]
    assert certificate["self_intersections"] is not None


def test_the_certificate_is_one_of_the_file(command, spot, tmp_path):
    """Far from the origin single precision would merge vertices that the certificate holds apart."""
    shape = load(spot)
    write_mesh(tmp_path / "far.ply", Mesh(shape.vertices + 60.0, shape.faces))
    run = tmp_path / "run"
    command("train", "sdf", "--data", tmp_path / "far.ply", "--steps", 20, "--out", run).assert_done()
    mesh, certificate = _extract(command, run, tmp_path / "a.ply", "--resolution", 256)
    found = certify(Mesh(mesh.vertices, mesh.faces), from_marching_cubes=True)
    assert found.degenerate_faces == certificate["degenerate_faces"] == 0
    assert found.volume == certificate["volume"]
