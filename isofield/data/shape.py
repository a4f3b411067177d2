"""The record of one shape as it was read: a mesh or points, in the file's own frame and units."""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np

from ..geometry.frames import Frame

__all__ = ["Shape"]


@dataclass(frozen=True, eq=False)
class Shape:
    """One shape.

    name: short, from the file's name. kind: "mesh" (faces) or "points" (no faces). vertices: float64 [V, 3],
    the file's own coordinates. faces: int32 [F, 3], counter-clockwise seen from outside as the file says it;
    [0, 3] for points. normals: float32 [V, 3] of unit length, or None. colours: uint8 [V, 3] sRGB, or None.
    source: where it came from, for messages. notes: what the reader noticed and did, one sentence each.
    """

    name: str
    kind: Literal["mesh", "points"]
    vertices: np.ndarray
    faces: np.ndarray = field(default_factory=lambda: np.zeros((0, 3), np.int32))
    normals: np.ndarray | None = None
    colours: np.ndarray | None = None
    source: str = ""
    notes: tuple[str, ...] = ()

    @cached_property
    def frame(self) -> Frame:
        """The similarity to the working box [-1, 1]^3, from the vertices that faces use (for points, all)."""
        used = np.full(len(self.vertices), self.kind == "points")
        used[self.faces] = True
        return Frame.around(self.vertices[used])

    @cached_property
    def fingerprint(self) -> str:
        """A short hash of the geometry: equal for equal vertices, faces and normals wherever the file is."""
        digest = hashlib.sha256()
        for array in (self.vertices, self.faces, self.normals):
            digest.update(b"-" if array is None else np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()[:16]
