"""The record of one shape as it was read: a mesh or points, in the file's own frame and units."""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np

from ..geometry.frames import Frame
from ..geometry.mesh import Mesh
from ..geometry.oriented_points import OrientedPoints
from ..geometry.solid import Solid
from ..runtime.errors import InputError

__all__ = ["Shape"]

FLAT = 1e-5  # thickness in working units: less than float32 labels can tell apart


@dataclass(frozen=True, eq=False)
class Shape:
    """One shape.

    name: short, from the file's name. kind: "mesh" (faces) or "points" (no faces). vertices: float64 [V, 3],
    the file's own coordinates. faces: int32 [F, 3], counter-clockwise seen from outside as the file says it;
    [0, 3] for points. normals: float32 [V, 3] of unit length, or None. colours: uint8 [V, 3] sRGB, or None.
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

    @cached_property
    def frame(self) -> Frame:
        """The similarity to the working box [-1, 1]^3, from the vertices that faces use (for points, all)."""
        used = np.full(len(self.vertices), self.kind == "points")
        used[self.faces] = True
        return Frame.around(self.vertices[used])

    @cached_property
    def solid(self) -> Solid | OrientedPoints:
        """What is inside, and how far the surface is, in the working box: labels training points, and answers
        for the nearest place of the input.

        Raises InputError for a flat shape and for points without normals.
        """
        positions = self.frame.to_working(self.vertices)
        used = positions if self.kind == "points" else positions[np.unique(self.faces)]
        thinnest = np.sqrt(max(np.linalg.eigvalsh(np.cov(used.T.astype(np.float64)))[0], 0))
        if thinnest < FLAT:
            raise InputError(
                "is flat, so it encloses nothing and has no inside",
                self.source or self.name,
                "Give it thickness, or another shape.",
            )
        if self.kind == "mesh":
            return Solid(Mesh(positions, self.faces))
        if self.normals is None:
            raise InputError(
                "has points but no normals, so inside and outside cannot be told apart",
                self.source or self.name,
                "Give a point cloud with normals (nx, ny, nz), or a mesh.",
            )
        return OrientedPoints(positions, self.normals)

    @cached_property
    def fingerprint(self) -> str:
        """A short hash of the geometry: equal for equal vertices, faces and normals wherever the file is."""
        digest = hashlib.sha256()
        for array in (self.vertices, self.faces, self.normals):
            digest.update(b"-" if array is None else np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()[:16]
