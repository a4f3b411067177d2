"""What a list of triangles says about its surface by integers alone: edges, fans around vertices, parts."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Int32

from .. import use_compiled
from .places import first_occurrences

__all__ = ["EdgesAndFans", "components", "edges_and_fans", "first_occurrences"]


class EdgesAndFans(NamedTuple):
    """Counts over a mesh.

    edges: all edges. boundary: of one face. misoriented: of two faces that run along it in the same
    direction, so that their orientations disagree. non_manifold: of three faces or more. used: vertices that
    some face uses. pinched: vertices whose faces form more than one fan.
    """

    edges: int
    boundary: int
    misoriented: int
    non_manifold: int
    used: int
    pinched: int


def edges_and_fans(faces: Int32[np.ndarray, "faces 3"], vertex_count: int) -> EdgesAndFans:
    """Count the edges of each kind, and the vertices around which the faces do not form one fan.

    No face may name a vertex twice. Time and memory are linear in the number of faces, whatever the degrees
    of the vertices.
    """
    return EdgesAndFans(*(int(n) for n in _backend().edges_and_fans(faces, vertex_count)))


def components(faces: Int32[np.ndarray, "faces 3"], vertex_count: int) -> Int32[np.ndarray, " vertices"]:
    """For each vertex the smallest vertex that can be reached from it along edges: the name of its part."""
    return _backend().components(faces, vertex_count)


def _backend():
    if use_compiled():
        from . import numba as backend
    else:
        from . import reference as backend
    return backend
