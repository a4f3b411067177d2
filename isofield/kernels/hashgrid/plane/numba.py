"""The hash encoding compiled, for two dimensions and two features a level: what images need.

As for three dimensions, with four corners to a cell: one level at a time over all points, encoded features as
[blocks, 2 * levels, 128], and a level's sums in the order of the points, so that gradients do not depend on
the number of threads. Gradients of the points are left to the reference: no training of an image asks for
them.
"""

import numpy as np
from numba import njit

from ..numba import _P1, _add, _cell

__all__ = ["encode", "scatter"]

_ONE = np.float32(1)


@njit(inline="always")
def _corners(points, i, scale, shift, stride, rows):
    """Rows and bilinear weights of the four corners of point i; bit 0 of the corner's number is x, bit 1 is
    y."""
    cx, fx = _cell(points[i, 0], scale, shift)
    cy, fy = _cell(points[i, 1], scale, shift)
    if stride > 0:
        r0 = np.int64(cx) + np.int64(cy) * np.int64(stride)
        r0 = r0 if r0 < rows else r0 % rows
        r1, r2 = r0 + 1, r0 + stride  # stride is at most rows: each wraps around once
        r1 = r1 if r1 < rows else r1 - rows
        r2 = r2 if r2 < rows else r2 - rows
        r3 = r2 + 1 if r2 + 1 < rows else r2 + 1 - rows
    else:  # 32 bits throughout, as the hash is defined: numba would widen the products
        x0, x1 = np.uint32(cx), np.uint32(cx + 1)
        y0, y1 = np.uint32(np.uint32(cy) * _P1), np.uint32(np.uint32(cy + 1) * _P1)
        r0, r1 = np.int64(x0 ^ y0) % rows, np.int64(x1 ^ y0) % rows
        r2, r3 = np.int64(x0 ^ y1) % rows, np.int64(x1 ^ y1) % rows
    gx, gy = _ONE - fx, _ONE - fy
    return r0, r1, r2, r3, gx * gy, fx * gy, gx * fy, fx * fy


@njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def encode(points, table, scale, shift, stride, level, first, last, encoded):
    """encoded[blocks first..last, features of the level] from points [blocks * 128, 2] and the level's table
    [rows, 2]."""
    rows = np.int64(table.shape[0])
    for block in range(first, last):
        for lane in range(128):
            r0, r1, r2, r3, w0, w1, w2, w3 = _corners(points, block * 128 + lane, scale, shift, stride, rows)
            encoded[block, 2 * level, lane] = (
                w0 * table[r0, 0] + w1 * table[r1, 0] + w2 * table[r2, 0] + w3 * table[r3, 0]
            )
            encoded[block, 2 * level + 1, lane] = (
                w0 * table[r0, 1] + w1 * table[r1, 1] + w2 * table[r2, 1] + w3 * table[r3, 1]
            )


@njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def scatter(points, gradient, scale, shift, stride, level, table_gradient):
    """Add the gradient [blocks, 2 * levels, 128] of the encoded features to the level's table gradient
    [rows, 2]."""
    rows = np.int64(table_gradient.shape[0])
    for block in range(gradient.shape[0]):
        for lane in range(128):
            r0, r1, r2, r3, w0, w1, w2, w3 = _corners(points, block * 128 + lane, scale, shift, stride, rows)
            g0, g1 = gradient[block, 2 * level, lane], gradient[block, 2 * level + 1, lane]
            _add(table_gradient, r0, w0, g0, g1)
            _add(table_gradient, r1, w1, g0, g1)
            _add(table_gradient, r2, w2, g0, g1)
            _add(table_gradient, r3, w3, g0, g1)
