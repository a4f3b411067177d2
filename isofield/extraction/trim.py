"""Leaving out surface that no input supports: from a closed surface to an open one."""

from collections.abc import Callable

import numpy as np

from ..geometry.mesh import Mesh
from ..kernels.topology import components
from ..runtime.errors import FailedError

__all__ = ["trim"]

_CHUNK = 1 << 18  # faces at a time


def trim(
    mesh: Mesh, distance: Callable[[np.ndarray], np.ndarray], threshold: float, smallest: float = 0.01
) -> Mesh:
    """Remove faces with a centre farther than `threshold` from the input, then parts of little area.

    mesh: manifold and oriented, as extraction makes it.
    distance: points float32 [N, 3] to their distance [N] from what was measured, in the units of the mesh.
    smallest: connected parts below this share of the area that is left are dropped, but for the largest.
    The result is manifold and oriented, with a boundary: a vertex at which separate fans of faces are left is
    doubled, one for each fan. Raises FailedError where nothing is left.
    """
    kept = np.concatenate(
        [
            distance(_centres(mesh, slice(start, start + _CHUNK))) <= threshold
            for start in range(0, len(mesh.faces), _CHUNK)
        ]
    )
    faces = mesh.faces[kept]
    if len(faces) == 0:
        raise FailedError(
            f"no face of the surface lies within {threshold:.4g} of the input",
            "trim",
            "Extract without trimming (leave out --open).",
        )
    faces = faces[_in_large_part(mesh, faces, smallest)]
    old, faces = _separate_fans(faces)
    return Mesh(
        mesh.vertices[old],
        faces,
        None if mesh.normals is None else mesh.normals[old],
        None if mesh.colours is None else mesh.colours[old],
    )


def _centres(mesh: Mesh, chunk: slice) -> np.ndarray:
    return mesh.vertices[mesh.faces[chunk]].mean(axis=1, dtype=np.float32)


def _in_large_part(mesh: Mesh, faces: np.ndarray, smallest: float) -> np.ndarray:
    """Whether each face belongs to a connected part of a fair share of the area, or to the largest."""
    part = components(faces, len(mesh.vertices))[faces[:, 0]]
    a, b, c = (mesh.vertices[faces[:, k]].astype(np.float64) for k in range(3))
    areas = np.bincount(part, np.linalg.norm(np.cross(b - a, c - a), axis=1))
    return areas[part] >= min(smallest * areas.sum(), areas.max())


def _separate_fans(faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For every fan of faces around a vertex a vertex of its own: (the old vertex of each, the faces).

    Two corners belong to the same fan if an edge of two faces lies between them: the start of the edge in the
    one face is its end in the other.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    start, end = faces.ravel().astype(np.int64), np.roll(faces, -1, axis=1).ravel().astype(np.int64)
    following = (np.arange(faces.size).reshape(-1, 3)[:, [1, 2, 0]]).ravel()  # the corner at the edge's end
    keys = np.minimum(start, end) * (int(faces.max()) + 1) + np.maximum(start, end)
    order = np.argsort(keys, kind="stable")
    first = order[:-1][keys[order[:-1]] == keys[order[1:]]]
    second = order[1:][keys[order[:-1]] == keys[order[1:]]]
    links = np.concatenate([first, following[first]]), np.concatenate([following[second], second])
    graph = coo_array((np.ones(len(links[0]), np.int8), links), shape=(faces.size, faces.size))
    _, fan = connected_components(graph, directed=False)
    # vertices in their old order; the fans of one vertex in the order of their first corner
    fans, representative = np.unique(fan, return_index=True)
    rank = np.lexsort((representative, faces.ravel()[representative]))
    number = np.empty(len(fans), np.int32)
    number[rank] = np.arange(len(fans), dtype=np.int32)
    return faces.ravel()[representative[rank]], number[fan].reshape(-1, 3)
