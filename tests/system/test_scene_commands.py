"""Photographs to a radiance field through the command line."""

import json

import numpy as np
import PIL.Image
import pytest

from isofield.data.camera_path import CameraPath, write_camera_path
from isofield.rendering.cameras import pinholes

TINY = {"network": {"width": 16, "depth": 2, "skips": [], "view_width": 8}, "samples": 8, "rays": 64}


@pytest.fixture(scope="module")
def scene(ball_scene, tmp_path_factory):
    return ball_scene.write_scene(tmp_path_factory.mktemp("scene") / "ball", (24, 24), (6, 2))


@pytest.fixture
def flags(tmp_path):
    (tmp_path / "tiny.json").write_text(json.dumps(TINY))
    return ["--method", "nerf", "--config", tmp_path / "tiny.json", "--steps", 20]


def test_fit_says_what_it_made_and_what_comes_next(command, scene, flags, tmp_path):
    out = tmp_path / "run"
    text = command("fit", scene, *flags, "--out", out).assert_done().out
    assert text.startswith(f"{out / 'test'}: 2 views")
    assert "psnr_mean_of_images_db" in text
    assert "psnr_blank_mean_of_images_db" in text
    assert f"next: isofield render {out} " in text


def test_overwrite_takes_away_what_was_rendered_and_leaves_the_rest(command, scene, tmp_path):
    out = tmp_path / "run"
    training = ("train", "nerf", "--data", scene, "--steps", 1, "--rays", 8, "--out", out)
    assert f"next: isofield evaluate {out}" in command(*training).assert_done().out
    command("render", out, "--path", "train", "--show", "depth").assert_done()
    command("render", out, "--width", 8, "--seconds", 0.1).assert_done()
    (out / "train" / "note.txt").write_text("mine")
    command(*training, "--overwrite").assert_done()
    left = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    left = {path for path in left if not path.startswith("checkpoints")}
    assert left == {"run.json", "log.jsonl", "train/note.txt"}


def test_open_is_refused_for_a_scene_before_training(command, scene, tmp_path):
    answer = command("fit", scene, "--open", "--out", tmp_path / "run")
    answer.assert_clear_error()
    assert "is a scene: --open is for shapes" in answer.err
    assert not (tmp_path / "run").exists()


def test_a_folder_without_cameras_or_shapes_is_refused_in_words(command, tmp_path):
    (tmp_path / "empty").mkdir()
    command("fit", tmp_path / "empty").assert_clear_error()


@pytest.mark.slow
@pytest.mark.parametrize("view", ["path", "train_r_0"])
def test_an_imported_checkpoint_renders_the_published_picture(command, shared, tmp_path, view):
    """Through the corners of pixels, at depths along the view axis, as the published code has it."""
    folder = shared / "parity" / "nerf_pretrained" / "lego"
    inputs, published = np.load(folder / "inputs.npz"), np.load(folder / "outputs.npz")
    pose = inputs[f"{view}/c2w"][:3].astype(np.float64) * [1, -1, -1, 1]
    camera = pinholes(pose[None], float(inputs["focal"]), (100, 100))
    write_camera_path(tmp_path / "one.json", CameraPath(camera))
    command("import", folder, "--out", tmp_path / "run").assert_done()
    command(
        "render", tmp_path / "run", "--path", tmp_path / "one.json", "--out", tmp_path / "views"
    ).assert_done()
    ours = np.asarray(PIL.Image.open(tmp_path / "views" / "00000.png")) / 255
    off = np.abs(ours - np.clip(published[f"{view}/rgb_fine"], 0, 1))
    assert off.mean() < 2e-3 + 0.25 / 255  # the pack's tolerance, and rounding to 8 bits
    assert (off.max(axis=2) > 0.02).mean() <= 0.005
