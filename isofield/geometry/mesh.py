"""A triangle mesh as arrays: what extraction makes, what metrics compare, what writers write."""

from dataclasses import dataclass

import numpy as np

__all__ = ["Mesh"]


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles.

    vertices: float [V, 3]. faces: int32 [F, 3], counter-clockwise seen from outside. normals: float32 [V, 3]
    of unit length, pointing out, or None. colours: uint8 [V, 3] sRGB, or None.
    """

    vertices: np.ndarray
    faces: np.ndarray
    normals: np.ndarray | None = None
    colours: np.ndarray | None = None
