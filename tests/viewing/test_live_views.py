"""The live viewer of radiance fields without a browser: what its cameras see, and paths made in it."""

import json
import threading
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from isofield.geometry.frames import Frame
from isofield.rendering.cameras import looking_at, pinholes
from isofield.rendering.conventions import quaternions_of
from isofield.rendering.cropped import render_cropped
from isofield.rendering.rays import Rays, ray_sphere
from isofield.rendering.volume import Rendered
from isofield.viewing.live_parts import PAPER
from isofield.viewing.live_views import RAYS, LiveViews, SceneSubject
from isofield.viewing.path_editor import KeyFrame, view_of

pytest.importorskip("viser")
CENTRE, RADIUS, DENSITY = np.array([100.0, 0.0, -50.0]), 2.0, 3.0
UP = np.array([0.0, 0.0, 1.0])


def colour_at(points: torch.Tensor) -> torch.Tensor:
    """Red where x is above the centre's, blue elsewhere."""
    red = (points[:, 0] > CENTRE[0]).float()
    return torch.stack([red, torch.zeros_like(red), 1 - red], 1)


def density(points: torch.Tensor) -> torch.Tensor:
    return DENSITY * ((points - torch.tensor(CENTRE).to(points)).norm(dim=1) < RADIUS).float()


def render(rays: Rays) -> Rendered:
    """A ball of constant density with the colour of where a ray enters it: 1 - exp(-density length) of it."""
    entry, leave = ray_sphere(rays, torch.tensor(CENTRE).to(rays.origins), RADIUS)
    opacity = 1 - torch.exp(-DENSITY * (leave - entry))
    colours = colour_at(rays.origins + entry[:, None] * rays.directions)
    return Rendered(opacity[:, None] * colours, opacity, opacity * entry)


def poses(count: int = 8) -> np.ndarray:
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False)
    places = CENTRE + 8 * np.column_stack([np.cos(angles), np.sin(angles), np.full(count, 0.3)])
    return np.stack([looking_at(place, CENTRE, UP) for place in places])


def subject() -> SceneSubject:
    cameras = pinholes(poses(), 100.0, (96, 64))
    low, high = tuple(CENTRE - 2.5), tuple(CENTRE + 2.5)
    thumbnail = np.zeros((8, 12, 3), np.uint8)
    return SceneSubject(
        "ball", "After 3 steps.", render, density, lambda points, _: colour_at(points), low, high, cameras,
        (0, 1, 2, 3, 4, 5), (6, 7), lambda number: thumbnail,
    )  # fmt: skip


class Browser:
    """What a client of viser is to the viewer: a camera and a place for a picture."""

    def __init__(self, stage: Frame, pose: np.ndarray, height: int = 400) -> None:
        self.client_id, self.pictures = 1, []
        self.scene = SimpleNamespace(set_background_image=self._take)
        self.camera = SimpleNamespace(
            fov=0.6, aspect=1.5, image_height=height, client=self, on_update=self._listen
        )
        self.stand(stage, pose)

    def stand(self, stage: Frame, pose: np.ndarray) -> None:
        self.camera.wxyz = quaternions_of(pose[None, :, :3])[0]
        self.camera.position = stage.to_working(pose[:, 3])

    def _listen(self, moved) -> None:
        self.moved = moved

    def _take(self, picture, kind, jpeg_quality, depth) -> None:
        self.pictures.append((picture, depth))

    @property
    def picture(self) -> np.ndarray:
        return self.pictures[-1][0]


@pytest.fixture
def live():
    view = LiveViews(subject(), port=18480)
    yield view
    view.close()


@pytest.fixture
def seen(live):
    """A browser in front of the ball, whose half with x above the centre's is at its right."""
    browser = Browser(live.stage, looking_at(CENTRE + np.array([0, -8.0, 0]), CENTRE, UP))
    live._enter(browser)
    settle(live)
    return browser


def settle(live: LiveViews) -> None:
    while live.draw(0.4):
        pass


def turn(live: LiveViews, name: str, value) -> None:
    live.controls[name].value = value
    settle(live)


def test_a_browser_sees_the_ball_from_where_its_camera_stands(live, seen):
    picture = seen.picture.astype(int)
    assert picture.shape == (400, 600, 3)
    assert np.abs(picture[200, 350] - (255, 0, 0)).max() < 3  # right of the middle: x above
    assert np.abs(picture[200, 250] - (0, 0, 255)).max() < 3
    assert np.abs(picture[5, 5] - PAPER).max() < 2
    radius = 200 / np.tan(0.3) * np.tan(np.arcsin(RADIUS / 8))
    wide = np.abs(picture - PAPER).max(axis=2) > 25
    assert np.ptp(np.nonzero(wide.any(axis=0))) / 2 == pytest.approx(radius, rel=0.03)
    seen.stand(live.stage, looking_at(CENTRE + np.array([0, 8.0, 0]), CENTRE, UP))
    seen.moved(None)
    settle(live)
    assert np.abs(seen.picture[200, 350].astype(int) - (0, 0, 255)).max() < 3


def test_pictures_come_small_first_and_whole_in_the_end(live, seen):
    live._rays_in_a_second = 2e4
    seen.pictures.clear()
    seen.moved(None)
    settle(live)
    heights = [picture.shape[0] for picture, _ in seen.pictures]
    assert heights == sorted({*heights})
    assert heights[0] < 100
    assert heights[-1] == 400
    turn(live, "height", 200)
    assert seen.picture.shape == (200, 300, 3)


def test_a_large_picture_is_given_up_when_the_camera_moves_on(live, seen):
    rendered = []

    def slow(rays: Rays) -> Rendered:
        rendered.append(len(rays))
        if len(rendered) == 3:
            seen.moved(None)
        return render(rays)

    cameras = pinholes(poses()[:1], 400.0, (600, 400))
    live.subject = SimpleNamespace(render=slow)
    sight = live._sights[1]
    before = sight.moves
    assert live._render(cameras, lambda: sight.moves == before) is None
    assert rendered == [RAYS] * 3


def test_depths_are_those_of_the_world_and_hide_what_lies_behind(live, seen):
    turn(live, "output", "depth")
    assert live.controls["legend"].content
    turn(live, "train", True)  # something to hide
    depth = seen.pictures[-1][1]
    assert depth[200, 300] / live.stage.scale == pytest.approx(8 - RADIUS, rel=0.01)
    assert depth[5, 5] > 100
    colours = seen.picture[200, 300].astype(int), seen.picture[200, 420].astype(int)
    assert np.abs(colours[0] - colours[1]).max() > 20  # nearer in the middle than at the side
    turn(live, "output", "opacity")
    assert seen.picture[200, 300] == pytest.approx(255, abs=1)
    assert seen.picture[5, 5].max() == 0
    assert live.controls["legend"].content == ""


def test_the_box_cuts_away_what_lies_outside(live, seen):
    live.controls["x"].value = (100.0, 102.5)
    settle(live)
    assert live.controls["crop"].value
    picture = seen.picture.astype(int)
    assert np.abs(picture[200, 350] - (255, 0, 0)).max() < 6
    assert np.abs(picture[200, 250] - PAPER).max() < 3
    assert "crop" in live.nodes
    turn(live, "crop", False)
    assert "crop" not in live.nodes
    assert np.abs(seen.picture[200, 250].astype(int) - (0, 0, 255)).max() < 3


def test_a_slab_in_a_box_is_rendered_to_the_closed_form():
    rays = Rays(torch.tensor([[0.0, 0, -3], [0, 5, -3]]), torch.tensor([[0.0, 0, 1], [0, 0, 1]]))
    lower, upper = torch.tensor([-1.0, -1, -0.25]), torch.tensor([1.0, 1, 0.5])
    seen = render_cropped(
        lambda p: 2 * torch.ones(len(p)), lambda p, _: torch.ones(len(p), 3), lower, upper, rays
    )
    assert seen.opacity.tolist() == pytest.approx([1 - np.exp(-2 * 0.75), 0], abs=1e-5)
    assert seen.colour[0].tolist() == pytest.approx([1 - np.exp(-1.5)] * 3, abs=1e-5)
    mean = 2.75 * (1 - np.exp(-1.5)) + 0.5 - 0.5 * np.exp(-1.5) * (1 + 2 * 0.75)  # of t 2 e^(-2 (t - 2.75))
    assert seen.distance.tolist() == pytest.approx([mean, 0], rel=1e-3)


def test_cameras_are_shown_where_they_stood_with_their_pictures(live):
    settle(live)
    assert live.nodes == {}
    turn(live, "train", True)
    turn(live, "test", True)
    assert [len(live.nodes[kind]) for kind in ("train", "test")] == [6, 2]
    node, pose = live.nodes["train"][2], poses()[2]
    assert node.position == pytest.approx(live.stage.to_working(pose[:, 3]), abs=1e-5)
    assert np.abs(node.wxyz @ quaternions_of(pose[None, :, :3])[0]) == pytest.approx(1)
    assert np.degrees(node.fov) == pytest.approx(2 * np.degrees(np.arctan(0.32)))
    assert node.image is not None
    turn(live, "train", False)
    assert live.nodes.keys() == {"test"}


def test_without_cameras_or_data_there_is_the_field_alone():
    bare = SceneSubject(
        "ball", "", *(getattr(subject(), n) for n in ("render", "density", "colour", "lower", "upper"))
    )
    view = LiveViews(bare, port=18480)
    try:
        settle(view)
        assert "train" not in view.controls
    finally:
        view.close()


# ---- paths


def key(number: int) -> KeyFrame:
    return KeyFrame(poses()[number], 0.5 + 0.1 * number)


def test_keyframes_are_added_after_the_chosen_one_moved_and_deleted(live):
    path = live.path
    for number in (0, 1, 2):
        path.add(key(number))
    settle(live)
    assert (path.chosen, path.controls["chosen"].options) == (2, ("1", "2", "3"))
    path.choose(0)
    path.add(key(5))
    assert [round((k.angle - 0.5) * 10) for k in path.keys] == [0, 5, 1, 2]
    path.move(1, key(4))
    path.delete(0)
    settle(live)
    assert [round((k.angle - 0.5) * 10) for k in path.keys] == [4, 1, 2]
    assert path.controls["chosen"].value == str(path.chosen + 1)
    for _ in range(3):
        path.delete(0)
    settle(live)
    assert path.controls["save"].disabled


def test_the_view_of_a_browser_is_a_keyframe(live, seen):
    stood = looking_at(CENTRE + np.array([1, -8.0, 2]), CENTRE, UP)
    seen.stand(live.stage, stood)
    found = view_of(seen.camera, live.stage)
    assert found.pose == pytest.approx(stood, abs=1e-5)
    assert found.angle == 0.6


def test_a_path_passes_its_keyframes_smoothly_and_comes_back_from_its_file(live):
    path = live.path
    for number in range(4):
        path.add(key(number))
    path.controls["seconds"].value = 5.0
    film = path.film()
    assert len(film.cameras) == 120
    assert film.cameras.poses[[0, -1]] == pytest.approx(poses()[[0, 3]])
    steps = np.linalg.norm(np.diff(film.cameras.centres, axis=0), axis=1)
    assert steps.max() < 1.6 * steps.min()
    content = json.loads(path.saved())
    assert len(content["camera_path"]) == 120
    assert (content["render_width"], content["render_height"]) == (96, 64)
    assert [frame["fov"] for frame in content["keyframes"]] == pytest.approx(
        [np.degrees(key(number).angle) for number in range(4)]
    )
    saved, before = path.saved(), path.keys
    while path.keys:
        path.delete(0)
    path.load(saved)
    settle(live)
    assert len(path.keys) == 4
    for found, was in zip(path.keys, before):
        assert found.pose == pytest.approx(was.pose, abs=1e-9)
        assert found.angle == pytest.approx(was.angle)
    assert path.controls["seconds"].value == pytest.approx(5.0)
    path.load(b'{"camera_path": []}')
    assert "empty" in path.controls["note"].content
    assert len(path.keys) == 4


def test_a_closed_path_leads_back_to_its_beginning(live):
    for number in (0, 2, 4, 6):
        live.path.add(key(number))
    live.path.controls["closed"].value = True
    film = live.path.film()
    assert film.closed
    steps = np.linalg.norm(np.diff(film.cameras.centres, axis=0, append=film.cameras.centres[:1]), axis=1)
    assert steps.max() < 1.2 * steps.min()


def test_what_is_played_moves_the_camera_along_the_path(live, seen):
    seen.atomic = threading.Lock
    for number in (0, 1):
        live.path.add(key(number))
    live.path.controls["seconds"].value = 0.1
    live.path._play(seen)
    while live.path.advance():
        pass
    assert view_of(seen.camera, live.stage).pose == pytest.approx(poses()[1], abs=1e-5)
