"""What the live viewer is given of a run on photographs."""

import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from isofield.data import load_scene
from isofield.rendering.cameras import looking_at
from isofield.rendering.rays import Rays
from isofield.runtime.errors import InputError
from isofield.verbs.options import TrainOptions
from isofield.verbs.run import open_run
from isofield.verbs.train import train
from isofield.verbs.view_scene import FollowedScene

SMALL = {"network": {"width": 16, "depth": 2, "skips": [], "view_width": 8}, "samples": 8, "rays": 32}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Photographs of a red square before nothing, in Blender's format, and a run on them."""
    folder = tmp_path_factory.mktemp("scene")
    pixels = np.zeros((200, 300, 4), np.uint8)
    pixels[50:150, 100:200] = (255, 0, 0, 255)
    for part, count in (("train", 4), ("test", 2)):
        frames = []
        for number in range(count):
            angle = number + (0.5 if part == "test" else 0)
            place = 4 * np.array([np.cos(angle), np.sin(angle), 0.4])
            pose = looking_at(place, np.zeros(3), np.array([0, 0, 1.0])) * [1, -1, -1, 1]
            matrix = [*pose.tolist(), [0, 0, 0, 1]]
            frames.append({"file_path": f"./{part}_{number}", "transform_matrix": matrix})
            Image.fromarray(pixels).save(folder / f"{part}_{number}.png")
        content = {"camera_angle_x": 0.7, "frames": frames}
        (folder / f"transforms_{part}.json").write_text(json.dumps(content))
    run = train(load_scene(folder), "nerf", SMALL, TrainOptions(out=folder / "run", steps=2))
    return folder, run


def test_a_run_is_seen_without_its_data_with_the_cameras_that_it_knows(made, tmp_path, capsys):
    _, run = made
    shutil.copytree(run.path, tmp_path / "run")
    description = json.loads((tmp_path / "run" / "run.json").read_text())
    description["data"]["path"] = str(tmp_path / "gone")
    (tmp_path / "run" / "run.json").write_text(json.dumps(description))
    subject = FollowedScene(open_run(tmp_path / "run")).subject()
    assert (subject.train, subject.test) == ((0, 1, 2, 3), (4, 5))
    assert np.linalg.norm(subject.cameras.centres, axis=1) == pytest.approx(4 * np.sqrt(1.16))
    assert "after 2 steps" in subject.note
    rays = Rays(torch.tensor([[4.0, 0, 0]]), torch.tensor([[-1.0, 0, 0]]))
    with torch.no_grad():
        assert subject.render(rays).colour.shape == (1, 3)
    assert subject.thumbnail(0) is None
    assert "photographs cannot be read" in capsys.readouterr().err


def test_thumbnails_are_the_photographs_made_small_over_white(made):
    thumbnail = FollowedScene(made[1]).subject().thumbnail(4)
    assert thumbnail.shape[:2] == (50, 75)
    assert thumbnail[25, 37].tolist() == [255, 0, 0]
    assert thumbnail[0, 0].tolist() == [255, 255, 255]


def test_a_run_that_trains_on_is_followed(made, tmp_path):
    folder, run = made
    shutil.copytree(run.path, tmp_path / "run")
    followed = FollowedScene(open_run(tmp_path / "run"))
    assert followed.newer() is None
    train(load_scene(folder), options=TrainOptions(out=tmp_path / "run", steps=4, resume=True))
    assert "after 4 steps" in followed.newer().note
    assert followed.newer() is None


def test_before_the_first_checkpoint_there_is_a_clear_error(made, tmp_path):
    shutil.copytree(made[1].path, tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "checkpoints")
    with pytest.raises(InputError, match="no checkpoint yet"):
        FollowedScene(open_run(tmp_path / "run")).subject()
