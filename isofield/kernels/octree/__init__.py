"""Multiresolution isosurface extraction (MISE; Mescheder et al. 2019, section 3.3 and their published code).

A coarse grid is read first. A cell is split into eight where grid points on it, corners or points that finer
neighbours brought (hanging points), lie on both sides of the surface. Splitting adds those of its 27 half-way
points that are missing; it goes on until no cell above the finest level has both sides. So a surface that the
coarse grid meets is followed to its end. The published code lets a value equal to the level mark both sides;
here it counts as outside, as everywhere in this package.
"""

from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, Int64, UInt8

from .. import use_compiled

__all__ = ["Octree", "octree"]


@runtime_checkable
class Octree(Protocol):
    """The state of the search in a slab of the grid.

    Points are named by their linear indices in the whole grid, see `kernels.marching_cubes`. To search:

    while True:
        while len(points := tree.query(limit)):
            tree.update(depth(points))
        if not tree.split():
            break
    """

    def query(self, limit: int) -> Int64[np.ndarray, " points"]:
        """About `limit` at most of the points whose depth is wanted; none when all are known."""

    def update(self, depth: Float32[np.ndarray, " points"]) -> None:
        """Take the depth of the points of the last query."""

    def split(self) -> bool:
        """Split each cell that has both sides, once; whether there were any. No point may be wanted."""

    def insert(self, points: Int64[np.ndarray, " points"], depth: Float32[np.ndarray, " points"]) -> None:
        """Take points that another slab has read; `split` may then find more to do."""

    def active_cells(
        self, first: int, last: int
    ) -> tuple[Int64[np.ndarray, " cells"], UInt8[np.ndarray, " cells"]]:
        """As `kernels.marching_cubes.active_cells`, of the finest cells between two planes, both even."""

    def place_vertices(
        self,
        cells: Int64[np.ndarray, " cells"],
        cases: UInt8[np.ndarray, " cells"],
        axes: tuple[np.ndarray, ...],
    ) -> Float32[np.ndarray, "vertices 3"]:
        """As `kernels.marching_cubes.place_vertices`."""

    def store(self, file) -> None:
        """Move the large arrays into a binary file, to be brought back by `restore`."""

    def restore(self, file) -> None:
        """Bring back what `store` wrote."""


def octree(resolution: int, coarse: int, first: int = 0, last: int | None = None) -> Octree:
    """A new search in a cubic grid of `resolution` cells along each axis, from `coarse` cells.

    resolution is coarse * 2^k, k >= 1. first, last: the planes of the slab, multiples of 2^k; by default all.
    """
    slab = first, resolution if last is None else last
    if use_compiled():
        from .numba import CompiledOctree

        return CompiledOctree(resolution, coarse, *slab)
    from .reference import ReferenceOctree

    return ReferenceOctree(resolution, coarse, *slab)
