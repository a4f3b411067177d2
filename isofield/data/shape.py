"""The record of one shape as it was read: a mesh or points, in the file's own frame and units."""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np

from ..geometry.frames import Frame
from ..geometry.mesh import Mesh
from ..geometry.oriented_points import OrientedPoints
from ..geometry.solid import Solid
from ..kernels.topology import first_occurrences
from ..runtime.errors import InputError
from .voxels import VoxelGrid

__all__ = ["Shape"]

FLAT = 1e-5  # thickness in working units: less than float32 labels can tell apart


@dataclass(frozen=True, eq=False)
class Shape:
    """One shape.

    name: short, from the file's name. kind: "mesh" (faces) or "points" (no faces). vertices: float64 [V, 3],
    the file's own coordinates. faces: int32 [F, 3], counter-clockwise seen from outside as the file says it;
    [0, 3] for points. normals: float32 [V, 3] of unit length, or None. colours: uint8 [V, 3] sRGB, or None.
    towards_sensor: unit directions [V, 3] from points to the sensor that saw them, or None.
    voxels: the cells, where the file holds a grid and the mesh is the surface of its filled cells.
    source: where it came from, for messages. notes: what the reader noticed and did, one sentence each.
    Raises InputError for arrays of other shapes, numbers that are not finite, and faces of missing vertices.
    """

    name: str
    kind: Literal["mesh", "points"]
    vertices: np.ndarray
    faces: np.ndarray = field(default_factory=lambda: np.zeros((0, 3), np.int32))
    normals: np.ndarray | None = None
    colours: np.ndarray | None = None
    source: str = ""
    notes: tuple[str, ...] = ()
    towards_sensor: np.ndarray | None = None
    voxels: VoxelGrid | None = None

    def __post_init__(self) -> None:
        for name, kind in (("vertices", np.float64), ("faces", np.int32)):
            object.__setattr__(self, name, np.ascontiguousarray(getattr(self, name), kind))
        count = len(self.vertices)
        sound = {
            "vertices": self.vertices.shape == (count, 3) and count > 0 and np.isfinite(self.vertices).all(),
            "faces": self.faces.ndim == 2
            and self.faces.shape[1] == 3
            and bool(np.all((self.faces >= 0) & (self.faces < count))),
            "normals": self.normals is None
            or (self.normals.shape == (count, 3) and np.isfinite(self.normals).all()),
            "kind and faces": (self.kind == "mesh") == (len(self.faces) > 0),
            "colours": self.colours is None or self.colours.shape == (count, 3),
        }
        for name, fits in sound.items():
            if not fits:
                raise InputError(
                    f"its {name} are not what a shape can have",
                    f"Shape {self.name!r}",
                    "See help(isofield.Shape).",
                )

    @property
    def is_raw(self) -> bool:
        """Whether these are points whose normals have to be found."""
        return self.kind == "points" and self.normals is None

    @cached_property
    def used(self) -> np.ndarray:
        """Which vertices count, bool [V]: those that faces use; of points all, of raw ones all but repeated
        ones and outliers."""
        used = np.full(len(self.vertices), self.kind == "points" and not self.is_raw)
        used[self.faces] = True
        if self.is_raw:
            from ..geometry.raw_points import inliers  # here: meshes need no scipy, which takes a while

            once = first_occurrences(self.vertices)[0]
            used[once[inliers(self.vertices[once])]] = True
        return used

    @cached_property
    def frame(self) -> Frame:
        """The similarity to the working box [-1, 1]^3, from the vertices that count."""
        return Frame.around(self.vertices[self.used])

    @cached_property
    def solid(self) -> Solid | OrientedPoints:
        """What is inside, and how far the surface is, in the working box: labels training points, and answers
        for the nearest place of the input.

        Raises InputError for a flat shape, and for raw points that are too few.
        """
        positions = self.frame.to_working(self.vertices)
        used = positions[self.used]
        thinnest = np.sqrt(max(np.linalg.eigvalsh(np.cov(used.T.astype(np.float64)))[0], 0))
        if thinnest < FLAT:
            raise InputError(
                "is flat, so it encloses nothing and has no inside",
                self.source or self.name,
                "Give it thickness, or another shape.",
            )
        if self.kind == "mesh":
            return Solid(Mesh(positions, self.faces))
        if self.normals is not None:
            return OrientedPoints(positions, self.normals)
        from .raw_points import solid_of_raw_points

        sensors = None if self.towards_sensor is None else self.towards_sensor[self.used]
        return solid_of_raw_points(used.astype(np.float64), sensors, self.source or self.name)

    def described(self) -> dict[str, Any]:
        """What run.json says of it. Raises InputError where there is no inside."""
        return {
            "kind": self.kind,
            "vertices": len(self.vertices),
            "faces": len(self.faces),
            "frame": {"offset": list(self.frame.offset), "scale": self.frame.scale},
            "notes": [*self.notes, *self.solid.notes],
        }

    @cached_property
    def fingerprint(self) -> str:
        """A short hash of the geometry: equal for equal vertices, faces, normals and directions to the
        sensor, wherever the file is."""
        digest = hashlib.sha256()
        for array in (self.vertices, self.faces, self.normals, self.towards_sensor):
            digest.update(b"-" if array is None else np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()[:16]
