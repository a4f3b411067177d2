"""Which triangle each pixel sees, and the vertices' attributes interpolated there: a z-buffer in software."""

import numpy as np
from jaxtyping import Float32, Float64, Int32

from .. import use_compiled

__all__ = ["SUBPIXELS", "rasterise"]

# screen positions are rounded to this share of a pixel, which makes the test of coverage exact
SUBPIXELS = 256


def rasterise(
    screen: Float64[np.ndarray, "vertices 3"],
    faces: Int32[np.ndarray, "faces 3"],
    attributes: Float32[np.ndarray, "vertices channels"],
    height: int,
    width: int,
) -> tuple[Int32[np.ndarray, "{height} {width}"], Float32[np.ndarray, "{height} {width} channels"]]:
    """The nearest triangle at every pixel's centre and its vertices' attributes interpolated to that point.

    screen: x to the right and y down in pixels, pixel (row i, column j) having its centre at (j + 0.5, i +
    0.5), and the inverse of the depth along the view axis, positive: all vertices lie in front of the camera.
    Inverse depth is linear on the screen, so the depth test is exact and the interpolation
    perspective-correct: weights w_k q_k / sum(w q) with the barycentric coordinates w on the screen and the
    inverse depths q. Returns the index of the face, -1 where there is none, and the attributes, 0 there.
    Triangles are seen from both sides. A pixel on the common edge of two triangles is covered by both, so
    there are no cracks; of equally near triangles the first is taken.
    """
    if use_compiled():
        from .numba import rasterise as backend
    else:
        from .reference import rasterise as backend
    fixed = np.round(screen[:, :2] * SUBPIXELS).astype(np.int64)
    return backend(fixed, np.ascontiguousarray(screen[:, 2]), faces, attributes, height, width)
