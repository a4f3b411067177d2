"""The live viewer on a run, also while it trains, or on a file."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import inf
from pathlib import Path
from typing import Any

import numpy as np

from .. import data
from ..data.readers import scans_of
from ..data.shape import Shape
from ..extraction.surface import extract_surface
from ..geometry.frames import WORKING_BOX
from ..geometry.mesh import Mesh
from ..runtime.errors import InputError
from ..runtime.interruption import interruption
from ..runtime.progress import say
from ..training.checkpoints import latest_checkpoint
from ..training.run_folder import RunFolder
from ..viewing.cut_picture import LiveField
from ..viewing.live import LiveView, Subject
from ..viewing.live_views import LiveViews, SceneSubject
from ..viewing.serving import check_viser, is_loopback
from .field import Field
from .page import distance_to_input
from .representation import opened
from .run import Run, build_method, open_run
from .view_scene import FollowedScene

__all__ = ["view"]

RESOLUTION = 128  # cells along an axis of surfaces that are extracted while one looks on
TRUSTED = 0.7  # of the truncation: beyond, a distance is hardly told from one that is cut off
EXACT = 0.2  # working units, of distances that are not cut off
SURE = 3.0  # logits on each side: probabilities from 5 to 95 %
EVERY = 2.0  # seconds between looks at what a training has saved
SLACK = 5.0  # seconds that a mesh may be older than its checkpoint: a copied folder has times of its own


def view(
    source: Any,
    host: str = "127.0.0.1",
    port: int = 8080,
    announce: Callable[[str], None] | None = None,
) -> None:
    """Show a run (of a shape or of a scene), or a shape, in a live viewer in the browser until Ctrl-C.

    source: a Run or its folder; a file that `isofield.load` reads; a Shape, or an object with vertices and
    faces. host: the address that is listened on; the default is seen by this machine alone. port: the next
    free one is taken where something listens there. announce: called with the viewer's address once it is
    there (None: it is said).

    Raises InputError where the library viser is missing, for what cannot be read, and for a run whose method
    makes neither a mesh nor views.
    """
    check_viser()
    followed = _followed(source)
    if not is_loopback(host):
        say(f"note: whoever reaches {host} can see this and move its sliders")
    subject = followed.subject()
    make: Any = LiveViews if isinstance(subject, SceneSubject) else LiveView
    live = make(subject, host, port)
    try:
        with interruption() as stopped:
            if live.port != port:
                say(f"note: port {port} is taken; this is on {live.port}")
            (announce or say)(live.url)
            look_again = time.monotonic() + EVERY
            while not stopped():
                live.draw(0.2)
                if time.monotonic() >= look_again:
                    if (newer := followed.newer()) is not None:
                        live.update(newer)
                    look_again = time.monotonic() + EVERY
    finally:
        live.close()


def _followed(source: Any) -> "FollowedRun | FollowedScene | Still | StillField":
    if not isinstance(source, Run):
        if not isinstance(source, str | Path) or scans_of(Path(source)) or not Path(source).is_dir():
            given = opened(source)
            return StillField(given) if isinstance(given, Field) else Still(given)
        source = open_run(source)
    return FollowedScene(source) if source.description["data"]["kind"] == "scene" else FollowedRun(source)


@dataclass(frozen=True, eq=False)
class Still:
    """A shape that stays as it is."""

    shape: Shape

    def subject(self) -> Subject:
        """What there is to see."""
        shape = self.shape
        what = f"{len(shape.faces):,} faces, " if shape.kind == "mesh" else ""
        note = " ".join([f"{what}{len(shape.vertices):,} {'vertices' if what else 'points'}.", *shape.notes])
        return Subject(shape.name, note, Mesh(shape.vertices, shape.faces, shape.normals, shape.colours))

    def newer(self) -> Subject | None:
        """Nothing ever."""
        return None


@dataclass(frozen=True, eq=False)
class StillField:
    """A field without a run: its surface, slices and levels."""

    field: Field

    def subject(self) -> Subject:
        """What there is to see."""
        note = f"The field on {RESOLUTION} cells."
        return Subject(
            self.field.name, note, self.field.mesh(RESOLUTION), None, None, _live_field(self.field)
        )

    def newer(self) -> Subject | None:
        """Nothing ever."""
        return None


class FollowedRun:
    """A run that may still be training: what it has saved last. Raises InputError for one without a mesh to
    come, and for one that has nothing to show."""

    def __init__(self, run: Run) -> None:
        known = run.description
        products = build_method(known["method"], known["config"], known["seed"], "run.json").products()
        if "mesh" not in products:
            raise InputError(
                f"is a run of `{known['method']}`, which makes no mesh",
                run.path,
                "Name a run of a shape, or look at the run's page.html.",
            )
        self.path = run.path
        self._seen: tuple | None = None
        try:
            self._shape: Shape | None = run.shape()
        except InputError as error:
            say(f"note: the input cannot be read ({error.what}): no errors, no input to compare with")
            self._shape = None
        self._given = None if self._shape is None else _input(self._shape)  # one, so that it is drawn once

    def subject(self) -> Subject:
        """What there is to see now."""
        self._seen = self._saved()
        try:
            return self._subject(open_run(self.path))
        except InputError:
            if self._saved() == self._seen:
                raise
        return self.subject()  # a training saved while we read

    def newer(self) -> Subject | None:
        """What there is to see, where something was saved since; None too for a run that is being
        removed."""
        if self._saved() == self._seen:
            return None
        try:
            return self.subject()
        except InputError:
            return None

    def _saved(self) -> tuple:
        """Changes when the run saves something that is shown."""
        folder = RunFolder(self.path)
        return latest_checkpoint(folder.checkpoints), _modified(folder.mesh)

    def _subject(self, run: Run) -> Subject:
        shape, checkpoint = self._shape, latest_checkpoint(run.folder.checkpoints)
        mesh, note = (
            None,
            "No checkpoint yet; training saves the first after some seconds. This is the input.",
        )
        if checkpoint is not None:
            note = f"The field after {int(checkpoint.stem):,} steps, on {RESOLUTION} cells."
        if run.folder.mesh.is_file() and (_modified(run.folder.mesh) >= _modified(checkpoint) - SLACK):
            made = data.load_shape(run.folder.mesh)
            mesh = Mesh(made.vertices, made.faces, made.normals, made.colours)
            note = f"mesh.ply, {len(mesh.faces):,} faces."
        if mesh is None and checkpoint is None and shape is None:
            raise InputError(
                "has no checkpoint yet, and its input cannot be read", run.path, "Train it first."
            )
        return Subject(
            run.path.resolve().name,
            note,
            mesh,
            self._given,
            None if shape is None else partial(distance_to_input, shape=shape),
            None if checkpoint is None else _live_field(run.field),
        )


def _live_field(field: Field) -> LiveField:
    """A field in the input's coordinates and, where its values are lengths, units."""
    surface, frame = field.surface, field.frame
    unit = 1 / frame.scale if surface.is_length else 1.0
    truncation = field.network.config.get("truncation") if field.network else None
    reach = (TRUSTED * truncation if truncation else EXACT) if surface.is_length else SURE

    def values(points: np.ndarray) -> np.ndarray:
        return field(points).numpy()

    def at_level(level: float) -> Mesh:
        found = extract_surface(surface.field, type(surface.inside)(level / unit), RESOLUTION).mesh
        return Mesh(frame.to_input(found.vertices), found.faces)

    low, high = frame.to_input(np.array([[end] * 3 for end in WORKING_BOX]))
    return LiveField(
        values,
        at_level,
        tuple(low.tolist()),
        tuple(high.tolist()),
        type(surface.inside)(surface.inside.level * unit),
        reach * unit,
        surface.quantity,
        "the input's unit" if surface.is_length else "",
    )


def _input(shape: Shape) -> Mesh:
    """The input to draw: of points those that count."""
    if shape.kind == "mesh":
        return Mesh(shape.vertices, shape.faces)
    return Mesh(shape.vertices[shape.used], shape.faces)


def _modified(path: Path | None) -> float:
    """When a file was written last; -inf where there is none."""
    try:
        return -inf if path is None else path.stat().st_mtime
    except FileNotFoundError:
        return -inf
