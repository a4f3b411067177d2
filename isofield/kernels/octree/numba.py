"""Compiled MISE: depths in bricks of 8^3 points, one bit a cell for what is split and what is to be looked at again."""

import numpy as np
from numba import njit

from ...runtime.threads import run_pieces, split, threads
from ..marching_cubes import NEAREST, active_cells, first_vertices
from ..marching_cubes.table import OWNED_AXES

__all__ = ["CompiledOctree"]

_SMALL = 4096  # cells; below this, starting a thread costs more than the work
_WANTED = np.float32(np.inf)  # in a brick: the depth is wanted. nan: nobody asked


class CompiledOctree:
    """As `kernels.octree.Octree`. Coordinates within are relative to the slab's first plane.

    A brick holds the 8^3 points from a multiple of 8 on; `directory` says which one, or -1. The coarse points lie in an array of their
    own and are copied into a brick when it is made. A cell of level l has the edge step >> l; the bits of all levels but the
    finest lie one after the other, from word `starts[l]` on.
    """

    def __init__(self, resolution: int, coarse: int, first: int, last: int) -> None:
        self._n, self._first, self._step = resolution + 1, first, resolution // coarse
        self._levels = self._step.bit_length() - 1
        planes = (last - first) // self._step
        self._coarse = np.full((planes + 1, coarse + 1, coarse + 1), np.nan, np.float32)
        self._asked_coarse = 0  # coarse points before this one have been asked for
        bricks = (((last - first) >> 3) + 1, (resolution >> 3) + 1, (resolution >> 3) + 1)
        self._directory = np.full(bricks, -1, np.int32)
        self._places = np.empty((0, 3), np.int32)  # of the bricks, in bricks
        self._values = np.empty(0, np.float32)
        self._waiting = np.empty(0, np.uint8)  # of the bricks: whether some depth is wanted
        words = [-(-(planes << level) * (coarse << level) ** 2 // 64) for level in range(self._levels)]
        self._starts = np.concatenate([[0], np.cumsum(words)]).astype(np.int64)
        self._cells = [(planes << level, coarse << level, coarse << level) for level in range(self._levels)]
        self._split_bits = np.zeros(self._starts[-1], np.uint64)
        self._check_bits = np.zeros(self._starts[-1], np.uint64)
        self._inserted: list[tuple[np.ndarray, np.ndarray]] = []
        self._untouched = True
