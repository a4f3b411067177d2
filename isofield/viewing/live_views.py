"""The live viewer of radiance fields: each browser's own view, rendered where its camera stands."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from ..geometry.frames import Frame
from ..rendering.cameras import Cameras, focal_length, pinholes
from ..rendering.conventions import quaternions_of
from ..rendering.cropped import render_cropped
from ..rendering.paths import up_of
from ..rendering.rays import Rays
from ..rendering.volume import Rendered
from .charts import number_text
from .colours import colour_map
from .live_parts import (
    ACCENT,
    PAPER,
    heading,
    ramp,
    set_the_scene,
    start_server,
    stop_server,
    url_of,
)
from .path_editor import KeyFrame, PathEditor, look, view_of

__all__ = ["LiveViews", "SceneSubject"]

OUTPUTS = ("colour", "depth", "opacity")
RAYS = 1 << 12  # rendered between two looks at whether the camera has moved on
MOVING = 0.08  # seconds that a picture may take while the camera moves
LEAST, MOST, USUAL = 64, 1080, 480  # pixels, of the picture's height
MOST_CAMERAS = 120  # drawn of each kind
FRUSTUM = 0.06  # size of a camera, where the scene's ball has the radius 1
SLATE = (104, 102, 98)
NOTHING = 160.0  # depth of what is not there, about the most that a browser is told


@dataclass(frozen=True, eq=False)
class SceneSubject:
    """A radiance field to look at, in its own world.

    title, note: what it is, and a sentence on what is shown. render: rays (unit directions) -> what they see.
    density: points [N, 3] -> [N]. colour: points, unit directions [N, 3] -> [N, 3]. lower, upper: corners of
    the box that holds the scene. cameras: those of the photographs; train, test: numbers of them. thumbnail:
    number -> small picture uint8 [H, W, 3], or None where the data is not at hand.
    """

    title: str
    note: str
    render: Callable[[Rays], Rendered]
    density: Callable[[torch.Tensor], torch.Tensor]
    colour: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
    lower: tuple[float, float, float]
    upper: tuple[float, float, float]
    cameras: Cameras | None = None
    train: tuple[int, ...] = ()
    test: tuple[int, ...] = ()
    thumbnail: Callable[[int], np.ndarray | None] = lambda number: None


@dataclass(eq=False)
class Sight:
    """One browser. moves: counted up whenever its picture is out of date. drawn: height of the picture it
    shows, of this move; 0 for none."""

    client: Any
    moves: int = 0
    drawn: int = 0
    lock: Any = field(default_factory=threading.Lock)

    def outdated(self) -> None:
        """Its picture has to be drawn anew, a small one first."""
        with self.lock:
            self.moves, self.drawn = self.moves + 1, 0


class LiveViews:
    """A radiance field that browsers see and steer at `url`.

    A picture is drawn small while a camera moves, then larger, always where the camera is now; a large one is
    given up as soon as it moves on. Browsers only mark what has to be drawn; `draw` does it, in the thread
    that calls it. Raises InputError as `live.LiveView` does.

    The scene in the browser is the unit ball around the box, with the cameras of the photographs and the path
    that is edited (`path`). controls: handles of viser by name. nodes: what is in the scene beside the path,
    by name.
    """

    def __init__(self, subject: SceneSubject, host: str = "127.0.0.1", port: int = 8080) -> None:
        self.subject = subject
        self.nodes: dict[str, Any] = {}
        self.controls: dict[str, Any] = {}
        low, high = np.array(subject.lower, np.float64), np.array(subject.upper, np.float64)
        x, y, z = (float(c) for c in (low + high) / 2)
        self.stage = Frame((x, y, z), 2 / float(np.linalg.norm(high - low)))
        self._rays_in_a_second = 5e4  # until it is measured
        self._sights: dict[int, Sight] = {}
        self._stale = {"scene", "path"}
        self._changed = threading.Event()
        self._server: Any = start_server(host, port)
        set_the_scene(self._server, "z")
        self._first_view()
        self._panel(low, high)
        self._changed.set()
        self._server.on_client_connect(self._enter)
        self._server.on_client_disconnect(lambda client: self._sights.pop(client.client_id, None))

    @property
    def url(self) -> str:
        """Where browsers find the scene."""
        return url_of(self._server)

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return self._server.get_port()

    def update(self, subject: SceneSubject) -> None:
        """Show another state of the same scene."""
        self.subject = subject
        self._mark("scene", views=True)

    def draw(self, wait: float = 0.0) -> bool:
        """Draw what has changed, if anything does within `wait` seconds; returns whether there was
        something."""
        if self.path.advance():
            self._changed.set()
        if not self._changed.wait(wait):
            return False
        self._changed.clear()
        for part, redraw in (("path", self.path.draw), ("scene", self._draw_scene)):
            if part in self._stale:
                self._stale.discard(part)  # before: what changes while it is drawn is drawn again
                redraw()
        for sight in [*self._sights.values()]:
            if self._advance(sight):
                self._changed.set()
        return True

    def close(self) -> None:
        """Stop serving."""
        stop_server(self._server)

    # ---- controls

    def _first_view(self) -> None:
        """As from the first camera that is kept apart, or of those learnt from."""
        cameras, camera = self.subject.cameras, self._server.initial_camera
        if cameras is None or len(cameras) == 0:
            return
        number = (*self.subject.test, *self.subject.train, 0)[0]
        pose = cameras.poses[number]
        up = up_of(cameras.poses)
        self._server.scene.set_up_direction(up)
        place = self.stage.to_working(pose[:, 3]).astype(np.float64)
        camera.position, camera.up = place, up
        camera.look_at = place + max(float(np.linalg.norm(place)), 0.1) * pose[:, 2]
        camera.fov = _angle(cameras, number)

    def _panel(self, low: np.ndarray, high: np.ndarray) -> None:
        gui, subject, on = self._server.gui, self.subject, self.controls
        gui.main_panel.dock_right()
        on["note"] = gui.add_html("")
        with gui.add_folder("Picture"):
            on["output"] = gui.add_dropdown("Shows", OUTPUTS)
            on["height"] = gui.add_slider("Resolution", LEAST, MOST, 4, USUAL, hint="Rows of pixels, at rest")
            on["legend"] = gui.add_html("")
        with gui.add_folder("Crop"):
            on["crop"] = gui.add_checkbox("Crop", False, hint="Only what is in the box")
            for name, start, end in zip("xyz", low, high):
                step = float(f"{(end - start) / 200:.1g}")
                ends = (float(start), float(end))
                on[name] = gui.add_multi_slider(name, *ends, step, ends)
        size = (800, 800)
        if subject.cameras is not None and len(subject.cameras):
            size = (int(subject.cameras.sizes[0, 0]), int(subject.cameras.sizes[0, 1]))
            with gui.add_folder("Cameras"):
                for kind, numbers in (("train", subject.train), ("test", subject.test)):
                    on[kind] = gui.add_checkbox(f"{kind} ({len(numbers)})", False, disabled=not numbers)
        self.path = PathEditor(self._server, self.stage, size, lambda: self._mark("path"))
        on["output"].on_update(lambda _: self._mark(views=True))
        on["height"].on_update(lambda _: self._mark(views=True))
        on["crop"].on_update(lambda _: self._mark("scene", views=True))
        for name in "xyz":
            on[name].on_update(lambda _: self._move_crop())
        for kind in {"train", "test"} & on.keys():
            on[kind].on_update(lambda _: self._mark("scene", views=True))

    def _move_crop(self) -> None:
        """Whoever moves the box wants to see what it does."""
        if not self.controls["crop"].value:
            self.controls["crop"].value = True
        self._mark("scene", views=True)

    def _mark(self, *parts: str, views: bool = False) -> None:
        self._stale.update(parts)
        if views:
            for sight in [*self._sights.values()]:
                sight.outdated()
        self._changed.set()

    def _enter(self, client: Any) -> None:
        sight = self._sights[client.client_id] = Sight(client)

        def moved(_: Any) -> None:
            sight.outdated()
            self._changed.set()

        client.camera.on_update(moved)
        self._changed.set()

    # ---- the scene

    def _draw_scene(self) -> None:
        """The heading, the cameras of the photographs, and the box where it crops."""
        subject = self.subject
        self.controls["note"].content = heading(subject.title, subject.note)
        for kind, numbers, colour in (("train", subject.train, SLATE), ("test", subject.test, ACCENT)):
            asked = kind in self.controls and self.controls[kind].value
            if asked and kind not in self.nodes:
                self.nodes[kind] = self._frusta(kind, numbers, colour)
            elif not asked and kind in self.nodes:
                for node in self.nodes.pop(kind):
                    node.remove()
        if self.controls["crop"].value:
            corners = self.stage.to_working(np.array(self._crop()))
            edges = _edges(*corners)
            self.nodes["crop"] = self._server.scene.add_line_segments("/crop", edges, ACCENT, thickness=0.004)
        elif "crop" in self.nodes:
            self.nodes.pop("crop").remove()

    def _frusta(self, kind: str, numbers: tuple[int, ...], colour: tuple[int, int, int]) -> list[Any]:
        """Cameras of the photographs, evenly chosen where there are many; a click looks through one."""
        cameras, scene, made = self.subject.cameras, self._server.scene, []
        assert cameras is not None
        chosen = np.linspace(0, len(numbers) - 1, min(len(numbers), MOST_CAMERAS)).round().astype(int)
        for number in (numbers[place] for place in chosen):
            pose, (width, height) = cameras.poses[number], cameras.sizes[number]
            key = KeyFrame(pose, _angle(cameras, number))
            node = scene.add_camera_frustum(
                f"/cameras/{kind}/{number}",
                key.angle,
                float(width / height),
                scale=FRUSTUM,
                thickness=0.003,
                color=colour,
                image=self.subject.thumbnail(number),
                wxyz=quaternions_of(pose[None, :, :3])[0],
                position=self.stage.to_working(pose[:, 3]),
                cast_shadow=False,
            )
            node.on_click(lambda event, key=key: look(event.client.camera, key, self.stage))
            made.append(node)
        return made

    def _crop(self) -> tuple[list[float], list[float]]:
        """Lower and upper corner of the box."""
        ends = [self.controls[name].value for name in "xyz"]
        return [float(end[0]) for end in ends], [float(end[1]) for end in ends]

    # ---- pictures

    def _advance(self, sight: Sight) -> bool:
        """Draw the next picture of a browser; returns whether there is more to do for it."""
        camera = sight.client.camera
        full = min(int(self.controls["height"].value), max(int(camera.image_height), LEAST))
        with sight.lock:
            moves, drawn = sight.moves, sight.drawn
        if drawn >= full:
            return False
        aspect = float(camera.aspect)
        height = self._next_height(drawn, full, aspect)
        view = view_of(camera, self.stage)
        size = (max(round(height * aspect), 1), height)
        cameras = pinholes(view.pose[None], focal_length(height, view.angle), size)
        # a first, small one is always finished: else nothing would be seen of a camera that never rests
        seen = self._render(cameras, lambda: drawn == 0 or sight.moves == moves)
        if seen is None:
            return True
        picture, depth, legend = self._picture(seen, cameras)
        with_nodes = bool(self.nodes) or bool(self.path.keys)
        sight.client.scene.set_background_image(
            picture, "jpeg", jpeg_quality=90 if height == full else 70, depth=depth if with_nodes else None
        )
        self.controls["legend"].content = legend
        with sight.lock:
            if sight.moves == moves:
                sight.drawn = height
            return sight.drawn < full

    def _next_height(self, drawn: int, full: int, aspect: float) -> int:
        """Height of the next picture: what can be had while the camera moves, then the square root of what is
        left, then all."""
        if drawn == 0:
            return int(np.clip(np.sqrt(MOVING * self._rays_in_a_second / aspect), min(24, full), full))
        return full if 3 * drawn > full else round(np.sqrt(drawn * full))

    @torch.no_grad()
    def _render(self, cameras: Cameras, wanted: Callable[[], bool]) -> Rendered | None:
        """What the one camera sees; None once it is not wanted any more."""
        rays, start, parts = cameras.picture_rays(0), time.perf_counter(), []
        rays = Rays(rays.origins.float(), rays.directions.float())
        render = self._renderer()
        for first in range(0, len(rays), RAYS):
            if not wanted():
                return None
            parts.append(render(rays[first : first + RAYS]))
        speed = len(rays) / max(time.perf_counter() - start, 1e-6)
        self._rays_in_a_second = np.sqrt(self._rays_in_a_second * speed)
        return Rendered(
            *(torch.cat([getattr(p, name) for p in parts]) for name in ("colour", "opacity", "distance"))
        )

    def _renderer(self) -> Callable[[Rays], Rendered]:
        subject = self.subject
        if not self.controls["crop"].value:
            return subject.render
        lower, upper = (torch.tensor(corner) for corner in self._crop())
        return lambda rays: render_cropped(subject.density, subject.colour, lower, upper, rays)

    def _picture(self, seen: Rendered, cameras: Cameras) -> tuple[np.ndarray, np.ndarray, str]:
        """The picture uint8 [H, W, 3], the depths along the view in units of the browser's scene [H, W], and
        the legend."""
        width, height = cameras.sizes[0]
        opacity = seen.opacity.cpu().numpy()
        there = opacity > 0.5
        distance = seen.distance.cpu().numpy() / np.maximum(opacity, 1e-6)
        along = (cameras.picture_rays(0).directions.numpy() * cameras.axes[0]).sum(axis=1)
        depth = np.where(there, distance * along * self.stage.scale, NOTHING).reshape(height, width)
        output, legend = self.controls["output"].value, ""
        if output == "colour":
            paper = torch.tensor(PAPER, dtype=torch.float32) / 255
            colours = (seen.over(paper.to(seen.colour)).clamp(0, 1).cpu().numpy() * 255).round()
        elif output == "depth":
            low, high = np.percentile(distance[there], [1, 99]) if there.any() else (0.0, 1.0)
            colours = np.where(there[:, None], colour_map(distance, low, max(high, low + 1e-6)), PAPER)
            legend = ramp("sequential", number_text(float(low)), number_text(float(high)))
        else:
            colours = np.repeat(255 * opacity[:, None], 3, axis=1)
        return colours.reshape(height, width, 3).astype(np.uint8), depth, legend


def _angle(cameras: Cameras, number: int) -> float:
    """Vertical field of view in radians, of the lens without its distortion."""
    return float(2 * np.arctan(0.5 * cameras.sizes[number, 1] / cameras.intrinsics[number, 1]))


def _edges(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """The twelve edges [12, 2, 3] of a box."""
    corners = np.array([[(low, high)[k >> axis & 1][axis] for axis in range(3)] for k in range(8)])
    return np.array([(corners[k], corners[k | 1 << a]) for k in range(8) for a in range(3) if not k >> a & 1])
