"""A field in the coordinates of the shape that it describes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..data.shape import Shape
from ..extraction.floaters import without_floaters
from ..extraction.normals import vertex_normals
from ..extraction.surface import extract_surface
from ..geometry.frames import Frame
from ..geometry.level import Below
from ..geometry.mesh import Mesh
from ..geometry.solid import Solid
from ..methods.choice import QUALITIES
from ..runtime.errors import FailedError, InputError
from ..runtime.progress import say
from ..training.method import Method, Surface

__all__ = ["Field", "Network", "field_of_shape"]

CHUNK = 1 << 17  # points evaluated at a time
FINE_ENOUGH = 2  # cells across a wall
COARSEST = 64  # cells along an axis, however few the points of a shape are


@dataclass(frozen=True, eq=False)
class Network:
    """What a trained field is made of: the method by name, its settings, and the trained method itself."""

    name: str
    config: dict[str, Any]
    method: Method


@dataclass(frozen=True, eq=False)
class Field:
    """A field in the coordinates of the shape that it describes.

    name: of the shape. surface: the field and which side of which level is inside, in the working box. frame:
    the similarity between the shape's coordinates and that box. resolution: cells along an axis that suit the
    field. network: what it is made of, where it was trained. input: what it was trained on, where that is at
    hand: parts of the surface that lie nowhere near it are left out. detail: the least thickness that was
    asked for, in the working box; 0 where none was.
    """

    name: str
    surface: Surface
    frame: Frame
    resolution: int = QUALITIES["standard"].resolution
    network: Network | None = None
    input: Callable[[], Shape | None] = lambda: None
    detail: float = 0.0

    def __call__(self, points: Any) -> Tensor:
        """Values of the field, a tensor [N], at points [N, 3].

        For `sdf` signed distances in the input's units, as far as its truncation; for `occupancy` logits of
        being inside, which are positive there. Raises InputError for other arrays.
        """
        working = torch.from_numpy(self.frame.to_working(rows_of_three(points)))
        with torch.no_grad():
            parts = [self.surface.field(part) for part in working.split(CHUNK)]
        values = torch.cat(parts) if parts else working.new_zeros(0)
        return values / self.frame.scale if self.surface.is_length else values

    def inside(self, points: Any) -> np.ndarray:
        """Whether each of the points [N, 3] is inside, bool [N]; none outside the working box is."""
        working = torch.from_numpy(self.frame.to_working(rows_of_three(points)))
        within = (working.abs() <= 1).all(dim=1)
        with torch.no_grad():
            parts = [
                self.surface.inside.depth(self.surface.field(p)) > 0 for p in working[within].split(CHUNK)
            ]
        inside = torch.zeros(len(working), dtype=torch.bool)
        inside[within] = torch.cat(parts) if parts else inside[within]
        return inside.numpy()

    def mesh(
        self, resolution: int | None = None, progress: Callable[[float, str], None] | None = None
    ) -> Mesh:
        """The surface by marching cubes with `resolution` cells along an axis (None: what suits the field),
        with the field's normals. Raises FailedError where there is none."""
        surface = self.surface
        resolution = self.resolution if resolution is None else resolution
        if 0 < self.detail < FINE_ENOUGH * 2 / resolution:
            needed = round(FINE_ENOUGH * 2 / self.detail)
            say(f"note: the wall is thinner than {FINE_ENOUGH} cells and tears; take --resolution {needed}")
        try:
            found = extract_surface(surface.field, surface.inside, resolution, progress=progress)
        except FailedError:
            if self.network is not None:
                raise
            raise FailedError(
                f"nothing of it is as large as a cell, with {resolution} along an axis of its box",
                self.name,
                "Check the places and lengths, or give a finer --resolution.",
            ) from None
        mesh, shape = found.mesh, self.input()
        if shape is not None:
            mesh, _ = without_floaters(mesh, *self.support(shape, found.cell))
        normals = vertex_normals(surface.field, surface.inside, mesh, found.cell)
        return Mesh(self.frame.to_input(mesh.vertices), mesh.faces, normals)

    def support(self, shape: Shape, cell: float) -> tuple[Callable[[np.ndarray], np.ndarray], float]:
        """What says how far points of the working box are from the shape, and how far surface may be: two
        cells, of the extraction or of what suits the field, whichever is larger, since what it can tell apart
        is as fine as that whatever is asked for."""
        reach = 2 * max(cell, 2 / self.resolution) + shape.solid.gap
        return partial(shape.solid.distance, limit=1.01 * reach), reach

    @cached_property
    def solid(self) -> Solid:
        """The solid inside the surface, in the working box: exact distances to it, near and far."""
        mesh = self.mesh()
        return Solid(Mesh(self.frame.to_working(mesh.vertices), mesh.faces))


def rows_of_three(points: Any) -> np.ndarray:
    """Points as float64 [N, 3]; InputError for other arrays."""
    points = np.asarray(points, np.float64)
    if points.ndim != 2 or points.shape[1] != 3:
        raise InputError(f"points have the shape {points.shape}", "field", "Give N points in rows, [N, 3].")
    if not np.isfinite(points).all():
        bad = int(np.argmax(~np.isfinite(points).all(axis=1)))
        raise InputError(f"point {bad} is not finite: {points[bad]}", "field", "Leave it out.")
    return points


def field_of_shape(shape: Shape) -> Field:
    """The exact field of a shape: the signed distance to its surface, no network in between."""
    solid = shape.solid

    def signed_distance(points: Tensor) -> Tensor:
        return torch.from_numpy(solid.signed_distance(points.numpy(), np.inf))

    surface = Surface(signed_distance, Below(0.0), "signed distance", is_length=True)
    resolution = QUALITIES["standard"].resolution
    if shape.kind == "points":  # cells finer than the spacing of the points show nothing more
        resolution = min(resolution, max(COARSEST, round(2 / solid.gap)))
    field = Field(shape.name, surface, shape.frame, resolution)
    if isinstance(solid, Solid):
        field.__dict__["solid"] = solid  # already there, and it is that of the input itself
    return field
