"""Trained scenes, by one whose views are known in closed form, a ball whose colours are its normals:
rendering, figures, surface."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch

from isofield.data import load_scene, load_shape
from isofield.data.camera_path import CameraPath, write_camera_path
from isofield.rendering.volume import Rendered
from isofield.runtime.errors import InputError
from isofield.training.method import Views
from isofield.training.run_folder import RunFolder
from isofield.verbs.evaluate import evaluate
from isofield.verbs.evaluate_views import Judging
from isofield.verbs.extract import extract
from isofield.verbs.options import Filming, TrainOptions
from isofield.verbs.render import render
from isofield.verbs.render_views import file_names
from isofield.verbs.run import Run
from isofield.verbs.train import read_input


class ClosedForm:
    """A method that has nothing to learn."""

    def __init__(self, views):
        self.views = views

    def products(self):
        return {"views": self.views}


def run_of(scene_folder: Path, out: Path, views: Views) -> Run:
    """A run on the scene that knows its closed form."""
    scene = load_scene(scene_folder)
    out.mkdir()
    folder = RunFolder(out)
    known = {"path": str(scene_folder), "name": scene.name, "fingerprint": scene.fingerprint, "holdout": None}
    description = {
        "isofield": "0", "method": "closed", "reason": "asked for", "doubts": [], "quality": "standard",
        "config": {}, "budget": {"steps": 1}, "seed": 0, "data": {**known, **scene.described()},
        "command": "isofield fit ball", "threads": 1, "versions": {},
    }  # fmt: skip
    folder.describe(description)
    run = Run(folder, description)
    run.__dict__["method"] = ClosedForm(views)
    return run


@pytest.fixture(scope="module")
def run(tmp_path_factory, ball_scene):
    folder = tmp_path_factory.mktemp("scene")
    return run_of(ball_scene.write_scene(folder / "ball"), folder / "run", ball_scene.VIEWS)


def _pixels(path) -> np.ndarray:
    return np.asarray(PIL.Image.open(path))


def test_views_of_the_truth_are_as_good_as_eight_bits_allow(run):
    figures = evaluate(run)["figures"]
    assert figures["psnr_mean_of_images_db"] > 10 * math.log10(12 * 255**2)  # the error of rounding, uniform
    assert figures["ssim_gaussian11_valid_mean"] == pytest.approx(1, abs=1e-3)
    assert figures["perceptual_random_convolutions_mean"] == pytest.approx(0, abs=1e-3)
    assert figures["psnr_blank_mean_of_images_db"] < 20
    assert run.metrics["compared"] == {"frames": "test", "background": "white", "downscale": 1}


def test_other_ways_of_judging_leave_the_figures_of_the_run_alone(run):
    usual = evaluate(run)["figures"]
    black = evaluate(run, judging=Judging(background="black", views=2))
    assert black["compared"]["background"] == "black"
    assert black["figures"]["views"] == 2
    coarse = evaluate(run, judging=Judging(downscale=2))
    assert coarse["figures"]["psnr_mean_of_images_db"] < usual["psnr_mean_of_images_db"]  # edges are averaged
    assert run.metrics["figures"]["psnr_mean_of_images_db"] == usual["psnr_mean_of_images_db"]


def test_what_is_written_while_judging_is_what_render_writes(run, tmp_path):
    evaluate(run, judging=Judging(out=tmp_path / "judged"))
    render(run, tmp_path / "test", filming=Filming(path="test"))
    for number in range(3):
        one, other = (_pixels(tmp_path / folder / f"r_{number}.png") for folder in ("judged", "test"))
        np.testing.assert_array_equal(one, other)


def test_a_folder_may_have_a_dot_in_its_name(run, tmp_path):
    folder = tmp_path / "v.2"
    folder.mkdir()
    render(run, folder, filming=Filming(path="test"))
    assert sorted(file.name for file in folder.iterdir()) == ["r_0.png", "r_1.png", "r_2.png"]


def test_views_of_which_no_pixel_counts_are_left_out(run):
    scene = run.scene()
    counted = np.ones(len(scene.photographs.pixels), bool)
    first = scene.test[0]
    counted[scene.photographs.starts[first] : scene.photographs.starts[first + 1]] = False
    masked = replace(scene, photographs=replace(scene.photographs, counted=counted))
    found = evaluate(run, source=masked)
    assert found["figures"]["views"] == 2
    assert "masks count nothing" in found["doubts"][0]
    counted[:] = False
    with pytest.raises(InputError, match="no test views of which a pixel counts"):
        evaluate(run, source=masked)


def test_a_view_without_any_error_has_its_place_on_the_page(tmp_path, ball_scene):
    nothing = replace(
        ball_scene.VIEWS, render=lambda rays: Rendered(*(torch.zeros(len(rays), *s) for s in ((3,), (), ())))
    )
    folder = ball_scene.write_scene(tmp_path / "ball")
    PIL.Image.new("RGBA", (40, 32)).save(folder / "test" / "r_1.png")
    empty = run_of(folder, tmp_path / "run", nothing)
    evaluate(empty)
    assert "r_1: inf dB, the best" in empty.folder.page.read_text(encoding="utf-8")


def test_a_scene_in_memory_is_judged_as_it_is(run):
    with pytest.raises(InputError, match="in memory"):
        evaluate(run, source=run.scene(), judging=Judging(downscale=2))


def test_rendering_needs_no_data(run, tmp_path):
    run.description["data"]["path"], kept = "", run.description["data"]["path"]
    try:
        assert len(render(run, tmp_path / "views", filming=Filming(path="train"))["files"]) == 8
    finally:
        run.description["data"]["path"] = kept


def test_depths_of_sixteen_bits_are_distances_along_the_rays(run, tmp_path, ball_scene):
    result = render(run, tmp_path, 41, 41, filming=Filming(path="test", show="depth"))
    camera = run.cameras[run.frames("test")].centres[0]
    depth = _pixels(tmp_path / "r_0.depth.png").astype(float) * result["depth_step"]
    assert depth[0, 0] == 0  # nothing there
    nearest = np.linalg.norm(ball_scene.CENTRE.numpy() - camera) - ball_scene.RADIUS
    assert depth[depth > 0].min() == pytest.approx(nearest, abs=0.01)
    assert result["range"][0] <= nearest + 0.1  # of all views


@pytest.mark.parametrize("ending", ["gif", "webp"])
def test_a_film_has_every_frame_and_its_length(run, tmp_path, ending):
    file = tmp_path / f"orbit.{ending}"
    render(run, file, 40, filming=Filming(seconds=1, fps=10))
    with PIL.Image.open(file) as film:
        assert film.n_frames == 10
        assert film.size == (40, 32)


def test_a_video_is_h264_of_even_size(run, tmp_path):
    av = pytest.importorskip("av", reason="PyAV (extra `video`) is not installed")
    render(run, tmp_path / "orbit.mp4", 41, 31, filming=Filming(seconds=0.5, fps=10))
    with av.open(str(tmp_path / "orbit.mp4")) as film:
        stream = film.streams.video[0]
        assert (stream.codec.name, stream.pix_fmt) == ("h264", "yuv420p")
        assert (stream.width, stream.height) == (42, 32)
        assert len(list(film.decode(stream))) == 5


def test_a_camera_path_of_nerfstudio_is_followed_at_its_own_speed_and_size(run, tmp_path, ball_scene):
    path = tmp_path / "walk.json"
    write_camera_path(path, CameraPath(ball_scene.cameras_around(5, (24, 20)), frames_per_second=12))
    result = render(run, tmp_path / "walk.webp", filming=Filming(path=str(path)))
    assert (result["frames"], result["width"], result["height"], result["path"]) == (5, 24, 20, "walk")
    with PIL.Image.open(tmp_path / "walk.webp") as film:
        film.load()
        assert film.info["duration"] == pytest.approx(1000 / 12, abs=1)


def test_every_frame_of_an_orbit_shows_the_scene(run, tmp_path):
    result = render(run, tmp_path, filming=Filming(path="orbit", seconds=0.25))
    assert len(result["files"]) == 6
    assert all(_pixels(file)[16, 20].min() < 250 for file in result["files"])


def test_frames_of_one_name_in_two_folders_get_two_files():
    assert file_names(["./test/r_0.5", "images/r_1.JPG"]) == ["r_0.5", "r_1"]
    assert file_names(["left/0.png", "right/0.png"]) == ["left_0", "right_0"]


@pytest.mark.parametrize(
    ("filming", "words"),
    [
        (Filming(path="circle"), "there is no path 'circle'"),
        (Filming(path="test", seconds=3), "--seconds"),
        (Filming(fps=0.0), "--fps"),
        (Filming(seconds=0.001), "0 frames"),
    ],
)
def test_paths_that_cannot_be_are_refused_in_words(run, tmp_path, filming, words):
    with pytest.raises(InputError, match=words):
        render(run, tmp_path / "out", filming=filming)
    assert not (tmp_path / "out").exists()


def test_a_missing_writer_of_videos_is_said_before_rendering(run, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    with pytest.raises(InputError, match=r"isofield\[video\]"):
        render(run, tmp_path / "orbit.mp4")


def test_a_scene_is_read_again_as_it_was(run, tmp_path):
    source = run.description["data"]["path"]
    half = read_input(source, TrainOptions(downscale=2))
    assert half.cameras.sizes[0].tolist() == [20, 16]
    with pytest.raises(InputError, match="begun with 1, not 2"):
        read_input(source, TrainOptions(out=run.path, resume=True, downscale=2))
    assert read_input(source, TrainOptions(out=run.path, resume=True)).downscale == 1
    shape = tmp_path / "shape.ply"
    shape.touch()
    with pytest.raises(InputError, match="is no scene: --downscale"):
        read_input(shape, TrainOptions(downscale=2))


def test_a_ball_is_extracted_in_the_world_with_its_radius_and_its_colours(run, tmp_path, ball_scene):
    for faces in (None, 4000):
        mesh, report = extract(run, 64, faces=faces, out=tmp_path / "ball.ply")
        from_centre = mesh.vertices - ball_scene.CENTRE.numpy()
        radii = np.linalg.norm(from_centre, axis=1)
        assert np.abs(radii - ball_scene.RADIUS).max() < report["extraction"]["cell"]
        true = (from_centre / ball_scene.RADIUS * 0.5 + 0.5) * 255
        assert np.abs(mesh.colours - true).mean() < 3
        assert report["closed"]
        assert report["components"] == 1
        np.testing.assert_array_equal(load_shape(tmp_path / "ball.ply").colours, mesh.colours)
        level = json.loads((tmp_path / "ball.ply.certificate.json").read_text())["level"]
        assert 0 < level["density"] < 200
        assert level["agreement"] == max(score for _, score in level["tried"])


def test_a_level_can_be_asked_for_and_shapes_settings_cannot(run, tmp_path):
    _, report = extract(run, 24, level=50.0, out=tmp_path / "ball.ply")
    assert (report["level"]["density"], report["level"]["chosen"]) == (50, "asked for")
    with pytest.raises(InputError, match="--level"):
        extract(run, 24, level=-1.0, out=tmp_path / "ball.ply")
    with pytest.raises(InputError, match="--open"):
        extract(run, 24, trim=True, out=tmp_path / "ball.ply")


def test_the_mesh_of_a_scene_is_judged_by_its_outline_and_its_colours(run):
    extract(run, 64)
    figures = evaluate(run)["figures"]
    assert figures["mesh_silhouette_iou_mean_of_images"] > 0.95  # of pictures 20 pixels across
    assert figures["mesh_psnr_inside_silhouette_mean_of_images_db"] > 25
