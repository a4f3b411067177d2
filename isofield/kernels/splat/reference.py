"""The definition in plain numpy, one corner of the cells at a time."""

from itertools import product

import numpy as np

__all__ = ["splat"]


def splat(places: np.ndarray, values: np.ndarray, grid: np.ndarray) -> None:
    """Add to grid [channels, R, R, R]; as `kernels.splat.splat`."""
    low = np.floor(places)
    share = places - low
    for corner in product((0, 1), repeat=3):
        weight = np.prod(np.where(corner, share, 1 - share), axis=1, dtype=np.float32)
        x, y, z = ((low + corner).astype(np.int64) % grid.shape[1]).T
        for channel, column in zip(grid, values.T):
            np.add.at(channel, (x, y, z), weight * column)
