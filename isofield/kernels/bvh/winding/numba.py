"""The compiled kernels of the winding number: expansions of the nodes, their sum, its gradient.

A primitive at s from a node's centre with area vector n adds -n . grad(1/|r + s|) to the solid angle seen
from a point, r from the point to the centre. Taylor's series in s has the moments N = sum n, M1 = sum n s,
M2 = sum n s s (integrated over each triangle). As 1/|r| is harmonic, only their symmetric and traceless
parts Q of M1 and O of M2 count, and each term is a single power of |r|:

    solid angle = N.r / r^3  -  3 Q(r, r) / r^5  +  15/2 O(r, r, r) / r^7

This is the expansion of Barill et al. 2018 with 3 + 6 + 10 numbers in place of 3 + 9 + 27.
"""

import numpy as np
from numba import njit

from ..numba import LANES

__all__ = ["expand_nodes", "winding", "winding_gradient"]

NARROWEST = 1.2  # an expansion serves from this many radii of its node on, at least
ROUNDED = np.float32(
    1e-8
)  # squared size of a triangle's number below which rounding shows: angles off by 2e-3
TOLERANCE = 7e-3  # ... and from where (integral of |s|^2) * radius / distance^5 is below this
ROUNDED = np.float32(
    1e-8
)  # squared size of a triangle's number below which rounding shows: angles off by 2e-3


@njit(nogil=True, cache=True, error_model="numpy")
def expand_nodes(boxes, links, rows, sums, multipoles):
    """Write the expansions of all nodes, children before parents.

    sums: float64 [nodes, 36], work space: area, centre (its mean position), radius, spread (integral of
    |s|^2), N, M1 as [i, j], M2 as [i, (xx, yy, zz, xy, yz, zx)]. multipoles: float32 [nodes, 24]: centre,
    square of the distance from which the expansion serves, N, then the coefficients of xx, yy, zz, xy, yz,
    zx and of xxx, yyy, zzz, xxy, xxz, yyx, yyz, zzx, zzy, xyz with all factors included.
    """
    for node in range(links.shape[0] - 1, -1, -1):
        s = sums[node]
        for k in range(36):
            s[k] = 0.0
        first, count = links[node, 0], links[node, 1]
        if count > 0:
            _leaf_sums(s, boxes[node], rows, first, count)
        else:
            _inner_sums(s, boxes[node], sums[node + 1], sums[first])
        out = multipoles[node]
        out[0], out[1], out[2] = s[1], s[2], s[3]
        reach = max(NARROWEST * s[4], (s[5] * s[4] / TOLERANCE) ** 0.2)
        out[3] = reach * reach
        out[4], out[5], out[6] = s[6], s[7], s[8]
        trace = (s[9] + s[13] + s[17]) / 3.0
        out[7], out[8], out[9] = -3.0 * (s[9] - trace), -3.0 * (s[13] - trace), -3.0 * (s[17] - trace)
        out[10], out[11], out[12] = -3.0 * (s[10] + s[12]), -3.0 * (s[14] + s[16]), -3.0 * (s[11] + s[15])
        xxx, yyy, zzz = s[18], s[25], s[32]
        xxy, xxz = (2.0 * s[21] + s[24]) / 3.0, (2.0 * s[23] + s[30]) / 3.0
        yyx, yyz = (2.0 * s[27] + s[19]) / 3.0, (2.0 * s[28] + s[31]) / 3.0
        zzx, zzy = (2.0 * s[35] + s[20]) / 3.0, (2.0 * s[34] + s[26]) / 3.0
        tx, ty, tz = (xxx + yyx + zzx) / 5.0, (xxy + yyy + zzy) / 5.0, (xxz + yyz + zzz) / 5.0
        out[13], out[14], out[15] = 7.5 * (xxx - 3.0 * tx), 7.5 * (yyy - 3.0 * ty), 7.5 * (zzz - 3.0 * tz)
        out[16], out[17] = 22.5 * (xxy - ty), 22.5 * (xxz - tz)
        out[18], out[19] = 22.5 * (yyx - tx), 22.5 * (yyz - tz)
        out[20], out[21] = 22.5 * (zzx - tx), 22.5 * (zzy - ty)
        out[22] = 15.0 * (s[22] + s[29] + s[33])


@njit(nogil=True, cache=True, error_model="numpy")
def _leaf_sums(s, box, rows, first, count):
    for i in range(first, first + count):
        t = rows[i]
        area = 0.5 * np.sqrt(np.float64(t[9]) * t[9] + np.float64(t[10]) * t[10] + np.float64(t[11]) * t[11])
        s[0] += area
        for k in range(3):
            s[1 + k] += area / 3.0 * (np.float64(t[k]) + t[3 + k] + t[6 + k])
    for k in range(3):
        s[1 + k] = s[1 + k] / s[0] if s[0] > 0.0 else 0.5 * (box[k] + box[3 + k])
    for i in range(first, first + count):
        t = rows[i]
        area = 0.5 * np.sqrt(np.float64(t[9]) * t[9] + np.float64(t[10]) * t[10] + np.float64(t[11]) * t[11])
        # integral of x y over a triangle = area / 12 (sum over corners of x y + 9 times that of the centroid)
        cx = cy = cz = xx = yy = zz = xy = yz = zx = 0.0
        for corner in range(0, 9, 3):
            x, y, z = t[corner] - s[1], t[corner + 1] - s[2], t[corner + 2] - s[3]
            s[4] = max(s[4], x * x + y * y + z * z)
            cx, cy, cz = cx + x / 3.0, cy + y / 3.0, cz + z / 3.0
            xx, yy, zz, xy, yz, zx = xx + x * x, yy + y * y, zz + z * z, xy + x * y, yz + y * z, zx + z * x
        xx, yy, zz = (xx + 9.0 * cx * cx) / 12.0, (yy + 9.0 * cy * cy) / 12.0, (zz + 9.0 * cz * cz) / 12.0
        xy, yz, zx = (xy + 9.0 * cx * cy) / 12.0, (yz + 9.0 * cy * cz) / 12.0, (zx + 9.0 * cz * cx) / 12.0
        s[5] += area * (xx + yy + zz)
        for k in range(3):
            n = 0.5 * t[9 + k]
            s[6 + k] += n
            s[9 + 3 * k] += n * cx
            s[10 + 3 * k] += n * cy
            s[11 + 3 * k] += n * cz
            s[18 + 6 * k] += n * xx
            s[19 + 6 * k] += n * yy
            s[20 + 6 * k] += n * zz
            s[21 + 6 * k] += n * xy
            s[22 + 6 * k] += n * yz
            s[23 + 6 * k] += n * zx
    s[4] = np.sqrt(s[4])


@njit(nogil=True, cache=True, error_model="numpy")
def _inner_sums(s, box, left, right):
    s[0] = left[0] + right[0]
    corner = 0.0
    for k in range(3):
        s[1 + k] = (
            (left[0] * left[1 + k] + right[0] * right[1 + k]) / s[0]
            if s[0] > 0.0
            else 0.5 * (box[k] + box[3 + k])
        )
        d = max(box[3 + k] - s[1 + k], s[1 + k] - box[k])
        corner += d * d
    for child in range(2):
        c = left if child == 0 else right
        x, y, z = c[1] - s[1], c[2] - s[2], c[3] - s[3]
        away = x * x + y * y + z * z
        s[4] = max(s[4], c[4] + np.sqrt(away))
        s[5] += c[5] + c[0] * away
        for k in range(3):
            n, mx, my, mz = c[6 + k], c[9 + 3 * k], c[10 + 3 * k], c[11 + 3 * k]
            s[6 + k] += n
            s[9 + 3 * k] += mx + n * x
            s[10 + 3 * k] += my + n * y
            s[11 + 3 * k] += mz + n * z
            s[18 + 6 * k] += c[18 + 6 * k] + 2.0 * mx * x + n * x * x
            s[19 + 6 * k] += c[19 + 6 * k] + 2.0 * my * y + n * y * y
            s[20 + 6 * k] += c[20 + 6 * k] + 2.0 * mz * z + n * z * z
            s[21 + 6 * k] += c[21 + 6 * k] + mx * y + my * x + n * x * y
            s[22 + 6 * k] += c[22 + 6 * k] + my * z + mz * y + n * y * z
            s[23 + 6 * k] += c[23 + 6 * k] + mz * x + mx * z + n * z * x
    s[4] = min(s[4], np.sqrt(corner))


@njit(nogil=True, cache=True, error_model="numpy")
def _near_an_edge(t, x, y, z, left_out, far):
    """Add the solid angle of a triangle, in double precision, for the queries where single has lost it: those
    close to an edge, of which slivers have many. Seen from the edge itself a triangle adds 0."""
    for p in range(LANES):
        if left_out[p] > 0.0:
            ax, ay, az = np.float64(t[0]) - x[p], np.float64(t[1]) - y[p], np.float64(t[2]) - z[p]
            bx, by, bz = np.float64(t[3]) - x[p], np.float64(t[4]) - y[p], np.float64(t[5]) - z[p]
            cx, cy, cz = np.float64(t[6]) - x[p], np.float64(t[7]) - y[p], np.float64(t[8]) - z[p]
            a = np.sqrt(ax * ax + ay * ay + az * az)
            b = np.sqrt(bx * bx + by * by + bz * bz)
            c = np.sqrt(cx * cx + cy * cy + cz * cz)
            volume = ax * (by * cz - bz * cy) + ay * (bz * cx - bx * cz) + az * (bx * cy - by * cx)
            cosines = a * b * c + (ax * bx + ay * by + az * bz) * c
            cosines += (bx * cx + by * cy + bz * cz) * a + (cx * ax + cy * ay + cz * az) * b
            if abs(cosines) + abs(volume) > 1e-13 * a * b * c:
                far[p] += 2.0 * np.arctan2(volume, cosines)


@njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def winding(start, stop, keys, points, centre, scale, links, rows, multipoles, dipoles, result):
    """Write the winding numbers of the queries keys[start:stop], start a multiple of LANES.

    Half the solid angle of a triangle is the argument of the complex number cosines + i volume of Van
    Oosterom and Strackee. The numbers of all near triangles are multiplied, and whole turns counted apart,
    so that one arctangent serves for all. dipoles: whether near primitives are points (their area vector at
    corner a).
    """
    x = np.empty(LANES, np.float32)
    y = np.empty(LANES, np.float32)
    z = np.empty(LANES, np.float32)
    far = np.empty(LANES, np.float32)  # solid angle
    re = np.empty(LANES, np.float32)
    im = np.empty(LANES, np.float32)
    turns = np.empty(LANES, np.float32)
    left_out = np.empty(LANES, np.float32)
    low = np.empty(3, np.float32)
    high = np.empty(3, np.float32)
    stack = np.empty(256, np.int64)
    zero, one, half, tiny = np.float32(0.0), np.float32(1.0), np.float32(0.5), np.float32(1e-20)
    for group in range(start, stop, LANES):
        lanes = min(LANES, stop - group)
        for k in range(3):
            low[k], high[k] = 1e30, -1e30
        for p in range(LANES):
            i = keys[group + min(p, lanes - 1)] & np.uint64(0xFFFFFFFF)
            x[p] = (points[i, 0] - centre[0]) * scale
            y[p] = (points[i, 1] - centre[1]) * scale
            z[p] = (points[i, 2] - centre[2]) * scale
            low[0], low[1], low[2] = min(low[0], x[p]), min(low[1], y[p]), min(low[2], z[p])
            high[0], high[1], high[2] = max(high[0], x[p]), max(high[1], y[p]), max(high[2], z[p])
            far[p], re[p], im[p], turns[p] = zero, one, zero, zero
        stack[0] = 0
        top = 1
        while top > 0:
            top -= 1
            node = stack[top]
            m = multipoles[node]
            away = zero
            for k in range(3):
                d = max(max(low[k] - m[k], m[k] - high[k]), zero)
                away += d * d
            first, count = links[node, 0], links[node, 1]
            if away > m[3]:
                for p in range(LANES):
                    dx, dy, dz = m[0] - x[p], m[1] - y[p], m[2] - z[p]
                    xx, yy, zz = dx * dx, dy * dy, dz * dz
                    inverse = one / np.sqrt(xx + yy + zz)
                    square = inverse * inverse
                    n = m[4] * dx + m[5] * dy + m[6] * dz
                    q = (
                        m[7] * xx
                        + m[8] * yy
                        + m[9] * zz
                        + m[10] * dx * dy
                        + m[11] * dy * dz
                        + m[12] * dz * dx
                    )
                    o = dx * (m[13] * xx + m[18] * yy + m[20] * zz) + dy * (
                        m[16] * xx + m[14] * yy + m[21] * zz
                    )
                    o += dz * (m[17] * xx + m[19] * yy + m[15] * zz) + m[22] * dx * dy * dz
                    far[p] += (n + (q + o * square) * square) * (square * inverse)
            elif count == 0:
                stack[top], stack[top + 1] = first, node + 1
                top += 2
            elif dipoles:
                for i in range(first, first + count):
                    t = rows[i]
                    for p in range(LANES):
                        dx, dy, dz = t[0] - x[p], t[1] - y[p], t[2] - z[p]
                        inverse = one / np.sqrt(dx * dx + dy * dy + dz * dz + tiny)
                        far[p] += half * (t[9] * dx + t[10] * dy + t[11] * dz) * (inverse * inverse * inverse)
            else:
                for i in range(first, first + count):
                    t, some = rows[i], zero
                    for p in range(LANES):
                        ax, ay, az = t[0] - x[p], t[1] - y[p], t[2] - z[p]
                        bx, by, bz = t[3] - x[p], t[4] - y[p], t[5] - z[p]
                        cx, cy, cz = t[6] - x[p], t[7] - y[p], t[8] - z[p]
                        ra = one / np.sqrt(ax * ax + ay * ay + az * az + tiny)
                        rb = one / np.sqrt(bx * bx + by * by + bz * bz + tiny)
                        rc = one / np.sqrt(cx * cx + cy * cy + cz * cz + tiny)
                        rab = ra * rb
                        s = (t[9] * ax + t[10] * ay + t[11] * az) * rab * rc
                        c = one + (ax * bx + ay * by + az * bz) * rab
                        c += ((bx * cx + by * cy + bz * cz) * rb + (cx * ax + cy * ay + cz * az) * ra) * rc
                        near_edge = c * c + s * s < ROUNDED
                        left_out[p] = one if near_edge else zero
                        some += left_out[p]
                        c = one if near_edge else c
                        s = zero if near_edge else s
                        r = re[p] * c - im[p] * s
                        q = re[p] * s + im[p] * c
                        # two upper arguments that add up to over half a turn end in the lower half plane
                        up = (im[p] >= zero) & (s >= zero) & (q < zero)
                        down = (im[p] < zero) & (s < zero) & (q >= zero)
                        turns[p] += (one if up else zero) - (one if down else zero)
                        re[p], im[p] = r, q
                    if some > zero:
                        _near_an_edge(t, x, y, z, left_out, far)
                for p in range(
                    LANES
                ):  # each factor is between 1e-4 and 4, so a leaf's product stays within float32
                    inverse = one / (abs(re[p]) + abs(im[p]))
                    re[p] *= inverse
                    im[p] *= inverse
        for p in range(lanes):
            near = np.arctan2(im[p], re[p]) * np.float32(0.5 / np.pi) + turns[p]
            result[keys[group + p] & np.uint64(0xFFFFFFFF)] = near + far[p] * np.float32(0.25 / np.pi)


@njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def winding_gradient(start, stop, keys, points, centre, scale, links, rows, multipoles, dipoles, result):
    """Write the gradients of the winding numbers of the queries keys[start:stop], start a multiple of LANES.

    A triangle's part is an integral along its border (Biot and Savart): for an edge from a to b, seen from
    the point, (a x b) (1/|a| + 1/|b|) / (|a| |b| + a.b).
    """
    x = np.empty(LANES, np.float32)
    y = np.empty(LANES, np.float32)
    z = np.empty(LANES, np.float32)
    gx = np.empty(LANES, np.float32)
    gy = np.empty(LANES, np.float32)
    gz = np.empty(LANES, np.float32)
    low = np.empty(3, np.float32)
    high = np.empty(3, np.float32)
    stack = np.empty(256, np.int64)
    zero, one, half, tiny = np.float32(0.0), np.float32(1.0), np.float32(0.5), np.float32(1e-20)
    two, three, five, seven = np.float32(2.0), np.float32(3.0), np.float32(5.0), np.float32(7.0)
    for group in range(start, stop, LANES):
        lanes = min(LANES, stop - group)
        for k in range(3):
            low[k], high[k] = 1e30, -1e30
        for p in range(LANES):
            i = keys[group + min(p, lanes - 1)] & np.uint64(0xFFFFFFFF)
            x[p] = (points[i, 0] - centre[0]) * scale
            y[p] = (points[i, 1] - centre[1]) * scale
            z[p] = (points[i, 2] - centre[2]) * scale
            low[0], low[1], low[2] = min(low[0], x[p]), min(low[1], y[p]), min(low[2], z[p])
            high[0], high[1], high[2] = max(high[0], x[p]), max(high[1], y[p]), max(high[2], z[p])
            gx[p], gy[p], gz[p] = zero, zero, zero
        stack[0] = 0
        top = 1
        while top > 0:
            top -= 1
            node = stack[top]
            m = multipoles[node]
            away = zero
            for k in range(3):
                d = max(max(low[k] - m[k], m[k] - high[k]), zero)
                away += d * d
            first, count = links[node, 0], links[node, 1]
            if away > m[3]:
                for p in range(LANES):
                    dx, dy, dz = m[0] - x[p], m[1] - y[p], m[2] - z[p]
                    xx, yy, zz = dx * dx, dy * dy, dz * dz
                    inverse = one / np.sqrt(xx + yy + zz)
                    square = inverse * inverse
                    n = m[4] * dx + m[5] * dy + m[6] * dz
                    qx = two * m[7] * dx + m[10] * dy + m[12] * dz
                    qy = two * m[8] * dy + m[10] * dx + m[11] * dz
                    qz = two * m[9] * dz + m[11] * dy + m[12] * dx
                    ox = three * m[13] * xx + m[18] * yy + m[20] * zz
                    ox += two * dx * (m[16] * dy + m[17] * dz) + m[22] * dy * dz
                    oy = three * m[14] * yy + m[16] * xx + m[21] * zz
                    oy += two * dy * (m[18] * dx + m[19] * dz) + m[22] * dz * dx
                    oz = three * m[15] * zz + m[17] * xx + m[19] * yy
                    oz += two * dz * (m[20] * dx + m[21] * dy) + m[22] * dx * dy
                    # each term is homogeneous: its value is gradient . r / degree
                    q = half * (qx * dx + qy * dy + qz * dz)
                    o = (ox * dx + oy * dy + oz * dz) / three
                    along = (three * n + (five * q + seven * o * square) * square) * square
                    cube = square * inverse
                    gx[p] += (along * dx - m[4] - (qx + ox * square) * square) * cube
                    gy[p] += (along * dy - m[5] - (qy + oy * square) * square) * cube
                    gz[p] += (along * dz - m[6] - (qz + oz * square) * square) * cube
            elif count == 0:
                stack[top], stack[top + 1] = first, node + 1
                top += 2
            elif dipoles:
                for i in range(first, first + count):
                    t = rows[i]
                    for p in range(LANES):
                        dx, dy, dz = t[0] - x[p], t[1] - y[p], t[2] - z[p]
                        inverse = one / np.sqrt(dx * dx + dy * dy + dz * dz + tiny)
                        cube = half * inverse * inverse * inverse
                        along = three * (t[9] * dx + t[10] * dy + t[11] * dz) * inverse * inverse
                        gx[p] += (along * dx - t[9]) * cube
                        gy[p] += (along * dy - t[10]) * cube
                        gz[p] += (along * dz - t[11]) * cube
            else:
                for i in range(first, first + count):
                    t = rows[i]
                    for edge in range(3):
                        e, f = 3 * edge, (3 * edge + 3) % 9
                        for p in range(LANES):
                            ax, ay, az = t[e] - x[p], t[e + 1] - y[p], t[e + 2] - z[p]
                            bx, by, bz = t[f] - x[p], t[f + 1] - y[p], t[f + 2] - z[p]
                            a = np.sqrt(ax * ax + ay * ay + az * az + tiny)
                            b = np.sqrt(bx * bx + by * by + bz * bz + tiny)
                            w = (one / a + one / b) / (a * b + ax * bx + ay * by + az * bz + tiny)
                            gx[p] += w * (ay * bz - az * by)
                            gy[p] += w * (az * bx - ax * bz)
                            gz[p] += w * (ax * by - ay * bx)
        for p in range(lanes):
            i = keys[group + p] & np.uint64(0xFFFFFFFF)
            per_unit = np.float32(0.25 / np.pi) * scale
            result[i, 0], result[i, 1], result[i, 2] = gx[p] * per_unit, gy[p] * per_unit, gz[p] * per_unit
