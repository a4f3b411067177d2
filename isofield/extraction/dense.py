"""Marching cubes on every point of a grid, slab by slab."""

from collections.abc import Callable, Iterator

import numpy as np
from jaxtyping import Float32, Int64, UInt8

from ..kernels.marching_cubes import active_cells, place_vertices
from ..runtime.errors import InputError
from ..runtime.memory import size_text
from .grid import Grid

__all__ = ["CHUNK_BYTES", "CHUNK_POINTS", "Piece", "Read", "dense_pieces", "slab_pieces"]

Read = Callable[[np.ndarray], np.ndarray]
"""Linear indices int64 [N] of grid points to the depth float32 [N] there."""

Piece = tuple[Int64[np.ndarray, " cells"], UInt8[np.ndarray, " cells"], Float32[np.ndarray, "vertices 3"]]
"""Active cells of some layers in order, their cases, and their vertices."""

CHUNK_POINTS = 1 << 17
CHUNK_BYTES = CHUNK_POINTS * 100  # what reading a chunk takes: indices, coordinates, values
_SLAB_BYTES = 64 << 20  # without a limit: large enough that slabs cost nothing
_POINT_BYTES = 8  # of a slab: the depth, and room for the active cells of a usual surface


def dense_pieces(
    read: Read, grid: Grid, coarse: int | None, memory: int | None, report: Callable[[float, str], None]
) -> Iterator[Piece]:
    """The surface from all points of the grid.

    coarse: None, as there is no coarse grid. memory: bytes that this may take, or None.
    Raises InputError where two planes of the grid do not fit in it.
    """
    if coarse is not None:
        raise InputError("the dense method has no coarse grid", "coarse", "Leave it out, or choose mise.")
    planes, plane = grid.shape[0], grid.shape[1] * grid.shape[2]
    smallest = CHUNK_BYTES + 2 * plane * _POINT_BYTES
    if memory is not None and memory < smallest:
        raise InputError(
            f"{size_text(memory)} of memory are too few for a dense grid of {planes - 1} cells",
            "max_memory",
            f"Give {size_text(1.05 * smallest)} or more, or a lower resolution.",
        )
    slab = _SLAB_BYTES if memory is None else (memory - CHUNK_BYTES) // 2
    layers = max(slab // (plane * _POINT_BYTES) - 1, 1)
    last_plane = np.empty(0, np.float32)
    for first in range(0, planes - 1, layers):
        last = min(first + layers, planes - 1)
        depth = np.empty((last - first + 1) * plane, np.float32)
        depth[: len(last_plane)] = last_plane  # read already as the end of the slab before
        for start in range(len(last_plane), len(depth), CHUNK_POINTS):
            stop = min(start + CHUNK_POINTS, len(depth))
            depth[start:stop] = read(np.arange(start, stop) + first * plane)
            report((first * plane + stop) / (planes * plane), "")
        last_plane = depth[-plane:].copy()
        yield slab_pieces(depth.reshape(-1, *grid.shape[1:]), first, grid)


def slab_pieces(depth: Float32[np.ndarray, "planes Y Z"], first_plane: int, grid: Grid) -> Piece:
    """The part of the surface between the planes of a slab."""
    cells, cases = active_cells(depth, first_plane)
    return cells, cases, place_vertices(depth, first_plane, cells, cases, grid.axes)
