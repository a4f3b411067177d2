"""A run on disk as an object: the one way from a folder to a usable field."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from .. import data
from ..data.image import Image
from ..data.readers import Record
from ..data.scene import Scene, cameras_of
from ..data.shape import Shape
from ..geometry.frames import Frame
from ..methods import METHODS
from ..methods.choice import QUALITIES
from ..rendering.cameras import Cameras
from ..runtime.errors import InputError
from ..runtime.progress import say
from ..runtime.threads import threads
from ..training.hooks import restore
from ..training.method import Method, Picture, Surface, Views
from ..training.run_folder import RunFolder
from .field import Field, Network
from .options import updated

__all__ = ["Run", "build_method", "open_run", "reread"]


@dataclass(frozen=True, eq=False)
class Run:
    """A trained (or interrupted) run.

    folder: its paths. description: what run.json says.
    """

    folder: RunFolder
    description: dict[str, Any]

    @property
    def path(self) -> Path:
        """The run's folder."""
        return self.folder.path

    @cached_property
    def method(self) -> Method:
        """The method with the trained weights of the newest checkpoint. Raises InputError if training never
        saved one."""
        known = self.description
        method = build_method(known["method"], known["config"], known["seed"], "run.json")
        step, _ = restore(method, self.folder, with_optimisers=False)
        if step == 0:
            raise InputError(
                "has no checkpoint yet",
                self.path,
                "Train it first: add --resume to the command in its run.json.",
            )
        return method

    @cached_property
    def frame(self) -> Frame:
        """The similarity between the input's coordinates and the working box."""
        frame = self.description["data"]["frame"]
        return Frame(tuple(frame["offset"]), frame["scale"])

    @cached_property
    def field(self) -> Field:
        """The trained field in the input's own coordinates: `run.field(points)` gives its values. Raises
        InputError where the method makes no surface."""
        description, product = self.description, self.method.products().get("mesh")
        if not isinstance(product, Surface):
            raise InputError(
                "holds no shape: it shows a picture or a scene",
                self.path,
                "Take isofield render or evaluate for it.",
            )
        return Field(
            description["data"]["name"],
            product,
            self.frame,
            QUALITIES[description["quality"]].resolution,
            Network(description["method"], description["config"], self.method),
            self._input_at_hand,
        )

    @cached_property
    def _shape_at_hand(self) -> Shape | None:
        try:
            return self.shape()
        except InputError as error:
            say(f"note: the input cannot be read ({error.what}): floaters stay, colours are not carried over")
            return None

    def _input_at_hand(self) -> Shape | None:
        """The input, read once; None, with a note, where it is gone."""
        return self._shape_at_hand

    @property
    def picture(self) -> Picture:
        """The field of a picture. Raises InputError where the method makes none."""
        product = self.method.products().get("image")
        if not isinstance(product, Picture):
            raise InputError(
                "shows no picture: it holds a shape", self.path, "Take isofield extract for its surface."
            )
        return product

    @property
    def views(self) -> Views:
        """What cameras see of a scene. Raises InputError where the method makes no views."""
        product = self.method.products().get("views")
        if not isinstance(product, Views):
            raise InputError("holds no scene", self.path, "Take a run that was trained on photographs.")
        return product

    @cached_property
    def cameras(self) -> Cameras:
        """The cameras of all frames, as run.json has them: no data is needed. Of a run on a scene only."""
        return cameras_of(self.description["data"])

    def frames(self, which: str) -> np.ndarray:
        """Numbers of the "train" or the "test" frames. Raises InputError where there are none."""
        numbers = np.array(self.description["data"][which], np.int64)
        if len(numbers) == 0:
            raise InputError(f"has no {which} views", self.path, "Take the other ones: train, test.")
        return numbers

    def shape(self) -> Shape:
        """The input, a shape, read again from the path in the run.

        Raises InputError where it is gone or is not what was trained on.
        """
        return data.as_shape(self._input())

    def image(self) -> Image:
        """The input, a picture, read again from the path in the run. Raises InputError as `shape` does."""
        record = self._input()
        assert isinstance(record, Image)  # equal fingerprints
        return record

    def scene(self) -> Scene:
        """The input, a scene, read again from the path in the run, downscaled and split as it was. Raises
        InputError as `shape` does."""
        record = self._input()
        assert isinstance(record, Scene)  # equal fingerprints
        return record

    @property
    def input_path(self) -> str:
        """Where the input was. Raises InputError where there was no file."""
        path: str = self.description["data"]["path"]
        if not path:
            raise InputError(
                "knows no file of its input: it was imported, or trained on an input in memory",
                self.path,
                "Name it: --data PATH; in Python evaluate(run, source=...), extract(run, shape=...).",
            )
        return path

    def _input(self) -> Record:
        known, path = self.description["data"], self.input_path
        try:
            record = reread(path, known)
        except InputError as error:
            raise InputError(
                error.what,
                path,
                "Put it back, or name it: isofield evaluate RUN --data PATH.",
            ) from None
        if record.fingerprint != known["fingerprint"]:
            raise InputError(
                "is not the input that this run was trained on",
                path,
                "Put the original back there, or train again.",
            )
        return record

    @property
    def certificate(self) -> dict[str, Any]:
        """What is proved about the mesh (certificate.json)."""
        return _product(self.folder.certificate, "extract")

    @property
    def metrics(self) -> dict[str, Any]:
        """How the mesh or the picture compares with the input (metrics.json)."""
        return _product(self.folder.metrics, "evaluate")

    @property
    def seconds(self) -> dict[str, float]:
        """Seconds of `fit` by stage (seconds.json)."""
        return _product(self.folder.seconds, "fit")

    def mesh(self) -> Any:
        """The extracted mesh, RUN/mesh.ply, as a trimesh.Trimesh in the input's coordinates."""
        import trimesh

        shape = data.load_shape(self.folder.mesh)
        return trimesh.Trimesh(
            shape.vertices,
            shape.faces,
            vertex_normals=shape.normals,
            vertex_colors=shape.colours,
            process=False,
        )


def reread(path: str | Path, known: dict[str, Any]) -> Record:
    """An input in the way in which that of a run was read. known: "data" of its run.json."""
    if known["kind"] == "scene":
        return data.load_scene(path, known["downscale"], known.get("holdout"))  # imported runs have none
    return data.load(path)


def _product(file: Path, verb: str) -> dict[str, Any]:
    if not file.is_file():
        raise InputError(f"has no {file.name} yet", file.parent, f"Make it with `isofield {verb}`.")
    return json.loads(file.read_text(encoding="utf-8"))


def open_run(path: str | Path) -> Run:
    """The run in the folder `path`. Raises InputError if it is not one."""
    folder = RunFolder(Path(path))
    return Run(folder, folder.description())


def build_method(name: str, config: dict[str, Any], seed: int, where: str) -> Method:
    """A method by name with fresh weights. Raises InputError where this version does not have it."""
    if name not in METHODS:
        raise InputError(
            f"was made by a method {name!r} that this version does not have",
            where,
            f"It has: {', '.join(METHODS)}.",
        )
    method_class, config_class = METHODS[name].load()
    torch.set_num_threads(threads())
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return method_class(updated(config_class(), config, f"method {name}"))
