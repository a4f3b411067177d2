"""`isofield fit`: from a file to a certified mesh, figures and a page."""

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

import igl
import numpy as np
import pytest

from isofield import load, write_mesh
from isofield.geometry.certificate import certify
from isofield.geometry.closed_forms import torus_mesh
from isofield.geometry.mesh import Mesh
from isofield.geometry.surface_samples import sample_surface

PRODUCTS = {
    "run.json",
    "mesh.ply",
    "certificate.json",
    "metrics.json",
    "page.html",
    "seconds.json",
    "log.jsonl",
}


def _json(path):
    """The content of a file that any reader of JSON takes: Python's own would take NaN too."""
    return json.loads(path.read_text(encoding="utf-8"), parse_constant=pytest.fail)


def test_a_fit_writes_every_product_and_nothing_else(spot_run):
    assert {path.name for path in spot_run.iterdir()} == PRODUCTS | {"checkpoints"}


def test_the_mesh_is_closed_and_manifold_and_lies_in_the_frame_of_the_input(spot_run, spot):
    certificate = _json(spot_run / "certificate.json")
    assert certificate["closed"]
    assert certificate["manifold"]
    assert certificate["oriented"]
    assert certificate["outward"]
    mesh, truth = load(spot_run / "mesh.ply"), load(spot)
    assert (certificate["vertices"], certificate["faces"]) == (len(mesh.vertices), len(mesh.faces))
    size = np.ptp(truth.vertices, axis=0).max()
    assert mesh.vertices.min(0) == pytest.approx(truth.vertices.min(0), abs=0.05 * size)
    assert mesh.vertices.max(0) == pytest.approx(truth.vertices.max(0), abs=0.05 * size)


def test_the_certificate_agrees_with_another_library(spot_run):
    """trimesh counts edges and volumes on its own."""
    import trimesh

    certificate, mesh = (
        _json(spot_run / "certificate.json"),
        trimesh.load(spot_run / "mesh.ply", process=False),
    )
    assert mesh.is_watertight
    assert mesh.is_winding_consistent
    assert mesh.euler_number == certificate["euler_number"]
    assert mesh.volume == pytest.approx(certificate["volume"], rel=1e-5)
    assert mesh.area == pytest.approx(certificate["area"], rel=1e-5)
    assert mesh.body_count == certificate["components"]


def test_the_figures_are_those_of_a_good_fit(spot_run):
    figures = _json(spot_run / "metrics.json")["figures"]
    assert figures["iou"] > 0.97
    assert figures["distance_mean"] < 0.005
    assert figures["normal_consistency"] > 0.95


def test_every_figure_has_a_meaning(spot_run):
    metrics = _json(spot_run / "metrics.json")
    assert [name for name in metrics["figures"] if not metrics["meaning"].get(name)] == []


def test_the_page_opens_offline(spot_run):
    page = (spot_run / "page.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>") or page.startswith("<!doctype html>")
    for link in ('src="http', "src='http", 'href="http', "fetch(", "import("):
        assert link not in page


def test_a_fresh_process_can_use_the_run(spot_run, tmp_path):
    answer = subprocess.run(
        [
            sys.executable,
            "-m",
            "isofield",
            "extract",
            spot_run,
            "--resolution",
            "24",
            "--out",
            tmp_path / "a.ply",
            "--json",
        ],
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)["closed"]
    assert len(load(tmp_path / "a.ply").faces) > 100


def test_the_result_as_json_is_all_there_is_on_standard_output(command, spot, fast, tmp_path):
    result = command("fit", spot, *fast, "--out", tmp_path / "run", "--json").assert_done().json
    assert result["run"] == str(tmp_path / "run")
    assert result["certificate"]["closed"]
    assert result["metrics"]["figures"]["iou"] > 0.97
    assert result["seconds"]["total"] > 0


def test_a_mesh_that_is_inside_out_gives_the_same_solid(command, spot, fast, tmp_path):
    shape = load(spot)
    write_mesh(tmp_path / "inverted.ply", Mesh(shape.vertices, np.ascontiguousarray(shape.faces[:, ::-1])))
    command("fit", tmp_path / "inverted.ply", *fast, "--out", tmp_path / "run").assert_done()
    answer = command("evaluate", tmp_path / "run", "--data", spot, "--json").assert_done()
    assert answer.json["figures"]["iou"] > 0.97
    assert answer.json["figures"]["normal_consistency_signed"] > 0.95
    assert _json(tmp_path / "run" / "certificate.json")["volume"] > 0


def test_colours_of_the_input_are_on_the_mesh_and_on_later_ones(command, spot, fast, tmp_path):
    shape = load(spot)
    colours = np.where(shape.vertices[:, :1] < 0, [[255, 0, 0]], [[0, 0, 255]]).astype(np.uint8)
    write_mesh(tmp_path / "coloured.ply", Mesh(shape.vertices, shape.faces, colours=colours))
    command("fit", tmp_path / "coloured.ply", *fast, "--out", tmp_path / "run").assert_done()
    command("extract", tmp_path / "run", "--resolution", 48, "--out", tmp_path / "later.glb").assert_done()
    for path in (tmp_path / "run" / "mesh.ply", tmp_path / "later.glb"):
        mesh = load(path)
        clear = np.abs(mesh.vertices[:, 0]) > 0.1
        assert np.array_equal(mesh.colours[clear, 0] > 127, mesh.vertices[clear, 0] < 0)


@pytest.mark.parametrize("ending", [".npz", ".xyz", ".ply"])
def test_points_with_normals_become_a_solid(command, spot, fast, tmp_path, ending):
    shape = load(spot)
    mesh = Mesh(shape.vertices, shape.faces)
    points, face = sample_surface(mesh, 20_000, np.random.default_rng(0))
    a, b, c = np.moveaxis(mesh.vertices[mesh.faces[face]], 1, 0)
    normals = np.cross(b - a, c - a)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    path = tmp_path / f"points{ending}"
    if ending == ".npz":
        np.savez(path, points=points, normals=normals)
    elif ending == ".xyz":
        np.savetxt(path, np.hstack([points, normals]))
    else:
        write_mesh(path, Mesh(points, np.zeros((0, 3), np.int32), normals.astype(np.float32)))
    command("fit", path, *fast, "--out", tmp_path / "run").assert_done()
    assert _json(tmp_path / "run" / "certificate.json")["closed"]
    assert command("evaluate", tmp_path / "run", "--data", spot, "--json").json["figures"]["iou"] > 0.95


def test_several_inputs_and_folders_of_them_are_fitted_one_after_another(
    command, spot, hasty, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    shape = load(spot)
    (tmp_path / "folder").mkdir()
    for name in ("folder/a.obj", "folder/b.stl", "c.off"):
        write_mesh(tmp_path / name, Mesh(shape.vertices, shape.faces))
    (tmp_path / "folder" / "notes.txt").write_text("not a shape")
    answer = command("fit", "folder", "c.off", *hasty).assert_done()
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == [
        "0001-sdf-a",
        "0002-sdf-b",
        "0003-sdf-c",
    ]
    assert answer.out.count("page:") == 3


def test_one_bad_input_among_several_stops_only_itself(command, spot, hasty, tmp_path):
    (tmp_path / "bad.ply").write_text("not a ply")
    answer = command("fit", tmp_path / "bad.ply", spot, *hasty, "--out", tmp_path / "runs")
    assert answer.code == 1
    assert "bad.ply" in answer.err
    assert "1 of 2" in answer.err
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["spot.ply"]
    assert (tmp_path / "runs" / "spot.ply" / "mesh.ply").is_file()


def test_a_folder_that_is_not_empty_is_refused_and_left_as_it_is(command, spot, hasty, tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    answer = command("fit", spot, *hasty, "--out", tmp_path).assert_clear_error()
    assert answer.code == 2
    assert "--overwrite" in answer.err
    assert os.listdir(tmp_path) == ["thesis.tex"]


def test_overwriting_makes_the_run_anew(command, spot, hasty, tmp_path):
    out = tmp_path / "run"
    command("fit", spot, *hasty, "--out", out).assert_done()
    first = (out / "mesh.ply").read_bytes()
    (out / "mesh.ply").write_bytes(b"")
    assert command("fit", spot, *hasty, "--out", out).code == 2
    command("fit", spot, *hasty, "--out", out, "--overwrite").assert_done()
    assert (out / "mesh.ply").read_bytes() == first
    assert {path.name for path in out.iterdir()} == PRODUCTS | {"checkpoints"}


def test_the_same_fit_repeats_bit_for_bit_on_any_number_of_threads(command, spot, hasty, tmp_path):
    for count in (1, 2):
        command("fit", spot, *hasty, "--out", tmp_path / str(count), "--threads", count).assert_done()
    assert (tmp_path / "1" / "mesh.ply").read_bytes() == (tmp_path / "2" / "mesh.ply").read_bytes()
    assert _json(tmp_path / "1" / "metrics.json") == _json(tmp_path / "2" / "metrics.json")


def test_ctrl_c_saves_and_resuming_completes_the_fit(command, spot, fast, tmp_path):
    out = tmp_path / "run"

    def press() -> None:
        while not (out / "checkpoints" / "latest").is_file():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press, daemon=True).start()
    endless = ["--config", fast[3], "--steps", 10**6, "--checkpoint-seconds", 0.1]
    answer = command("fit", spot, "--quality", "draft", *endless, "--out", out)
    assert answer.code == 130
    assert "saved" in answer.err
    assert not (out / "mesh.ply").exists()
    done = int((out / "checkpoints" / "latest").read_text()[:8])
    command("fit", spot, "--out", out, "--resume", "--steps", done + 20, "--resolution", 48).assert_done()
    assert _json(out / "certificate.json")["closed"]
    assert [path.name for path in (out / "checkpoints").glob("*.safetensors")] == [
        f"{done + 20:08d}.safetensors"
    ]


@pytest.mark.parametrize(
    ("flags", "word"),
    [
        (["--resolution", -5], "--resolution"),
        (["--resolution", 0], "--resolution"),
        (["--faces", 2], "--faces"),
        (["--max-memory", "much"], "--max-memory"),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, list) else "",
)
def test_settings_of_the_extraction_are_looked_at_before_the_training(command, spot, tmp_path, flags, word):
    answer = command("fit", spot, "--out", tmp_path / "run", *flags).assert_clear_error()
    assert answer.code == 2
    assert word in answer.err
    assert not (tmp_path / "run").exists()


def test_the_method_can_be_chosen_and_the_choice_is_said(command, spot, fast, tmp_path):
    answer = command("fit", spot, *fast, "--method", "occupancy", "--out", tmp_path / "run").assert_done()
    assert "occupancy (asked for)" in answer.err
    assert _json(tmp_path / "run" / "run.json")["method"] == "occupancy"
    assert _json(tmp_path / "run" / "metrics.json")["figures"]["iou"] > 0.95


def test_quiet_leaves_only_the_result(command, spot, hasty, tmp_path):
    answer = command("fit", spot, *hasty, "--out", tmp_path / "run", "--quiet").assert_done()
    assert answer.err == ""
    assert "mesh.ply" in answer.out


def test_a_run_json_serves_as_a_file_of_settings(command, spot, spot_run, tmp_path):
    flags = ["--quality", "draft", "--steps", 60, "--resolution", 48]
    command("fit", spot, *flags, "--config", spot_run / "run.json", "--out", tmp_path / "run").assert_done()
    assert (tmp_path / "run" / "mesh.ply").read_bytes() == (spot_run / "mesh.ply").read_bytes()


def test_the_size_of_the_shape_changes_nothing_but_the_units(command, spot, spot_run, fast, tmp_path):
    expected = _json(spot_run / "metrics.json")["figures"]
    for scale in (1e-7, 1e7):
        shape = dataclasses.replace(load(spot), vertices=load(spot).vertices * scale)
        write_mesh(tmp_path / "scaled.ply", Mesh(shape.vertices, shape.faces))
        command("fit", tmp_path / "scaled.ply", *fast, "--out", tmp_path / f"{scale}").assert_done()
        figures = _json(tmp_path / f"{scale}" / "metrics.json")["figures"]
        assert figures["iou"] == pytest.approx(expected["iou"], abs=2e-3)
        assert figures["distance_mean"] == pytest.approx(expected["distance_mean"], rel=0.05)
        mesh = load(tmp_path / f"{scale}" / "mesh.ply")
        assert np.ptp(mesh.vertices, axis=0) == pytest.approx(np.ptp(shape.vertices, axis=0), rel=0.05)


def test_a_box_far_from_the_origin_keeps_its_digits(command, fast, tmp_path):
    """A unit box a million units away: in single precision its points would be 0.06 apart."""
    corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], np.float64)
    faces = [(0, 1, 3), (0, 3, 2), (4, 6, 7), (4, 7, 5), (0, 4, 5), (0, 5, 1)]
    faces += [(2, 3, 7), (2, 7, 6), (0, 2, 6), (0, 6, 4), (1, 5, 7), (1, 7, 3)]
    write_mesh(tmp_path / "box.ply", Mesh(corners + 1e6, np.array(faces, np.int32)))
    command("fit", tmp_path / "box.ply", *fast, "--out", tmp_path / "run").assert_done()
    assert _json(tmp_path / "run" / "metrics.json")["figures"]["iou"] > 0.97
    certificate = _json(tmp_path / "run" / "certificate.json")
    assert certificate["volume"] == pytest.approx(1, abs=0.03)
    mesh = load(tmp_path / "run" / "mesh.ply")
    assert mesh.vertices.min(0) == pytest.approx(np.full(3, 1e6), abs=0.06, rel=0)
    assert len(np.unique(mesh.vertices, axis=0)) == len(mesh.vertices)
    flat = (
        np.abs(mesh.vertices[:, 0] - 1e6) < 0.03
    )  # the wall x = 0, whose points differ by far less than 0.06
    assert np.unique(mesh.vertices[flat, 0]).size > 100


def test_a_resumed_run_refuses_what_contradicts_it_and_finds_its_input_itself(
    command, spot, spot_run, tmp_path
):
    run = shutil.copytree(spot_run, tmp_path / "run")
    for flags in (["--quality", "high"], ["--method", "occupancy"], ["--seed", 3]):
        answer = command("fit", spot, "--resume", "--out", run, *flags).assert_clear_error()
        assert flags[0] in answer.err
    before = (run / "mesh.ply").read_bytes()
    command("fit", "--resume", "--out", run, "--resolution", 48).assert_done()
    assert (run / "mesh.ply").read_bytes() == before


def test_a_mesh_that_follows_its_input_poorly_is_said_to(command, spot, hasty, tmp_path):
    answer = command("fit", spot, *hasty, "--out", tmp_path / "run").assert_done()
    assert "follows the input poorly" in answer.out
    assert _json(tmp_path / "run" / "metrics.json")["doubts"]


def test_two_inputs_of_one_name_are_refused_before_any_work(command, spot, tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        shutil.copy(spot, tmp_path / folder / "spot.ply")
    inputs = [tmp_path / folder / "spot.ply" for folder in ("a", "b")]
    answer = command("fit", *inputs, "--out", tmp_path / "out", "--overwrite").assert_clear_error()
    assert "spot.ply" in answer.err
    assert not (tmp_path / "out").exists()


def test_an_input_that_cannot_be_trained_on_costs_no_run(command, spot_run, tmp_path):
    run = shutil.copytree(spot_run, tmp_path / "run")
    np.savez(tmp_path / "bare.npz", points=np.random.default_rng(0).normal(size=(9, 3)))
    flags = ["--method", "sdf", "--out", run, "--overwrite"]
    assert "too few" in command("fit", tmp_path / "bare.npz", *flags).assert_clear_error().err
    assert (run / "mesh.ply").read_bytes() == (spot_run / "mesh.ply").read_bytes()


def test_settings_left_out_go_on_and_others_are_refused(command, spot, tmp_path):
    begin = ["train", "sdf", "--data", spot, "--out", tmp_path / "run", "--finest", 32, "--points", 2048]
    command(*begin, "--steps", 5).assert_done()
    short = ["train", "sdf", "--data", spot, "--out", tmp_path / "run", "--resume", "--steps", 8]
    command(*short).assert_done()
    command(*short, "--finest", 32).assert_done()
    assert "--config" in command(*short, "--finest", 64).assert_clear_error().err


def test_points_without_normals_noise_and_outliers_become_a_closed_surface(command, tmp_path):
    rng = np.random.default_rng(0)
    mesh = torus_mesh(around=96, across=48)
    points, _ = sample_surface(mesh, 6000, rng)
    points = points + rng.normal(0, 0.01, points.shape)
    np.savez(tmp_path / "bare.npz", points=np.concatenate([points, rng.uniform(-1.5, 1.5, (200, 3))]))
    draft = ["--quality", "draft", "--out", tmp_path / "run"]
    command("fit", tmp_path / "bare.npz", *draft).assert_done()
    certificate = _json(tmp_path / "run" / "certificate.json")
    assert (certificate["closed"], certificate["manifold"], certificate["genus"]) == (True, True, 1)
    assert certificate["volume"] == pytest.approx(certify(mesh).volume, rel=0.08)
    notes = _json(tmp_path / "run" / "run.json")["data"]["notes"]
    assert any("spanning tree" in note for note in notes)


def test_raw_scans_of_a_folder_become_one_closed_surface(command, shared, tmp_path):
    scans = shared / "data" / "scans" / "bunny"
    draft = ["--quality", "draft", "--out", tmp_path / "run"]
    command("fit", scans, *draft).assert_done()
    certificate = _json(tmp_path / "run" / "certificate.json")
    assert (certificate["closed"], certificate["manifold"], certificate["components"]) == (True, True, 1)
    mesh, truth = load(tmp_path / "run" / "mesh.ply"), load(scans / "bun_zipper.ply")
    off, _, _ = igl.point_mesh_squared_distance(
        truth.vertices[::10], mesh.vertices, mesh.faces.astype(np.int64)
    )
    assert np.sqrt(off).mean() < 0.00025  # metres


def test_points_that_show_no_surface_are_said_to(command, tmp_path):
    np.savez(tmp_path / "cloud.npz", points=np.random.default_rng(0).normal(size=(2000, 3)))
    flags = ["--quality", "draft", "--steps", 20, "--resolution", 32, "--out", tmp_path / "run"]
    assert "do not show a surface" in command("fit", tmp_path / "cloud.npz", *flags).assert_done().out


def test_repeated_points_count_once(command, tmp_path):
    rng = np.random.default_rng(0)
    points, _ = sample_surface(torus_mesh(around=96, across=48), 2000, rng)
    np.savez(tmp_path / "thrice.npz", points=np.concatenate([points, points, points]))
    facts = command("data", "check", tmp_path / "thrice.npz", "--json").assert_done().json
    assert any("left out: 4000" in warning for warning in facts["warnings"])
