"""Marching cubes (Lorensen and Cline 1987) in three steps: active cells, their vertices, their faces.

A grid point has the linear index (x * Y + y) * Z + z, and a cell the index of its lowest point. Every vertex
lies on a grid edge, which belongs to the cell at the edge's lower end; so the vertices in the order of their
edges (3 * point + axis) are simply the cells in order, each with its up to three vertices. Nothing depends on
how the work was cut into slabs or threads. Depth is positive inside; 0 counts as outside.
"""

import numpy as np
from jaxtyping import Float32, Int32, Int64, UInt8

from .. import use_compiled
from .table import OWNED_COUNTS

__all__ = ["NEAREST", "active_cells", "connect", "first_vertices", "place_vertices"]

NEAREST = 1e-3
"""A vertex keeps this share of its edge away from the ends, so that no face has zero area."""


def active_cells(
    depth: Float32[np.ndarray, "planes Y Z"], first_plane: int
) -> tuple[Int64[np.ndarray, " cells"], UInt8[np.ndarray, " cells"]]:
    """The cells that the surface crosses, in order, and the case of each.

    depth: planes first_plane, first_plane + 1, ... of the grid. Bit dx + 2 dy + 4 dz of a case: that corner
    is inside.
    """
    return _backend().active_cells(depth, first_plane)


def first_vertices(cases: UInt8[np.ndarray, " cells"]) -> Int32[np.ndarray, " cells_and_end"]:
    """The number of each cell's first vertex; the last entry is the number of vertices."""
    first = np.zeros(len(cases) + 1, np.int32)
    np.cumsum(OWNED_COUNTS[cases], dtype=np.int32, out=first[1:])
    return first


def place_vertices(
    depth: Float32[np.ndarray, "planes Y Z"],
    first_plane: int,
    cells: Int64[np.ndarray, " cells"],
    cases: UInt8[np.ndarray, " cells"],
    axes: tuple[Float32[np.ndarray, " X"], Float32[np.ndarray, " Y"], Float32[np.ndarray, " Z"]],
) -> Float32[np.ndarray, "vertices 3"]:
    """The vertices of some active cells, where linear interpolation of the depth along their edges is zero.

    axes: the coordinates of the grid's planes along x, y and z. See `NEAREST` for the ends of an edge.
    """
    return _backend().place_vertices(depth, first_plane, cells, cases, axes)


def connect(
    cells: Int64[np.ndarray, " cells"],
    cases: UInt8[np.ndarray, " cells"],
    points: tuple[int, int],
    faces: Int32[np.ndarray, "faces 3"],
) -> None:
    """Write the triangles of all active cells, in the order of cells and table, as vertex numbers.

    points: number of grid points along y and z. faces: as many rows as `FACE_COUNTS[cases]` has in sum.
    All border points of the grid are outside, so that the cell that owns an edge always exists.
    """
    _backend().connect(cells, cases, points, faces)


def _backend():
    if use_compiled():
        from . import numba as backend
    else:
        from . import reference as backend
    return backend
