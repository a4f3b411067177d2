"""What a scene's check says before training, in words: nothing of a sound one, and each fault by name."""

from dataclasses import replace

import numpy as np
import pytest

from isofield.data.check_scene import describe_scene
from isofield.data.scene import Box, Photographs, Scene
from isofield.rendering.cameras import pinholes
from isofield.rendering.paths import orbit

COUNT, SIDE = 12, 8


def photographs(channels=3, count=COUNT) -> Photographs:
    pixels = np.random.default_rng(0).integers(0, 256, (count * SIDE * SIDE, channels), np.uint8)
    return Photographs(pixels, np.arange(count + 1) * SIDE * SIDE, np.full((count, 2), SIDE))


def scene(**changes) -> Scene:
    """Twelve cameras around the unit box, of which two are for tests; fields replaced."""
    poses = orbit(np.zeros(3), np.array([0.0, 0, 1]), np.array([1.0, 0, 0]), 4.0, 0.4, COUNT)
    sound = Scene(
        "toy",
        tuple(f"view_{k}" for k in range(COUNT)),
        pinholes(poses, 10.0, (SIDE, SIDE)),
        photographs(),
        np.arange(2, COUNT),
        np.arange(2),
        Box((-1.0, -1.0, -1.0), (1.0, 1.0, 1.0)),
        False,
    )
    return replace(sound, **changes)


def cameras(**changes):
    return replace(scene().cameras, **changes)


def with_pose(number, pose):
    poses = scene().cameras.poses.copy()
    poses[number] = pose
    return scene(cameras=cameras(poses=poses))


def moved(number, centre):
    pose = scene().cameras.poses[number].copy()
    pose[:, 3] = centre
    return with_pose(number, pose)


def inside_the_object():
    pictures = photographs(4)
    pictures.pixels[:, 3] = 255
    return replace(moved(3, (0.05, 0.0, 0.0)), photographs=pictures)


def blank():
    pictures = photographs()
    pictures.picture(5)[:] = 7
    return scene(photographs=pictures)


def without_picture():
    pictures = photographs()
    sizes = pictures.sizes.copy()
    sizes[4] = 0
    return scene(photographs=replace(pictures, sizes=sizes))


def lens(number, *coefficients):
    distortion = np.zeros((COUNT, 8))
    distortion[number, : len(coefficients)] = coefficients
    return scene(cameras=cameras(distortion=distortion))


def intrinsics(number, column, value):
    table = scene().cameras.intrinsics.copy()
    table[number, column] = value
    return scene(cameras=cameras(intrinsics=table))


POINTS = np.random.default_rng(0).uniform(-2, 2, (500, 3))
FAULTS = {
    "few": (lambda: scene(train=np.arange(2)), "Frames to learn from: 2."),
    "leak": (lambda: scene(train=np.arange(1, 12)), "learnt from and tested on: view_1."),
    "blind": (
        lambda: with_pose(7, scene().cameras.poses[7] * [-1, 1, -1, 1]),
        "Cameras that do not see the scene's box: view_7. They teach nothing about it",
    ),
    "backwards": (
        lambda: scene(cameras=cameras(poses=scene().cameras.poses * [1, -1, -1, 1])),
        "They would if they looked backwards",
    ),
    "one place": (
        lambda: scene(cameras=cameras(poses=scene().cameras.poses * [1, 1, 1, 0])),
        "All cameras stand in one place",
    ),
    "twice": (
        lambda: with_pose(9, scene().cameras.poses[8]),
        "Frames with the very pose of an earlier one: view_9 (earlier: view_8).",
    ),
    "inside the object": (inside_the_object, "Cameras inside the object: view_3"),
    "inside the box": (lambda: moved(3, (0.0, 0.0, 0.5)), "Cameras inside the box"),
    "narrow": (
        lambda: intrinsics(2, slice(0, 2), 4000.0),
        "Cameras that see 0.115 to 0.115 degrees: view_2.",
    ),
    "shifted": (lambda: intrinsics(2, 2, 7.5), "far from the middle of the picture: view_2."),
    "stretched": (
        lambda: intrinsics(2, 1, 14.0),
        "Pixels that are not square, by more than a tenth: view_2.",
    ),
    "folded": (lambda: lens(6, -2.0), "The lens folds before the corners of the picture: view_6."),
    "size": (
        lambda: scene(cameras=scene().cameras.resized(np.full((COUNT, 2), 16))),
        "Pictures of another size than their cameras': view_0, view_1, view_2, view_3, view_4, view_5 "
        "and 6 more.",
    ),
    "missing": (without_picture, "Frames to learn from that have no picture: view_4."),
    "blank": (blank, "Pictures of one colour: view_5."),
    "skewed": (
        lambda: with_pose(1, scene().cameras.poses[1] * 1.1),
        "Poses whose axes are not orthonormal: view_1.",
    ),
    "nan": (lambda: with_pose(1, np.full((3, 4), np.nan)), "Poses whose axes are not orthonormal: view_1."),
    "empty box": (lambda: scene(box=Box((0.0, 0.0, 0.0), (1.0, 0.0, 1.0))), "The scene's box is empty"),
    "cut": (lambda: scene(points=POINTS), "The box cuts off 8"),
    "small box": (lambda: scene(points=POINTS, unbounded=True), "The box holds 1"),
}


def test_a_sound_scene_has_no_warnings():
    facts = describe_scene(scene(points=POINTS / 2))
    assert facts["warnings"] == []
    assert facts["frames"] == {"train": 10, "test": 2}
    assert facts["distance_of_cameras"] == [4, 4]
    assert facts["degrees_across"] == [43.6, 43.6]


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_named_with_its_frames_and_a_remedy(fault):
    made, words = FAULTS[fault]
    warnings = describe_scene(made())["warnings"]
    found = [warning for warning in warnings if words in warning]
    assert len(found) == 1, warnings
    assert found[0].count(". ") >= 1


def test_in_an_unbounded_scene_cameras_may_stand_in_the_box():
    assert describe_scene(replace(moved(3, (0.0, 0.0, 0.5)), unbounded=True))["warnings"] == []
