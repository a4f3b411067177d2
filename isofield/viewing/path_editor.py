"""Camera paths made in the live viewer: keyframes, a smooth way through them, nerfstudio's file."""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..data.camera_path import CameraPath, read_camera_path, write_camera_path
from ..geometry.frames import Frame
from ..rendering.cameras import Cameras, focal_length, pinholes
from ..rendering.conventions import quaternions_of, rotations_of
from ..rendering.paths import between
from ..runtime.errors import InputError
from .live_parts import ACCENT

__all__ = ["KeyFrame", "PathEditor", "look", "view_of"]

FRAMES_PER_SECOND = 24
GOLD = (205, 140, 40)
CHOSEN = 0.09  # size of the frustum of a keyframe, where the scene's ball has the radius 1
MOST_SECONDS = 120.0


@dataclass(frozen=True, eq=False)
class KeyFrame:
    """A camera in the world: pose [3, 4] and vertical field of view in radians."""

    pose: np.ndarray
    angle: float


def view_of(camera: Any, stage: Frame) -> KeyFrame:
    """The camera of a browser. stage: from the world to the browser's scene."""
    rotation = rotations_of(np.asarray(camera.wxyz, np.float64)[None])[0]
    return KeyFrame(np.column_stack([rotation, stage.to_input(camera.position)]), float(camera.fov))


def look(camera: Any, key: KeyFrame, stage: Frame) -> None:
    """Put the camera of a browser there."""
    with camera.client.atomic():
        camera.wxyz = quaternions_of(key.pose[None, :, :3])[0]
        camera.position = stage.to_working(key.pose[:, 3])
        camera.fov = key.angle


class PathEditor:
    """A folder of the panel, and the path in the scene.

    keys: the keyframes, in the world. chosen: number of the one that is edited. controls: handles of viser by
    name.
    """

    def __init__(self, server: Any, stage: Frame, size: tuple[int, int], changed: Callable[[], None]) -> None:
        """size: width, height of the film. changed: called when the path has to be drawn anew."""
        self.keys: list[KeyFrame] = []
        self.chosen = 0
        self._server, self._stage, self._changed = server, stage, changed
        self._playing: tuple[Any, float] | None = None
        self._nodes: list[Any] = []
        gui = server.gui
        with gui.add_folder("Camera path"):
            self.controls = {
                "add": gui.add_button("Add this view", hint="As a keyframe after the chosen one"),
                "chosen": gui.add_dropdown("Keyframe", ("0",)),
                "look": gui.add_button("Look from it", disabled=True),
                "set": gui.add_button("Move it to this view", disabled=True, hint="Or drag its arrows"),
                "delete": gui.add_button("Delete it", disabled=True),
                "closed": gui.add_checkbox("Closed", False, hint="The last keyframe leads on to the first"),
                "seconds": gui.add_number("Seconds", 6.0, min=0.1, max=MOST_SECONDS, step=0.1),
                "size": gui.add_vector2("Picture", size, min=(16, 16), max=(8192, 8192), step=1),
                "preview": gui.add_slider("Preview", 0.0, 1.0, 0.001, 0.0, disabled=True),
                "play": gui.add_button("Play", disabled=True),
                "save": gui.add_button(
                    "Save", disabled=True, hint="As nerfstudio's camera path, a JSON file"
                ),
                "load": gui.add_upload_button("Load", mime_type="application/json"),
                "note": gui.add_html(""),
            }
        on = self.controls
        on["add"].on_click(lambda e: self.add(view_of(e.client.camera, stage)))
        on["look"].on_click(lambda e: look(e.client.camera, self.keys[self.chosen], stage))
        on["set"].on_click(lambda e: self.move(self.chosen, view_of(e.client.camera, stage)))
        on["delete"].on_click(lambda _: self.delete(self.chosen))
        on["chosen"].on_update(lambda e: self._chosen_in(e.client))
        on["closed"].on_update(lambda _: changed())
        on["preview"].on_update(lambda e: self._preview(e.client, on["preview"].value))
        on["play"].on_click(lambda e: self._play(e.client))
        on["save"].on_click(lambda e: e.client.send_file_download("camera_path.json", self.saved()))
        on["load"].on_upload(lambda _: self.load(on["load"].value.content))

    # ---- what the buttons do

    def add(self, key: KeyFrame) -> None:
        """A keyframe after the chosen one, which is chosen from then on."""
        place = min(self.chosen + 1, len(self.keys))
        self.keys, self.chosen = [*self.keys[:place], key, *self.keys[place:]], place
        self._changed()

    def choose(self, number: int) -> None:
        """Edit keyframe `number`."""
        if number != self.chosen and number in range(len(self.keys)):
            self.chosen = number
            self._changed()

    def move(self, number: int, key: KeyFrame) -> None:
        """Another camera in the place of keyframe `number`."""
        self.keys = [key if n == number else other for n, other in enumerate(self.keys)]
        self._changed()

    def delete(self, number: int) -> None:
        """Without keyframe `number`."""
        self.keys = [key for n, key in enumerate(self.keys) if n != number]
        self.chosen = max(min(self.chosen, len(self.keys) - 1), 0)
        self._changed()

    def film(self) -> CameraPath:
        """The path as a film: as many frames as its seconds have, evenly in time from keyframe to
        keyframe."""
        count = max(round(self.controls["seconds"].value * FRAMES_PER_SECOND), 1)
        closed = bool(self.controls["closed"].value)
        width, height = (int(side) for side in self.controls["size"].value)

        def cameras(poses: np.ndarray, angles: np.ndarray) -> Cameras:
            return pinholes(poses, np.array([focal_length(height, a) for a in angles]), (width, height))

        keys = self.keys
        own = cameras(np.stack([key.pose for key in keys]), np.array([key.angle for key in keys]))
        return CameraPath(cameras(*_way(keys, count, closed)), FRAMES_PER_SECOND, closed, own)

    def saved(self) -> bytes:
        """The path as nerfstudio's JSON."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "camera_path.json"
            write_camera_path(file, self.film())
            return file.read_bytes()

    def load(self, content: bytes) -> None:
        """Take the keyframes of such a file, or some of its frames where it has none; what is wrong with one
        that cannot be read is said in the panel."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "camera_path.json"
            file.write_bytes(content)
            try:
                film = read_camera_path(file)
            except InputError as error:
                self.controls["note"].content = f"This file {error.what}."
                return
        self.controls["note"].content = ""
        cameras = film.cameras
        if film.keyframes is not None:
            keys = film.keyframes
        else:
            few = min(len(cameras), 12)
            keys = cameras[np.linspace(0, len(cameras) - 1, few).round().astype(int)]
        angles = 2 * np.arctan(0.5 * keys.sizes[:, 1] / keys.intrinsics[:, 1])
        self.keys = [KeyFrame(pose, float(angle)) for pose, angle in zip(keys.poses, angles)]
        self.chosen = 0
        self.controls["closed"].value = film.closed
        self.controls["seconds"].value = float(
            np.clip(len(cameras) / film.frames_per_second, 0.1, MOST_SECONDS)
        )
        self.controls["size"].value = tuple(float(side) for side in cameras.sizes[0])
        self._changed()

    def advance(self) -> bool:
        """Go on with what is played; returns whether anything is."""
        if self._playing is None:
            return False
        client, start = self._playing
        share = (time.monotonic() - start) / self.controls["seconds"].value
        self._preview(client, min(share, 1.0))
        if share >= 1:
            self._playing = None
        return self._playing is not None

    def _chosen_in(self, client: Any) -> None:
        if client is not None:  # and not the panel itself, which fits its list to the keyframes
            self.choose(int(self.controls["chosen"].value) - 1)

    def _preview(self, client: Any, share: float) -> None:
        keys = self.keys
        if not keys or client is None:
            return
        poses, angles = _way(keys, 1001, bool(self.controls["closed"].value))
        number = round(share * 1000)
        look(client.camera, KeyFrame(poses[number], float(angles[number])), self._stage)

    def _play(self, client: Any) -> None:
        self._playing = (client, time.monotonic())
        self._changed()

    # ---- drawing

    def draw(self) -> None:
        """Draw the path and its keyframes, and let the panel fit them."""
        keys, chosen, on = self.keys, self.chosen, self.controls
        names = tuple(str(number + 1) for number in range(len(keys))) or ("0",)
        if on["chosen"].options != names:
            on["chosen"].options = names
        on["chosen"].value = names[min(chosen, len(names) - 1)]
        for name in ("look", "set", "delete", "preview", "play", "save"):
            on[name].disabled = not keys
        for node in self._nodes:
            node.remove()
        self._nodes = []
        if not keys:
            return
        scene = self._server.scene
        width, height = on["size"].value
        for number, key in enumerate(keys):
            here = {
                "wxyz": quaternions_of(key.pose[None, :, :3])[0],
                "position": self._stage.to_working(key.pose[:, 3]),
            }
            colour = ACCENT if number == chosen else GOLD
            shape = {"fov": key.angle, "aspect": width / height, "scale": CHOSEN, "thickness": 0.006}
            frustum = scene.add_camera_frustum(f"/path/{number}", color=colour, **shape, **here)
            frustum.on_click(lambda _, number=number: self.choose(number))
            self._nodes.append(frustum)
            if number == chosen:
                arrows = scene.add_transform_controls(
                    "/path/arrows", scale=2 * CHOSEN, depth_test=False, **here
                )
                arrows.on_update(lambda event, number=number, key=key: self._drag(event, number, key))
                self._nodes.append(arrows)
        if len(keys) > 1:
            poses, _ = _way(keys, 40 * len(keys), bool(on["closed"].value))
            line = self._stage.to_working(poses[:, :, 3])
            segments = np.stack([line[:-1], line[1:]], axis=1)
            self._nodes.append(scene.add_line_segments("/path/line", segments, GOLD, thickness=0.006))

    def _drag(self, event: Any, number: int, key: KeyFrame) -> None:
        if event.phase == "end":
            rotation = rotations_of(np.asarray(event.target.wxyz, np.float64)[None])[0]
            place = self._stage.to_input(event.target.position)
            self.move(number, KeyFrame(np.column_stack([rotation, place]), key.angle))


def _way(keys: list[KeyFrame], count: int, closed: bool) -> tuple[np.ndarray, np.ndarray]:
    """Poses and fields of view of `count` frames along keyframes."""
    poses = between(np.stack([key.pose for key in keys]), count, closed)
    angles = [key.angle for key in keys] + ([keys[0].angle] if closed else [])
    times = np.linspace(0, len(angles) - 1, count, endpoint=not closed)
    return poses, np.interp(times, range(len(angles)), angles)
