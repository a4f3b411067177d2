"""The picture and the page of a scene's cameras."""

import re
from dataclasses import replace

import numpy as np
import pytest

from isofield.data.scene import Box, Photographs, Scene
from isofield.rendering.cameras import pinholes
from isofield.rendering.paths import orbit
from isofield.viewing.page_parts import fingerprint
from isofield.viewing.scene_page import write_scene_page
from isofield.viewing.scene_picture import POINT, TEST, TRAIN, scene_picture

NAME = '"><script>alert(1)</script>{{style}}&'


@pytest.fixture(scope="module")
def scene() -> Scene:
    poses = orbit(np.zeros(3), np.array([0.0, 1, 0]), np.array([1.0, 0, 0]), 4.0, 0.4, 6)
    pixels = np.zeros((6 * 20, 4), np.uint8)
    pixels[:20] = 255, 0, 0, 255
    pictures = Photographs(pixels, np.arange(7) * 20, np.tile([5, 4], (6, 1)))
    return Scene(
        NAME, (NAME, *"bcdef"), pinholes(poses, 6.0, (5, 4)), pictures,
        np.arange(5), np.array([5]), Box((-1.0, -1.0, -1.0), (1.0, 1.0, 1.0)), False, notes=("a note",),
    )  # fmt: skip


def has(picture: np.ndarray, colour) -> bool:
    """Whether the colour, or a paler one of its line, is in the picture below the legend."""
    paper = np.array([255.0, 255, 255])
    seen = picture[20:].reshape(-1, 3) - paper
    towards = (np.array(colour) - paper) / np.linalg.norm(np.array(colour) - paper)
    along = seen @ towards
    return bool(((np.linalg.norm(seen - along[:, None] * towards, axis=1) < 3) & (along > 60)).any())


def test_cameras_to_learn_from_and_to_test_on_have_their_colours(scene):
    picture = scene_picture(scene, 300)
    assert has(picture, TRAIN)
    assert has(picture, TEST)
    assert not has(scene_picture(replace(scene, test=np.arange(0)), 300), TEST)


def test_points_are_drawn_where_there_are_some(scene):
    points = np.random.default_rng(0).uniform(-1, 1, (300, 3))
    plain, dotted = scene_picture(scene, 300), scene_picture(replace(scene, points=points), 300)
    counts = [int((picture[40:] == POINT).all(axis=2).sum()) for picture in (plain, dotted)]
    assert counts[1] > counts[0] + 100


def test_a_scene_of_one_camera_can_be_drawn(scene):
    one = replace(scene, cameras=scene.cameras[:1], train=np.arange(1), test=np.arange(0))
    assert has(scene_picture(one, 200), TRAIN)


def test_the_page_is_one_file_that_holds_the_photographs_and_keeps_text_as_text(scene, tmp_path):
    picture = np.zeros((4, 6, 3), np.uint8)
    write_scene_page(
        tmp_path / "page.html", scene, picture, "isofield data check x", [f"Bad: {NAME}."], {"a": NAME}
    )
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<script" not in text
    assert len(re.findall(r'<figure class="(?:train|test)"', text)) == 6
    assert text.count('<figure class="test"') == 1
    assert "{{style}}&amp;" in text
    assert not re.findall(r'(?:src|href)="(?!data:)[^"]*"', text)
    assert fingerprint(re.search(r"<style>(.*?)</style>", text, re.DOTALL)[1]) in text
