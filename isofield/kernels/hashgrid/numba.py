"""The hash encoding compiled, for three dimensions and two features a level.

Level outermost over all points, so that one level's part of the table (1 MiB at 2^17 rows) stays in the
core's cache. Encoded features lie as [blocks, 2 * levels, 128]. Every function works on one level; a level's
sums run in the order of the points, so gradients do not depend on the number of threads.
"""

import numpy as np
from numba import njit

__all__ = [
    "encode",
    "encode_tangent",
    "point_gradient",
    "point_gradient_tangent",
    "scatter",
    "scatter_tangent",
]

_P1, _P2 = np.uint32(2654435761), np.uint32(805459861)
_ZERO, _ONE = np.float32(0), np.float32(1)


@njit(inline="always")
def _cell(x, scale, shift):
    """Cell and fraction of a coordinate clamped to [0, 1]."""
    position = min(max(x, np.float32(0)), np.float32(1)) * scale + shift
    cell = np.int32(position)
    return cell, position - np.float32(cell)


@njit(inline="always")
def _rows(cx, cy, cz, stride, rows):
    """Rows of the eight corners; bit 0 of the corner's number is x, bit 1 is y, bit 2 is z."""
    if stride > 0:
        s1 = np.uint32(stride)
        s2 = s1 * s1
        base = np.uint32(cx) + np.uint32(cy) * s1 + np.uint32(cz) * s2
        r0, r1, r2, r3 = base, base + np.uint32(1), base + s1, base + s1 + np.uint32(1)
        r4, r5, r6, r7 = r0 + s2, r1 + s2, r2 + s2, r3 + s2
        if r7 >= rows:  # only the cell at the far corner: its outer corners have weight 0 and wrap around
            r0, r1, r2, r3 = r0 % rows, r1 % rows, r2 % rows, r3 % rows
            r4, r5, r6, r7 = r4 % rows, r5 % rows, r6 % rows, r7 % rows
        return r0, r1, r2, r3, r4, r5, r6, r7
    mask = rows - np.uint32(1)
    x0 = np.uint32(cx)
    x1 = x0 + np.uint32(1)
    y0 = np.uint32(cy) * _P1
    y1 = y0 + _P1
    z0 = np.uint32(cz) * _P2
    z1 = z0 + _P2
    a, b, c, d = y0 ^ z0, y1 ^ z0, y0 ^ z1, y1 ^ z1
    return (x0 ^ a) & mask, (x1 ^ a) & mask, (x0 ^ b) & mask, (x1 ^ b) & mask, \
        (x0 ^ c) & mask, (x1 ^ c) & mask, (x0 ^ d) & mask, (x1 ^ d) & mask  # fmt: skip


@njit(inline="always")
def _weights(fx, fy, fz):
    """Trilinear weights of the eight corners."""
    gx, gy, gz = _ONE - fx, _ONE - fy, _ONE - fz
    a, b, c, d = gy * gz, fy * gz, gy * fz, fy * fz
    return gx * a, fx * a, gx * b, fx * b, gx * c, fx * c, gx * d, fx * d


@njit(inline="always")
def _tangent_weights(fx, fy, fz, vx, vy, vz):
    """Derivative of the trilinear weights when the fractions move by (vx, vy, vz)."""
    gx, gy, gz = _ONE - fx, _ONE - fy, _ONE - fz
    a, b, c, d = gy * gz, fy * gz, gy * fz, fy * fz
    da, db = -vy * gz - gy * vz, vy * gz - fy * vz
    dc, dd = -vy * fz + gy * vz, vy * fz + fy * vz
    return gx * da - vx * a, fx * da + vx * a, gx * db - vx * b, fx * db + vx * b, \
        gx * dc - vx * c, fx * dc + vx * c, gx * dd - vx * d, fx * dd + vx * d  # fmt: skip


@njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def encode(points, table, scale, shift, stride, level, first, last, encoded):
    """encoded[blocks first..last, features of the level] from points [blocks * 128, 3] and the level's table
    [rows, 2]."""
    rows = np.uint32(table.shape[0])
    for block in range(first, last):
        for lane in range(128):
            i = block * 128 + lane
            cx, fx = _cell(points[i, 0], scale, shift)
            cy, fy = _cell(points[i, 1], scale, shift)
            cz, fz = _cell(points[i, 2], scale, shift)
            r0, r1, r2, r3, r4, r5, r6, r7 = _rows(cx, cy, cz, stride, rows)
            w0, w1, w2, w3, w4, w5, w6, w7 = _weights(fx, fy, fz)
            encoded[block, 2 * level, lane] = (
                w0 * table[r0, 0] + w1 * table[r1, 0] + w2 * table[r2, 0] + w3 * table[r3, 0]
                + w4 * table[r4, 0] + w5 * table[r5, 0] + w6 * table[r6, 0] + w7 * table[r7, 0]
            )  # fmt: skip
            encoded[block, 2 * level + 1, lane] = (
                w0 * table[r0, 1] + w1 * table[r1, 1] + w2 * table[r2, 1] + w3 * table[r3, 1]
                + w4 * table[r4, 1] + w5 * table[r5, 1] + w6 * table[r6, 1] + w7 * table[r7, 1]
            )  # fmt: skip


@njit(inline="always")
def _add(table_gradient, row, weight, g0, g1):
    table_gradient[row, 0] += weight * g0
    table_gradient[row, 1] += weight * g1


@njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def scatter(points, gradient, scale, shift, stride, level, table_gradient):
    """Add the gradient [blocks, 2 * levels, 128] of the encoded features to the level's table gradient [rows,
    2]."""
    rows = np.uint32(table_gradient.shape[0])
    for block in range(gradient.shape[0]):
        for lane in range(128):
            g0 = gradient[block, 2 * level, lane]
            g1 = gradient[block, 2 * level + 1, lane]
            if g0 == _ZERO and g1 == _ZERO:
                continue  # a sample that no light reaches
            i = block * 128 + lane
            cx, fx = _cell(points[i, 0], scale, shift)
            cy, fy = _cell(points[i, 1], scale, shift)
            cz, fz = _cell(points[i, 2], scale, shift)
            r0, r1, r2, r3, r4, r5, r6, r7 = _rows(cx, cy, cz, stride, rows)
            w0, w1, w2, w3, w4, w5, w6, w7 = _weights(fx, fy, fz)
            _add(table_gradient, r0, w0, g0, g1)
            _add(table_gradient, r1, w1, g0, g1)
            _add(table_gradient, r2, w2, g0, g1)
            _add(table_gradient, r3, w3, g0, g1)
            _add(table_gradient, r4, w4, g0, g1)
            _add(table_gradient, r5, w5, g0, g1)
            _add(table_gradient, r6, w6, g0, g1)
            _add(table_gradient, r7, w7, g0, g1)


@njit(inline="always")
def _corner_dots(part, cx, cy, cz, stride, g0, g1):
    """Dot product of each corner's features with the gradient (g0, g1) of the interpolated features."""
    r0, r1, r2, r3, r4, r5, r6, r7 = _rows(cx, cy, cz, stride, np.uint32(part.shape[0]))
    return (
        g0 * part[r0, 0] + g1 * part[r0, 1], g0 * part[r1, 0] + g1 * part[r1, 1],
        g0 * part[r2, 0] + g1 * part[r2, 1], g0 * part[r3, 0] + g1 * part[r3, 1],
        g0 * part[r4, 0] + g1 * part[r4, 1], g0 * part[r5, 0] + g1 * part[r5, 1],
        g0 * part[r6, 0] + g1 * part[r6, 1], g0 * part[r7, 0] + g1 * part[r7, 1],
    )  # fmt: skip


@njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def point_gradient(points, gradient, table, scales, shifts, strides, offsets, first, last, result):
    """result[points of blocks first..last, 3] = gradient of the points, given that of the encoded
    features."""
    zero = np.float32(0)
    for block in range(first, last):
        for lane in range(128):
            i = block * 128 + lane
            sx, sy, sz = zero, zero, zero
            for level in range(scales.shape[0]):
                part = table[offsets[level] : offsets[level + 1]]
                scale = scales[level]
                cx, fx = _cell(points[i, 0], scale, shifts[level])
                cy, fy = _cell(points[i, 1], scale, shifts[level])
                cz, fz = _cell(points[i, 2], scale, shifts[level])
                t0, t1, t2, t3, t4, t5, t6, t7 = _corner_dots(
                    part,
                    cx,
                    cy,
                    cz,
                    strides[level],
                    gradient[block, 2 * level, lane],
                    gradient[block, 2 * level + 1, lane],
                )
                gx, gy, gz = _ONE - fx, _ONE - fy, _ONE - fz
                sx += scale * (
                    gz * (gy * (t1 - t0) + fy * (t3 - t2)) + fz * (gy * (t5 - t4) + fy * (t7 - t6))
                )
                sy += scale * (
                    gz * (gx * (t2 - t0) + fx * (t3 - t1)) + fz * (gx * (t6 - t4) + fx * (t7 - t5))
                )
                sz += scale * (
                    gy * (gx * (t4 - t0) + fx * (t5 - t1)) + fy * (gx * (t6 - t2) + fx * (t7 - t3))
                )
            for axis, total in enumerate((sx, sy, sz)):
                inside = (points[i, axis] >= zero) and (points[i, axis] <= _ONE)
                result[i, axis] = total if inside else zero


@njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def point_gradient_tangent(
    points, tangents, gradient, table, scales, shifts, strides, offsets, first, last, result
):
    """Derivative of `point_gradient` when the points move by tangents: only the mixed second derivatives are
    not 0."""
    zero = np.float32(0)
    for block in range(first, last):
        for lane in range(128):
            i = block * 128 + lane
            vx, vy, vz = tangents[i, 0], tangents[i, 1], tangents[i, 2]
            xy, xz, yz = zero, zero, zero
            for level in range(scales.shape[0]):
                part = table[offsets[level] : offsets[level + 1]]
                scale = scales[level]
                cx, fx = _cell(points[i, 0], scale, shifts[level])
                cy, fy = _cell(points[i, 1], scale, shifts[level])
                cz, fz = _cell(points[i, 2], scale, shifts[level])
                t0, t1, t2, t3, t4, t5, t6, t7 = _corner_dots(
                    part,
                    cx,
                    cy,
                    cz,
                    strides[level],
                    gradient[block, 2 * level, lane],
                    gradient[block, 2 * level + 1, lane],
                )
                area = scale * scale
                xy += area * ((_ONE - fz) * (t3 - t2 - t1 + t0) + fz * (t7 - t6 - t5 + t4))
                xz += area * ((_ONE - fy) * (t5 - t4 - t1 + t0) + fy * (t7 - t6 - t3 + t2))
                yz += area * ((_ONE - fx) * (t6 - t4 - t2 + t0) + fx * (t7 - t5 - t3 + t1))
            result[i, 0] = vy * xy + vz * xz
            result[i, 1] = vx * xy + vz * yz
            result[i, 2] = vx * xz + vy * yz


@njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def encode_tangent(points, tangents, table, scale, shift, stride, level, first, last, encoded):
    """Derivative of `encode` when the points move by tangents [points, 3]."""
    rows = np.uint32(table.shape[0])
    for block in range(first, last):
        for lane in range(128):
            i = block * 128 + lane
            cx, fx = _cell(points[i, 0], scale, shift)
            cy, fy = _cell(points[i, 1], scale, shift)
            cz, fz = _cell(points[i, 2], scale, shift)
            r = _rows(cx, cy, cz, stride, rows)
            w = _tangent_weights(
                fx, fy, fz, tangents[i, 0] * scale, tangents[i, 1] * scale, tangents[i, 2] * scale
            )
            first_sum, second_sum = np.float32(0), np.float32(0)
            for corner in range(8):
                first_sum += w[corner] * table[r[corner], 0]
                second_sum += w[corner] * table[r[corner], 1]
            encoded[block, 2 * level, lane] = first_sum
            encoded[block, 2 * level + 1, lane] = second_sum


@njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def scatter_tangent(points, tangents, gradient, scale, shift, stride, level, table_gradient):
    """The transpose of `encode_tangent` in the table."""
    rows = np.uint32(table_gradient.shape[0])
    for block in range(gradient.shape[0]):
        for lane in range(128):
            i = block * 128 + lane
            cx, fx = _cell(points[i, 0], scale, shift)
            cy, fy = _cell(points[i, 1], scale, shift)
            cz, fz = _cell(points[i, 2], scale, shift)
            r = _rows(cx, cy, cz, stride, rows)
            w = _tangent_weights(
                fx, fy, fz, tangents[i, 0] * scale, tangents[i, 1] * scale, tangents[i, 2] * scale
            )
            for corner in range(8):
                _add(table_gradient, r[corner], w[corner],
                     gradient[block, 2 * level, lane], gradient[block, 2 * level + 1, lane])  # fmt: skip
