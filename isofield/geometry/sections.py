"""Plane sections of a mesh: the outlines where a plane cuts it."""

import numpy as np
from jaxtyping import Float

from .mesh import Mesh

__all__ = ["section"]


def section(mesh: Mesh, axis: int, at: float) -> list[Float[np.ndarray, "_ 2"]]:
    """Outlines of the cut by the plane where coordinate `axis` equals `at`.

    Each is a polyline [N, 2] in the other two coordinates, in the order of the axes after `axis` (yz, zx,
    xy); where it closes, its last point is its first. A vertex in the plane counts as above it, so that every
    outline of a closed mesh closes. Where faces point outward, the solid lies on the left of the outlines,
    seen from the positive side.
    """
    above = mesh.vertices[:, axis] >= at
    mixed = above[mesh.faces].sum(axis=1) % 3 != 0
    faces = mesh.faces[mixed]
    if not len(faces):
        return []
    # turn each face so that its first corner is alone on its side; the cut crosses the edges beside it
    alone = np.argmax(above[faces] == (above[faces].sum(axis=1) == 1)[:, None], axis=1)
    corners = np.take_along_axis(faces, (alone[:, None] + np.arange(3)) % 3, axis=1)
    first, last = corners[:, [0, 1]], corners[:, [0, 2]]
    falling = above[corners[:, 0]]
    ends = np.where(falling[:, None, None], np.stack([first, last], 1), np.stack([last, first], 1))
    edges, index = np.unique(np.sort(ends.reshape(-1, 2), axis=1), axis=0, return_inverse=True)
    segments = index.reshape(-1, 2)  # from edge to edge, the solid on the left
    a, b = mesh.vertices[edges[:, 0]].astype(np.float64), mesh.vertices[edges[:, 1]].astype(np.float64)
    share = (at - a[:, axis]) / (b[:, axis] - a[:, axis])
    points = (a + share[:, None] * (b - a))[:, [(axis + 1) % 3, (axis + 2) % 3]]
    return [points[chain] for chain in _chains(segments)]


def _chains(segments: np.ndarray) -> list[list[int]]:
    """Directed segments [S, 2] joined end to start: open chains from their beginning, then closed ones."""
    following: dict[int, list[int]] = {}
    for start, end in segments.tolist():
        following.setdefault(start, []).append(end)
    arrivals = set(segments[:, 1].tolist())
    chains = []
    for start in [*(s for s in following if s not in arrivals), *list(following)]:
        while following.get(start):
            chain = [start]
            while following.get(chain[-1]):
                chain.append(following[chain[-1]].pop())
                if chain[-1] == start:
                    break
            chains.append(chain)
    return chains
