"""The compiled kernel."""

import numpy as np
from numba import njit

__all__ = ["splat"]


@njit(nogil=True, cache=True, error_model="numpy")
def splat(places, values, grid):
    """Add to grid [channels, R, R, R], one point after another."""
    size, one = grid.shape[1], np.float32(1)
    for p in range(len(places)):
        x, y, z = np.floor(places[p, 0]), np.floor(places[p, 1]), np.floor(places[p, 2])
        u, v, w = places[p, 0] - x, places[p, 1] - y, places[p, 2] - z
        i, j, k = int(x) % size, int(y) % size, int(z) % size
        for corner in range(8):
            a, b, c = corner >> 2, (corner >> 1) & 1, corner & 1
            weight = (u if a else one - u) * (v if b else one - v) * (w if c else one - w)
            for channel in range(values.shape[1]):
                grid[channel, (i + a) % size, (j + b) % size, (k + c) % size] += weight * values[p, channel]
