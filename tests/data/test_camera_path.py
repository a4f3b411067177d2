"""Camera paths of nerfstudio: read, written, and refused in words."""

import json

import numpy as np
import pytest

from isofield.data.camera_path import CameraPath, read_camera_path, write_camera_path
from isofield.rendering.cameras import pinholes
from isofield.rendering.paths import orbit
from isofield.runtime.errors import InputError

FRAME = {
    "camera_to_world": [1, 0, 0, 5, 0, 0, -1, 6, 0, 1, 0, 7, 0, 0, 0, 1],
    "fov": 90,
    "aspect": 1,
}
FILE = {"render_width": 64, "render_height": 48, "fps": 30, "camera_path": [FRAME, FRAME]}


def written(tmp_path, content):
    path = tmp_path / "path.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def film(count=5):
    poses = orbit(np.ones(3), np.array([0.0, 0, 1]), np.array([1.0, 0, 0]), 3.0, 0.3, count)
    cameras = pinholes(poses, np.linspace(40, 60, count), (64, 48))
    return CameraPath(cameras, 25.0, True, cameras[::2])


def test_what_is_written_is_read_again(tmp_path):
    write_camera_path(tmp_path / "a.json", film())
    read = read_camera_path(tmp_path / "a.json")
    assert read.cameras.poses == pytest.approx(film().cameras.poses)
    assert read.cameras.intrinsics == pytest.approx(film().cameras.intrinsics)
    assert np.array_equal(read.cameras.sizes, film().cameras.sizes)
    assert read.keyframes.poses == pytest.approx(film().keyframes.poses)
    assert (read.frames_per_second, read.closed) == (25, True)


def test_matrices_are_row_by_row_in_opengl_axes_and_angles_vertical(tmp_path):
    read = read_camera_path(written(tmp_path, FILE))
    assert read.cameras.centres[0] == pytest.approx([5, 6, 7])
    assert read.cameras.axes[0] == pytest.approx([0, 1, 0])
    assert read.cameras.intrinsics[0] == pytest.approx([24, 24, 32, 24])
    assert read.keyframes is None


def test_keyframes_of_the_blender_add_on_are_text_by_columns(tmp_path):
    columns = np.array(FRAME["camera_to_world"]).reshape(4, 4).T.ravel().tolist()
    keys = [{"matrix": json.dumps(columns), "fov": 90}]
    read = read_camera_path(written(tmp_path, {**FILE, "keyframes": keys}))
    assert read.keyframes.poses[0] == pytest.approx(read.cameras.poses[0])


def test_a_scale_in_the_matrix_is_not_a_part_of_the_pose(tmp_path):
    matrix = (np.array(FRAME["camera_to_world"]).reshape(4, 4) @ np.diag([2, 2, 2, 1])).ravel().tolist()
    read = read_camera_path(
        written(tmp_path, {**FILE, "camera_path": [{**FRAME, "camera_to_world": matrix}]})
    )
    assert read.cameras.axes[0] == pytest.approx([0, 1, 0])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "cannot be read as JSON"),
        ("[" * 100_000, "cannot be read as JSON"),
        ([], "the list `camera_path` is missing"),
        ({"path": []}, "instant-ngp"),
        ({**FILE, "camera_path": []}, "has no frames"),
        ({**FILE, "camera_type": "vr180"}, "has camera_type 'vr180'; rendered are perspective and fisheye"),
        ({**FILE, "render_width": 0}, "`render_width` is 0, not a number above 0"),
        ({**FILE, "render_width": "640"}, "`render_width` is '640', not a number"),
        ({**FILE, "render_width": 1.5}, "has the render size 1.5 x 48"),
        ({**FILE, "fps": -1}, "`fps` is -1"),
        ({**FILE, "camera_path": [FRAME, 3]}, "camera_path[1]: `camera_to_world` is not sixteen numbers"),
        ({**FILE, "camera_path": [{**FRAME, "camera_to_world": [1] * 15}]}, "is not sixteen numbers"),
        (json.dumps({**FILE, "camera_path": [{"camera_to_world": [np.nan] * 16}]}), "holds NaN or infinity"),
        ({**FILE, "camera_path": [{**FRAME, "camera_to_world": [1] * 16}]}, "are no rotation"),
        ({**FILE, "camera_path": [{**FRAME, "fov": 180}]}, "`fov` is 180 degrees or more"),
        ({**FILE, "camera_path": [{**FRAME, "fov": None}]}, "`fov` is None, not a number"),
    ],
)
def test_junk_is_refused_in_words(tmp_path, content, words):
    with pytest.raises(InputError) as caught:
        read_camera_path(written(tmp_path, content))
    assert words in str(caught.value)
    assert "path.json" in caught.value.where
    assert caught.value.remedy


def test_a_missing_file_is_refused_in_words(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_camera_path(tmp_path / "none.json")
