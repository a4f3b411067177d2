"""Values at scattered points spread over a regular grid: the transpose of trilinear interpolation."""

import numpy as np
from jaxtyping import Float, Float32

from .. import use_compiled

__all__ = ["splat"]


def splat(
    places: Float[np.ndarray, "points 3"], values: Float[np.ndarray, "points channels"], resolution: int
) -> Float32[np.ndarray, "channels {resolution} {resolution} {resolution}"]:
    """Add each point's values to the eight grid points around it, by trilinear weights.

    places: in cells, so that grid point (i, j, k) is at those numbers; the grid is periodic. Sums run in the
    order of the points, in single precision.
    """
    if use_compiled():
        from .numba import splat as backend
    else:
        from .reference import splat as backend
    grid = np.zeros((values.shape[1], resolution, resolution, resolution), np.float32)
    backend(np.ascontiguousarray(places, np.float32), np.ascontiguousarray(values, np.float32), grid)
    return grid
