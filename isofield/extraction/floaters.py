"""Parts of an extracted surface that cannot be right: those that lie nowhere near the input."""

from collections.abc import Callable

import numpy as np

from ..geometry.mesh import Mesh
from ..kernels.topology import components

__all__ = ["without_floaters"]

_CHUNK = 1 << 18  # vertices at a time


def without_floaters(
    mesh: Mesh, distance: Callable[[np.ndarray], np.ndarray], threshold: float
) -> tuple[Mesh, int]:
    """The mesh without connected parts all of whose vertices are farther than `threshold` from the input, and
    their number.

    The border of a solid cannot have such a part: away from the input's surface the winding number is
    harmonic, so a region where it is above one half and that meets no surface would have to be constant
    (maximum principle). A network that was only fitted can have them. distance: points float32 [N, 3] to
    their distance [N] from the input, in the units of the mesh. A mesh of nothing but such parts is returned
    as it is.
    """
    part = components(mesh.faces, len(mesh.vertices))
    near = np.concatenate(
        [
            distance(mesh.vertices[start : start + _CHUNK]) <= threshold
            for start in range(0, len(part), _CHUNK)
        ]
    )
    supported = np.zeros(len(part), bool)
    supported[part[near]] = True
    kept = supported[part]
    dropped = np.unique(part[~kept])
    if len(dropped) == 0 or not kept.any():
        return mesh, 0
    faces = mesh.faces[kept[mesh.faces[:, 0]]]
    number = (np.cumsum(kept) - 1).astype(np.int32)
    return Mesh(mesh.vertices[kept], number[faces]), len(dropped)
