"""The live viewer: a scene in the browser that answers to its sliders, on the library viser."""

import contextlib
import io
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..data.gltf import write_glb
from ..geometry.clip import clipped
from ..geometry.frames import Frame
from ..geometry.mesh import Mesh, area_weighted_normals
from ..runtime.errors import FailedError
from .charts import number_text
from .colours import colour_map, error_range
from .cut_picture import PLANE_AXES, LiveField, cut_picture
from .live_parts import heading, ramp, set_the_scene, slider, start_server, stop_server, url_of
from .packing import simplified
from .picture import CLAY, Up

__all__ = ["LiveView", "Subject"]

MOST_FACES = 300_000  # drawn; more are simplified for display
MOST_POINTS = 300_000
AMBER = (237, 168, 84)
SLATE = (104, 102, 98)  # of points, which have no shade
# from the axes of a picture (columns, rows, across) to those of planes across x, y and z, as quaternions
TURNS = ((0.5, 0.5, 0.5, 0.5), (0.5, -0.5, -0.5, -0.5), (1.0, 0.0, 0.0, 0.0))
# what has to be drawn anew when a control is moved
STALE = {
    "show": ("result",),
    "mode": ("result",),
    "level": ("result", "slice"),
    "slice": ("result", "slice"),
    "cut": ("result",),
    "across": ("result", "slice"),
    "x": ("result", "slice"),
    "y": ("result", "slice"),
    "z": ("result", "slice"),
    "given": ("given",),
}
SHEER = 0.45  # opacity of the input over the result
OVERLAP = 0.2  # seconds that an old mesh stays while browsers unpack the new one


@dataclass(frozen=True, eq=False)
class Subject:
    """What there is to see; all in the coordinates of the input.

    title, note: what it is, and a sentence on what is shown. mesh: the surface; one without faces is drawn as
    points; None for the surface of `field` at its own level. given: what the mesh was made from, likewise.
    distance: points [N, 3] -> their distances to the input [N], shares of its longest edge. field: what can
    be cut.
    """

    title: str
    note: str = ""
    mesh: Mesh | None = None
    given: Mesh | None = None
    distance: Callable | None = None
    field: LiveField | None = None


@dataclass(frozen=True, eq=False)
class Dressed:
    """A surface as it is to be drawn, before it is cut: for which level and mode, the mesh with its colours
    (None where there is no surface), the sentence and the legend that go with it."""

    asked: tuple[float | None, str]
    mesh: Mesh | None
    note: str
    legend: str = ""


class LiveView:
    """A subject in a scene that browsers see and steer at `url`.

    The scene is the unit ball around the shape, whatever the unit and the distance from the origin: browsers
    draw in single precision. The controls speak of the input's own coordinates. Browsers only mark what has
    to be drawn anew; `draw` does it, in the thread that calls it. Raises InputError where viser is missing or
    the address cannot be had.

    subject: what is shown now. controls: handles of viser by name. nodes: what is in the scene, by name.
    """

    def __init__(self, subject: Subject, host: str = "127.0.0.1", port: int = 8080, up: Up = "y") -> None:
        self.subject = subject
        self.nodes: dict[str, Any] = {}
        self.controls: dict[str, Any] = {}
        self._dressed: Dressed | None = None
        self._light_given: tuple[Mesh, Mesh] | None = None  # an input, and what is drawn of it
        self._leaving: list[tuple[float, Any]] = []  # nodes whose place is taken, and when they go
        self._count = 0
        self._stale: set[str] = set()
        self._lock, self._changed = threading.Lock(), threading.Event()
        self._server: Any = start_server(host, port)
        set_the_scene(self._server, up)
        self._begin()

    @property
    def url(self) -> str:
        """Where browsers find the scene; where it is served on all addresses, by this machine's name."""
        return url_of(self._server)

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return self._server.get_port()

    def update(self, subject: Subject) -> None:
        """Show a subject in the place of what is shown. The controls stay, unless it asks for others."""
        before, self.subject = self.subject, subject
        if _kinds(before) == _kinds(subject):
            self._dressed = None
            self._mark("result", "slice", "given")
        else:
            self._begin()

    def draw(self, wait: float = 0.0) -> bool:
        """Draw what has changed, if anything does within `wait` seconds; returns whether it did."""
        self._sweep()
        if not self._changed.wait(wait):
            return False
        with self._lock:
            stale, self._stale = self._stale, set()
            self._changed.clear()
        if "slice" in stale:
            self._draw_slice()
        if "result" in stale:
            self._draw_result()
        if "given" in stale:
            self._draw_given()
        return True

    def close(self) -> None:
        """Stop serving."""
        stop_server(self._server)

    # ---- controls

    def _begin(self) -> None:
        """The stage and the controls for the subject."""
        self._dressed = None
        for name in [*self.nodes]:
            self._replace(name, None)
        self._stage = _stage(self.subject)
        gui, subject, field = self._server.gui, self.subject, self.subject.field
        gui.reset()
        gui.main_panel.dock_right()
        controls = {"note": gui.add_html("")}
        with gui.add_folder("Surface"):
            controls["show"] = gui.add_checkbox("Show", True)
            modes = _modes(subject)
            controls["mode"] = gui.add_dropdown("Colour", modes, visible=len(modes) > 1)
            if field is not None:
                own, meaning = field.inside.level, f"{field.name}{f' in {field.unit}' if field.unit else ''}"
                controls["level"] = slider(gui, "Level", own - field.reach, own + field.reach, own, meaning)
            controls["legend"] = gui.add_html("")
        if field is not None:
            with gui.add_folder("Slice"):
                controls["slice"] = gui.add_checkbox("Show", False)
                controls["cut"] = gui.add_checkbox("Cut away", True, hint="The surface beyond the slice")
                controls["across"] = gui.add_dropdown("Across", ("x", "y", "z"), initial_value="z")
                for name, low, high in zip("xyz", field.low, field.high):
                    controls[name] = slider(gui, name, low, high, low / 2 + high / 2, "Place of the slice")
                gui.add_html(ramp("diverging", "outside", "inside"))
        if subject.given is not None:
            with gui.add_folder("Input"):
                controls["given"] = gui.add_checkbox("Show", subject.mesh is None and field is None)
        self.controls = controls  # whole: viser's threads answer to what is moved meanwhile
        for name, parts in STALE.items():
            if name in controls:
                controls[name].on_update(lambda _, parts=parts: self._mark(*parts))
            if name in controls and name in ("across", "x", "y", "z"):
                controls[name].on_update(lambda _: self._show_slice())
        self._mark("result", "slice", "given")

    def _mark(self, *parts: str) -> None:
        with self._lock:
            self._stale |= {*parts}
            self._changed.set()

    def _show_slice(self) -> None:
        """Whoever moves the slice wants to see it."""
        box = self.controls.get(
            "slice"
        )  # none, or one that viser refuses, where the subject changes meanwhile
        if box is not None and not box.value:
            with contextlib.suppress(RuntimeError):
                box.value = True

    def _level(self, field: LiveField) -> float:
        """The chosen level; the field's own where the slider is as near to it as its steps allow."""
        slider, own = self.controls["level"], field.inside.level
        return own if abs(slider.value - own) < slider.step else float(slider.value)

    def _plane(self) -> tuple[int, float]:
        """Axis and place of the slice."""
        name = self.controls["across"].value
        return "xyz".index(name), float(self.controls[name].value)

    # ---- drawing

    def _draw_result(self) -> None:
        field, mode = self.subject.field, self.controls["mode"].value
        asked = (None if field is None else self._level(field), mode)
        if self._dressed is None or self._dressed.asked != asked:
            self._dressed = self._dress(*asked)
        dressed = self._dressed
        self.controls["note"].content = heading(self.subject.title, dressed.note)
        self.controls["legend"].content = dressed.legend
        mesh = dressed.mesh if self.controls["show"].value else None
        cut = field is not None and self.controls["slice"].value and self.controls["cut"].value
        if mesh is not None and cut:
            mesh = clipped(mesh, *self._plane())
        self._draw_mesh("result", mesh)

    def _dress(self, level: float | None, mode: str) -> Dressed:
        subject, field = self.subject, self.subject.field
        mesh, note = subject.mesh, subject.note
        if field is not None and level is not None and (mesh is None or level != field.inside.level):
            try:
                mesh = field.surface(level)
            except FailedError as error:
                return Dressed((level, mode), None, f"No surface: {error.what}.")
            if level != field.inside.level:
                note = f"The surface at level {number_text(level)}, {len(mesh.faces):,} faces."
        if mesh is None:
            return Dressed((level, mode), None, note)
        mesh = replace(mesh, colours=mesh.colours if mode == "colours" else None)
        legend = ""
        if mode == "error" and subject.distance is not None:
            distances = subject.distance(mesh.vertices)
            low, high = error_range(distances)
            mesh = replace(mesh, colours=colour_map(distances, low, high))
            legend = ramp("sequential", "on the input", f"{high * 100:.3g} % of its size or more")
        drawn = _light_enough(mesh)
        if drawn is not mesh:
            of = f"{len(drawn.faces):,} faces" if len(drawn.faces) else f"{len(drawn.vertices):,} points"
            note += f" Drawn with {of}."
        return Dressed((level, mode), _painted(drawn, CLAY if len(drawn.faces) else SLATE), note, legend)

    def _draw_given(self) -> None:
        given = self.subject.given
        if given is None or not self.controls["given"].value:
            self._replace("given", None)
            return
        if self._light_given is None or self._light_given[0] is not given:
            self._light_given = given, replace(_light_enough(given), colours=None)
        given = self._light_given[1]
        if len(given.faces) == 0:
            self._draw_mesh("given", _painted(given, AMBER))
            return
        alone = self.subject.mesh is None and self.subject.field is None
        vertices, opacity = self._stage.to_working(given.vertices), None if alone else SHEER
        add_mesh, look = self._server.scene.add_mesh_simple, {"side": "double", "cast_shadow": False}
        node = add_mesh("/given", vertices, given.faces, color=AMBER, opacity=opacity, **look)
        self.nodes["given"] = node  # viser replaces nodes of one name

    def _draw_slice(self) -> None:
        field = self.subject.field
        if field is None:
            self._replace("slice", None)
            return
        axis, at = self._plane()
        for place, name in enumerate("xyz"):
            self.controls[name].visible = place == axis
        if not self.controls["slice"].value:
            self._replace("slice", None)
            return
        picture = cut_picture(field, axis, at, self._level(field))
        centre = np.array(field.low) / 2 + np.array(field.high) / 2
        centre[axis] = at
        where = {"wxyz": TURNS[axis], "position": self._stage.to_working(centre[None])[0]}
        if "slice" in self.nodes and self.nodes["slice"].name == f"/slice/{axis}":
            node = self.nodes["slice"]
            node.image, node.position = picture, where["position"]
            return
        width, height = (float(field.high[k] - field.low[k]) * self._stage.scale for k in PLANE_AXES[axis])
        add_image = self._server.scene.add_image
        node = add_image(f"/slice/{axis}", picture, width, height, format="png", cast_shadow=False, **where)
        self._replace("slice", node)

    def _draw_mesh(self, name: str, mesh: Mesh | None) -> None:
        """Put a mesh (of points, where it has no faces) in the place of the one of this name."""
        if mesh is None or len(mesh.vertices) == 0:
            self._replace(name, None)
            return
        self._count += 1
        scene, path = self._server.scene, f"/{name}/{self._count}"
        vertices = self._stage.to_working(mesh.vertices)
        if len(mesh.faces) == 0:
            look = {"point_size": 0.005, "point_shape": "circle", "precision": "float32"}
            self._replace(name, scene.add_point_cloud(path, vertices, mesh.colours, **look), OVERLAP)
            return
        file = io.BytesIO()
        write_glb(file, replace(mesh, vertices=vertices), [])
        node = scene.add_glb(path, file.getvalue(), cast_shadow=False, receive_shadow=False)
        self._replace(name, node, OVERLAP)

    def _replace(self, name: str, node: Any | None, after: float = 0.0) -> None:
        """Put a node in the place of the one of this name, which goes `after` seconds."""
        if (old := self.nodes.pop(name, None)) is not None:
            self._leaving.append((time.monotonic() + after, old))
        if node is not None:
            self.nodes[name] = node
        self._sweep()

    def _sweep(self) -> None:
        """Remove the nodes whose time has come."""
        now = time.monotonic()
        for end, node in self._leaving:
            if end <= now:
                node.remove()
        self._leaving = [(end, node) for end, node in self._leaving if end > now]


# ---- the scene


def _stage(subject: Subject) -> Frame:
    """The similarity from the input's coordinates to the unit ball around what is shown."""
    mesh = subject.mesh if subject.mesh is not None else subject.given
    if mesh is not None:
        points = mesh.vertices[np.unique(mesh.faces)] if len(mesh.faces) else mesh.vertices
    elif subject.field is not None:
        points = np.array([subject.field.low, subject.field.high])
    else:
        raise ValueError("a subject has a mesh, an input or a field")
    centre = points.min(axis=0).astype(np.float64) / 2 + points.max(axis=0).astype(np.float64) / 2
    x, y, z = (float(c) for c in centre)
    return Frame((x, y, z), 1 / (float(np.linalg.norm(points - centre, axis=1).max()) or 1.0))


def _light_enough(mesh: Mesh) -> Mesh:
    """The mesh, or one like it that a browser draws with ease."""
    if len(mesh.faces):
        return simplified(mesh, None, MOST_FACES)[0]
    if len(mesh.vertices) <= MOST_POINTS:
        return mesh
    some = np.random.default_rng(0).choice(len(mesh.vertices), MOST_POINTS, replace=False)
    return Mesh(mesh.vertices[some], mesh.faces, None, None if mesh.colours is None else mesh.colours[some])


def _painted(mesh: Mesh, colour: tuple[int, int, int]) -> Mesh:
    """The mesh with normals, and with one colour where it has none of its own."""
    colours = np.full((len(mesh.vertices), 3), colour, np.uint8) if mesh.colours is None else mesh.colours
    return replace(
        mesh,
        normals=area_weighted_normals(mesh) if mesh.normals is None else mesh.normals,
        colours=colours,
    )


# ---- the panel


def _kinds(subject: Subject) -> tuple:
    """What decides which controls there are."""
    field = subject.field
    ends = None if field is None else (field.low, field.high, field.inside, field.reach)
    return _modes(subject), ends, subject.given is None


def _modes(subject: Subject) -> tuple[str, ...]:
    """The ways to colour the surface, the usual one first."""
    coloured = any(mesh is not None and mesh.colours is not None for mesh in (subject.mesh, subject.given))
    error = ("error",) if subject.distance is not None else ()
    return (*(("colours",) if coloured else ()), "shaded", *error)
