"""Parts of an extracted surface that cannot be right: those that lie nowhere near the input, or that no
camera sees."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool

from ..geometry.mesh import Mesh
from ..kernels.topology import components

__all__ = ["without_floaters", "without_unsupported"]

_CHUNK = 1 << 18  # vertices or faces at a time


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
    near = np.concatenate(
        [
            distance(mesh.vertices[start : start + _CHUNK]) <= threshold
            for start in range(0, len(mesh.vertices), _CHUNK)
        ]
    )
    return without_unsupported(mesh, near)


def without_unsupported(
    mesh: Mesh, support: Bool[np.ndarray, " vertices"], smallest: float = 0.0
) -> tuple[Mesh, int]:
    """The mesh without connected parts that have no vertex with support or less than the share `smallest` of
    the area, and their number. A mesh of nothing but such parts is returned as it is. What was closed stays
    closed. The result has no normals and no colours."""
    part = components(mesh.faces, len(mesh.vertices))
    supported = np.zeros(len(part), bool)
    supported[part[support]] = True
    if smallest > 0:
        areas = _part_areas(mesh, part)
        supported &= areas >= smallest * areas.sum()
    kept = supported[part]
    dropped = np.unique(part[~kept])
    if len(dropped) == 0 or not kept.any():
        return mesh, 0
    faces = mesh.faces[kept[mesh.faces[:, 0]]]
    number = (np.cumsum(kept) - 1).astype(np.int32)
    return Mesh(mesh.vertices[kept], number[faces]), len(dropped)


def _part_areas(mesh: Mesh, part: np.ndarray) -> np.ndarray:
    """Twice the area of each part, at the vertex that names it; 0 elsewhere."""
    areas = np.zeros(len(part))
    for start in range(0, len(mesh.faces), _CHUNK):
        faces = mesh.faces[start : start + _CHUNK]
        a, b, c = (mesh.vertices[faces[:, k]].astype(np.float64) for k in range(3))
        twice = np.linalg.norm(np.cross(b - a, c - a), axis=1)
        areas += np.bincount(part[faces[:, 0]], twice, len(part))
    return areas
